import { describe, expect, it } from 'vitest';

import { wukongPath } from '../../shared/cluster/objects.ts';
import { requestedType } from '../../shared/domain/command.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import { rateLimiterOf } from '../../shared/execute/rateLimiter.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { fleetOutcomeType } from '../../shared/report/fleetOutcome.ts';
import { outcomeType } from '../../shared/report/report.ts';
import { eventsByWukong, fleet, furnish, running } from './fleet.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { sleep } from './ways.ts';

const toldOnce = (at: Scene, count: number) => {
  const told = [...eventsByWukong(at.sim).values()];
  expect(told.filter((reasons) => reasons.length !== 1)).toEqual([]);
  expect(told).toHaveLength(count);
};

const tick = (at: Scene, world = at.world) => at.run(reconcile(world, { deadline: at.clock.now() + 50_000 }));

describe('a fleet and a cluster with a bad hour', () => {
  it.each([
    ['cut five times', { kind: 'cutWatch', afterEvents: 40 } as const, 10],
    ['expired five times', { kind: 'expireWatch' } as const, 5],
    ['late', { kind: 'delay', ms: 3_000 } as const, 2],
  ])('loses nobody when its watches are %s', async (_what, does, times) => {
    const at = await scene({ limits: 'limited' });
    furnish(at.sim, 60);
    await at.pass(30_000);
    at.sim.faults.add({ when: { watch: true }, times, does });
    const report = await at.run(() => fleet(at, 'stop'));
    expect(report.counts).toEqual({ Stopped: 60 });
    toldOnce(at, 60);
  });

  it('waits when the API server answers 429 for ten seconds, without a storm, and nobody fails', async () => {
    const at = await scene();
    furnish(at.sim, 100, {}, { guest: { 'shutdown-seconds': '4' } });
    await at.pass(10_000);
    const [from, until] = [at.clock.now() + 1_000, at.clock.now() + 11_000];
    const does = { kind: 'status', status: 429, retryAfterSeconds: 1 } as const;
    at.sim.faults.add({ when: { fromInstant: from, untilInstant: until, watch: false }, does });
    const report = await at.run(() => fleet(at, 'stop'));
    expect(report.counts).toEqual({ Stopped: 100 });
    expect(at.clock.now()).toBeLessThan(until + 30_000);
    const refused = at.sim.requests.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(600);
    toldOnce(at, 100);
  });

  it.each([1, 200])('sends nothing of what waits for a connection while %d namespaces are refused', async (spaces) => {
    const at = await scene();
    const { transport } = rateLimiterOf(at.world);
    const [from, until] = [at.clock.now(), at.clock.now() + 10_000];
    const does = { kind: 'status', status: 429, retryAfterSeconds: 1 } as const;
    at.sim.faults.add({ when: { fromInstant: from, untilInstant: until }, does });
    const pathOf = (i: number) => wukongPath(`n-${i % spaces}`, `w-${i}`);
    const read = (_: unknown, i: number) =>
      transport.call({ method: 'GET', path: pathOf(i), safe: true }, { deadline: from + 60_000 });
    const answers = await at.run(Promise.all(Array.from({ length: 1_000 }, read)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect(at.sim.requests.filter(({ status }) => status === 429).length).toBeLessThan(64 * 5);
    expect(at.clock.now()).toBeLessThan(until + 10_000);
  });

  it('asks more slowly while virt-api is slow, and is back at its pace later', async () => {
    const at = await scene({}, { POWER_CALLS_PER_SECOND: '20' });
    furnish(at.sim, 400);
    await at.pass(10_000);
    const from = at.clock.now();
    const slow = { fromInstant: from, untilInstant: from + 10_000, path: /\/stop$/ };
    at.sim.faults.add({ when: slow, does: { kind: 'delay', ms: 1_500 } });
    await at.run(() => fleet(at, 'stop', { maxTargets: 400, maxInFlight: 200 }));
    const between = (a: number, b: number) =>
      at.calls().filter(({ at: when }) => when >= from + a && when < from + b).length / ((b - a) / 1000);
    expect(between(5_000, 10_000)).toBeLessThan(10);
    expect(Math.max(...[15, 20, 25, 30].map((s) => between(s * 1_000, (s + 5) * 1_000)))).toBeGreaterThan(15);
  });
});

describe('a fleet that is larger than its time', () => {
  it('whose time ends at forty per cent leaves records, and reconcileState comes to the same end', async () => {
    const at = await scene({ limits: 'limited' });
    furnish(at.sim, 300);
    await at.pass(60_000);
    const world = { ...at.world, bus: undefined };
    const report = await at.run(() => fleet(at, 'stop', {}, { leftMs: 19_000, world }));
    expect(report.left).toBe(0);
    expect(report.counts.Stopped).toBeGreaterThan(80);
    expect(report.counts.Stopped).toBeLessThan(160);
    expect((report.counts.Stopped ?? 0) + (report.counts.InProgress ?? 0)).toBe(300);
    for (let minute = 0; minute < 12 && running(at.sim) > 0; minute++) {
      await tick(at, world);
      await at.pass(10_000);
    }
    await tick(at, world);
    expect(running(at.sim)).toBe(0);
    const states = at.sim.list<Wukong>('wukongs', namespace).map(({ status }) => status?.lifecycleState?.outcome);
    expect(new Set(states)).toEqual(new Set(['Stopped']));
    toldOnce(at, 300);
  }, 60_000);

  it('goes over the bus where there is one, and every Wukong is told once', async () => {
    const at = await scene({ limits: 'limited' });
    furnish(at.sim, 300);
    await at.pass(60_000);
    const first = await at.run(() => fleet(at, 'stop', {}, { leftMs: 50_000, requestId: 'event:evening' }));
    expect(first.sent).toBeGreaterThan(100);
    expect(first.left).toBe(0);
    expect(first.outcomes.length + first.sent).toBe(300);
    for (let next = 0; next < at.bus.length; next++) {
      const { type, detail } = at.bus[next]!;
      if (type !== requestedType.stop) continue;
      const event = { id: `e-${next}`, time: new Date(at.clock.now()).toISOString(), 'detail-type': type };
      const sent = { ...event, detail: JSON.parse(JSON.stringify(detail)) as unknown };
      const command = parseTrigger(sent, { action: 'stop', requestId: 'i', requestedAt: at.clock.now() });
      expect(command).toMatchObject({ requestId: 'event:evening', action: 'stop' });
      await at.run(() => executeCommand(command, at.world, { limits: { deadline: at.clock.now() + 50_000 } }));
    }
    expect(running(at.sim)).toBe(0);
    toldOnce(at, 300);
    expect(at.bus.filter(({ type }) => type === outcomeType)).toHaveLength(300);
    const parts = at.bus
      .filter(({ type }) => type === fleetOutcomeType)
      .map(({ detail }) => (detail as { id: string }).id);
    expect(parts[0]).toBe('event:evening');
    expect(new Set(parts).size).toBe(parts.length);
  }, 60_000);

  /** In two waves: the first has no room, so it is over after five minutes, as Failed. */
  const inTwoWaves = async () => {
    const at = await scene();
    const wave = (rank: number) => ({ annotations: { 'lifecycle.novasphere.dev/wave': `${rank}` } });
    furnish(at.sim, 2, { 0: { guest: { unschedulable: 'true' }, ...wave(0) }, 1: wave(10) }, { runStrategy: 'Halted' });
    await at.pass(5_000);
    return at;
  };
  const outcomes = (at: Scene) =>
    at.sim.list<Wukong>('wukongs', namespace).map(({ status }) => status?.lifecycleState?.outcome);

  it('whose second wave does not come in its time leaves records, and reconcileState begins it after the first', async () => {
    const at = await inTwoWaves();
    const world = { ...at.world, bus: undefined };
    const report = await at.run(() => fleet(at, 'start', {}, { leftMs: 200_000, world }));
    expect([report.counts, report.left]).toEqual([{ InProgress: 2 }, 0]);
    expect(running(at.sim)).toBe(1);
    await tick(at, world);
    expect(running(at.sim)).toBe(1);
    for (let minute = 0; minute < 3; minute++) await at.pass(10_000).then(() => tick(at, world));
    expect(outcomes(at)).toEqual(['Failed', 'Started']);
  });

  it('goes on over the bus with its second wave when the first has failed meanwhile, and is never lost', async () => {
    const at = await inTwoWaves();
    const first = await at.run(() => fleet(at, 'start', {}, { leftMs: 290_000, requestId: 'event:morning' }));
    expect([first.sent, first.left]).toEqual([1, 0]);
    const { detail } = at.bus.find(({ type }) => type === requestedType.start)!;
    const sent = { id: 'e', time: new Date(at.clock.now()).toISOString(), 'detail-type': requestedType.start, detail };
    const command = parseTrigger(sent, { action: 'start', requestId: 'i', requestedAt: at.clock.now() });
    // Ticks carry on with the first while the second waits for it.
    const within = (leftMs: number) => ({ deadline: at.clock.now() + leftMs });
    const ticking = async () => {
      for (let minute = 0; minute < 4; minute++) {
        await reconcile(at.world, within(50_000));
        await sleep(at, 20_000);
      }
    };
    const [report] = await at.run(() =>
      Promise.all([executeCommand(command, at.world, { limits: within(290_000) }), ticking()]),
    );
    expect(report.counts.Started).toBe(1);
    expect(outcomes(at)).toEqual(['Failed', 'Started']);
  });

  it('leaves those untouched that it can neither begin nor record', async () => {
    const at = await scene();
    furnish(at.sim, 40);
    await at.pass(5_000);
    const world = { ...at.world, bus: undefined };
    at.sim.faults.add({ when: { method: 'PATCH' }, does: { kind: 'delay', ms: 4_000 } });
    const report = await at.run(() => fleet(at, 'stop', { maxInFlight: 2 }, { leftMs: 6_000, world }));
    expect(report.left + report.outcomes.length).toBe(40);
    expect(running(at.sim)).toBeGreaterThan(30);
  });
});

describe('fleets that meet', () => {
  it('the same event twice at once stops each VM once', async () => {
    const at = await scene({ limits: 'limited' });
    furnish(at.sim, 100);
    await at.pass(30_000);
    const both = await at.run(() =>
      Promise.all([fleet(at, 'stop', {}, { requestId: 'e-1' }), fleet(at, 'stop', {}, { requestId: 'e-1' })]),
    );
    const counts = both.map((report) => report.counts.Stopped ?? 0);
    expect(counts[0]! + counts[1]!).toBe(100);
    expect(both.every((report) => report.outcomes.length === 100)).toBe(true);
    expect(at.calls()).toHaveLength(100);
    toldOnce(at, 100);
    expect(at.bus.filter(({ type }) => type === outcomeType)).toHaveLength(100);
  });

  it.each(['stop', 'start'] as const)(
    'of a stop and a start that overlap the newer wins: here the %s',
    async (newer) => {
      const at = await scene({ limits: 'limited' });
      const older = newer === 'stop' ? 'start' : 'stop';
      furnish(at.sim, 80, {}, { runStrategy: newer === 'stop' ? 'Halted' : 'Always' });
      await at.pass(30_000);
      const now = at.clock.now();
      const first = fleet(at, older, { maxInFlight: 10 }, { selector: 'env=dev' });
      const second = new Promise<void>((resolve) => at.clock.after(2_000, resolve)).then(() =>
        fleet(at, newer, {}, { selector: 'half=even' }),
      );
      const [before, after] = await at.run(() => Promise.all([first, second]));
      expect(after.requestId).not.toBe(before.requestId);
      expect([...before.failed, ...after.failed]).toEqual([]);
      await at.pass(60_000);
      const on = at.sim.list<{ metadata: { name: string } }>('virtualmachineinstances', namespace);
      const odd = on.filter(({ metadata }) => Number(metadata.name.split('-')[1]) % 2 === 1);
      expect([odd.length, on.length - odd.length]).toEqual(newer === 'stop' ? [40, 0] : [0, 40]);
      expect(before.counts.Superseded).toBeGreaterThan(30);
      expect(at.clock.now() - now).toBeLessThan(300_000);
    },
  );
});
