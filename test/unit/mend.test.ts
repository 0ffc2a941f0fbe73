import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { lastKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { mend } from '../../shared/reconcile/mend.ts';
import type { Problem } from '../../shared/reconcile/problems.ts';
import type { Wanted } from '../../shared/reconcile/scheduledJobs.ts';
import type { Skipping } from '../../shared/reconcile/skips.ts';
import { timetable } from '../../shared/schedule/timetable.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation } from './machines.ts';
import { at, office, prefix, schedule } from './schedules.ts';

const stopAt = at('2026-11-23T19:00:00Z');
const now = stopAt + 30_000;
const on = (name: string) => machineOf({ adoptedBy: name });
const off = (name: string) => machineOf({ strategy: 'Halted', adoptedBy: name }, null);
const ready = { type: 'LifecycleReady', status: 'True', reason: 'Observed', message: '' };
/** What the status of a VM that runs says, where nothing was done and no schedule rules it. */
const running = { lifecycleState: { state: 'Running' } as LifecycleState, conditions: [ready] };
const wukong = (
  name = 'web',
  status?: object,
  more: { namespace?: string; annotations?: object; labels?: object } = {},
) =>
  ({
    metadata: {
      namespace: 'dev',
      name,
      uid: name,
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...more,
    },
    ...(status ? { status } : {}),
  }) as unknown as Wukong;
const decision: Skipping = {
  ...{ do: 'skip', reason: 'Override', message: 'held', told: false, remember: { skipped: stopAt } },
  boundary: { schedule: schedule(), at: stopAt, action: 'stop', wall: '' },
};
const skip = (more: Partial<Skipping> = {}): Wanted => ({ do: 'skip', decision: { ...decision, ...more } });

interface Given {
  wanted?: Record<string, Wanted>;
  busy?: Set<string>;
  /** Answers in the place of success. */
  fails?: (call: string) => number | Error | undefined;
  /** As the tick decided, and as it is now. */
  seen?: (name: string) => Machine;
  is?: (name: string) => Machine;
  deadline?: number;
  schedules?: boolean;
}
async function mended(
  wukongs: Wukong[],
  { wanted = {}, busy = new Set(), fails, seen = on, is = seen, deadline, ...more }: Given = {},
) {
  const { world } = worldOf(now);
  const problems: Problem[] = [];
  const calls: string[] = [];
  const bodies: { status?: { lifecycleState: LifecycleState } }[] = [];
  let [open, most] = [0, 0];
  world.transport.call = async ({ method, path, body }) => {
    const call = `${method} ${path.replace(/^.*?namespaces\//, '')}`;
    calls.push(call);
    bodies.push(body as (typeof bodies)[0]);
    most = Math.max(most, ++open);
    const answer = fails?.(call) ?? 200;
    await new Promise((next) => setImmediate(next));
    open--;
    if (typeof answer !== 'number') throw answer;
    const [name = 'web', status] = [
      /wukongs\/([^/]+)/.exec(path)?.[1],
      (body as { status?: object } | undefined)?.status,
    ];
    const text = { ...wukong(name, status), ...(answer < 300 ? {} : { message: 'no' }) };
    return { status: answer, body: text as never, warnings: [] };
  };
  const machineOfWukong = ({ metadata }: Wukong) => seen(metadata.name);
  const schedules = more.schedules ? [{ metadata: { namespace: 'dev', name: 'office' }, spec: office }] : [];
  const around = { schedules, findText: () => '', namespaces: new Map() };
  const done = await mend(wukongs, {
    ...{ world, problems, limits: { deadline: deadline ?? now + 10_000 } },
    busy,
    table: timetable(wukongs, machineOfWukong, around, now),
    wanted: new Map(Object.entries(wanted)),
    machineOf: machineOfWukong,
    machines: {
      get: (_namespace, vm) => is(vm.replace(/-vm$/, '')),
      changed: () => Promise.resolve(true),
      close() {},
    },
  });
  const states = bodies.flatMap((body) => body?.status?.lifecycleState?.state ?? []);
  return { ...done, problems, calls, bodies, states, most };
}

describe('the status of a VM that nothing is done with', () => {
  it('is left as it is where it says what is so', async () =>
    expect(await mended([wukong('web', running)])).toMatchObject({ repaired: 0, unsaid: [], problems: [], calls: [] }));

  it('is put right where it does not', async () => {
    const { repaired, calls, states } = await mended([wukong(), wukong('db', running)]);
    expect([repaired, calls, states]).toEqual([1, ['PATCH dev/wukongs/web/status'], ['Running']]);
  });

  it('says what comes next', async () => {
    const { bodies } = await mended([wukong('web', running, { labels: { env: 'dev' } })], { schedules: true });
    const next = { nextAction: 'start', nextActionTime: '2026-11-24T07:00:00Z' };
    expect(bodies).toMatchObject([{ status: { lifecycleState: next } }]);
  });

  it('says what is so by then, and nothing where that is so already', async () => {
    expect((await mended([wukong('web', running)], { seen: off, is: on })).calls).toEqual([]);
    expect((await mended([wukong('web', running)], { seen: on, is: off })).calls).toEqual([]); // it changed just now
    expect((await mended([wukong()], { seen: on, is: off })).states).toEqual(['Stopped']);
  });

  it('is left to whoever carries something out on it, also from a moment ago', async () => {
    expect((await mended([wukong()], { busy: new Set(['dev/web']) })).calls).toEqual([]);
    const busy = new Set<string>();
    const many = Array.from({ length: 52 }, (_, i) => wukong(`vm-${i}`));
    const { repaired } = await mended(many, { busy, fails: () => void busy.add('dev/vm-50') });
    expect(repaired).toBe(51);
  });

  it('is left to the next tick where somebody else has changed the VM meanwhile', async () => {
    const { repaired, calls } = await mended([wukong()], {
      fails: (call) => (call.startsWith('PATCH') ? 409 : undefined),
    });
    expect([repaired, calls]).toEqual([0, ['PATCH dev/wukongs/web/status', 'GET dev/wukongs/web']]);
  });

  it('is written for fifty VMs of a namespace at once', async () => {
    const many = Array.from({ length: 60 }, (_, i) => wukong(`vm-${i}`));
    expect(await mended([...many, wukong('web', undefined, { namespace: 'test' })])).toMatchObject({
      most: 51,
      repaired: 61,
    });
  });

  it('is left to the next tick when the time is over, and what was to be skipped is not said', async () => {
    const wanted = { 'dev/db': skip() };
    const { calls, unsaid, problems } = await mended([wukong(), wukong('db')], { deadline: now, wanted });
    expect([calls, unsaid, problems]).toEqual([[], [{ namespace: 'dev', name: 'db' }], []]);
  });

  it('that cannot be written is a problem, a minor one where the CRD does not know it', async () => {
    const { problems, repaired } = await mended([wukong(), wukong('db')], {
      fails: (call) => (call.includes('web') ? 500 : undefined),
    });
    expect([repaired, problems]).toMatchObject([
      1,
      [{ reason: 'Unreachable', minor: false, object: { metadata: { name: 'web' } } }],
    ]);
    const pruned = await mended([wukong()], { fails: () => new LifecycleError('CrdNotExtended', 'dropped') });
    expect(pruned.problems).toMatchObject([{ reason: 'CrdNotExtended', minor: true }]);
  });

  it('of a VM that cannot be read is a problem of that one', async () => {
    const broken = (name: string) => {
      if (name === 'web') throw new TypeError('no view');
      return on(name);
    };
    const { problems, repaired } = await mended([wukong(), wukong('db')], { seen: broken });
    expect([problems, repaired]).toMatchObject([[{ message: 'no view' }], 1]);
  });

  it('tells of a VM that found room after all, once', async () => {
    const { deadline: _d, ...asked } = operation({ action: 'start', requestId: 'r' });
    const last = { ...asked, outcome: 'Failed', reason: 'Unschedulable', message: 'no room', finishedAt: now - 9_000 };
    const waited = wukong('web', undefined, { annotations: { [lastKey]: write(last as never) } });
    expect((await mended([waited])).calls).toEqual(['PATCH dev/wukongs/web/status', 'POST dev/events']);
    expect((await mended([wukong()])).calls).toHaveLength(1);
  });
});

describe('what a schedule leaves out', () => {
  const all = ['POST dev/events', 'PATCH dev/wukongs/web'];

  it('is told and remembered, although the status says all that is so', async () => {
    const { calls, unsaid } = await mended([wukong('web', running)], { wanted: { 'dev/web': skip() } });
    expect([calls, unsaid]).toEqual([[...all, 'PATCH dev/wukongs/web/status'].slice(0, calls.length), []]);
    expect(calls.length).toBeGreaterThan(1);
  });

  it('has to come back where that could not be written down', async () => {
    const fails = (call: string) => (call === all[1] ? 500 : undefined);
    const { unsaid, problems } = await mended([wukong('web', running)], { wanted: { 'dev/web': skip() }, fails });
    expect([unsaid, problems.length]).toEqual([[{ namespace: 'dev', name: 'web' }], 1]);
    const later = (call: string) => (call.endsWith('status') ? 500 : undefined);
    expect((await mended([wukong('web')], { wanted: { 'dev/web': skip() }, fails: later })).unsaid).toEqual([]);
  });

  it('uses up the skip-next of its namespace, once all of that are through', async () => {
    const wanted = { 'dev/web': skip({ consume: 'namespace' }), 'dev/db': skip({ consume: 'namespace' }) };
    const both = [wukong('web', running), wukong('db', running)];
    expect(
      (await mended(both, { wanted })).calls.filter((call) => call.startsWith('PATCH /api/v1') || call === 'PATCH dev'),
    ).toHaveLength(1);
    const fails = (call: string) => (call === 'PATCH dev/wukongs/db' ? 500 : undefined);
    expect((await mended(both, { wanted, fails })).calls).not.toContain('PATCH dev');
    const own = { 'dev/web': skip({ consume: 'Wukong' }), 'dev/db': skip() };
    expect((await mended(both, { wanted: own })).calls).not.toContain('PATCH dev');
    const refused = await mended(both, { wanted, fails: (call) => (call === 'PATCH dev' ? 403 : undefined) });
    expect(refused.problems).toEqual([
      { message: expect.stringContaining('namespace dev') as string, reason: 'Refused' },
    ]);
  });

  it('and is so already is remembered, with the override that has ended taken away', async () => {
    const acting = {
      do: 'stop',
      boundary: decision.boundary,
      because: '',
      enforced: false,
      keep: true,
      remember: { lastHandled: stopAt },
    };
    const annotations = { [`${prefix}keep-running-until`]: '2026-11-23T18:00:00Z' };
    const { calls, bodies } = await mended([wukong('web', running, { annotations })], {
      wanted: { 'dev/web': { do: 'settle', decision: acting } as Wanted },
    });
    expect(calls[0]).toBe('PATCH dev/wukongs/web');
    expect(bodies[0]).toMatchObject({ metadata: { annotations: { [`${prefix}keep-running-until`]: null } } });
  });
});
