import { describe, expect, it } from 'vitest';

import { restartVm } from '../../functions/restartVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { operationOf } from '../../shared/domain/operation.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';

const restart = { restart: true };
const uid = (at: Scene) => at.vmi('web')?.metadata.uid;
const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 120_000 }));

async function up(more: object = {}): Promise<Scene> {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', ...more });
  await at.pass(5_000);
  return at;
}

describe('a restart', () => {
  it.each(['Always', 'RerunOnFailure', 'Manual', 'Once'] as const)(
    'of %s: graceful, and another guest is up',
    async (runStrategy) => {
      const at = await up({ runStrategy, guest: { 'shutdown-seconds': '2' } });
      if (runStrategy === 'Manual') await at.perform('start', 'web');
      const before = uid(at);
      const outcome = await at.perform('stop', 'web', restart);
      expect(outcome).toMatchObject({ outcome: 'Started', action: 'start' });
      expect(outcome.message).toMatch(/^The guest shut down by itself.*Another guest is up and ready/);
      expect(uid(at)).not.toBe(before);
      expect(at.vm('web').spec['runStrategy']).toBe(runStrategy);
      expect(at.wukong('web').spec?.startStrategy?.autoStart).toBe(true);
      expect(operationOf(at.wukong('web'))).toBeUndefined();
    },
  );

  it('forces a guest that ignores the shutdown once its time is over, and starts it all the same', async () => {
    const at = await up({ terminationGracePeriodSeconds: 4, guest: { 'ignore-acpi': 'true' } });
    const outcome = await at.perform('stop', 'web', restart);
    expect(outcome.outcome).toBe('Started');
    expect(outcome.message).toMatch(/did not shut down within 4 s/);
  });

  it('leaves off what is off, and what may not be started is not stopped', async () => {
    const at = await up({ runStrategy: 'Halted' });
    expect(await at.perform('stop', 'web', restart)).toMatchObject({ outcome: 'AlreadyOff' });
    const held = await up({ annotations: { 'lifecycle.novasphere.dev/keep-stopped-until': '2027-01-01T00:00:00Z' } });
    expect(await held.perform('stop', 'web', restart)).toMatchObject({ outcome: 'Skipped', reason: 'Override' });
    const kept = await up({ annotations: { 'lifecycle.novasphere.dev/protected': 'true' } });
    expect(await kept.perform('stop', 'web', restart)).toMatchObject({ outcome: 'Skipped', reason: 'Protected' });
    expect([uid(held) !== undefined, uid(kept) !== undefined]).toEqual([true, true]);
  });

  it('goes on from either half when its process has no more time', async () => {
    for (const leftMs of [1_000, 3_000]) {
      const at = await up({ guest: { 'shutdown-seconds': '2', 'boot-seconds': '5' } });
      await at.pass(10_000);
      const before = uid(at);
      expect(await at.perform('stop', 'web', restart, { leftMs })).toMatchObject({ outcome: 'InProgress' });
      await at.pass(leftMs === 1_000 ? 3_000 : 12_000);
      const done = await tick(at);
      expect(done.outcomes).toMatchObject([{ outcome: 'Started' }]);
      expect([uid(at) !== before, uid(at) !== undefined]).toEqual([true, true]);
    }
  });

  it('delivered twice is done once', async () => {
    const at = await up();
    await at.perform('stop', 'web', restart, { requestId: 'again' });
    const now = uid(at);
    expect(await at.perform('stop', 'web', restart, { requestId: 'again' })).toMatchObject({
      outcome: 'Skipped',
      reason: 'Duplicate',
    });
    expect(uid(at)).toBe(now);
  });

  it('that a newer stop meets half-way ends off', async () => {
    const at = await up({ guest: { 'shutdown-seconds': '4' } });
    const first = at.perform('stop', 'web', restart, { leftMs: 60_000 });
    void first.catch(() => {});
    const { performOne } = await import('../../shared/lifecycle/perform.ts');
    const later = await at.run(async () => {
      await new Promise<void>((resolve) => at.clock.after(1_500, resolve));
      const command = at.command('stop', 'web');
      return performOne(command, { namespace, name: 'web' }, at.world, {
        limits: { deadline: at.clock.now() + 60_000 },
      });
    });
    expect(later).toMatchObject({ outcome: 'Stopped' });
    await first;
    await at.pass(30_000);
    expect(uid(at)).toBeUndefined();
  });

  it('is what restartVm does, directly and over HTTP, one and a fleet; nobody asks by an event', async () => {
    const at = await up({ labels: { env: 'dev' } });
    at.sim.createWukong({ namespace, name: 'db', runStrategy: 'Halted', labels: { env: 'dev' } });
    const target = { namespace, name: 'web' };
    const call = async (event: object) => {
      const before = uid(at);
      const { outcomes } = await at.run(restartVm(event, at.invocation()));
      expect(uid(at) !== undefined && uid(at) !== before).toBe(true);
      return outcomes.map(({ outcome }) => outcome).sort();
    };
    const rawPath = `/prod/namespaces/${namespace}/wukongs/web/restart`;
    const http = { version: '2.0', rawPath, requestContext: { http: { method: 'POST', path: rawPath } } };
    expect(await call({ target })).toEqual(['Started']);
    expect(await call({ ...http, pathParameters: target, body: '{"waitSeconds":60}' })).toEqual(['Started']);
    expect(await call({ target: { namespaces: [namespace], selector: 'env=dev' } })).toEqual(['AlreadyOff', 'Started']);
    const refused = { detail: { target }, 'detail-type': 'Wukong VM Stop Requested' };
    for (const wrong of [refused, { target, restart: false }, { target, leaseSeconds: 60 }, 'web', [], null])
      await expect(restartVm(wrong, at.invocation())).rejects.toMatchObject({ code: 'InvalidAction' });
  });

  it('of a fleet that is larger than the time goes on by reconcileState, and never over the bus', async () => {
    const at = await scene({}, { POWER_CALLS_PER_SECOND: '2' });
    for (let i = 0; i < 40; i++)
      at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Always', labels: { env: 'dev' } });
    await at.pass(20_000);
    const guests = () =>
      at.sim.list<KubeObject>('virtualmachineinstances', namespace).map(({ metadata }) => metadata.uid);
    const before = new Set(guests());
    const event = { target: { namespaces: [namespace], selector: 'env=dev' }, maxInFlight: 5 };
    await at.run(restartVm(event, at.invocation('i', 15_000)));
    expect(at.bus.filter(({ type }) => type.endsWith('Requested'))).toEqual([]);
    for (let i = 0; i < 6; i++) await tick(at);
    expect(guests().filter((one) => !before.has(one))).toHaveLength(40);
  });

  it('is not for the function that may only stop', async () => {
    const at = await up();
    const event = { target: { namespace, name: 'web' }, ...restart };
    await expect(stopVm(event, at.invocation())).rejects.toThrow(/restart: expected none/);
    expect(uid(at)).toBeDefined();
  });
});
