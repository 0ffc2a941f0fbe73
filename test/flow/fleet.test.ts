import { describe, expect, it } from 'vitest';

import { fleetOutcomeType } from '../../shared/report/fleetOutcome.ts';
import { outcomeType } from '../../shared/report/report.ts';
import type { WukongOptions } from '../../sim/sim.ts';
import { eventsByWukong, fleet, furnish, running } from './fleet.ts';
import { namespace, scene } from './scene.ts';

const guests = { guest: { 'shutdown-seconds': '10' } };

describe('three hundred VMs in the evening', () => {
  it('one that hangs, one that is refused and one that is deleted meanwhile harm no other', async () => {
    const at = await scene({ limits: 'limited' });
    furnish(at.sim, 300, { 7: { guest: { hang: 'true' }, terminationGracePeriodSeconds: 20 } }, guests);
    await at.pass(120_000);
    at.sim.faults.add({ when: { path: /virtualmachines\/vm-11-vm\/stop/ }, does: { kind: 'status', status: 403 } });
    at.clock.after(1_000, () => at.sim.remove('virtualmachines', namespace, 'vm-99-vm'));
    const began = at.clock.now();
    const ends: number[] = [];
    const progress = ({ outcome }: { outcome?: { outcome: string } }) =>
      void (outcome?.outcome === 'Stopped' && ends.push(at.clock.now() - began));
    const report = await at.run(() => fleet(at, 'stop', {}, { options: { progress } }));
    expect(report.counts).toEqual({ Stopped: 297, Failed: 3 });
    expect(report.failed.map(({ name, reason }) => `${name} ${reason}`).sort()).toEqual([
      'vm-11 Denied',
      'vm-7 Stuck',
      'vm-99 NotFound',
    ]);
    // 300 VMs of 0.4 s on three workers, and the last guest's ten seconds.
    expect(Math.max(...ends)).toBeLessThan(55_000);
    expect(running(at.sim)).toBe(2);
    const told = eventsByWukong(at.sim);
    expect(told.size).toBe(300);
    expect([...told.values()].every((reasons) => reasons.length === 1)).toBe(true);
    expect(at.bus.filter(({ type }) => type === outcomeType)).toHaveLength(300);
    expect(at.bus.filter(({ type }) => type === fleetOutcomeType)).toMatchObject([
      { detail: { action: 'stop', targets: 300, counts: { Stopped: 297, Failed: 3 }, failedInAll: 3, left: 0 } },
    ]);
  });
});

const seconds = (written: number, at: { clock: { now(): number } }) =>
  new Date(at.clock.now() + written * 1000).toISOString();

describe('what is left as it is costs nothing', () => {
  it('sorts out protected, overridden and stopped ones before anything is called', async () => {
    const at = await scene();
    const keys = 'lifecycle.novasphere.dev';
    const special: Record<string, Partial<WukongOptions>> = Object.fromEntries(
      Array.from({ length: 90 }, (_, i): [number, Partial<WukongOptions>] => [
        i,
        i < 30
          ? { annotations: { [`${keys}/protected`]: 'true' } }
          : i < 60
            ? { annotations: { [`${keys}/keep-running-until`]: seconds(7_200, at) } }
            : { runStrategy: 'Halted' as const },
      ]),
    );
    furnish(at.sim, 100, special);
    await at.pass(10_000);
    const from = at.sim.requests.length;
    const report = await at.run(() => fleet(at, 'stop'));
    expect(report.counts).toEqual({ Skipped: 60, AlreadyOff: 30, Stopped: 10 });
    expect(report.skipped).toEqual({ Protected: 30, Override: 30 });
    expect(report.outcomes).toHaveLength(100);
    // One list, the namespaces, two watches, the run, and five for each that was stopped.
    expect(at.sim.requests.length - from).toBe(5 + 5 * 10);
    expect(eventsByWukong(at.sim).size).toBe(10);
  });

  it('obeys the annotations of a namespace, and goes on where it may not read them', async () => {
    const at = await scene();
    furnish(at.sim, 3);
    at.sim.change<{ metadata: { annotations?: object } }>('namespaces', '', namespace, ({ metadata }) => {
      metadata.annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    });
    await at.pass(5_000);
    expect((await at.run(() => fleet(at, 'stop'))).skipped).toEqual({ Protected: 3 });
    const forbidden = { kind: 'status', status: 403 } as const;
    at.sim.faults.add({ when: { path: /^\/api\/v1\/namespaces\/[^/]+$/ }, does: forbidden });
    expect((await at.run(() => fleet(at, 'stop'))).counts).toEqual({ Stopped: 3 });
  });

  it('touches none when nobody answers whether their namespace protects them', async () => {
    const at = await scene();
    furnish(at.sim, 3);
    await at.pass(5_000);
    const away = { kind: 'status', status: 503 } as const;
    at.sim.faults.add({ when: { path: /^\/api\/v1\/namespaces\/[^/]+$/ }, does: away });
    const { counts, failed } = await at.run(() => fleet(at, 'stop'));
    expect(counts).toEqual({ Failed: 3 });
    expect(failed.map(({ reason }) => reason)).toEqual(['Unreachable', 'Unreachable', 'Unreachable']);
    expect(running(at.sim)).toBe(3);
    expect(at.sim.requests.filter(({ path }) => /\/(start|stop)$/.test(path))).toEqual([]);
  });

  it('goes on in the other namespaces when nobody answers for one of them', async () => {
    const at = await scene();
    furnish(at.sim, 3);
    at.sim.createWukong({ namespace: 'team-b', name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    await at.pass(5_000);
    const away = { kind: 'status', status: 503 } as const;
    at.sim.faults.add({ when: { path: /^\/api\/v1\/namespaces\/team-b$/ }, does: away });
    const { counts, failed } = await at.run(() => fleet(at, 'stop', { target: { selector: 'env=dev' } }));
    expect(counts).toEqual({ Stopped: 3, Failed: 1 });
    expect(failed).toMatchObject([{ namespace: 'team-b', name: 'web', reason: 'Unreachable' }]);
  });

  it('lists the namespaces when they are many', async () => {
    const at = await scene();
    for (let i = 0; i < 11; i++)
      at.sim.createWukong({ namespace: `team-${i}`, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    at.sim.change<{ metadata: { annotations?: object } }>('namespaces', '', 'team-7', ({ metadata }) => {
      metadata.annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    });
    await at.pass(5_000);
    const from = at.sim.requests.length;
    expect((await at.run(() => fleet(at, 'stop', { target: { selector: 'env=dev' } }))).counts).toEqual({
      Stopped: 10,
      Skipped: 1,
    });
    const asked = at.sim.requests
      .slice(from)
      .filter(({ path }) => path.startsWith('/api/v1/namespaces') && !/events/.test(path));
    expect(asked.map(({ path }) => path)).toEqual(['/api/v1/namespaces']);
  });

  it('refuses more than maxTargets, with the count, and touches none', async () => {
    const at = await scene();
    furnish(at.sim, 12);
    await at.pass(5_000);
    await expect(at.run(() => fleet(at, 'stop', { maxTargets: 10 }))).rejects.toThrow(
      'matches 12 Wukongs, more than maxTargets 10',
    );
    expect(running(at.sim)).toBe(12);
  });

  it('writes nothing in a dry run, and asks KubeVirt of each', async () => {
    const at = await scene();
    furnish(at.sim, 8, {
      0: { runStrategy: 'Halted' },
      1: { annotations: { 'lifecycle.novasphere.dev/protected': 'true' } },
    });
    await at.pass(5_000);
    const from = at.sim.requests.length;
    const report = await at.run(() => fleet(at, 'stop', { dryRun: true }));
    expect(report.skipped).toEqual({ DryRun: 8 });
    const written = at.sim.requests.slice(from).filter(({ method }) => method !== 'GET');
    expect(written.map(({ method }) => method)).toEqual(Array.from({ length: 6 }, () => 'PUT'));
    expect(running(at.sim)).toBe(7);
    expect(at.bus).toEqual([]);
    expect(eventsByWukong(at.sim).size).toBe(0);
  });
});

describe('how many at once', () => {
  const atMost = (values: number[]) => Math.max(...values);

  it('guests that take long to shut down keep no other waiting', async () => {
    const at = await scene();
    furnish(at.sim, 60, {}, { guest: { 'shutdown-seconds': '30' }, terminationGracePeriodSeconds: 60 });
    await at.pass(5_000);
    const began = at.clock.now();
    expect((await at.run(() => fleet(at, 'stop', { maxInFlight: 5 }))).counts).toEqual({ Stopped: 60 });
    expect(at.clock.now() - began).toBeLessThan(45_000);
  });

  it('starts no more at once than maxInFlight', async () => {
    const at = await scene();
    furnish(at.sim, 40, {}, { runStrategy: 'Halted', guest: { 'boot-seconds': '10' } });
    await at.pass(5_000);
    const inFlight: number[] = [];
    const options = { progress: (told: { inFlight: number }) => void inFlight.push(told.inFlight) };
    expect((await at.run(() => fleet(at, 'start', { maxInFlight: 8 }, { options }))).counts).toEqual({ Started: 40 });
    expect(atMost(inFlight)).toBe(8);
  });

  it('starts wave after wave', async () => {
    const at = await scene();
    const wave = (number: string) => ({ annotations: { 'lifecycle.novasphere.dev/wave': number } });
    furnish(at.sim, 4, { 0: wave('20'), 1: wave('10'), 2: wave('20'), 3: wave('10') }, { runStrategy: 'Halted' });
    await at.pass(5_000);
    const { outcomes } = await at.run(() => fleet(at, 'start'));
    expect(
      outcomes
        .map(({ name }) => name)
        .slice(0, 2)
        .sort(),
    ).toEqual(['vm-1', 'vm-3']);
    const of = (name: string) => outcomes.find((outcome) => outcome.name === name)!;
    expect(of('vm-0').startedAt).toBeGreaterThanOrEqual(Math.max(of('vm-1').finishedAt, of('vm-3').finishedAt) - 50);
  });
});
