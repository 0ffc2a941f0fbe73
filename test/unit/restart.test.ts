import { describe, expect, it } from 'vitest';

import { adoptsKey, type KubeObject, type Wukong } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import type { Result } from '../../shared/domain/outcome.ts';
import { asRestart, isHalfWay, turnToStart } from '../../shared/lifecycle/restart.ts';
import { clusterOf } from './asked.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const stopped: Result = { outcome: 'Stopped', message: 'It went off.' };
const started: Result = { outcome: 'Started', message: 'It is up.' };
const op = operation({ thenStart: true, vmiUid: 'one', forceAt: t0 + s, periodSeconds: 30, comebacks: 2, attempts: 3 });

describe('a restart is half way', () => {
  it.each<[string, Parameters<typeof isHalfWay>, boolean]>([
    ['it was stopped', [op, stopped], true],
    ['it was stopped by force', [op, { outcome: 'ForcedOff', forceReason: 'Requested', message: '' }], true],
    ['the stop failed', [op, { outcome: 'Failed', reason: 'Stuck', message: '' }], false],
    ['the stop goes on', [op, { outcome: 'InProgress', message: '' }], false],
    ['somebody else took over', [op, 'superseded'], false],
    ['it is a plain stop', [operation({}), stopped], false],
    ['it is its second half', [{ ...op, action: 'start' }, stopped], false],
  ])('where %s: %#', (_what, given, expected) => expect(isHalfWay(...given)).toBe(expected));
});

describe('the second half of a restart', () => {
  const now = t0 + 900_900;
  const wukongOf = (annotations: Record<string, string> | undefined, spec: object = {}) =>
    ({ metadata: { namespace: 'team-a', name: 'web', uid: 'w', annotations }, spec }) as unknown as Wukong;
  const turned = async (wukong: Wukong, ...answers: [number, KubeObject?][]) => {
    const { cluster, asked, within } = clusterOf(now, ...answers);
    const begun = await turnToStart(cluster, wukong, { op, result: stopped }, { deadline: now + s });
    return { begun, asked, within };
  };
  const { thenStart: _then, forceAt: _force, periodSeconds: _period, ...kept } = op;
  const next = {
    ...{ ...kept, action: 'start', step: 'Claimed', stepAt: now, comebacks: 0, attempts: 1 },
    ...{ deadline: now + 360 * s, waitSeconds: 300 + 901, restartOf: { uid: 'one', message: 'It went off.' } },
  } as const;

  it('begins in one patch of the record that was read, with new time of its own', async () => {
    const wukong = wukongOf({ [operationKey]: 'as read' });
    const { begun, asked, within } = await turned(wukong, [200, wukong as unknown as KubeObject]);
    expect(JSON.parse(JSON.stringify(begun!.op))).toEqual(next);
    expect(begun!.wukong).toMatchObject({ metadata: { name: 'web' } });
    const path = `/metadata/annotations/${operationKey.replace('/', '~1')}`;
    expect(asked).toEqual([
      {
        ...{ method: 'PATCH', path: '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs/web' },
        body: [
          { op: 'test', path, value: 'as read' },
          { op: 'replace', path, value: write(begun!.op) },
          { op: 'add', path: '/spec/startStrategy', value: { autoStart: true } },
        ],
      },
    ]);
    expect(within).toEqual([{ deadline: now + s }]);
  });

  it('keeps what else the wish says that the VM runs', async () => {
    const wukong = wukongOf(undefined, { startStrategy: { autoStart: false, other: 1 } });
    const { asked } = await turned(wukong, [200, wukong as unknown as KubeObject]);
    const body = asked[0]!.body as { op: string; value: unknown }[];
    expect(body[0]!.value).toBe(write(op));
    expect(body[2]).toEqual({ op: 'add', path: '/spec/startStrategy', value: { autoStart: true, other: 1 } });
  });

  it('wishes nothing of a Wukong that was made for a VM, and all of one that says nothing yet', async () => {
    const adopts = wukongOf({ [adoptsKey]: 'web-vm' });
    const steps = async (wukong: Wukong) => (await turned(wukong, [200, wukong as never])).asked[0]!.body as object[];
    expect(await steps(adopts)).toHaveLength(2);
    const { metadata } = wukongOf(undefined);
    expect((await steps({ metadata } as Wukong))[2]).toMatchObject({ value: { autoStart: true } });
  });

  it('is ours where the record is, although the answer was lost, and nobody’s where it is not', async () => {
    const first = await turned(wukongOf(undefined), [200, wukongOf(undefined) as unknown as KubeObject]);
    const ours = wukongOf({ [operationKey]: write(first.begun!.op) }) as unknown as KubeObject;
    const { begun, within } = await turned(wukongOf(undefined), [422], [200, ours]);
    expect([begun?.op, begun?.wukong.metadata.annotations]).toEqual([first.begun!.op, ours.metadata.annotations]);
    expect(within).toEqual([{ deadline: now + s }, { deadline: now + s }]);
    const other = wukongOf({ [operationKey]: 'other' }) as unknown as KubeObject;
    expect((await turned(wukongOf(undefined), [422], [200, other])).begun).toBeUndefined();
    expect((await turned(wukongOf(undefined), [422], [200, wukongOf(undefined) as never])).begun).toBeUndefined();
    await expect(turned(wukongOf(undefined), [403])).rejects.toMatchObject({
      ...{ code: 'Denied', message: expect.stringContaining('second half of a restart') as string },
    });
  });
});

describe('the end of a restart', () => {
  const restartOf = { uid: 'old', message: 'It went off.' };
  const of = (result: Result, uid: string | undefined, vmi: string | null) =>
    asRestart(
      operation({ restartOf: { ...restartOf, uid } }),
      result,
      machineOf({}, vmi === null ? null : { uid: vmi }),
    );

  it('is that of any other where it is none', () =>
    expect(asRestart(operation({}), started, machineOf())).toBe(started));

  it.each<[string, string | undefined, string | null, string]>([
    ['another guest runs', 'old', 'new', 'It went off. Another guest is up and ready (VMI uid new).'],
    ['nobody knows which ran', undefined, 'new', 'It went off. Another guest is up and ready (VMI uid new).'],
    ['nobody sees which runs', 'old', null, 'It went off. Another guest is up and ready (VMI uid unknown).'],
    ['nobody knows either', undefined, null, 'It went off. Another guest is up and ready (VMI uid unknown).'],
  ])('is a start where %s', (_what, uid, vmi, message) =>
    expect(of(started, uid, vmi)).toEqual({ outcome: 'Started', message }),
  );

  it('is a failure where the guest runs that was to be stopped', () =>
    expect(of(started, 'old', 'old')).toEqual({
      ...{ outcome: 'Failed', reason: 'RestartedItself' },
      message: 'The guest that was to be stopped is the one that runs (VMI uid old).',
    }));

  it('tells of both halves where the second failed', () => {
    const failed: Result = { outcome: 'Failed', reason: 'TimedOut', message: 'It did not come up.' };
    expect(of(failed, 'old', 'old')).toEqual({ ...failed, message: 'It went off. It did not come up.' });
  });
});
