import { describe, expect, it, vi } from 'vitest';

import { watchRuns } from '../../cli/commands/watchRuns.ts';
import type { RunsSeen } from '../../cli/ui/liveRuns.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { runPath } from '../../shared/cluster/objects.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { boundary, scheduleIn } from './ways.ts';

vi.setConfig({ testTimeout: 20_000 });

/** What a page is shown of the runs of a namespace, the newest last. */
async function watched(at: Scene) {
  const shown: RunsSeen[] = [];
  const stop = new AbortController();
  const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig()), at.sim.dispatcher());
  // The functions may not watch runs; who sits before a browser may.
  const world = { ...at.world, transport: transportTo(credentials, at.clock, at.world.random) };
  await at.run(watchRuns(world, namespace, stop.signal, (seen) => shown.push(seen)));
  return { shown, stop };
}

describe('the runs of the live page', () => {
  it('come and change within a second, those alone that the lifecycle has made', async () => {
    const at = await scene();
    delete at.world.bus;
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    at.sim.createWukong({
      ...{ namespace, name: 'lost', runStrategy: 'Always', labels: { env: 'dev' }, gracePeriodSeconds: 5 },
      guest: { hang: 'true' },
    });
    scheduleIn(at, namespace, { start: '0 8 * * *', stop: '30 20 * * *' });
    await at.pass(5_000);
    await at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
    const { shown, stop } = await watched(at);
    expect(shown).toEqual([{ runs: [] }]);
    await at.pass(boundary - at.clock.now());
    for (let i = 0; i < 5; i++) await at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
    await at.pass(1_000);
    const [run] = shown.at(-1)!.runs;
    expect(shown.at(-1)!.runs).toHaveLength(1);
    expect(run).toMatchObject({ spec: { action: 'stop' }, metadata: { namespace }, status: { targets: 2 } });
    expect(
      ['done', 'forced', 'failed', 'inProgress'].reduce((sum, key) => sum + Number(run?.status?.[key as 'done']), 0),
    ).toBe(2);
    expect(run?.status).not.toHaveProperty('vms'); // a line for each VM would be kept for months
    const before = shown.length;
    at.sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongRun',
      metadata: { name: 'forged', namespace },
      spec: { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' },
    });
    await at.pass(1_000);
    expect(shown.slice(before).flatMap(({ runs }) => runs.map(({ metadata }) => metadata.name))).not.toContain(
      'forged',
    );
    stop.abort();
    at.sim.remove('wukongruns', namespace, run!.metadata.name!);
    const end = shown.length;
    await at.pass(5_000);
    expect(shown).toHaveLength(end); // nobody looks any more
  });

  it.each([404, 403])('are a problem that is shown where the API server answers %d, and no more', async (status) => {
    const at = await scene();
    at.sim.faults.add({ when: { path: new RegExp(`^${runPath(namespace)}`) }, does: { kind: 'status', status } });
    const { shown } = await watched(at);
    expect(shown).toEqual([{ runs: [], problem: expect.any(String) as string }]);
    expect(shown[0]!.problem).not.toBe('');
  });
});
