import { describe, expect, it } from 'vitest';

import { namespace, scene } from './scene.ts';

const off = { outcome: 'Stopped' };

describe('stop', () => {
  it.each(['Always', 'Once', 'Manual', 'RerunOnFailure'] as const)(
    'switches a %s VM off, proves it and leaves the truth',
    async (runStrategy) => {
      const at = await scene();
      at.sim.createWukong({ namespace, name: 'web', runStrategy });
      if (runStrategy === 'Manual') expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
      await at.pass(5_000);
      expect(at.vmi('web')?.status['phase']).toBe('Running');
      expect(await at.perform('stop', 'web')).toMatchObject({ ...off, forced: false });
      expect(at.vmi('web')).toBeUndefined();
      const wukong = at.wukong('web');
      expect(wukong.status?.lifecycleState).toMatchObject({
        state: 'Stopped',
        lastAction: 'stop',
        outcome: 'Stopped',
        forced: false,
      });
      expect(wukong.spec?.startStrategy?.autoStart).toBe(false);
      expect(wukong.metadata.annotations).not.toHaveProperty(['lifecycle.novasphere.dev/operation']);
      await at.pass(60_000);
      expect(at.vmi('web')).toBeUndefined();
    },
  );

  it('switches off a VM that uses the legacy field running', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', running: true });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web')).toMatchObject(off);
    expect(at.vm('web').spec).toMatchObject({ running: false });
  });

  it('takes no more than nine requests, none of them a poll', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '20' } });
    await at.pass(5_000);
    const before = at.sim.requests.length;
    expect(await at.perform('stop', 'web')).toMatchObject(off);
    const made = at.sim.requests
      .slice(before)
      .map(({ method, path, watch }) => `${watch ? 'WATCH' : method} ${path.split('/').at(-1)}`);
    expect(made).toEqual([
      'GET team-a',
      'GET web',
      'WATCH virtualmachines',
      'WATCH virtualmachineinstances',
      'PATCH web',
      'PUT stop',
      'PATCH web',
      'POST events',
      'PATCH status',
    ]);
  });

  it('lets KubeVirt end a guest that ignores ACPI, once and not before its grace period is over', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'deaf',
      runStrategy: 'Always',
      terminationGracePeriodSeconds: 20,
      guest: { 'ignore-acpi': 'true' },
    });
    await at.pass(5_000);
    const asked = at.clock.now();
    const outcome = await at.perform('stop', 'deaf');
    expect(outcome).toMatchObject({ outcome: 'ForcedOff', forceReason: 'GracePeriodExceeded', forced: true });
    expect(outcome.finishedAt - asked).toBeGreaterThanOrEqual(20_000);
    expect(outcome.finishedAt - asked).toBeLessThan(22_000);
    expect(at.calls().filter(({ verb }) => verb === 'stop')).toHaveLength(1);
    expect(at.wukong('deaf').status?.lifecycleState).toMatchObject({
      outcome: 'ForcedOff',
      forced: true,
      forceReason: 'GracePeriodExceeded',
    });
  });

  it('forces a hanging guest exactly once, 15 s after its grace period, and says where it is stuck', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'hung',
      runStrategy: 'Always',
      terminationGracePeriodSeconds: 10,
      guest: { hang: 'true' },
    });
    await at.pass(5_000);
    const outcome = await at.perform('stop', 'hung');
    expect(outcome).toMatchObject({ outcome: 'Failed', reason: 'Stuck' });
    const deletion = Date.parse(at.vmi('hung')?.metadata.deletionTimestamp ?? '');
    const stops = at.calls().filter(({ verb }) => verb === 'stop');
    expect(stops).toHaveLength(2);
    expect(stops[1]?.at).toBeGreaterThanOrEqual(deletion + 25_000);
    expect(stops[1]?.at).toBeLessThan(deletion + 27_000);
    expect(outcome.message).toMatch(/uid .* on node/);
  });

  it('deletes the launcher pod of a hanging guest only when the command allows it', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'hung',
      runStrategy: 'Always',
      terminationGracePeriodSeconds: 5,
      guest: { hang: 'true' },
    });
    await at.pass(5_000);
    expect(await at.perform('stop', 'hung', { deletePodWhenStuck: true })).toMatchObject({
      outcome: 'ForcedOff',
      forceReason: 'PodDeleted',
    });
    expect(at.vmi('hung')).toBeUndefined();
  });

  it('forces at once when the command says so', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'deaf', runStrategy: 'Always', guest: { 'ignore-acpi': 'true' } });
    await at.pass(5_000);
    const begin = at.clock.now();
    const outcome = await at.perform('stop', 'deaf', { force: true });
    expect(outcome).toMatchObject({ outcome: 'ForcedOff', forceReason: 'Requested' });
    expect(outcome.finishedAt - begin).toBeLessThan(2_000);
  });

  it('does not let a slow control plane shorten the grace of the guest', async () => {
    const at = await scene({ controllerDelayMs: 20_000 });
    at.sim.createWukong({
      namespace,
      name: 'slow',
      runStrategy: 'Always',
      terminationGracePeriodSeconds: 30,
      guest: { 'shutdown-seconds': '25' },
    });
    await at.pass(120_000);
    const outcome = await at.perform('stop', 'slow');
    expect(outcome).toMatchObject({ outcome: 'Stopped', forced: false });
    expect(at.calls().filter(({ verb }) => verb === 'stop')).toHaveLength(1);
  });

  it('does not take "VM is not running" of a crashed RerunOnFailure VM for off: a queued Start does not beat the stop', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'crashy',
      runStrategy: 'RerunOnFailure',
      guest: { 'crash-after-seconds': '1' },
    });
    const crashed = () =>
      at.vmi('crashy')?.status['phase'] === 'Failed' ||
      (at.vm('crashy').status?.['stateChangeRequests'] as unknown[] | undefined)?.length;
    for (let i = 0; i < 400 && !crashed(); i++) await at.pass(25);
    expect(crashed()).toBeTruthy();
    const outcome = await at.perform('stop', 'crashy');
    expect(['Stopped', 'ForcedOff']).toContain(outcome.outcome);
    await at.pass(120_000);
    expect(at.vmi('crashy')).toBeUndefined();
    expect(at.wukong('crashy').status?.lifecycleState?.state).toBe('Stopped');
  });

  it('stops a VM again that comes back after its stop, and gives up after the third time', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'zombie', runStrategy: 'Always' });
    await at.pass(5_000);
    let revived = 0;
    const meddle = () => {
      const vm = at.vm('zombie');
      if (vm.spec['runStrategy'] === 'Halted' && !at.vmi('zombie')) return;
      at.clock.after(100, meddle);
    };
    meddle();
    const revive = (): void => {
      const vmi = at.vmi('zombie');
      const vm = at.vm('zombie');
      if (vmi?.metadata.deletionTimestamp && vm.spec['runStrategy'] === 'Halted' && revived < 1) {
        revived++;
        at.sim.change('virtualmachines', namespace, 'zombie-vm', (o: typeof vm) => (o.spec['runStrategy'] = 'Always'));
      }
      if (at.clock.now() < limit) at.clock.after(50, revive);
    };
    const limit = at.clock.now() + 30_000;
    revive();
    expect(await at.perform('stop', 'zombie')).toMatchObject(off);
    expect(revived).toBe(1);
    expect(at.vmi('zombie')).toBeUndefined();
  });

  it('gives a guest that comes back after the force of its predecessor its whole grace, and forces it too', async () => {
    const at = await scene();
    const hung = { runStrategy: 'Always', terminationGracePeriodSeconds: 10, guest: { hang: 'true' } } as const;
    at.sim.createWukong({ namespace, name: 'hung', ...hung });
    await at.pass(5_000);
    // Somebody wants it on, while virt-api is away: nobody can ask for the opposite before the first guest has gone.
    at.clock.after(28_000, () => at.sim.faults.virtApiDown(true));
    at.clock.after(29_000, () =>
      at.sim.change<{ spec: object }>('virtualmachines', namespace, 'hung-vm', (vm) => {
        vm.spec = { ...vm.spec, runStrategy: 'Always' };
      }),
    );
    at.clock.after(30_000, () =>
      at.sim.change<{ status?: object }>('virtualmachineinstances', namespace, 'hung-vm', (vmi) => {
        vmi.status = { ...vmi.status, phase: 'Failed' };
      }),
    );
    at.clock.after(32_000, () => at.sim.faults.virtApiDown(false));
    expect(await at.perform('stop', 'hung')).toMatchObject({ outcome: 'Failed', reason: 'Stuck' });
    const deletion = Date.parse(at.vmi('hung')?.metadata.deletionTimestamp ?? '');
    const stops = at.calls().filter(({ verb, status }) => verb === 'stop' && status === 202);
    expect(stops).toHaveLength(4);
    expect(stops[3]?.at).toBeGreaterThanOrEqual(deletion + 25_000);
  });

  it('answers AlreadyOff without a power call', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'idle', runStrategy: 'Halted' });
    await at.pass(5_000);
    expect(await at.perform('stop', 'idle')).toMatchObject({ outcome: 'AlreadyOff' });
    expect(at.calls()).toEqual([]);
    expect(at.wukong('idle').status?.lifecycleState?.state).toBe('Stopped');
  });

  it('leaves InProgress when the time is up, with the hour of force in the record', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'web',
      runStrategy: 'Always',
      terminationGracePeriodSeconds: 60,
      guest: { 'shutdown-seconds': '50' },
    });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web', {}, { leftMs: 10_000 })).toMatchObject({ outcome: 'InProgress' });
    const record = JSON.parse(at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/operation'] ?? '{}');
    const deletion = Date.parse(at.vmi('web')?.metadata.deletionTimestamp ?? '');
    expect(Date.parse(record.forceAt)).toBe(deletion + 75_000);
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ state: 'Stopping', outcome: 'InProgress' });
  });

  it('caps a grace period that the launcher pod does not allow, and says so', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', terminationGracePeriodSeconds: 5 });
    await at.pass(5_000);
    const outcome = await at.perform('stop', 'web', { gracePeriodSeconds: 600 });
    expect(outcome.message).toContain('600 s was capped at 35 s');
  });

  it('leaves a protected VM alone', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'safe',
      runStrategy: 'Always',
      annotations: { 'lifecycle.novasphere.dev/protected': 'true' },
    });
    await at.pass(5_000);
    expect(await at.perform('stop', 'safe')).toMatchObject({ outcome: 'Skipped', reason: 'Protected' });
    expect(at.calls()).toEqual([]);
  });

  it('writes nothing in a dry run, also of what would be left alone', async () => {
    const at = await scene();
    const annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    at.sim.createWukong({ namespace, name: 'safe', runStrategy: 'Always', annotations });
    await at.pass(5_000);
    expect(await at.perform('stop', 'safe', { dryRun: true })).toMatchObject({
      outcome: 'Skipped',
      reason: 'DryRun',
      message: expect.stringContaining('protected'),
    });
    expect(at.sim.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(at.bus).toEqual([]);
  });

  it('that was skipped is skipped again when it is delivered once more after the override is gone, and told once', async () => {
    const at = await scene();
    const annotations = { 'lifecycle.novasphere.dev/keep-running-until': '2026-11-23T20:10:00Z' };
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', annotations });
    await at.pass(5_000);
    const again = { requestId: 'delivered-twice' };
    expect(await at.perform('stop', 'web', {}, again)).toMatchObject({ outcome: 'Skipped', reason: 'Override' });
    await at.pass(700_000);
    expect(await at.perform('stop', 'web', {}, again)).toMatchObject({ outcome: 'Skipped', reason: 'Override' });
    expect(at.calls()).toEqual([]);
    expect(at.bus).toHaveLength(1);
    expect(await at.perform('stop', 'web')).toMatchObject(off);
  });
});
