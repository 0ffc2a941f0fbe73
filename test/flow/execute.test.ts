import { describe, expect, it } from 'vitest';

import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { fleet } from './fleet.ts';
import { namespace, type Scene } from './scene.ts';
import {
  ask,
  asked,
  boundary,
  deliver,
  furnishIn,
  minuteMs,
  prepared,
  scheduleIn,
  sleep,
  ticks,
  ways,
  type Wish,
} from './ways.ts';

const limit = { timeout: 120_000 };
const hour = 3_600_000;
const wave = (number: number) => ({ annotations: { 'lifecycle.novasphere.dev/wave': `${number}` } });
const outcomeOf = (at: Scene, name: string) =>
  at.sim.get<Wukong>('wukongs', namespace, name)?.status?.lifecycleState?.outcome;
const timesOf = (at: Scene, prefix: string) =>
  asked(at)
    .filter(({ name }) => name.startsWith(prefix))
    .map((one) => one.at);

describe.each(ways)('the rate of one cluster: by %s', (way) => {
  it('is kept whoever asks', limit, async () => {
    const at = await prepared((at) => furnishIn(at, namespace, 20), {}, { POWER_CALLS_PER_SECOND: '1' });
    await at.run(() => ask(at, way, { action: 'stop', namespaces: [namespace], minutes: 3 }), hour);
    const times = asked(at).map((one) => one.at);
    expect(times).toHaveLength(20);
    for (const time of times)
      expect(times.filter((other) => other >= time && other < time + 5_000).length).toBeLessThanOrEqual(8);
  });
});

describe('one that nobody can work on is one failure', () => {
  it.each(ways)('by %s', limit, async (way) => {
    const at = await prepared((at) => furnishIn(at, namespace, 5));
    const { transport } = at.world;
    const logged: string[] = [];
    Object.assign(at.world, {
      transport: {
        ...transport,
        call: (call: { method: string; path: string }, limits: never) => {
          if (call.method === 'PATCH' && /wukongs\/vm-3$/.test(call.path)) throw new TypeError('cannot read this');
          return transport.call(call as never, limits);
        },
      },
      log: {
        ...at.world.log,
        error: (message: string, fields: object) => logged.push(message + JSON.stringify(fields)),
      },
    });
    await at.run(() => ask(at, way, { action: 'stop', namespaces: [namespace], minutes: 3 }), hour);
    expect(asked(at)).toHaveLength(way === 'bus' ? 5 : 4);
    if (way !== 'bus') expect(logged.join()).toContain('cannot read this');
  });
});

describe.each(['schedule', 'bus'] as const)('jitter: by %s', (way) => {
  it('spreads the starts of a wave, and the next one waits for the last of them', limit, async () => {
    const off = { runStrategy: 'Halted' } as const;
    const at = await prepared((at) => {
      furnishIn(at, namespace, 10, { ...off, ...wave(0) }, 'db');
      furnishIn(at, namespace, 10, { ...off, ...wave(10) }, 'app');
    });
    const wish: Wish = { action: 'start', namespaces: [namespace], jitterSeconds: 40, minutes: 5 };
    await at.run(() => ask(at, way, wish), hour);
    const [db, app] = [timesOf(at, 'db'), timesOf(at, 'app')];
    expect([db.length, app.length]).toEqual([10, 10]);
    expect(Math.max(...db) - Math.min(...db)).toBeGreaterThan(15_000);
    expect(Math.max(...db) - boundary).toBeLessThan(45_000);
    expect(Math.min(...app)).toBeGreaterThan(Math.max(...db));
    expect(Math.max(...app) - Math.min(...app)).toBeGreaterThan(15_000);
  });

  it('lets the pause between waves pass, also when it is longer than a tick', limit, async () => {
    const at = await prepared((at) => {
      furnishIn(at, namespace, 2, wave(20), 'app');
      furnishIn(at, namespace, 2, wave(10), 'db');
    });
    await at.run(() => ask(at, way, { action: 'stop', namespaces: [namespace], delaySeconds: 150, minutes: 6 }), hour);
    const between = Math.min(...timesOf(at, 'db')) - Math.max(...timesOf(at, 'app'));
    expect(between).toBeGreaterThan(149_000);
    expect(between).toBeLessThan(220_000);
  });
});

describe('a fleet with waves that is larger than its time', () => {
  it.each([true, false])('keeps their order, with a bus: %s', limit, async (withBus) => {
    const slow = { guest: { 'shutdown-seconds': '30' }, terminationGracePeriodSeconds: 60 };
    const at = await prepared((at) => {
      furnishIn(at, namespace, 20, { ...slow, ...wave(20) }, 'app');
      furnishIn(at, namespace, 20, { ...slow, ...wave(10) }, 'db');
    });
    await at.run(async () => {
      const bus = withBus ? deliver(at, { leftMs: 20_000 }) : undefined;
      if (!withBus) delete at.world.bus;
      const ticking = ticks(at, 6);
      await fleet(at, 'stop', {}, { leftMs: 10_000 });
      await bus?.settled();
      await ticking;
    }, hour);
    const [app, db] = [timesOf(at, 'app'), timesOf(at, 'db')];
    expect([app.length, db.length]).toEqual([20, 20]);
    expect(Math.min(...db)).toBeGreaterThanOrEqual(Math.max(...app) + 29_000);
    expect(at.sim.list('virtualmachineinstances', namespace)).toEqual([]);
  });
});

describe('what a queue delivers', () => {
  it(
    'comes again when the cluster was away, also a part of a fleet that somebody called for directly',
    limit,
    async () => {
      const at = await prepared((at) => furnishIn(at, namespace, 3));
      const names = [0, 1, 2].map((i) => ({ namespace, name: `vm-${i}` }));
      const detail = { target: { names }, trigger: 'direct', part: '1', requestId: 'r' };
      const body = JSON.stringify({ 'detail-type': 'Wukong VM Stop Requested', id: 'e', detail });
      const record = { eventSource: 'aws:sqs', messageId: 'm', body };
      at.sim.faults.add({ when: { method: 'PATCH' }, does: { kind: 'status', status: 503 } });
      await expect(at.run(() => stopVm(record, at.invocation('i', 20_000)))).rejects.toMatchObject({ name: 'Retry' });
      const answered = await at.run(() => stopVm({ target: { names } }, at.invocation('j', 20_000)));
      expect(answered.failed).toHaveLength(3);
    },
  );
});

describe('a tick that leaves work undone', () => {
  const observed = (at: Scene) => {
    const counts = new Map<string, number>();
    const lines: unknown[] = [];
    Object.assign(at.world, {
      metrics: {
        ...at.world.metrics,
        count: (name: string, by: number) => counts.set(name, (counts.get(name) ?? 0) + by),
      },
      log: { ...at.world.log, error: (message: string, fields: object) => lines.push({ message, ...fields }) },
    });
    return { counts, lines };
  };

  const troubled = (at: Scene) =>
    at.sim
      .list<{ reason: string; involvedObject: { name: string } }>('events', namespace)
      .flatMap(({ reason, involvedObject }) => (reason.startsWith('Problem') ? [reason, involvedObject.name] : []));

  it('fails after it has done the rest, and says whose it is in log, metric and Event', limit, async () => {
    const at = await prepared((at) => furnishIn(at, namespace, 3));
    scheduleIn(at, namespace, { stop: '30 20 * * *' });
    delete at.world.bus;
    const { counts, lines } = observed(at);
    const skipped = { 'lifecycle.novasphere.dev/skip-next': 'true' };
    at.sim.change('wukongs', namespace, 'vm-1', (o: Wukong) => void (o.metadata.annotations = skipped));
    await at.run(() => sleep(at, boundary - at.clock.now()));
    const skipping = { method: 'PATCH', path: /\/wukongs\/vm-1$/ };
    at.sim.faults.add({ when: skipping, times: 60, does: { kind: 'status', status: 503 } });
    const failed = at.run(() => reconcileState({}, at.invocation('tick', 50_000)));
    await expect(failed).rejects.toMatchObject({ name: 'Retry' });
    expect(counts.get('TickProblems')).toBeGreaterThan(0);
    expect(counts.get('TicksDone')).toBe(0);
    expect(lines).toContainEqual(expect.objectContaining({ namespace, name: 'vm-1', reason: 'Unreachable' }));
    expect(troubled(at)).toEqual(['ProblemUnreachable', 'vm-1']);
    expect([0, 1, 2].map((i) => outcomeOf(at, `vm-${i}`))).toEqual(['Stopped', undefined, 'Stopped']);
    at.sim.faults.clear();
    await at.run(() => reconcileState({}, at.invocation('tick-2', 50_000)));
    expect(counts.get('TicksDone')).toBe(1);
  });

  it('touches nothing in a namespace that nobody answers for, says so once, and goes on elsewhere', limit, async () => {
    const at = await prepared((at) => [namespace, 'team-b'].forEach((each) => furnishIn(at, each, 3)));
    for (const each of [namespace, 'team-b']) scheduleIn(at, each, { stop: '30 20 * * *' });
    delete at.world.bus;
    const { counts, lines } = observed(at);
    at.sim.change('wukongs', namespace, 'vm-1', (o: { spec: { lifecycleAction?: unknown } }) => {
      o.spec.lifecycleAction = { action: 'stop' };
    });
    await at.run(() => sleep(at, boundary - at.clock.now()));
    const asking = { method: 'GET', path: /^\/api\/v1\/namespaces\/team-a$/ };
    at.sim.faults.add({ when: asking, times: 60, does: { kind: 'status', status: 503 } });
    const failed = at.run(() => reconcileState({}, at.invocation('tick', 50_000)));
    await expect(failed).rejects.toMatchObject({ name: 'Retry' });
    expect(counts.get('TickProblems')).toBe(1);
    expect(counts.get('TicksDone')).toBe(0);
    const message = expect.stringContaining('namespace team-a is left to the next tick') as string;
    expect(lines).toEqual([expect.objectContaining({ message, reason: 'Unreachable', namespace })]);
    expect(troubled(at)).toEqual([]);
    expect(asked(at).map((one) => one.namespace)).toEqual(['team-b', 'team-b', 'team-b']);
    at.sim.faults.clear();
    await at.run(() => reconcileState({}, at.invocation('tick-2', 50_000)));
    expect(counts.get('TicksDone')).toBe(1);
    expect([0, 1, 2].map((i) => outcomeOf(at, `vm-${i}`))).toEqual(['Stopped', 'Stopped', 'Stopped']);
  });

  it('says on a Wukong what it cannot do with it, once, and that it can again', limit, async () => {
    const at = await prepared((at) => furnishIn(at, namespace, 2));
    delete at.world.bus;
    const skipped = { 'lifecycle.novasphere.dev/skip-next': 'true' };
    at.sim.change('wukongs', namespace, 'vm-1', (o: Wukong) => void (o.metadata.annotations = skipped));
    scheduleIn(at, namespace, { stop: '30 20 * * *' });
    const condition = () =>
      at.sim
        .list<Wukong>('wukongs', namespace)
        .map(({ status }) => status?.conditions?.find(({ type }) => type === 'LifecycleReconciled'));
    const tick = (id: string) =>
      at.run(() => reconcileState({}, at.invocation(id, 50_000)).catch((thrown: unknown) => thrown));
    await tick('zero');
    await at.run(() => sleep(at, boundary - at.clock.now() + 1_000));
    const when = { method: 'PATCH', path: /\/wukongs\/vm-1$/ };
    at.sim.faults.add({ when, times: 100, does: { kind: 'status', status: 403 } });
    await tick('one');
    expect(condition()).toEqual([undefined, expect.objectContaining({ status: 'False', reason: 'Denied' })]);
    const since = condition();
    await tick('two');
    expect(condition()).toEqual(since);
    at.sim.faults.clear();
    await tick('three');
    await tick('four');
    expect(condition()).toEqual([undefined, expect.objectContaining({ status: 'True', reason: 'Reconciled' })]);
  });

  it('has carried out what was interrupted, although schedules could not be read', limit, async () => {
    const at = await prepared((at) => furnishIn(at, namespace, 1, { guest: { 'shutdown-seconds': '20' } }));
    scheduleIn(at, namespace, { stop: '30 20 * * *' });
    expect(await at.perform('stop', 'vm-0', {}, { leftMs: 2_000 })).toMatchObject({ outcome: 'InProgress' });
    await at.pass(30_000);
    at.sim.faults.add({ when: { path: /wukongschedules/ }, does: { kind: 'status', status: 403 } });
    await expect(at.run(() => reconcileState({}, at.invocation('tick', 50_000)))).rejects.toMatchObject({
      name: 'Retry',
    });
    expect(outcomeOf(at, 'vm-0')).toBe('Stopped');
  });
});

describe('many that were interrupted', () => {
  it('are gone on with in the order of their waves, and none is asked twice', limit, async () => {
    const at = await prepared(
      (at) => {
        furnishIn(at, namespace, 30, wave(20), 'app');
        furnishIn(at, namespace, 30, wave(10), 'db');
      },
      {},
      { POWER_CALLS_PER_SECOND: '2' },
    );
    delete at.world.bus;
    await at.run(async () => {
      // Its time is over before much was asked: of the others there are records, and nothing else.
      const report = await fleet(at, 'stop', {}, { leftMs: 500 });
      expect(asked(at).length).toBeLessThan(5);
      expect(report.counts.InProgress).toBeGreaterThan(50);
      await ticks(at, 4);
    }, hour);
    expect([timesOf(at, 'app').length, timesOf(at, 'db').length]).toEqual([30, 30]);
    expect(Math.min(...timesOf(at, 'db'))).toBeGreaterThanOrEqual(Math.max(...timesOf(at, 'app')));
  });
});

describe('a tick whose namespace is large', () => {
  it('is back at its deadline, and the next one goes on', limit, async () => {
    const at = await prepared((at) =>
      furnishIn(at, namespace, 60, { guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 600 }),
    );
    scheduleIn(at, namespace, { stop: '30 20 * * *' });
    delete at.world.bus;
    await at.run(async () => {
      await sleep(at, boundary - at.clock.now());
      await reconcileState({}, at.invocation('tick', 50_000));
      expect(at.clock.now() - boundary).toBeLessThan(52_000);
      await sleep(at, minuteMs);
      await reconcileState({}, at.invocation('tick-2', 50_000));
    }, hour);
    expect(asked(at)).toHaveLength(60);
  });
});

describe('what others carry out', () => {
  it('keeps what its status says while a tick waits for its wave', limit, async () => {
    const slow = { guest: { 'shutdown-seconds': '100' }, terminationGracePeriodSeconds: 200 };
    const at = await prepared((at) => {
      furnishIn(at, namespace, 1, { ...slow, ...wave(20) }, 'app');
      furnishIn(at, namespace, 1, wave(10), 'db');
    });
    scheduleIn(at, namespace, { stop: '30 20 * * *' });
    delete at.world.bus;
    const shown = () =>
      at.sim.get<Wukong>('wukongs', namespace, 'app-0')?.status?.lifecycleState?.requestId ?? 'nothing';
    await at.run(async () => {
      await sleep(at, boundary - at.clock.now());
      await ticks(at, 1);
      const before = shown();
      expect(before).toContain('office');
      await ticks(at, 1);
      expect(shown()).toBe(before);
      await ticks(at, 3);
    }, hour);
    expect([outcomeOf(at, 'app-0'), outcomeOf(at, 'db-0')]).toEqual(['Stopped', 'Stopped']);
  });
});
