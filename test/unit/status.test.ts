import { describe, expect, it } from 'vitest';

import type { Condition, KubeObject, LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, write } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { lacksEndOf, lastShown, says, stateAfter, writeStatus } from '../../shared/report/status.ts';
import { clusterOf } from './asked.ts';
import { operation, s, t0 } from './machines.ts';

const stopped: Outcome = {
  ...{ namespace: 'team-a', name: 'web', action: 'stop', outcome: 'Stopped', message: 'It\nshut down.', forced: false },
  ...{ requestId: 'request', trigger: 'direct', startedAt: t0, finishedAt: t0 + 5 * s },
} as Outcome;
const state: LifecycleState = {
  ...{ state: 'Stopped', lastAction: 'stop', lastActionTime: '2026-11-23T20:00:00Z', outcome: 'Stopped' },
  ...{ message: 'It shut down.', forced: false, requestId: 'request', trigger: 'direct' },
  ...{ startedAt: '2026-11-23T20:00:00Z', finishedAt: '2026-11-23T20:00:05Z' },
};
const next = { nextAction: 'start', nextActionTime: '2026-11-24T07:00:00Z' } as const;

const wukong = (lifecycleState?: object, annotations: object = {}, conditions?: Condition[]): Wukong =>
  ({
    metadata: { namespace: 'team-a', name: 'web', uid: 'w', resourceVersion: '7', generation: 3, annotations },
    status: { lifecycleState, ...(conditions ? { conditions } : {}) },
  }) as unknown as Wukong;
const last = (more: object = {}) => ({
  [lastKey]: write({
    ...{ requestId: 'request', action: 'stop', outcome: 'Stopped', message: 'It shut down.', trigger: 'direct' },
    ...{ requestedAt: t0, startedAt: t0, finishedAt: t0 + 5 * s },
    ...more,
  } as never),
});

describe('the status after an outcome', () => {
  it.each<[string, object, object]>([
    ['of a stop', {}, {}],
    [
      'of a guest that was forced, and that nobody saw end',
      { outcome: 'ForcedOff', forced: true, forceReason: 'Requested', observed: false },
      { outcome: 'ForcedOff', forced: true, forceReason: 'Requested', observed: false },
    ],
    ['of a failure', { outcome: 'Failed', reason: 'Stuck' }, { outcome: 'Failed', reason: 'Stuck' }],
    ['that is none yet, which has no end', { outcome: 'InProgress' }, { outcome: 'InProgress', finishedAt: undefined }],
    [
      'whose texts are of any length',
      { message: 'm'.repeat(4_001), requestId: 'r'.repeat(1_025), trigger: 't'.repeat(257) },
      {
        message: expect.stringMatching(/^m{3990,4000}(?!m)/) as string,
        requestId: expect.stringMatching(/^r{1010,1024}(?!r)/) as string,
        trigger: expect.stringMatching(/^t{240,256}(?!t)/) as string,
      },
    ],
    ['of no force where there was none, whatever a record says', { forceReason: 'Requested' }, {}],
  ])('says what came of it: %s', (_what, more, expected) => {
    expect(stateAfter({ ...stopped, ...more } as Outcome, 'Stopped')).toEqual({ ...state, ...expected });
  });

  it('keeps what is due next', () => {
    expect(stateAfter(stopped, 'Stopped', { ...state, ...next, outcome: 'Started' })).toEqual({ ...state, ...next });
  });
});

describe('what is shown of a Wukong', () => {
  const running = { [operationKey]: write(operation({})) };
  it.each<[string, object | undefined, object, 'Stopped' | 'Running', object | undefined]>([
    ['what the status says', { ...state, outcome: 'Failed' }, last(), 'Stopped', { ...state, outcome: 'Failed' }],
    ['the record where the status was wiped', undefined, last(), 'Stopped', state],
    ['the record where the status says only what is due', next, last(), 'Stopped', { ...state, ...next }],
    ['not a record that the VM denies', next, last(), 'Running', next],
    ['nothing where there is nothing', undefined, {}, 'Stopped', undefined],
    [
      'the record where the status was never told of the end',
      { ...state, outcome: 'InProgress' },
      last(),
      'Stopped',
      state,
    ],
    [
      'that it goes on where it does',
      { ...state, outcome: 'InProgress' },
      { ...last(), ...running },
      'Stopped',
      { ...state, outcome: 'InProgress' },
    ],
  ])('is %s', (_what, shown, annotations, is, expected) => {
    expect(lastShown(wukong(shown, annotations), is)).toEqual(expected);
  });

  it('lacks the end of a request that it does not show, and of no other', () => {
    expect(lacksEndOf(wukong(undefined, last()), 'request')).toBe(true);
    expect(lacksEndOf(wukong(undefined, last()), 'other')).toBe(false);
    expect(lacksEndOf(wukong(state, last()), 'request')).toBe(false);
    expect(lacksEndOf(wukong(), 'request')).toBe(false);
  });
});

/** What is written, where these are the conditions before; undefined: nothing. */
async function written(wanted: LifecycleState, of: Wukong, ...answers: [number, KubeObject?][]) {
  const { cluster, asked, within } = clusterOf(t0, ...answers);
  const limits = { deadline: t0 + s };
  const wrote = await writeStatus(cluster, of, wanted, limits);
  expect(within.every((one) => one === limits)).toBe(true);
  const { status, metadata } = (asked.at(-1)?.body ?? {}) as Wukong;
  return { wrote, asked, metadata, state: status?.lifecycleState, conditions: status?.conditions };
}
const done: [number, KubeObject] = [200, wukong(state)];
const ready = (more: object): Condition =>
  ({
    ...{ type: 'LifecycleReady', status: 'True', reason: 'Stopped', message: 'It shut down.', observedGeneration: 3 },
    ...{ lastTransitionTime: '2026-11-23T20:00:00Z' },
    ...more,
  }) as Condition;

describe('the condition LifecycleReady', () => {
  const failed = { ...state, outcome: 'Failed', reason: 'Stuck' } as const;
  it.each<[string, LifecycleState, object]>([
    ['is True after a stop', state, {}],
    [
      'is Unknown as long as it goes on',
      { ...state, outcome: 'InProgress' },
      { status: 'Unknown', reason: 'InProgress' },
    ],
    ['is False after a stop that failed', { ...failed, state: 'Running' }, { status: 'False', reason: 'Stuck' }],
    ['is True where the VM is off in the end', failed, { reason: 'Failed' }],
    ['is False after a start that failed', { ...failed, lastAction: 'start' }, { status: 'False', reason: 'Stuck' }],
    [
      'is True where the VM is on in the end',
      { ...failed, lastAction: 'start', state: 'Running' },
      { reason: 'Failed' },
    ],
    [
      'says so where no reason is known',
      { ...failed, reason: undefined, state: 'Running' },
      { status: 'False', reason: 'Failed' },
    ],
    ['is True where nothing was asked for', { state: 'Running' }, { reason: 'Observed', message: '' }],
  ])('%s', async (_what, wanted, expected) => {
    expect((await written(wanted, wukong(), done)).conditions).toEqual([ready(expected)]);
  });

  it('keeps the time of its last change, and others’ conditions', async () => {
    const other = { type: 'VolumesBound', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' } as Condition;
    const before = ready({ reason: 'Started', lastTransitionTime: '2026-11-22T00:00:00Z' });
    const { conditions } = await written(state, wukong(undefined, {}, [before, other]), done);
    expect(conditions).toEqual([other, ready({ lastTransitionTime: '2026-11-22T00:00:00Z' })]);
  });

  it('says of which spec it is where that is known', async () => {
    const old = wukong();
    delete old.metadata.generation;
    expect((await written(state, old, done)).conditions?.[0]).not.toHaveProperty('observedGeneration');
  });
});

describe('the status is written', () => {
  const path = '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs/web/status';

  it('as a whole: what is not said any more is taken away', async () => {
    const { wrote, asked, metadata, state: patch } = await written({ state: 'Stopped', ...next }, wukong(state), done);
    expect([wrote, asked[0]?.path, metadata]).toEqual([true, path, { resourceVersion: '7' }]);
    const nothing = Object.keys({ ...state, reason: 1, forceReason: 1, observed: 1 }).map((key) => [key, null]);
    expect(patch).toEqual({ ...Object.fromEntries(nothing), state: 'Stopped', ...next });
  });

  it('not where it and the condition say so already, whatever else is there', async () => {
    const said = wukong({ ...state, strange: 'x' }, {}, [ready({ observedGeneration: 2 })]);
    expect(says(said, state)).toBe(true);
    expect(await written(state, said)).toMatchObject({ wrote: false, asked: [] });
  });

  it.each<[string, object | undefined, Condition[]]>([
    ['one of its fields says something else', { ...state, message: 'x' }, [ready({})]],
    ['it is not there', undefined, [ready({})]],
    ['the condition is not there', state, []],
    ...(['status', 'reason', 'message'] as const).map((field): [string, object, Condition[]] => [
      `the condition’s ${field} is another`,
      state,
      [ready({ [field]: 'x' })],
    ]),
  ])('where %s', async (_what, shown, conditions) => {
    expect(says(wukong(shown, {}, conditions), state)).toBe(false);
    expect((await written(state, wukong(shown, {}, conditions), done)).wrote).toBe(true);
  });

  it('where there was no status at all', async () => {
    const bare = wukong();
    delete bare.status;
    expect(says(bare, state)).toBe(false);
    expect(await written(state, bare, done)).toMatchObject({ wrote: true, conditions: [ready({})] });
  });

  it('again where somebody else wrote meanwhile, six times at the most', async () => {
    const read: [number, KubeObject] = [200, wukong({ state: 'Running' })];
    const twice = await written(state, wukong(), [409], read, done);
    const own = path.replace('/status', '');
    expect(twice.asked.map(({ method, path }) => [method, path])).toEqual([
      ['PATCH', path],
      ['GET', own],
      ['PATCH', path],
    ]);
    const always = Array.from({ length: 5 }, (): [number, KubeObject?][] => [[409], read]).flat();
    await expect(written(state, wukong(), ...always, [409])).rejects.toMatchObject({ code: 'Refused' });
    expect((await written(state, wukong(), ...always, done)).wrote).toBe(true);
  });

  it('not over what is newer', async () => {
    const newer = wukong({ ...state, requestId: 'newer' });
    const { cluster, asked } = clusterOf(t0, [409], [200, newer]);
    const looked: Wukong[] = [];
    const wrote = await writeStatus(cluster, wukong(), state, {}, (now) => looked.push(now) < 0);
    expect([wrote, asked.length, looked[0]?.status?.lifecycleState?.requestId]).toEqual([false, 2, 'newer']);
  });

  it.each([undefined, {}, { outcome: 'Stopped' }])('and says how to extend a CRD that drops it: %o', async (kept) => {
    await expect(written(state, wukong(), [200, wukong(kept)])).rejects.toMatchObject({
      code: 'CrdNotExtended',
      message: expect.stringContaining('kubectl patch crd wukongs.vm.novasphere.dev') as string,
    });
    const bare = { metadata: { name: 'web' } } as KubeObject;
    await expect(written(state, wukong(), [200, bare])).rejects.toMatchObject({ code: 'CrdNotExtended' });
  });
});
