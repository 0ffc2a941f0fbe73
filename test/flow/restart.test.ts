import { describe, expect, it } from 'vitest';

import { stopVm } from '../../functions/stopVm/handler.ts';
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

  it('is not for the function that may only stop', async () => {
    const at = await up();
    const event = { target: { namespace, name: 'web' }, ...restart };
    await expect(stopVm(event, at.invocation())).rejects.toThrow(/restart: expected none/);
    expect(uid(at)).toBeDefined();
  });
});
