import { describe, expect, it } from 'vitest';

import { keyOf, type Wukong } from '../../shared/domain/model.ts';
import { lastKey, skippedKey, write } from '../../shared/domain/operation.ts';
import {
  currentKey,
  type Member,
  runNameOf,
  type RunSpec,
  scheduleUidKey,
  type WukongRun,
} from '../../shared/domain/run.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { planRuns } from '../../shared/reconcile/runPlans.ts';
import { runStatusOf } from '../../shared/report/runStatus.ts';
import type { Decision } from '../../shared/schedule/decide.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import type { Ruled } from '../../shared/schedule/timetable.ts';
import { machineOf } from './machines.ts';

const at = Date.parse('2026-11-23T20:31:00Z');
const dueAt = Date.parse('2026-11-23T20:30:00Z');
const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' } as const;
const before = '2026-11-22T20:30:00Z';
const id = 'schedule:team-a/office@2026-11-23T20:30:00Z';
const on = machineOf();
const off = machineOf({ strategy: 'Halted' }, null);

/** A schedule that stops each evening, and was looked at last the evening before. */
const office = (more: { metadata?: object; spec?: object; status?: object | undefined; kind?: string } = {}) =>
  ({
    kind: 'WukongSchedule',
    ...more,
    metadata: {
      ...{ namespace: 'team-a', name: 'office', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
      ...more.metadata,
    },
    spec: { timeZone: 'UTC', stop: '30 20 * * *', selector: { matchLabels: { env: 'dev' } }, ...more.spec },
    ...('status' in more ? {} : { status: { lastHandled: before } }),
  }) as unknown as WukongSchedule;
/** The same, made today. */
const unseen = office({ status: undefined, metadata: { creationTimestamp: '2026-11-23T08:00:00Z' } });
const ofAll = (more: object = {}) =>
  office({ kind: 'ClusterWukongSchedule', metadata: { namespace: undefined }, ...more });

const wukong = (name: string, more: object = {}): Wukong =>
  ({
    metadata: {
      ...{ namespace: 'team-a', name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z', annotations: {} },
      ...more,
    },
  }) as unknown as Wukong;
const skipped = (requestId: string) => ({
  [skippedKey]: JSON.stringify([{ requestId, reason: 'Protected', action: 'stop' }]),
});

const run = (members: Record<string, Member>, more: Partial<RunSpec> = {}, metadata: object = {}): WukongRun => {
  const own = { ...spec, ...more };
  const due = Date.parse(own.dueAt);
  return {
    metadata: {
      ...{ namespace: 'team-a', name: runNameOf(own, 'u'), labels: { [currentKey]: 'true', [scheduleUidKey]: 'u' } },
      ...{ ownerReferences: [{ kind: 'WukongSchedule', name: 'office', uid: 'u' }], ...metadata },
    },
    spec: own,
    status: runStatusOf(new Map(Object.entries(members)), { dueAt: due, now: at }),
  } as unknown as WukongRun;
};

interface Given {
  object?: WukongSchedule;
  runs?: WukongRun[];
  wukongs?: Wukong[];
  /** Of the schedule; absent: all. */
  matched?: Wukong[];
  machine?: Machine;
  decisions?: Record<string, Decision>;
  /** Those of which the schedule is not the one that counts. */
  unruled?: boolean;
  now?: number;
}
function planned({ object = office(), runs = [], wukongs = [], matched = wukongs, machine = on, ...more }: Given) {
  const ruled = wukongs.map((wukong): [Wukong, Ruled] => {
    const decision = more.decisions?.[keyOf(wukong.metadata)];
    return [wukong, { schedules: [], decision }];
  });
  return planRuns({
    runs,
    wukongs,
    machineOf: () => machine,
    table: {
      at: more.now ?? at,
      selecting: [{ object, checked: checkSchedule(object), matched }],
      ruled: new Map(more.unruled ? [] : ruled),
    },
  });
}
const members = (given: Given) => {
  const { plans } = planned(given);
  return Object.fromEntries(plans.flatMap((plan) => [...plan.members]));
};
const pending: Member = { outcome: 'Pending' };
const stopped: Member = { outcome: 'Stopped', startedAt: dueAt, finishedAt: dueAt + 5_000 };

describe('the run of a boundary', () => {
  const one = {
    ...{ namespace: 'team-a', name: runNameOf(spec, 'u'), spec, requestId: id, dueAt },
    ...{ newest: true, keep: 60 },
  };

  it('is of its schedule, and named by it', () => {
    const object = office({ spec: { runsHistoryLimit: 7 } });
    const { plans, forged } = planned({ object, wukongs: [wukong('web')] });
    expect(plans).toStrictEqual([{ ...one, owner: object, keep: 7, members: new Map([['web', pending]]) }]);
    expect(forged).toEqual([]);
  });

  it('is the one that stands in the cluster, where it does', () => {
    const stored = run({ web: pending });
    const object = office();
    const { plans } = planned({ object, runs: [stored], wukongs: [wukong('web')] });
    expect(plans).toStrictEqual([{ ...one, owner: object, stored, members: new Map([['web', pending]]) }]);
  });

  it('is kept where the schedule cannot be read any more, and takes no other away', () => {
    const stored = run({ web: stopped });
    const object = office({ spec: { stop: 'tonight' } });
    const { plans } = planned({ object, runs: [stored] });
    expect(plans).toMatchObject([{ newest: false, keep: Infinity, stored, members: new Map([['web', stopped]]) }]);
  });

  it('is none of a schedule that has no uid yet', () =>
    expect(planned({ object: office({ metadata: { uid: undefined } }), wukongs: [wukong('web')] }).plans).toEqual([]));

  it('without a VM is made where the schedule was looked at before, or it stands there', () => {
    expect(planned({}).plans).toHaveLength(1);
    const fresh = unseen;
    expect(planned({ object: fresh }).plans).toEqual([]);
    expect(planned({ object: fresh, runs: [run({})] }).plans).toHaveLength(1);
    expect(planned({ object: fresh, wukongs: [wukong('web')] }).plans.map(({ name }) => name)).toEqual([one.name]);
  });

  it('is of its own namespace alone', () => {
    const [web, theirs] = [wukong('web'), wukong('web', { namespace: 'team-b' })];
    const { plans } = planned({ wukongs: [theirs, web], matched: [web] });
    expect(plans.map(({ namespace, members: all }) => [namespace, all.size])).toEqual([['team-a', 1]]);
    expect(members({ wukongs: [theirs], matched: [theirs] })).toEqual({});
  });
});

describe('the runs of a boundary of a cluster’s schedule', () => {
  const id = 'schedule:office@2026-11-23T20:30:00Z';
  const spaces = (given: Given) =>
    planned({ object: ofAll(), ...given }).plans.map(({ namespace, dueAt: due, requestId, members: all }) => [
      ...[namespace, new Date(due).toISOString().slice(8, 10), requestId, [...all.keys()].join()],
    ]);
  const there = [wukong('web'), wukong('db', { namespace: 'team-b' })];

  it('are one in each namespace that has VMs of it', () => {
    expect(spaces({ wukongs: there })).toEqual([
      ['team-a', '23', id, 'web'],
      ['team-b', '23', id, 'db'],
    ]);
    expect(spaces({ wukongs: [] })).toEqual([]);
    const late = wukong('late', { creationTimestamp: '2026-11-23T20:30:30Z' });
    expect(spaces({ wukongs: [late] })).toEqual([]);
  });

  it('are also those that were made before, each for its own boundary and action', () => {
    const elsewhere = { namespace: 'team-c' };
    const other = { ...spec, dueAt: before };
    const runs = [run({ gone: stopped }, {}, elsewhere), run({ old: stopped }, other, elsewhere)];
    const id22 = id.replace('-23T', '-22T');
    expect(spaces({ wukongs: there, runs })).toEqual([
      ['team-a', '23', id, 'web'],
      ['team-b', '23', id, 'db'],
      ['team-c', '23', id, 'gone'],
      ['team-c', '22', id22, 'old'],
    ]);
    const start = { start: '30 20 * * *', stop: '30 20 * * *' };
    const both = [run({ gone: stopped }, { action: 'start' }, elsewhere)];
    const plans = planned({ object: ofAll({ spec: start }), runs: both, wukongs: there }).plans;
    expect(plans.filter(({ namespace }) => namespace === 'team-c').map(({ spec }) => spec.action)).toEqual(['start']);
  });

  it('are none where somebody only says so on a Wukong, whatever other runs are there', () => {
    const elsewhere = { namespace: 'team-c' };
    const says = wukong('says', { ...elsewhere, annotations: skipped(id) });
    const wukongs = [...there, says];
    const madeFor = (more: Partial<RunSpec>, object = ofAll(), others: WukongRun[] = []) =>
      planned({ object, runs: [run({ old: stopped }, more, elsewhere), ...others], wukongs, matched: there })
        .plans.filter(({ members: all }) => all.has('says'))
        .map(({ stored }) => stored?.spec.action);
    expect(madeFor({ dueAt: before })).toEqual([]);
    const unreadable = ofAll({ spec: { stop: 'tonight' } });
    const others = [run({ old: stopped }, { action: 'stop' }, { namespace: 'team-d' })];
    expect(madeFor({ action: 'start' }, unreadable, others)).toEqual(['start']);
  });
});

describe('whose VMs a run has', () => {
  it('those that were there at the boundary, and are its schedule’s', () => {
    const created = (creationTimestamp: string | undefined) => ({ creationTimestamp });
    const wukongs = [
      wukong('old', created('2026-11-23T20:29:59Z')),
      wukong('now', created('2026-11-23T20:30:00Z')),
      wukong('new', created('2026-11-23T20:30:01Z')),
      wukong('unknown', created(undefined)),
    ];
    expect(Object.keys(members({ wukongs }))).toEqual(['old', 'now', 'unknown']);
    expect(members({ wukongs, matched: [] })).toEqual({});
  });

  it('those that it names, or that name it, whoever’s they are now', () => {
    const named = wukong('named', { annotations: skipped(id) });
    const other = wukong('other', { annotations: skipped('schedule:team-a/else@2026-11-23T20:30:00Z') });
    const known = wukong('known');
    const runs = [run({ known: stopped, web: stopped })];
    expect(members({ runs, wukongs: [known, named, other], matched: [] })).toEqual({
      known: expect.anything() as Member,
      named: { outcome: 'Skipped', reason: 'Protected' },
      web: stopped,
    });
  });

  it('one that came to it later only where something is still to be done with it', () => {
    const runs = [run({ web: stopped })];
    const wukongs = [wukong('web'), wukong('late')];
    expect(Object.keys(members({ runs, wukongs }))).toEqual(['web', 'late']);
    expect(Object.keys(members({ runs, wukongs, machine: off, unruled: true }))).toEqual(['web']);
    expect(Object.keys(members({ wukongs, machine: off, unruled: true }))).toEqual(['web', 'late']);
  });

  it('one that is gone as long as it came to something', () => {
    const forced: Member = { outcome: 'ForcedOff', reason: 'Requested', startedAt: dueAt, finishedAt: dueAt + 1_000 };
    const runs = [run({ gone: forced, lost: pending, going: { outcome: 'InProgress', startedAt: dueAt } })];
    expect(members({ runs })).toEqual({ gone: forced });
  });
});

describe('what came of a VM in a run', () => {
  it('is what its Wukong says, else what is decided, else how it is', () => {
    const done = wukong('done', {
      annotations: {
        [lastKey]: write({
          ...{ requestId: id, action: 'stop', outcome: 'Stopped', message: '', trigger: 'schedule' },
          ...{ requestedAt: dueAt, startedAt: dueAt, finishedAt: dueAt + 5_000 },
        } as never),
      },
    });
    expect(members({ wukongs: [done] })).toEqual({ done: stopped });
    expect(members({ wukongs: [done], runs: [run({ done: { outcome: 'AlreadyOff' } })] })).toEqual({ done: stopped });
    const boundary = { at: dueAt, action: 'stop', schedule: { key: 'team-a/office' } } as never;
    const skip = { do: 'skip', reason: 'Protected', boundary } as unknown as Decision;
    const decisions = { 'team-a/web': skip };
    const wukongs = [wukong('web')];
    expect(members({ wukongs, decisions })).toEqual({ web: { outcome: 'Skipped', reason: 'Protected' } });
    expect(members({ wukongs, machine: off, unruled: true })).toEqual({ web: { outcome: 'AlreadyOff' } });
    expect(members({ wukongs, unruled: true })).toEqual({ web: { outcome: 'Skipped', reason: 'Stale' } });
  });

  it('is open as long as the schedule was not through with the boundary', () => {
    const wukongs = [wukong('web')];
    const handled = (lastHandled: string | undefined) =>
      members({ wukongs, object: { ...unseen, status: { lastHandled } } as WukongSchedule })['web']?.outcome;
    expect(handled('2026-11-23T20:29:59Z')).toBe('Pending');
    expect(handled(undefined)).toBe('Pending');
    expect(handled('2026-11-23T20:30:00Z')).toBe('Skipped');
    expect(members({ wukongs, object: unseen })).toEqual({ web: pending });
  });

  it('of a boundary before the newest is settled', () => {
    const object = office({ spec: { stop: '*/10 * * * *' }, status: {} });
    const { plans } = planned({
      object: { ...object, status: { lastHandled: '2026-11-23T20:19:00Z' } } as never,
      wukongs: [wukong('web')],
    });
    expect(plans.map((plan) => [plan.newest, plan.members.get('web')?.outcome])).toEqual([
      [true, 'Pending'],
      [false, 'Skipped'],
    ]);
  });
});

describe('what a run says of its VMs', () => {
  const failed: Member = { ...stopped, outcome: 'Failed', reason: 'Stuck', message: 'It is still there.' };

  it('is believed with its messages, and its end', () => {
    expect(members({ runs: [run({ web: failed, db: stopped })] })).toEqual({ web: failed, db: stopped });
    const kept: Member = { outcome: 'AlreadyOff' };
    const early = run({ idle: kept });
    early.status = { ...early.status!, finishedAt: '2026-11-23T20:30:07Z' };
    expect(members({ runs: [early] })).toEqual({ idle: kept });
  });

  it.each<[string, object]>([
    ['its counts are of others', { done: 7 }],
    ['its times are of others', { latestSeconds: 99 }],
    ['it has no lines', { vms: undefined }],
    ['it names a failure that its lines do not', { failures: [{ name: 'ghost', reason: 'Stuck', message: '' }] }],
  ])('is not believed where %s', (_what, more) => {
    const edited = run({ web: stopped });
    edited.status = { ...edited.status!, ...more };
    expect(members({ runs: [edited] })).toEqual({});
  });

  it('that has none yet counts for nothing', () => {
    const bare = run({ web: stopped });
    delete bare.status;
    expect(members({ runs: [bare] })).toEqual({});
  });
});

describe('the run of a fleet command', () => {
  const fleetSpec = { action: 'stop', dueAt: '2026-11-23T20:30:00Z', requestId: 'direct:one' } as const;
  const fleet = (members: Record<string, Member>, more: object = {}, name = runNameOf(fleetSpec)): WukongRun =>
    ({
      metadata: { namespace: 'team-a', name, labels: { [currentKey]: 'true' } },
      spec: { ...fleetSpec, ...more },
      status: runStatusOf(new Map(Object.entries(members)), { dueAt, now: at }),
    }) as unknown as WukongRun;
  const plansOf = (given: Given) => planned(given).plans.filter(({ owner }) => !owner);

  it('is named by its request, and takes no other away', () => {
    const stored = fleet({ web: stopped });
    const expected = {
      ...{ namespace: 'team-a', name: runNameOf(fleetSpec), spec: fleetSpec, requestId: 'direct:one', dueAt },
      ...{ newest: false, keep: Infinity, stored },
    };
    expect(plansOf({ runs: [stored] })).toStrictEqual([{ ...expected, members: new Map([['web', stopped]]) }]);
  });

  it.each<[string, object, string?]>([
    ['is of a schedule as well', { schedule: 'office' }],
    ['has another name', {}, 'fleet-x'],
    ['is of no request', { requestId: undefined }],
    ['is of no time', { dueAt: 'soon' }],
    ['is of no time at all', { dueAt: undefined }],
  ])('that %s is somebody else’s', (_what, more, name) => {
    const own = { ...fleetSpec, dueAt: fleetSpec.dueAt, ...more };
    const stored = fleet(
      {},
      more,
      name ?? ('dueAt' in more && more.dueAt === undefined ? undefined : runNameOf(own as never)),
    );
    const { forged } = planned({ runs: [stored] });
    expect(forged).toEqual([stored]);
    expect(plansOf({ runs: [stored] })).toEqual([]);
  });

  it('waits an hour for a VM that shows no sign of it, by name or by record', () => {
    const runs = [fleet({ web: pending })];
    const wukongs = [wukong('web'), wukong('asked', { annotations: skipped('direct:one') }), wukong('other')];
    const now = (instant: number) =>
      Object.fromEntries(plansOf({ runs, wukongs, matched: [], now: instant }).flatMap((plan) => [...plan.members]));
    const asked = { outcome: 'Skipped', reason: 'Protected' };
    expect(now(dueAt + 3_599_999)).toEqual({ web: pending, asked });
    expect(now(dueAt + 3_600_000)).toEqual({ web: { outcome: 'Skipped', reason: 'Stale' }, asked });
    expect(plansOf({ runs, wukongs: [wukong('web', { namespace: 'team-b' })] })[0]?.members.size).toBe(0);
  });

  it('finds its VMs as they are', () => {
    const runs = [fleet({ web: pending })];
    const [plan] = plansOf({ runs, wukongs: [wukong('web')], machine: off });
    expect(plan?.members.get('web')).toEqual({ outcome: 'AlreadyOff' });
  });
});
