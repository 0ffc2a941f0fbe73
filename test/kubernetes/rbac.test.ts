import { describe, expect, it } from 'vitest';

import { performCommand } from '../../shared/fleet.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/kube/credentials.ts';
import { transportTo } from '../../shared/kube/transport.ts';
import { performOne } from '../../shared/perform.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { readStates } from '../../shared/state.ts';
import type { World } from '../../shared/world.ts';
import { namespace, type Scene, scene, shippedRules } from '../flow/scene.ts';

type Rule = ReturnType<typeof shippedRules>[number];
const shipped = shippedRules();

/** Every (group, resource, verb) alone. */
const single = shipped.flatMap(({ apiGroups, resources, verbs }) =>
  apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb })))),
);

/** What the functions are asked for, in one scene after the other; each is told whether something was refused. */
const stories: Record<string, (at: Scene, world: World) => Promise<unknown>> = {
  stop: async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    return stop(at, world);
  },
  'a stop of a crashed guest': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'RerunOnFailure', guest: { 'never-running': 'true' } });
    const queued = () => (at.vm('web').status?.['stateChangeRequests'] as unknown[] | undefined)?.length;
    for (let i = 0; i < 2_000 && !(queued() && !at.vmi('web')); i++) await at.pass(25);
    return stop(at, world);
  },
  'a hanging guest, pod deleted': async (at, world) => {
    at.sim.createWukong({
      namespace,
      name: 'web',
      runStrategy: 'Always',
      terminationGracePeriodSeconds: 2,
      guest: { hang: 'true' },
    });
    await at.pass(5_000);
    return stop(at, world, { deletePodWhenStuck: true });
  },
  'start with a strategy to restore': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Once' });
    await at.pass(5_000);
    await at.perform('stop', 'web');
    return at.run(performOne(at.command('start', 'web'), { namespace, name: 'web' }, world, { limits: soon(at) }));
  },
  start: async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted' });
    await at.pass(5_000);
    return at.run(performOne(at.command('start', 'web'), { namespace, name: 'web' }, world, { limits: soon(at) }));
  },
  'states of one and all': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    await at.run(readStates(world, { namespace, name: 'web' }, soon(at)));
    return at.run(readStates(world, { namespace }, soon(at)));
  },
  'a tick with a schedule, its holidays, and skip-next on the namespace': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    at.sim.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'free' },
      data: { holidays: '2026-12-25' },
    });
    at.sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name: 'office' },
      spec: {
        stop: '30 20 * * *',
        selector: { matchLabels: { env: 'dev' } },
        holidays: { configMapRef: { name: 'free' } },
      },
    });
    at.sim.change('namespaces', '', namespace, (o: { metadata: { annotations?: object } }) => {
      o.metadata.annotations = { 'lifecycle.novasphere.dev/skip-next': 'true' };
    });
    await at.pass(1_830_000);
    return at.run(reconcile(world, soon(at)));
  },
  'a fleet of named namespaces': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    await at.pass(5_000);
    const command = at.command('stop', 'web', { target: { namespaces: [namespace], selector: 'env=dev' } });
    return at.run(performCommand(command, world, { limits: soon(at) }));
  },
  'an Event whose answer was lost': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    at.sim.faults.add({ when: { method: 'POST', path: /events/ }, times: 1, does: { kind: 'dropAfter' } });
    return stop(at, world);
  },
  'a server without initial events': async (at, world) => {
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    at.sim.faults.add({ when: { watch: true }, times: 2, does: { kind: 'status', status: 422 } });
    return stop(at, world);
  },
};

const soon = (at: Scene) => ({ deadline: at.clock.now() + 300_000 });
const stop = (at: Scene, world: World, more: object = {}) =>
  at.run(performOne(at.command('stop', 'web', more), { namespace, name: 'web' }, world, { limits: soon(at) }));

/** Plays a story with just these rules, and says what was refused. */
async function refusals(story: string, rules: Rule[]): Promise<string[]> {
  const at = await scene();
  at.sim.addToken('shipped', 'system:serviceaccount:wukong-lifecycle:wukong-lifecycle', rules);
  const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig('shipped')), at.sim.dispatcher());
  const { bus: _bus, ...rest } = at.world;
  const world: World = { ...rest, transport: transportTo(credentials, at.clock, at.world.random) };
  try {
    await stories[story]?.(at, world);
  } catch {
    // what was refused is read from the cluster's own record
  }
  const refused = at.sim.requests.filter(({ status }) => status === 403).map(({ method, path }) => `${method} ${path}`);
  await at.sim.close();
  return refused;
}

describe('the Roles that are shipped', () => {
  it.each(Object.keys(stories))('are enough for %s', async (story) =>
    expect(await refusals(story, shipped)).toEqual([]),
  );

  it.each(single)('are not more than is needed: $verb $resource', async ({ group, resource, verb }) => {
    const fewer = single
      .filter((one) => !(one.group === group && one.resource === resource && one.verb === verb))
      .map((one) => ({ apiGroups: [one.group], resources: [one.resource], verbs: [one.verb] }));
    for (const story of Object.keys(stories)) if ((await refusals(story, fewer)).length > 0) return;
    expect.fail(`nothing needs ${verb} on ${resource}`);
  });

  it('differ between one namespace and all only in what is of the cluster', () => {
    const text = (rules: Rule[]) => rules.filter(({ resources }) => !resources.includes('namespaces'));
    expect(text(shippedRules(['role-cluster.yaml']))).toEqual(shippedRules(['role.yaml']));
  });
});
