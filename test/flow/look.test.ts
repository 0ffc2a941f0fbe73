import { describe, expect, it } from 'vitest';

import { readConfig } from '../../shared/cluster/config.ts';
import { slim } from '../../shared/cluster/objects.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { look } from '../../shared/reconcile/look.ts';
import type { Problem } from '../../shared/reconcile/problems.ts';
import { type Scene, scene } from './scene.ts';

const spaces = ['team-a', 'team-b', 'team-c'];

/** What a tick sees of a VM in each of three namespaces, where it looks into these. */
async function seen(watched: string | undefined, without?: RegExp) {
  const at: Scene = await scene();
  for (const namespace of spaces) at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
  await at.pass(5_000);
  if (without) at.sim.faults.add({ when: { path: without }, times: 100, does: { kind: 'status', status: 403 } });
  const problems: Problem[] = [];
  const world = { ...at.world, config: readConfig(watched === undefined ? {} : { WATCH_NAMESPACES: watched }) };
  const from = at.sim.requests.length;
  const all = await at.run(look({ world, limits: { deadline: at.clock.now() + 50_000 }, problems }));
  const vms = spaces.map((namespace) => {
    try {
      return all.machines.get(namespace, 'web-vm').vm?.strategy;
    } catch {
      return 'cannot be seen';
    }
  });
  all.machines.close();
  const asked = at.sim.requests.slice(from).map(({ path }) => path.split('?')[0]!);
  const listed = asked.filter((path) => path.endsWith('/virtualmachines')).map((path) => path.split('/')[5] ?? 'all');
  return {
    wukongs: all.wukongs.map(({ metadata }) => metadata.namespace),
    unanswered: [...all.unanswered.keys()],
    vms,
    listed: [...new Set(listed)],
    problems,
  };
}

describe('a tick sees', () => {
  it('the VMs of the whole cluster', async () => {
    expect(await seen(undefined)).toEqual({
      ...{ wukongs: spaces, vms: ['Always', 'Always', 'Always'], listed: ['all'], unanswered: [], problems: [] },
    });
  });

  it('those of its own namespaces, and looks for VMs nowhere else', async () => {
    const { wukongs, listed, vms } = await seen('team-a,team-b');
    expect([wukongs, listed]).toEqual([
      ['team-a', 'team-b'],
      ['team-a', 'team-b'],
    ]);
    expect(vms.slice(0, 2)).toEqual(['Always', 'Always']);
  });

  it('those of the namespaces that answer, and leaves the other to the next tick', async () => {
    const { wukongs, listed, unanswered, problems } = await seen('team-a,team-b', /team-b\/wukongs(\?|$)/);
    expect([wukongs, listed, unanswered]).toEqual([['team-a'], ['team-a'], ['team-b']]);
    expect(problems).toMatchObject([{ namespace: 'team-b', reason: 'Denied' }]);
  });

  it('of each Wukong only what decides', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace: 'team-a', name: 'web', runStrategy: 'Always' });
    at.sim.change<Wukong>('wukongs', 'team-a', 'web', (one) => {
      one.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'x' };
    });
    const all = await at.run(look({ world: at.world, limits: { deadline: at.clock.now() + 50_000 }, problems: [] }));
    all.machines.close();
    const whole = at.sim.get<Wukong>('wukongs', 'team-a', 'web')!;
    expect(all.wukongs).toEqual([slim(whole)]);
    expect(all.wukongs).not.toEqual([whole]);
  });

  it('the VMs within five seconds where the only namespace that is read gets no answer', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace: 'team-a', name: 'web', runStrategy: 'Always' });
    at.sim.change<Wukong>('wukongs', 'team-a', 'web', (one) => {
      one.spec = { ...one.spec, lifecycleAction: { action: 'stop' } };
    });
    await at.pass(5_000);
    at.sim.faults.add({ when: { path: /^\/api\/v1\/namespaces\/team-a$/ }, does: { kind: 'delay', ms: 60_000 } });
    const since = at.clock.now();
    const all = await at.run(look({ world: at.world, limits: { deadline: since + 50_000 }, problems: [] }));
    all.machines.close();
    expect(at.clock.now() - since).toBeLessThan(6_000);
    expect([...all.unanswered.keys()]).toEqual(['team-a']);
  });
});
