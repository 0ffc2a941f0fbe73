import { describe, expect, it } from 'vitest';

import { namespace, scene } from './scene.ts';

describe('start', () => {
  it.each(['Halted', 'Manual'] as const)(
    'switches a %s VM on and waits until it is really ready',
    async (runStrategy) => {
      const at = await scene();
      at.sim.createWukong({ namespace, name: 'web', runStrategy });
      await at.pass(2_000);
      expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
      expect(at.vmi('web')?.status['phase']).toBe('Running');
      expect(at.wukong('web').status?.lifecycleState).toMatchObject({
        state: 'Running',
        lastAction: 'start',
        outcome: 'Started',
      });
      expect(at.wukong('web').spec?.startStrategy?.autoStart).toBe(true);
    },
  );

  it.each(['Once', 'RerunOnFailure', 'Manual', 'Always'] as const)(
    'leaves %s as it was after a stop and a start',
    async (runStrategy) => {
      const at = await scene();
      at.sim.createWukong({ namespace, name: 'web', runStrategy });
      await at.pass(3_000);
      if (runStrategy === 'Manual') await at.perform('start', 'web');
      expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
      expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
      expect(at.vm('web').spec['runStrategy']).toBe(runStrategy);
    },
  );

  it('waits for the old guest to go before it starts the new one', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '20' } });
    await at.pass(5_000);
    const old = at.vmi('web')?.metadata.uid;
    expect(await at.perform('stop', 'web', {}, { leftMs: 3_000 })).toMatchObject({ outcome: 'InProgress' });
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
    expect(at.vmi('web')?.metadata.uid).not.toBe(old);
  });

  it('answers AlreadyOn without a power call', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'AlreadyOn' });
    expect(at.calls()).toEqual([]);
  });

  it.each([
    ['unschedulable', 'Unschedulable', /nodes are available/],
    ['pvc-missing', 'StorageNotReady', /PVC/],
    ['pvc-unbound', 'StorageNotReady', /./],
    ['datavolume-error', 'StorageNotReady', /./],
    ['vmi-refused', 'Refused', /./],
    ['quota', 'Refused', /quota/],
    ['image', 'ImageUnavailable', /./],
    ['never-running', 'GuestCrashLoop', /once|times in a row/],
    ['crash-after-seconds', 'GuestCrashLoop', /./],
  ])('says why a VM with %s did not come up: %s', async (annotation, reason, message) => {
    const at = await scene();
    const value = annotation === 'crash-after-seconds' ? '0' : 'true';
    at.sim.createWukong({
      namespace,
      name: 'web',
      runStrategy: 'Halted',
      guest: { [annotation]: value, 'boot-seconds': '1' },
    });
    await at.pass(2_000);
    const outcome = await at.perform('start', 'web', { waitSeconds: 40 });
    expect(outcome).toMatchObject({ outcome: 'Failed', reason });
    expect(outcome.message).toMatch(message);
    expect(at.wukong('web').spec?.startStrategy?.autoStart).toBe(true);
  });

  it('is Started ten seconds after the guest came up to stay, where the ones before it died at once', async () => {
    const at = await scene();
    const guest = { 'crash-after-seconds': '0', 'boot-seconds': '1' };
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted', guest });
    await at.pass(2_000);
    const running = at.perform('start', 'web', { waitSeconds: 60 });
    await at.pass(10_000);
    at.sim.change<{ spec: { template: object } }>('virtualmachines', namespace, 'web-vm', ({ spec }) => {
      spec.template = { ...spec.template, metadata: { annotations: {} } };
    });
    const mended = at.clock.now();
    expect(await running).toMatchObject({ outcome: 'Started' });
    expect(at.clock.now() - mended).toBeGreaterThan(9_000);
    expect(at.clock.now() - mended).toBeLessThan(14_000);
  });

  it('says NodeLost when nobody can say whether the guest runs', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    at.sim.loseNode(namespace, 'web-vm');
    await at.pass(1_000);
    expect(await at.perform('start', 'web', { waitSeconds: 20 })).toMatchObject({
      outcome: 'Failed',
      reason: 'NodeLost',
    });
  });

  it('keeps an on-demand start for its lease', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted' });
    await at.pass(2_000);
    const now = at.clock.now();
    await at.perform('start', 'web', { leaseSeconds: 7_200 });
    const until = at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/lease-until'] ?? '';
    expect(Math.abs(Date.parse(until) - now - 7_200_000)).toBeLessThan(2_000);
  });
});
