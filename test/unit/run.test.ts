import { describe, expect, it, vi } from 'vitest';

import { runNameOf, type RunStatus } from '../../shared/domain/run.ts';
import { endedBadly, runDetailOf, runSentence, type RunTold, tellRun } from '../../shared/report/run.ts';
import { createRun, type NewRun, runObject } from '../../shared/report/runObject.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { t0 } from './machines.ts';
import { telling } from './tellings.ts';

const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' } as const;
const failure = (name: string) => ({ name, reason: 'Stuck', message: 'm' });
const status = (more: Partial<RunStatus> = {}): RunStatus => ({
  ...{ phase: 'Incomplete', targets: 0, done: 0, already: 0, forced: 0, failed: 0, skipped: {}, inProgress: 0 },
  ...{ failures: [], forcedNames: [], ...more },
});
const owner = { kind: 'WukongSchedule', metadata: { namespace: 'team-a', name: 'office', uid: 'u' } } as WukongSchedule;
const run = (more: Partial<RunTold> = {}): RunTold => ({
  namespace: 'team-a',
  spec,
  status: status({ targets: 1 }),
  owner,
  ...more,
});
const name = runNameOf(spec, 'u');
const limits = { deadline: t0 + 5_000 };

it('a run that ended Incomplete or Missed is one to look at', () =>
  expect(
    (['Running', 'Succeeded', 'Incomplete', 'Missed', 'Skipped'] as const).filter((phase) =>
      endedBadly(status({ phase })),
    ),
  ).toEqual(['Incomplete', 'Missed']));

describe('the event of a run', () => {
  it('has what the run says, without the line of each VM', () => {
    expect(runDetailOf(run({ status: status({ targets: 1, vms: ['x'], omitted: 2, startedAt: 'x' }) }))).toStrictEqual({
      ...{ version: '1', id: `team-a/${name}/Incomplete`, namespace: 'team-a', name, ...spec, phase: 'Incomplete' },
      ...{ targets: 1, done: 0, already: 0, forced: 0, failed: 0, skipped: {}, inProgress: 0, startedAt: 'x' },
      ...{ failures: [], forcedNames: [], omitted: 2 },
    });
    expect(runDetailOf(run({ owner: undefined }))).toMatchObject({ name: runNameOf(spec), omitted: 0 });
  });

  it('names fifty of each, and counts the others', () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `vm-${i}`);
    const told = (failures: number, forced: number) =>
      runDetailOf(
        run({ status: status({ failures: names(failures).map(failure), forcedNames: names(forced), omitted: 1 }) }),
      );
    const many = told(52, 53);
    expect([many.failures, many.forcedNames, many.omitted]).toEqual([names(50).map(failure), names(50), 1 + 2 + 3]);
    expect([told(50, 50).omitted, told(51, 3).omitted, told(3, 51).omitted]).toEqual([1, 2, 2]);
  });
});

it('a run is said in a sentence', () => {
  const said = (more: Partial<RunStatus>) => runSentence({ spec, status: status(more) });
  const what = 'stop of 2026-11-23T20:30:00Z: ';
  expect([said({}), said({ targets: 1, done: 1 })]).toEqual([`${what}0 VMs: none`, `${what}1 VM: 1 done`]);
  expect(said({ skipped: { Stale: 1 } })).toBe(`${what}0 VMs: left alone: 1 Stale`);
  const all = {
    targets: 9,
    done: 1,
    already: 2,
    forced: 3,
    failed: 4,
    inProgress: 5,
    skipped: { Stale: 6, Protected: 7 },
  };
  expect(said({ ...all, failures: ['a', 'b', 'c', 'd', 'e', 'f'].map(failure) })).toBe(
    `${what}9 VMs: 1 done, 2 already, 3 forced, 4 failed, 5 in progress, left alone: 6 Stale, 7 Protected; failed: a Stuck, b Stuck, c Stuck, d Stuck, e Stuck`,
  );
  expect(said({ failures: [failure('a\nb')] })).toBe(`${what}0 VMs: none; failed: a b Stuck`);
});

describe('a run that ended badly is told', () => {
  const message = 'stop of 2026-11-23T20:30:00Z: 1 VM: none';

  it('as an Event on its schedule, on the bus, as a notice, a line and a metric', async () => {
    const { world, asked, within, told, notices, logged, counted } = telling(t0, [201]);
    await tellRun(world, run(), 'mine', limits);
    expect(asked).toMatchObject([
      {
        body: {
          type: 'Warning',
          reason: 'RunIncomplete',
          message,
          involvedObject: { kind: 'WukongSchedule', name: 'office' },
          reportingInstance: 'runs/2026-11-23T20:00:00Z',
        },
      },
    ]);
    const detail = runDetailOf(run());
    expect([told, within]).toEqual([[{ type: 'Wukong VM Lifecycle Run', detail, time: t0 }], [limits]]);
    const [id, subject] = ['team-a/mine/Incomplete', 'team-a/mine'];
    const text = `Run team-a/office ended Incomplete: ${message}`;
    expect(notices).toEqual([{ id, type: 'dev.novasphere.wukong.run.v1', subject, time: t0, text, detail }]);
    expect(logged).toEqual([
      [
        'warn',
        'run team-a/mine: Incomplete',
        { namespace: 'team-a', name: 'mine', reason: 'RunIncomplete', says: message },
      ],
    ]);
    expect(counted).toEqual([['BadRuns', 1]]);
  });

  it('on itself, where it has no schedule, or one of the cluster', async () => {
    const wide = { kind: 'ClusterWukongSchedule', metadata: { name: 'nights', uid: 'u' } } as WukongSchedule;
    for (const [one, text] of [
      [undefined, 'mine'],
      [wide, 'nights'],
    ] as const) {
      const { world, asked, notices } = telling(t0, [201]);
      await tellRun(world, run({ owner: one }), 'mine', limits);
      expect(asked).toMatchObject([
        { body: { involvedObject: { kind: 'WukongRun', name: 'mine', namespace: 'team-a' } } },
      ]);
      expect(notices[0]?.text).toMatch(new RegExp(`^Run team-a/${text} ended`));
    }
  });

  it('once for each end, in an Event of 1024 characters', async () => {
    const { world, asked } = telling(t0, [201], [201], [201]);
    const failures = Array.from({ length: 5 }, () => failure('x'.repeat(250)));
    for (const one of [run(), run({ status: status({ failures }) }), run({ status: status({ phase: 'Missed' }) })])
      await tellRun(world, one, 'mine', limits);
    const [first, second, third] = asked.map(({ body }) => body as { metadata: { name: string }; message: string });
    expect([second?.metadata.name, second?.message.length]).toEqual([first?.metadata.name, 1_024]);
    expect(third?.metadata.name).not.toBe(first?.metadata.name);
  });

  it('as far as it can be, and the rest is logged', async () => {
    const { world, told, logged } = telling(t0, [500, { message: 'down' }]);
    await tellRun(world, run(), 'mine', limits);
    expect([told, logged[1]]).toMatchObject([
      ...[
        [],
        [
          'error',
          'the end of a run could not be told',
          { namespace: 'team-a', name: 'mine', problem: expect.stringContaining('down') as string },
        ],
      ],
    ]);
    const alone = telling(t0, [201]);
    delete alone.world.bus;
    delete alone.world.webhook;
    await tellRun(alone.world, run(), 'mine', limits);
    expect(alone.logged).toHaveLength(1);
  });
});

describe('a run as it is made', () => {
  const made = (more: Partial<NewRun> = {}) =>
    runObject({ namespace: 'team-a', spec, status: status(), owner, current: true, ...more });
  const [current, uidKey] = ['lifecycle.novasphere.dev/current', 'lifecycle.novasphere.dev/schedule-uid'];
  const apiVersion = 'vm.novasphere.dev/v1alpha1';

  it('is owned by its schedule, and has a label by which ticks find it', () => {
    expect(made()).toStrictEqual({
      apiVersion,
      kind: 'WukongRun',
      metadata: {
        ...{ name, namespace: 'team-a', labels: { [current]: 'true', [uidKey]: 'u' } },
        ownerReferences: [{ apiVersion, kind: 'WukongSchedule', name: 'office', uid: 'u', controller: true }],
      },
      spec,
      status: status(),
    });
    expect(made({ current: false }).metadata.labels).toEqual({ [uidKey]: 'u' });
    const wide = { kind: 'ClusterWukongSchedule', metadata: { name: 'nights', uid: 'u' } } as WukongSchedule;
    expect(made({ owner: wide }).metadata.ownerReferences).toMatchObject([
      { kind: 'ClusterWukongSchedule', name: 'nights' },
    ]);
  });

  it('of a fleet has no owner', () =>
    expect(made({ owner: undefined }).metadata).toStrictEqual({
      name: runNameOf(spec),
      namespace: 'team-a',
      labels: { [current]: 'true' },
    }));

  it('is made once', async () => {
    const { world, asked, within } = telling(t0, [201], [409], [403, { message: 'no' }]);
    const call = vi.spyOn(world.transport, 'call');
    const one = { namespace: 'team-a', spec, status: status(), owner, current: true };
    expect([await createRun(world, one, limits), await createRun(world, one, limits)]).toEqual([true, false]);
    expect(asked[0]).toEqual({
      method: 'POST',
      path: '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongruns',
      body: made(),
    });
    expect([within[0], call.mock.calls[0]?.[0].safe]).toEqual([limits, true]);
    await expect(createRun(world, one, limits)).rejects.toMatchObject({
      code: 'Denied',
      message: `run team-a/${name}: no`,
    });
  });
});
