import { describe, expect, it } from 'vitest';

import { getState } from '../../functions/getState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { adoptedByKey } from '../../shared/domain/ownership.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';

type Owned = KubeObject & { metadata: { ownerReferences?: object[]; annotations?: Record<string, string> } };
interface Named {
  status: { vmName?: string };
  spec: { lifecycleAction?: unknown };
}

/** `legacy` has a VM that stands under its name and is nobody's. */
async function legacy(): Promise<Scene> {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'legacy', runStrategy: 'Always', labels: { env: 'dev' } });
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
  await at.pass(5_000);
  disown(at, 'legacy');
  return at;
}

const disown = (at: Scene, name: string) =>
  at.sim.change<Owned>('virtualmachines', namespace, `${name}-vm`, (vm) => {
    delete vm.metadata.ownerReferences;
  });
const adopt = (at: Scene, vm: string, by: string) =>
  at.sim.change<Owned>('virtualmachines', namespace, vm, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [adoptedByKey]: by };
  });
const point = (at: Scene, name: string, vmName: string) =>
  at.sim.change<Named>('wukongs', namespace, name, ({ status }) => {
    status.vmName = vmName;
  });
const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));

describe('a VM that is not the Wukong’s', () => {
  it('is not switched by a command, by name or in a fleet, not even by force', async () => {
    const at = await legacy();
    expect(await at.perform('stop', 'legacy', { force: true })).toMatchObject({
      outcome: 'Failed',
      reason: 'NotOwned',
    });
    const fleet = await at.run(stopVm({ target: { namespaces: [namespace], selector: 'env=dev' } }, at.invocation()));
    expect(fleet.outcomes).toMatchObject([{ outcome: 'Failed', reason: 'NotOwned' }]);
    expect(at.calls()).toEqual([]);
  });

  it('is not switched by a declared action or a schedule', async () => {
    const at = await legacy();
    at.sim.change<Named>('wukongs', namespace, 'legacy', ({ spec }) => {
      spec.lifecycleAction = { action: 'stop', force: true };
    });
    at.sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name: 'office' },
      spec: { timeZone: 'UTC', stop: '1 20 * * *', selector: { matchLabels: { env: 'dev' } } },
    });
    const first = await tick(at);
    await at.pass(60_000);
    const second = await tick(at);
    expect(first.outcomes).toMatchObject([{ trigger: 'declared', outcome: 'Failed', reason: 'NotOwned' }]);
    expect(second.sent).toBe(1);
    expect(at.calls()).toEqual([]);
    expect(at.wukong('legacy').spec?.lifecycleAction).toBeUndefined();
  });

  it('is shown by its name alone', async () => {
    const at = await legacy();
    const states = async (query: object) => (await at.run(getState(query, at.invocation()))).states;
    const [alone] = await states({ namespace, name: 'legacy' });
    const listed = await states({ namespace });
    for (const state of [alone, listed.find(({ name }) => name === 'legacy')])
      expect(state).toMatchObject({
        state: 'Unknown',
        vm: { name: 'legacy-vm', strategy: undefined },
        node: undefined,
      });
  });

  it('is not taken for its own when its Wukong was deleted and made anew', async () => {
    const at = await legacy();
    at.sim.change<Owned>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.uid = 'another-life';
    });
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Failed', reason: 'NotOwned' });
  });

  it('is its own once it was given to it, and no longer when that is taken back', async () => {
    const at = await legacy();
    adopt(at, 'legacy-vm', 'web');
    expect(await at.perform('stop', 'legacy')).toMatchObject({ reason: 'NotOwned' });
    adopt(at, 'legacy-vm', 'legacy');
    expect(await at.perform('stop', 'legacy')).toMatchObject({ outcome: 'Stopped' });
  });

  it('is left alone when it is taken away in the middle of a stop', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'ignore-acpi': 'true' } });
    await at.pass(5_000);
    at.clock.after(10_000, () => disown(at, 'web'));
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Failed', reason: 'NotOwned' });
    expect(at.calls()).toHaveLength(1);
  });
});

describe('status.vmName', () => {
  it('leads to no VM of another Wukong: the own one is stopped', async () => {
    const at = await legacy();
    at.sim.createWukong({ namespace, name: 'mine', runStrategy: 'Always' });
    await at.pass(5_000);
    point(at, 'mine', 'web-vm');
    expect(await at.perform('stop', 'mine')).toMatchObject({ outcome: 'Stopped' });
    expect(at.vmi('mine')).toBeUndefined();
    expect(at.vmi('web')).toBeDefined();
  });

  it('counts where that VM was given to this Wukong', async () => {
    const at = await legacy();
    adopt(at, 'legacy-vm', 'mine');
    at.sim.createWukong({ namespace, name: 'mine', runStrategy: 'Halted' });
    point(at, 'mine', 'legacy-vm');
    expect(await at.perform('stop', 'mine')).toMatchObject({ outcome: 'Stopped' });
    expect(at.vmi('legacy')).toBeUndefined();
  });
});

describe('the annotation `adopts` on a Wukong', () => {
  it('leads to no VM that does not say the same', async () => {
    const at = await legacy();
    at.sim.createWukong({ namespace, name: 'mine', runStrategy: 'Always' });
    await at.pass(5_000);
    for (const vm of ['web-vm', 'legacy-vm']) {
      at.sim.change<Wukong>('wukongs', namespace, 'mine', ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, 'lifecycle.novasphere.dev/adopts': vm };
      });
      const outcome = await at.perform('stop', 'mine', { force: true });
      if (outcome.outcome === 'Failed') expect(outcome.reason).toBe('NotOwned');
      expect([at.vmi('web'), at.vmi('legacy')]).not.toContain(undefined);
    }
    adopt(at, 'legacy-vm', 'mine');
    expect(await at.perform('stop', 'mine')).toMatchObject({ outcome: 'Stopped' });
    expect(at.vmi('legacy')).toBeUndefined();
  });
});
