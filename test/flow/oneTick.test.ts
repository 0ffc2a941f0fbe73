import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, write } from '../../shared/domain/operation.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { look, type Seen } from '../../shared/reconcile/look.ts';
import { reconcile, type Standing, type Tick } from '../../shared/reconcile/reconcile.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { Interrupted, type Limits } from '../../shared/time/wait.ts';
import type { WukongOptions } from '../../sim/sim.ts';
import { createSchedule } from '../schedule.ts';
import { operation } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { annotate } from './telling.ts';
import { scheduleIn } from './ways.ts';

const s = 1_000;
const stopAt = Date.parse('2026-11-23T20:30:00Z');
const silent = new LifecycleError('Unreachable', 'silent');

interface Furnished {
  vms?: Record<string, Partial<WukongOptions>>;
  /** Beside `stop` at 20:30, for those with the label env=dev. */
  schedule?: object;
  bus?: boolean;
}
async function furnished({ vms = { web: {} }, schedule, bus = false }: Furnished = {}) {
  const at = await scene();
  if (!bus) delete at.world.bus;
  for (const [name, more] of Object.entries(vms))
    at.sim.createWukong({ namespace, name, runStrategy: 'Always', labels: { env: 'dev' }, ...more });
  if (schedule) scheduleIn(at, namespace, { stop: '30 20 * * *', ...schedule });
  await at.pass(5 * s);
  return at;
}
const declare = (at: Scene, name: string, action: unknown) =>
  at.sim.change<Wukong>('wukongs', namespace, name, (wukong) => {
    wukong.spec = { ...wukong.spec, lifecycleAction: action };
  });

/** Somebody's tick has told that something is wrong with it. */
const tellTrouble = (at: Scene, name: string) =>
  at.sim.change<Wukong>('wukongs', namespace, name, (wukong) => {
    const lastTransitionTime = '2026-11-23T20:00:00Z';
    const told = { type: 'LifecycleReconciled', status: 'False' as const, reason: 'Unknown', message: '' };
    wukong.status = {
      ...wukong.status,
      conditions: [...(wukong.status?.conditions ?? []), { ...told, lastTransitionTime }],
    };
  });

/** One tick, with what it counted, what it asked, and what it left of itself. */
async function tick(at: Scene, more: Partial<Standing> & { seeing?: Partial<Seen>; limits?: Partial<Limits> } = {}) {
  const { seeing = {}, limits, ...standing } = more;
  const counted: Record<string, number> = {};
  at.world.metrics = { ...at.world.metrics, count: (name, value) => void (counted[name] = value) };
  const from = at.sim.requests.length;
  let closed = 0;
  const given: Standing = {
    busy: new Set(),
    look: async (to) => {
      const seen = { ...(await look(to)), ...seeing };
      const close = () => (closed++, seen.machines.close());
      return { ...seen, machines: { ...seen.machines, close } };
    },
    ...standing,
  };
  let thrown: unknown;
  const work = reconcile(at.world, { deadline: at.clock.now() + 50 * s, ...limits }, given);
  const told = (await at.run(work.catch((error: unknown) => void (thrown = error)))) as Tick | undefined;
  const asked = at.sim.requests
    .slice(from)
    .map(({ method, path }) => `${method} ${path.split('?')[0]!.replace(/^.*?v1\w*\//, '')}`);
  return { told: told!, thrown, counted, asked, closed };
}

describe('a tick', () => {
  it('says what it did', async () => {
    const at = await furnished({ vms: { web: {}, db: { labels: {} } }, schedule: { stop: 'tonight' } });
    declare(at, 'web', { action: 'stop' });
    const { told, closed, counted } = await tick(at);
    expect(told).toMatchObject({ wukongs: 2, outcomes: [{ name: 'web', outcome: 'Stopped' }], repaired: 1, sent: 0 });
    expect(told).toMatchObject({ problems: [], undone: 0, schedules: [expect.stringContaining('InvalidCron')] });
    expect([closed, counted]).toEqual([1, { StopsWaitingForUsers: 0, TickProblems: 0, TicksDone: 1, BadSchedules: 1 }]);
  });

  it('of a process that keeps nothing carries out here what schedules want, and tells it on them', async () => {
    const at = await furnished({ schedule: {} });
    createSchedule(at.sim, namespace, 'idle', { selector: { matchLabels: { env: 'none' } } });
    await at.pass(stopAt - at.clock.now());
    const told = await at.run(reconcile(at.world, { deadline: at.clock.now() + 50 * s }));
    expect(told).toMatchObject({ sent: 0, outcomes: [{ name: 'web', outcome: 'Stopped' }] });
    const [office, idle] = ['office', 'idle'].map(
      (name) => at.sim.get<WukongSchedule>('wukongschedules', namespace, name)?.status,
    );
    expect([office?.lastHandled, idle?.matched]).toEqual(['2026-11-23T20:30:00Z', 0]);
  });

  it('ends when everybody was told whose stop waits', async () => {
    const at = await furnished({
      schedule: { skipWhileInUse: { annotation: 'ci' } },
      vms: { web: { annotations: { ci: 'yes' } } },
    });
    await at.pass(stopAt - at.clock.now());
    at.sim.faults.add({ when: { method: 'POST', path: /events/ }, does: { kind: 'delay', ms: 9 * s } });
    expect((await tick(at)).counted['StopsWaitingForUsers']).toBe(1);
    expect(at.sim.list<KubeObject & { reason: string }>('events', namespace).map(({ reason }) => reason)).toContain(
      'StopWaits',
    );
  });

  it('leaves to the next one what changes while it looks', async () => {
    const at = await furnished();
    await tick(at);
    const seen = await at.run(look({ world: at.world, limits: { deadline: at.clock.now() + 9 * s }, problems: [] }));
    let looks = 0;
    const get: Seen['machines']['get'] = (space, name) => (name && looks++ > 0 ? {} : seen.machines.get(space, name));
    const { told } = await tick(at, { seeing: { machines: { ...seen.machines, get } } });
    expect([told.repaired, looks]).toEqual([0, 1]);
    expect((await tick(at, { seeing: { machines: { ...seen.machines, get } } })).told.repaired).toBe(1);
    seen.machines.close();
  });

  it('hands over to the bus, where there is one', async () => {
    const at = await furnished({ bus: true, schedule: {} });
    await at.pass(stopAt - at.clock.now());
    const { told } = await tick(at);
    expect([told.sent, told.outcomes, at.bus.length]).toEqual([1, [], 1]);
  });

  it('says what could not be done, of whom, and counts it as undone; what is minor is not', async () => {
    const at = await furnished({ vms: { web: {}, db: {} } });
    declare(at, 'web', { action: 'stop' });
    at.sim.faults.add({ when: { path: /wukongs\/db\/status/ }, times: 9, does: { kind: 'status', status: 400 } });
    at.sim.faults.add({ when: { path: /wukongruns/ }, times: 9, does: { kind: 'status', status: 403 } });
    const { told } = await tick(at);
    expect(told.problems).toEqual(
      expect.arrayContaining([expect.stringContaining('team-a/db: '), expect.stringContaining('runs are not kept')]),
    );
    expect([told.problems.length, told.undone]).toEqual([2, 1]);
  });

  it('says on a VM that nothing was done with that something is wrong with it, and not where that may be over by now', async () => {
    const at = await furnished({ vms: { web: {}, db: {}, mail: {} } });
    await tick(at);
    for (const name of ['web', 'db', 'mail']) tellTrouble(at, name);
    declare(at, 'web', { action: 'stop' });
    await tick(at, { busy: new Set([`${namespace}/mail`]) });
    const said = ['web', 'db', 'mail'].map(
      (name) => at.wukong(name).status?.conditions?.find(({ type }) => type === 'LifecycleReconciled')?.status,
    );
    expect(said).toEqual(['False', 'True', 'False']);
  });

  it('that is handed on by a bus that is silent says whose stop is left undone', async () => {
    const at = await furnished({ schedule: {} });
    at.world.bus = { put: () => Promise.reject(new Error('no bus')) };
    await at.pass(stopAt - at.clock.now());
    const { told } = await tick(at);
    expect(told).toMatchObject({ sent: 0, undone: 1, problems: [expect.stringContaining(`${namespace}/web: `)] });
    const [event] = at.sim
      .list<KubeObject & { reason: string; involvedObject: { uid: string } }>('events', namespace)
      .filter(({ reason }) => reason.startsWith('Problem'));
    expect(event?.involvedObject.uid).toBe(at.wukong('web').metadata.uid);
  });

  it('foresees the next boundary of any schedule', async () => {
    const at = await furnished({ schedule: {} });
    const seen: number[] = [];
    createSchedule(at.sim, namespace, 'wrong', { stop: 'tonight' });
    await tick(at, { foresee: (when) => seen.push(when) });
    expect(seen).toEqual([stopAt]);
    await tick(at, { foresee: (when) => seen.push(when), few: true });
    expect(seen).toHaveLength(1);
  });

  it('says nothing more of what another process has ended meanwhile', async () => {
    const at = await furnished({ vms: { web: { guest: { 'shutdown-seconds': '10' } } } });
    const now = at.clock.now();
    const times = { requestedAt: now, startedAt: now, stepAt: now, deadline: now + 600 * s };
    const op = operation({ ...times, vmiUid: at.vmi('web')!.metadata.uid! });
    annotate(at, { [operationKey]: write(op) });
    at.clock.after(6 * s, () => {
      const { deadline: _d, ...done } = op;
      const last = write({ ...done, outcome: 'Stopped', message: 'by another', finishedAt: at.clock.now() } as never);
      annotate(at, { [operationKey]: undefined, [lastKey]: last });
    });
    const { told } = await tick(at);
    expect([at.calls().length, at.vmi('web'), told.outcomes]).toEqual([1, undefined, []]);
  });
});

describe('a process that stays', () => {
  it('is at no VM in two ticks at once, and lets each go when it is through with it', async () => {
    const at = await furnished({ vms: { web: {}, db: { guest: { 'shutdown-seconds': '20' } }, mail: {} } });
    for (const name of ['web', 'db', 'mail']) declare(at, name, { action: 'stop' });
    const busy = new Set([`${namespace}/mail`]);
    const seen: string[][] = [];
    for (const ms of [1, 10 * s])
      at.clock.after(ms, () => seen.push([...busy].map((key) => key.split('/')[1]!).sort()));
    const { told } = await tick(at, { busy });
    expect(told.outcomes.map(({ name }) => name)).toEqual(['web', 'db']);
    expect([seen, [...busy]]).toEqual([
      [
        ['db', 'mail', 'web'],
        ['db', 'mail'],
      ],
      [`${namespace}/mail`],
    ]);
  });

  it('lets all of them go when a tick is ended', async () => {
    const at = await furnished({ vms: { web: { guest: { 'shutdown-seconds': '20' } } } });
    declare(at, 'web', { action: 'stop' });
    const busy = new Set<string>();
    await tick(at, { busy, limits: { deadline: at.clock.now() + 2 * s } });
    expect([...busy]).toEqual([]);
  });

  it('reads no runs that it watches', async () => {
    const at = await furnished({ schedule: {} });
    const { asked } = await tick(at, { runs: () => ({ runs: [] }) });
    expect(asked.filter((one) => one.startsWith('GET') && one.includes('wukongruns'))).toEqual([]);
    expect((await tick(at)).asked.filter((one) => one.startsWith('GET') && one.includes('wukongruns'))).toHaveLength(1);
  });

  it('looks at a few VMs only for what they ask for themselves', async () => {
    const at = await furnished({ vms: { web: {}, db: {} }, schedule: {} });
    await tick(at);
    tellTrouble(at, 'db');
    declare(at, 'web', { action: 'stop' });
    const { told, counted, asked } = await tick(at, { few: true });
    expect([told.outcomes.map(({ name }) => name), told.problems]).toEqual([['web'], []]);
    expect(counted).toEqual({ TickProblems: 0, TicksDone: 1 });
    expect(asked.filter((one) => /runs|schedules\//.test(one))).toEqual([]);
    expect(at.wukong('db').status?.conditions?.find(({ type }) => type === 'LifecycleReconciled')?.status).toBe(
      'False',
    );
  });
});

describe('a tick that does not see everything', () => {
  it('does what it can without schedules, says why, and fails', async () => {
    const at = await furnished({ schedule: {}, vms: { web: {}, db: {} } });
    await tick(at);
    declare(at, 'web', { action: 'stop' });
    await at.pass(stopAt - at.clock.now());
    const logged: unknown[] = [];
    at.world.log = { ...at.world.log, error: (message, fields) => void logged.push([message, fields]) };
    const { thrown, closed, counted, asked } = await tick(at, { seeing: { blind: silent } });
    expect([thrown, closed, counted['TickProblems']]).toEqual([silent, 1, 1]);
    expect(logged).toMatchObject([['problem: silent', { reason: 'Unreachable' }]]);
    expect(at.vmi('web')).toBeUndefined();
    expect(asked.filter((one) => !one.startsWith('GET') && one.includes('runs'))).toEqual([]);
  });

  it('closes its watches where it fails otherwise too', async () => {
    const at = await furnished();
    const broken = new Proxy([] as Wukong[], {
      get: () => {
        throw new Error('broken');
      },
    });
    expect(await tick(at, { seeing: { wukongs: broken } })).toMatchObject({ thrown: { message: 'broken' }, closed: 1 });
  });

  it('keeps no run and writes no status where a namespace does not answer', async () => {
    const dark = await furnished({ vms: { web: {}, db: { labels: {} } }, schedule: {} });
    await dark.pass(stopAt - dark.clock.now());
    const { told, asked } = await tick(dark, { seeing: { unanswered: new Map([[namespace, silent]]) } });
    expect(asked.filter((one) => one.includes('runs') && !one.startsWith('GET'))).toEqual([]);
    expect([told.repaired, dark.wukong('db').status?.lifecycleState]).toEqual([0, undefined]);
  });

  it('keeps no run of a namespace whose runs it could not read, and those of others', async () => {
    const at = await furnished({ vms: { web: {} }, schedule: {} });
    at.sim.createWukong({ namespace: 'team-b', name: 'db', runStrategy: 'Always', labels: { env: 'dev' } });
    scheduleIn(at, 'team-b', { stop: '30 20 * * *' });
    await at.pass(stopAt - at.clock.now());
    const forged = (space: string) =>
      ({ metadata: { namespace: space, name: 'forged', labels: {} }, spec: { action: 'odd' } }) as unknown as WukongRun;
    const runs = [forged('team-a'), forged('team-b')];
    const { asked } = await tick(at, { runs: () => ({ runs, unread: new Set(['team-b']) }) });
    expect(asked.filter((one) => one.startsWith('DELETE'))).toEqual(['DELETE namespaces/team-a/wukongruns/forged']);
    expect(['team-a', 'team-b'].map((one) => at.sim.list('wukongruns', one).length)).toEqual([1, 0]);
    await tick(at);
    await tick(at, { runs: () => ({ runs: at.sim.list('wukongruns', ''), unread: new Set() }) });
    expect(at.sim.list('wukongruns', 'team-b')).toHaveLength(1);
  });

  it('writes no status of a VM about which nobody could decide', async () => {
    const at = await furnished();
    const seen = await at.run(look({ world: at.world, limits: { deadline: at.clock.now() + 9 * s }, problems: [] }));
    declare(at, 'web', { action: 'stop' });
    const { told } = await tick(at, { seeing: { declaring: silent } });
    expect(told).toMatchObject({ outcomes: [], repaired: 0, undone: 1 });
    seen.machines.close();
  });
});

describe('the notices of a tick', () => {
  /** Until when they may go out, since the tick has ended. */
  async function until(limits: (now: number) => Partial<Limits>): Promise<number> {
    const at = await furnished({ vms: {} });
    const deadlines: number[] = [];
    at.world.webhook = {
      put() {},
      flush: (deadline) => (deadlines.push(deadline - at.clock.now()), Promise.resolve()),
    };
    await tick(at, { limits: limits(at.clock.now()) });
    return deadlines[0]!;
  }
  it('have five seconds, or a second after its end where there is less time', async () => {
    expect(await until(() => ({}))).toBe(5 * s);
    expect(await until((now) => ({ deadline: now + 2 * s }))).toBe(3 * s);
  });

  it('have a second where the process is to end', async () => {
    const signalled = async (reason: unknown) => {
      const at = await furnished();
      const left: number[] = [];
      at.world.webhook = { put() {}, flush: (deadline) => (left.push(deadline - at.clock.now()), Promise.resolve()) };
      const wish = new AbortController();
      declare(at, 'web', { action: 'stop' });
      at.clock.after(100, () => wish.abort(reason));
      await tick(at, { limits: { signal: wish.signal } });
      return left[0];
    };
    expect([await signalled(new Interrupted(0)), await signalled(new Error('over'))]).toEqual([1 * s, 5 * s]);
  });
});
