import { describe, expect, it } from 'vitest';

import { reconcile, type Tick } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';

type Declaring = { spec: { lifecycleAction?: unknown } };

const tick = (at: Scene, leftMs = 50_000): Promise<Tick> =>
  at.run(reconcile(at.world, { deadline: at.clock.now() + leftMs }));
const declare = (at: Scene, name: string, action: unknown) =>
  at.sim.change('wukongs', namespace, name, (o: Declaring) => {
    o.spec.lifecycleAction = action;
  });
const state = (at: Scene, name: string) => at.wukong(name).status?.lifecycleState;
const record = (at: Scene, name: string) =>
  at.wukong(name).metadata.annotations?.['lifecycle.novasphere.dev/operation'];
const writes = (at: Scene, from: number) => at.sim.requests.slice(from).filter(({ method }) => method !== 'GET');

describe('a declared action', () => {
  it.each([
    ['start', { action: 'start' }, 'Halted', 'Running'],
    ['stop', { action: 'stop', gracePeriodSeconds: 60 }, 'Always', 'Stopped'],
    ['stop', { action: 'stop', force: true }, 'Always', 'Stopped'],
  ] as const)('%s is carried out, recorded and removed', async (_action, value, runStrategy, expected) => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy });
    await at.pass(5_000);
    declare(at, 'web', value);
    const { outcomes } = await tick(at);
    expect(outcomes).toHaveLength(1);
    expect(state(at, 'web')).toMatchObject({ state: expected, trigger: 'declared' });
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
  });

  it('that nobody knows is told as InvalidAction and removed, and disturbs nobody else', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'odd', runStrategy: 'Always' });
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    declare(at, 'odd', { action: 'explode', gracePeriodSeconds: -5 });
    declare(at, 'web', { action: 'stop' });
    await tick(at);
    expect(state(at, 'odd')).toMatchObject({ state: 'Running', outcome: 'Failed', reason: 'InvalidAction' });
    expect(state(at, 'odd')?.message).toMatch(/lifecycleAction\.action: expected start or stop/);
    expect(at.wukong('odd').spec?.lifecycleAction).toBeUndefined();
    expect(state(at, 'web')).toMatchObject({ state: 'Stopped', outcome: 'Stopped' });
  });

  it('written while another one is carried out is done next, and only the first one is removed', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '10' } });
    await at.pass(5_000);
    declare(at, 'web', { action: 'stop' });
    at.clock.after(5_000, () => declare(at, 'web', { action: 'start' }));
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    expect(at.wukong('web').spec?.lifecycleAction).toEqual({ action: 'start' });
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ state: 'Running', outcome: 'Started' });
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
  });

  it('on a protected VM is told as Skipped and removed', async () => {
    const at = await scene();
    at.sim.createWukong({
      namespace,
      name: 'safe',
      runStrategy: 'Always',
      annotations: { 'lifecycle.novasphere.dev/protected': 'true' },
    });
    await at.pass(5_000);
    declare(at, 'safe', { action: 'stop' });
    const { outcomes } = await tick(at);
    expect(outcomes).toMatchObject([{ outcome: 'Skipped', reason: 'Protected' }]);
    expect(at.wukong('safe').spec?.lifecycleAction).toBeUndefined();
  });

  it('that never reached the cluster is carried out by the next tick', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    declare(at, 'web', { action: 'stop' });
    const claims = { method: 'PATCH', path: /\/wukongs\/web$/ };
    at.sim.faults.add({ when: claims, times: 5, does: { kind: 'status', status: 503 } });
    expect((await tick(at)).outcomes).toMatchObject([{ outcome: 'Failed', reason: 'Unreachable' }]);
    at.sim.faults.clear();
    expect(at.wukong('web').spec?.lifecycleAction).toEqual({ action: 'stop' });
    expect((await tick(at)).outcomes).toMatchObject([{ outcome: 'Stopped' }]);
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
  });

  it('in a protected namespace is told as Skipped and removed; as long as nobody answers, it is left to wait', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'safe', runStrategy: 'Always' });
    at.sim.change<{ metadata: { annotations?: object } }>('namespaces', '', namespace, ({ metadata }) => {
      metadata.annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    });
    await at.pass(5_000);
    declare(at, 'safe', { action: 'stop' });
    at.sim.faults.add({ when: { path: /\/namespaces\/[^/]+$/ }, does: { kind: 'status', status: 503 } });
    const { outcomes, problems } = await tick(at);
    expect([outcomes, problems]).toMatchObject([[], [expect.stringContaining('503')]]);
    expect(at.wukong('safe').spec?.lifecycleAction).toEqual({ action: 'stop' });
    at.sim.faults.clear();
    expect((await tick(at)).outcomes).toMatchObject([{ outcome: 'Skipped', reason: 'Protected' }]);
    expect(at.wukong('safe').spec?.lifecycleAction).toBeUndefined();
    expect(at.vmi('safe')).toBeDefined();
  });
});

describe('what was interrupted', () => {
  const interrupted = async (guest: Record<string, string>, grace = 30) => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest, terminationGracePeriodSeconds: grace });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web', {}, { leftMs: 2_000 })).toMatchObject({ outcome: 'InProgress' });
    return at;
  };

  it('is left alone within its grace period', async () => {
    const at = await interrupted({ 'shutdown-seconds': '25' });
    const from = at.sim.requests.length;
    await tick(at);
    expect(writes(at, from)).toEqual([]);
  });

  it('is recorded when it was done meanwhile', async () => {
    const at = await interrupted({ 'shutdown-seconds': '10' });
    await at.pass(20_000);
    const { outcomes } = await tick(at);
    expect(outcomes).toMatchObject([{ outcome: 'Stopped' }]);
    expect(record(at, 'web')).toBeUndefined();
    expect(state(at, 'web')).toMatchObject({ state: 'Stopped', outcome: 'Stopped' });
  });

  it('is forced when its hour has come, and not before', async () => {
    const at = await interrupted({ hang: 'true' }, 10);
    const deletion = Date.parse(at.vmi('web')?.metadata.deletionTimestamp ?? '');
    await at.pass(15_000);
    await tick(at, 5_000);
    expect(at.calls()).toHaveLength(1);
    await at.pass(10_000);
    await tick(at, 5_000);
    expect(at.calls()).toHaveLength(2);
    expect(at.calls()[1]?.at).toBeGreaterThanOrEqual(deletion + 25_000);
    await at.pass(70_000);
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ outcome: 'Failed', reason: 'Stuck', state: 'Stopping' });
    expect(record(at, 'web')).toBeUndefined();
  });

  it.each(['stop', 'start'] as const)(
    'is told once when ticks come all the while its own process still carries out a %s',
    async (action) => {
      const at = await scene();
      at.sim.createWukong({
        namespace,
        name: 'web',
        runStrategy: action === 'stop' ? 'Always' : 'Halted',
        guest: { 'shutdown-seconds': '1' },
      });
      await at.pass(5_000);
      let over = false;
      const ticks = async () => {
        while (!over) {
          await reconcile(at.world, { deadline: at.clock.now() + 50_000 });
          await new Promise<void>((next) => at.clock.after(7, next));
        }
      };
      const own = at.perform(action, 'web').finally(() => (over = true));
      await at.run(Promise.all([own, ticks()]));
      await tick(at);
      expect(at.bus.map(({ detail }) => (detail as { outcome: string }).outcome)).toEqual([
        action === 'stop' ? 'Stopped' : 'Started',
      ]);
      expect(at.calls().length).toBeLessThanOrEqual(2);
      expect(record(at, 'web')).toBeUndefined();
    },
  );

  it('is told when its process died between the end of the record and the telling', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const undo = at.sim.faults.add({ when: { method: 'POST', path: /events/ }, does: { kind: 'crash', before: true } });
    await at.perform('stop', 'web');
    undo();
    at.sim.faults.clear();
    at.bus.length = 0; // what the dying process still put there; it cannot be known
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ state: 'Stopped', outcome: 'Stopped' });
    expect(at.bus).toHaveLength(1);
    await tick(at);
    expect(at.bus).toHaveLength(1);
  });
});

describe('the status', () => {
  it('follows what is really so, and is not written when nothing changed', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ state: 'Running' });
    let from = at.sim.requests.length;
    expect((await tick(at)).repaired).toBe(0);
    expect(writes(at, from)).toEqual([]);
    at.sim.change('virtualmachines', namespace, 'web-vm', (o: { spec: { runStrategy: string } }) => {
      o.spec.runStrategy = 'Halted';
    });
    await at.pass(5_000);
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ state: 'Stopped' });
    at.sim.change(
      'wukongs',
      namespace,
      'web',
      (o: { status?: { lifecycleState?: unknown } }) => delete o.status?.lifecycleState,
    );
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ state: 'Stopped' });
    at.sim.remove('virtualmachines', namespace, 'web-vm');
    await at.pass(5_000);
    await tick(at);
    expect(state(at, 'web')).toMatchObject({ state: 'Unknown' });
    from = at.sim.requests.length;
    await tick(at);
    expect(writes(at, from)).toEqual([]);
  });

  it('says Running of a VM that comes up after its start had timed out', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'slow', runStrategy: 'Halted', guest: { 'boot-seconds': '60' } });
    await at.pass(2_000);
    expect(await at.perform('start', 'slow', { waitSeconds: 20 })).toMatchObject({ outcome: 'Failed' });
    await at.pass(60_000);
    await tick(at);
    expect(state(at, 'slow')).toMatchObject({ state: 'Running' });
    const ready = at.wukong('slow').status?.conditions?.find(({ type }) => type === 'LifecycleReady');
    expect(ready).toMatchObject({ status: 'True' });
  });
});
