import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { currentKey, type Member, runNameOf, scheduleUidKey, type WukongRun } from '../../shared/domain/run.ts';
import type { Executed } from '../../shared/execute/sink.ts';
import type { RunPlan } from '../../shared/reconcile/runPlans.ts';
import { keepRuns, openRuns, readRuns } from '../../shared/reconcile/runs.ts';
import { deleteRun, pruneRuns, readCurrentRuns, readRun, updateRun } from '../../shared/reconcile/runWrites.ts';
import { runStatusOf } from '../../shared/report/runStatus.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { worldOf } from './asked.ts';
import { s } from './machines.ts';

const dueAt = Date.parse('2026-11-23T20:30:00Z');
const now = dueAt + 60 * s;
const limits = { deadline: now + 10 * s };
const spec = { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' } as const;
const owner = { metadata: { namespace: 'team-a', name: 'office', uid: 'u' } } as unknown as WukongSchedule;
const name = runNameOf(spec, 'u');
const all = '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongruns';
const path = `${all}/${name}`;
const id = 'schedule:team-a/office@2026-11-23T20:30:00Z';

const stopped: Member = { outcome: 'Stopped', startedAt: dueAt, finishedAt: dueAt + 5 * s };
const failed: Member = { outcome: 'Failed', reason: 'Stuck', message: 'x', startedAt: dueAt, finishedAt: now };
const pending: Member = { outcome: 'Pending' };
const statusOf = (members: Record<string, Member>) => runStatusOf(new Map(Object.entries(members)), { dueAt, now });

const run = (members: Record<string, Member>, metadata: object = {}): WukongRun =>
  ({
    metadata: {
      ...{ namespace: 'team-a', name, uid: 'run', resourceVersion: '7', labels: { [currentKey]: 'true' } },
      ...{ ownerReferences: [{ kind: 'WukongSchedule', name: 'office', uid: 'u' }], ...metadata },
    },
    spec,
    status: statusOf(members),
  }) as unknown as WukongRun;
const plan = (members: Record<string, Member>, more: Partial<RunPlan> = {}): RunPlan => ({
  ...{ namespace: 'team-a', name, spec, requestId: id, dueAt, owner, newest: true, keep: 60 },
  members: new Map(Object.entries(members)),
  ...more,
});
const outcome = (name: string, more: object = {}): Outcome =>
  ({
    ...{ namespace: 'team-a', name, action: 'stop', outcome: 'Stopped', message: '', forced: false, requestId: id },
    ...{ trigger: 'schedule', startedAt: dueAt, finishedAt: dueAt + 5 * s, ...more },
  }) as Outcome;
const list = (...items: WukongRun[]) => ({ items }) as unknown as KubeObject;
type Answers = [status: number, body?: KubeObject][];
const none: Executed = { outcomes: [], sent: [], left: [], failures: [] };

/** What is asked of the cluster to make these true, and what could not be done. */
async function kept(
  plans: RunPlan[],
  answers: Answers,
  more: Partial<{ forged: WukongRun[]; outcomes: Outcome[]; unsaid: string[] }> = {},
) {
  const { world, asked, within, told } = worldOf(now, ...answers);
  const unsaid = (more.unsaid ?? []).map((one) => ({ namespace: 'team-a', name: one }));
  const keeping = { plans, forged: more.forged ?? [], problems: [] };
  const done = { ...none, outcomes: more.outcomes ?? [] };
  const problems = await keepRuns(world, keeping, { done, unsaid }, limits);
  expect(within.every((one) => one === limits)).toBe(true);
  const steps = asked.map((one) => `${one.method} ${one.path.split('/').at(-1)?.split('?')[0]}`);
  return { asked, steps, problems, told };
}
const made: Answers = [[201], [200, list()]];
/** The status that was written. */
const written = ({ asked }: { asked: { body?: unknown }[] }) => {
  const body = asked.find((one) => one.body)?.body as { status?: object } | { path: string; value: object }[];
  return Array.isArray(body) ? body.find((one) => one.path === '/status')?.value : body.status;
};

describe('the runs that ticks look at', () => {
  const query = `labelSelector=lifecycle.novasphere.dev%2Fcurrent%3Dtrue`;
  it('are read in one place, or in each that is watched', async () => {
    const everywhere = worldOf(now, [200, list(run({ web: stopped }))]);
    expect(await readCurrentRuns(everywhere.world, limits)).toHaveLength(1);
    expect(everywhere.asked[0]?.path).toContain(`/v1alpha1/wukongruns?${query}`);
    const some = worldOf(now, [200, list(run({ web: stopped }))], [200, list(run({ db: stopped }))]);
    some.world.config = { ...some.world.config, watchNamespaces: ['team-a', 'team-b'] };
    expect(await readCurrentRuns(some.world, limits)).toHaveLength(2);
    expect(some.asked.map((one) => /namespaces\/(.*?)\//.exec(one.path)?.[1])).toEqual(['team-a', 'team-b']);
    expect(some.within).toMatchObject([limits, limits]);
  });

  it('are none in a cluster without their CRD; where they may not be read, that is a minor problem', async () => {
    expect(await readRuns(worldOf(now, [404]).world, limits)).toEqual({ runs: undefined });
    const one = run({ web: stopped });
    expect(await readRuns(worldOf(now, [200, list(one)]).world, limits)).toEqual({ runs: [one] });
    const { problem } = await readRuns(worldOf(now, [403]).world, limits);
    expect(problem).toMatchObject({ reason: 'Denied', minor: true });
    expect(problem?.message).toMatch(/^runs are not kept: .*403|^runs are not kept: /);
    await expect(readCurrentRuns(worldOf(now, [403]).world, limits)).rejects.toMatchObject({ code: 'Denied' });
  });

  it('of one namespace that does not answer are a minor problem of that one, and the others are read', async () => {
    const one = run({ web: stopped });
    const { world } = worldOf(now, [503], [200, list(one)]);
    world.config = { ...world.config, watchNamespaces: ['team-a', 'team-b'] };
    const { runs, unread, problem } = await readRuns(world, limits);
    expect([runs, problem]).toMatchObject([[one], { reason: 'Unreachable', minor: true }]);
    expect(unread).toEqual(new Set(['team-a']));
    expect(problem?.message).toMatch(/^runs of namespace team-a are not kept: .*503/);
  });

  it('are planned with all that the tick has seen', () => {
    const table = { at: now, selecting: [], ruled: new Map() };
    const one = run({});
    const opened = openRuns({ runs: [one] }, { table, wukongs: [], machineOf: () => ({}) });
    expect(opened).toEqual({ plans: [], forged: [one], problems: [] });
  });

  it('keep nobody from working where they cannot be planned', () => {
    const broken = { wukongs: [], machineOf: () => ({}), table: { selecting: [{}] } } as never;
    const opened = openRuns({ runs: [] }, broken);
    expect(opened).toMatchObject({ plans: [], forged: [], problems: [{ minor: true }] });
    expect(opened.problems[0]?.message).toMatch(/^runs are not kept: /);
    const problem = { message: 'x', reason: 'Denied', minor: true } as const;
    expect(openRuns({ problem }, broken)).toEqual({ plans: [], forged: [], problems: [problem] });
    expect(openRuns({ runs: [], problem }, broken).problems).toHaveLength(2);
  });
});

describe('a run is written', () => {
  it.each<[string, object | null, boolean, object]>([
    ['with its label', { x: 'y', [currentKey]: 'true' }, true, { x: 'y', [currentKey]: 'true' }],
    ['without the label that ticks find it by', { x: 'y', [currentKey]: 'true' }, false, { x: 'y' }],
    ['where it has none at all', null, false, {}],
  ])('only as it was read, %s', async (_what, labels, current, value) => {
    const { world, asked, within } = worldOf(now, [200]);
    const status = statusOf({ web: stopped });
    await updateRun(world, run({}, { labels: labels ?? undefined }), { status, current }, limits);
    const body = [
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/metadata/labels', value },
      { op: 'add', path: '/status', value: status },
    ];
    expect([asked, within]).toEqual([[{ method: 'PATCH', path, body }], [limits]]);
  });

  it.each([
    [422, undefined],
    [404, undefined],
    [403, 'Denied'],
  ])('and where that is answered %i comes again or is a failure', async (status, code) => {
    const work = updateRun(worldOf(now, [status]).world, run({}), { status: statusOf({}), current: true }, limits);
    expect(await work.catch((error: { code: string }) => error.code)).toBe(code);
  });

  it.each([
    [200, undefined],
    [299, undefined],
    [300, 'Refused'],
    [404, undefined],
    [409, undefined],
    [403, 'Denied'],
  ])('away only as the very one that was read (%i)', async (status, code) => {
    const { world, asked, within } = worldOf(now, [status]);
    const { call } = world.transport;
    let safe: boolean | undefined;
    world.transport.call = (one, by) => ((safe = one.safe), call(one, by));
    const thrown = await deleteRun(world, run({}), limits).catch((error: { code: string }) => error.code);
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'run' } };
    expect([thrown, asked, within, safe]).toEqual([code, [{ method: 'DELETE', path, body }], [limits], true]);
  });

  it('and the oldest go, of its schedule and namespace', async () => {
    const old = ['21', '23', '22'].map((day) => {
      const one = run({}, { name: `run-${day}` });
      return { ...one, spec: { ...one.spec, dueAt: `2026-11-${day}T20:30:00Z` } } as WukongRun;
    });
    const { world, asked, within } = worldOf(now, [200, list(...old)], [200], [200]);
    await pruneRuns(world, { namespace: 'team-a', owner, keep: 1 }, limits);
    expect(asked[0]?.path).toContain(`${all}?labelSelector=lifecycle.novasphere.dev%2Fschedule-uid%3Du`);
    expect(asked.slice(1).map((one) => `${one.method} ${one.path.split('/').at(-1)}`)).toEqual([
      'DELETE run-22',
      'DELETE run-21',
    ]);
    expect(within.every((one) => one === limits)).toBe(true);
  });

  it('and read by its name', async () => {
    const { world, asked } = worldOf(now, [200, run({})], [404]);
    const { call } = world.transport;
    world.transport.call = (one, by) => {
      expect(one.safe).toBe(true);
      return call(one, by);
    };
    expect(await readRun(world, 'team-a', name, limits)).toMatchObject({ metadata: { uid: 'run' } });
    expect(await readRun(world, 'team-a', name, limits)).toBeUndefined();
    expect(asked[0]).toEqual({ method: 'GET', path });
    await expect(readRun(worldOf(now, [403]).world, 'team-a', name, limits)).rejects.toMatchObject({ code: 'Denied' });
  });
});

describe('what came of a tick', () => {
  it('makes a run, and takes the oldest away', async () => {
    const done = await kept([plan({ web: pending })], made);
    expect(done.steps).toEqual(['POST wukongruns', 'GET wukongruns']);
    const references = [{ kind: 'WukongSchedule', name: 'office', uid: 'u' }];
    const metadata = { namespace: 'team-a', labels: { [currentKey]: 'true' }, ownerReferences: references };
    expect(done.asked[0]).toMatchObject({ path: all, body: { metadata, spec } });
    expect(written(done)).toEqual(statusOf({ web: pending }));
    const { owner: _owner, ...fleet } = plan({ web: pending });
    expect(await kept([fleet], [[201]])).toMatchObject({ steps: ['POST wukongruns'], problems: [] });
    const older = { ...run({}, { name: 'older' }), spec: { ...spec, dueAt: '2026-11-22T20:30:00Z' } } as WukongRun;
    const pruned = await kept([plan({ web: pending }, { keep: 1 })], [[201], [200, list(run({}), older)], [200]]);
    expect(pruned.asked[1]?.path).toContain(`${all}?labelSelector=lifecycle.novasphere.dev%2Fschedule-uid%3Du`);
    expect(pruned.steps.at(-1)).toBe('DELETE older');
  });

  it('is written for twenty runs at once, and what was a problem before stays one', async () => {
    const problem = { message: 'x', reason: 'Denied', minor: true } as const;
    const { world } = worldOf(now);
    let [open, most] = [0, 0];
    world.transport.call = async () => {
      most = Math.max(most, ++open);
      await new Promise((next) => setImmediate(next));
      open--;
      return { status: 200, body: {} as never, warnings: [] };
    };
    const { owner: _owner, ...fleet } = plan({ web: pending });
    const plans = Array.from({ length: 30 }, () => ({ ...fleet, members: new Map(fleet.members) }));
    const keeping = { plans, forged: [], problems: [problem] };
    expect(await keepRuns(world, keeping, { done: none, unsaid: [] }, limits)).toEqual([problem]);
    expect(most).toBe(20);
    most = 0;
    const forged = Array.from({ length: 5 }, (_, i) => run({}, { name: `forged-${i}` }));
    await keepRuns(world, { plans: [], forged, problems: [] }, { done: none, unsaid: [] }, limits);
    expect([most, open], 'those of somebody else go two at once, and are waited for').toEqual([2, 0]);
  });

  it.each<[string, Record<string, Member>, Outcome[], Record<string, Member>]>([
    ['is what the VM came to', { web: pending }, [outcome('web')], { web: stopped }],
    [
      'is nothing of a duplicate',
      { web: stopped },
      [outcome('web', { outcome: 'Skipped', reason: 'Duplicate' })],
      { web: stopped },
    ],
    [
      'is what it was skipped for',
      { web: pending },
      [outcome('web', { outcome: 'Skipped', reason: 'Protected' })],
      { web: { outcome: 'Skipped', reason: 'Protected' } },
    ],
    [
      'is to be done again where the cluster did not answer',
      { web: pending },
      [outcome('web', { outcome: 'Failed', reason: 'Unreachable' })],
      { web: pending },
    ],
    ['is nothing of another request', { web: pending }, [outcome('web', { requestId: 'direct:x' })], { web: pending }],
    ['is nothing of another namespace', { web: pending }, [outcome('web', { namespace: 'team-b' })], { web: pending }],
  ])('%s', async (_what, before, outcomes, expected) => {
    expect(written(await kept([plan(before)], made, { outcomes }))).toEqual(statusOf(expected));
  });

  it('is what failed, told at once', async () => {
    const outcomes = [outcome('web', { outcome: 'Failed', reason: 'Stuck', message: 'x', finishedAt: now })];
    const done = await kept([plan({ web: pending })], [[201], ...made], { outcomes });
    expect(done.steps).toEqual(['POST events', 'POST wukongruns', 'GET wukongruns']);
    expect(done.told).toHaveLength(1);
  });

  it('is to be said again where that it was skipped could not be told', async () => {
    const skipped: Member = { outcome: 'Skipped', reason: 'Protected' };
    const members = { web: skipped, db: skipped, app: stopped };
    const done = await kept([plan(members)], made, { unsaid: ['web', 'app'] });
    expect(written(done)).toEqual(statusOf({ web: pending, db: skipped, app: stopped }));
  });

  it('takes away what somebody else made, and says what it cannot do', async () => {
    const done = await kept([plan({ web: pending })], [[200], ...made], { forged: [run({})] });
    expect([done.steps, done.problems]).toEqual([[`DELETE ${name}`, 'POST wukongruns', 'GET wukongruns'], []]);
    const { problems } = await kept([plan({ web: pending })], [[403], [403]], { forged: [run({})] });
    expect(problems).toMatchObject([
      { message: expect.stringMatching(/^a run of somebody else: /) as string, reason: 'Denied', minor: true },
      { message: expect.stringMatching(new RegExp(`^run team-a/${name}: `)) as string, reason: 'Denied', minor: true },
    ]);
  });
});

describe('a run that is there', () => {
  const running = { web: stopped, db: pending };

  it('and true is left alone', async () => {
    for (const members of [running, { web: stopped }])
      expect((await kept([plan(members, { stored: run(members) })], [])).steps).toEqual([]);
    const over = run({ web: stopped }, { labels: {} });
    expect((await kept([plan({ web: stopped }, { stored: over, newest: false })], [])).steps).toEqual([]);
    const bare = run({ web: stopped }, { labels: undefined });
    const left = await kept([plan({ web: stopped }, { stored: bare, newest: false })], []);
    expect([left.steps, left.problems]).toEqual([[], []]);
  });

  it('is written where it is not true, with the label as long as ticks have to look at it', async () => {
    for (const [members, newest, label] of [
      [running, false, true],
      [{ web: stopped, db: stopped }, true, true],
      [{ web: stopped, db: stopped }, false, false],
    ] as const) {
      const done = await kept([plan(members, { newest, stored: run({ web: pending, db: pending }) })], [[200]]);
      expect(done.steps).toEqual([`PATCH ${name}`]);
      const steps = done.asked[0]?.body as { path: string; value: Record<string, string> }[];
      const labels = steps.find((step) => step.path === '/metadata/labels')?.value;
      expect([written(done), currentKey in (labels ?? {})]).toEqual([statusOf(members), label]);
    }
  });

  it.each([undefined, {}])('and says nothing yet is written: %o', async (status) => {
    const stored = { ...run({}), status } as WukongRun;
    expect((await kept([plan(running, { stored })], [[200]])).steps).toEqual([`PATCH ${name}`]);
  });

  it('is told before it is written where it ends badly, and once', async () => {
    const bad = { web: failed };
    const done = await kept([plan(bad, { stored: run({ web: pending }) })], [[201], [200]]);
    expect([done.steps, done.told.length]).toEqual([['POST events', `PATCH ${name}`], 1]);
    const again = await kept([plan(bad, { newest: false, stored: run(bad) })], [[200]]);
    expect([again.steps, again.told]).toEqual([[`PATCH ${name}`], []]);
  });

  it('and over is made anew where it is not true, and keeps its end where it is', async () => {
    const done = await kept([plan({ web: stopped, db: stopped }, { stored: run({ web: stopped }) })], [[200], ...made]);
    expect(done.steps).toEqual([`DELETE ${name}`, 'POST wukongruns', 'GET wukongruns']);
    const stored = run({ web: { outcome: 'AlreadyOff' } });
    stored.status = { ...stored.status!, finishedAt: '2026-11-23T20:30:01Z' };
    expect((await kept([plan({ web: { outcome: 'AlreadyOff' } }, { stored })], [])).steps).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['is taken back with what it says', {}, ['POST wukongruns', `GET ${name}`, `PATCH ${name}`]],
    [
      'is another schedule’s by its label',
      { labels: { [scheduleUidKey]: 'x' } },
      ['POST wukongruns', `GET ${name}`, `DELETE ${name}`],
    ],
    ['has no label', { labels: undefined }, ['POST wukongruns', `GET ${name}`, `DELETE ${name}`]],
    ['is nobody’s', { ownerReferences: undefined }, ['POST wukongruns', `GET ${name}`, `DELETE ${name}`]],
    ['is another’s', { ownerReferences: [{ uid: 'x' }] }, ['POST wukongruns', `GET ${name}`, `DELETE ${name}`]],
  ])('though ticks do not find it: it %s', async (_what, more, steps) => {
    const found = run({ web: stopped }, { labels: { [scheduleUidKey]: 'u' }, ...more });
    const done = await kept([plan({ web: pending })], [[409], [200, found], [200]]);
    expect(done.steps).toEqual(steps);
    if (steps[2] !== `PATCH ${name}`) return;
    const patch = done.asked[2]?.body as { path: string; value: object }[];
    expect(patch.slice(1).map(({ value }) => value)).toEqual([
      { [scheduleUidKey]: 'u', [currentKey]: 'true' },
      statusOf({ web: stopped }),
    ]);
  });

  it('though ticks do not find it, and has no status, or is gone, or is not the newest', async () => {
    const bare = run({}, { labels: { [scheduleUidKey]: 'u' } });
    delete bare.status;
    const once = [[409], [200, bare], [200]] as Answers;
    expect((await kept([plan({ web: pending })], once)).steps.at(-1)).toBe(`DELETE ${name}`);
    const gone = await kept([plan({ web: pending })], [[409], [404]]);
    expect([gone.steps.length, gone.problems]).toEqual([2, []]);
    expect((await kept([plan({ web: pending }, { newest: false })], [[409]])).steps).toEqual(['POST wukongruns']);
    const stored = run({ web: stopped });
    const twice = await kept([plan({ web: stopped, db: stopped }, { stored })], [[200], [409]]);
    expect(twice.steps).toEqual([`DELETE ${name}`, 'POST wukongruns']);
  });
});
