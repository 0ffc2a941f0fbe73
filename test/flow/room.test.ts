import { expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const state = (at: Scene) => at.wukong('web').status?.lifecycleState;
const events = (at: Scene) =>
  at.sim
    .list<KubeObject & { reason: string; message: string }>('events', namespace)
    .filter(({ reason }) => reason === 'FoundRoom');

it('a start that found no room says since when it waits, and when it came up after all', async () => {
  const at = await scene();
  delete at.world.bus;
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted', guest: { unschedulable: 'true' } });
  await at.pass(5_000);
  expect(await at.perform('start', 'web', { waitSeconds: 10 })).toMatchObject({
    outcome: 'Failed',
    reason: 'Unschedulable',
  });
  await tick(at);
  expect(state(at)).toMatchObject({ outcome: 'Failed', reason: 'Unschedulable' });
  expect(state(at)?.message).toMatch(/^Waiting for room since 2026-11-23T20:00:05Z: 0\/1 nodes are available/);
  const from = at.sim.requests.length;
  await tick(at);
  expect(at.sim.requests.slice(from).filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(events(at)).toEqual([]);
  at.sim.change<KubeObject>('virtualmachineinstances', namespace, 'web-vm', ({ metadata }) => {
    delete metadata.annotations?.['sim.novasphere.dev/unschedulable'];
  });
  await at.pass(120_000);
  if (at.vmi('web')?.status?.['phase'] !== 'Running') {
    at.sim.change<KubeObject & { status: Record<string, unknown> }>(
      'virtualmachineinstances',
      namespace,
      'web-vm',
      (vmi) => {
        vmi.status = {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-23T20:02:00Z' }],
        };
      },
    );
    await at.pass(1_000);
  }
  await tick(at);
  expect(state(at)).toMatchObject({ state: 'Running' });
  expect(state(at)?.message).toMatch(/^Waited for room since 2026-11-23T20:00:05Z; up since 2026-11-23T20:/);
  await tick(at);
  expect(events(at)).toHaveLength(1);
});
