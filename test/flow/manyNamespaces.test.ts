import { describe, expect, it } from 'vitest';

import { executeHere } from '../../cli/commands/executeHere.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { readConfig } from '../../shared/cluster/config.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { type Batch, eachRecord } from '../../shared/entry/queue.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { allRules } from './roles.ts';
import { type Scene, scene } from './scene.ts';
import { scheduleIn } from './ways.ts';

const guest = { 'shutdown-seconds': '2' };
const spacesOf = (count: number) => Array.from({ length: count }, (_, i) => `space-${i}`);
/** Calls are at most so many connections; watches a few, whatever their number. */
const mostConnections = 64 + 8;

/** One VM in each of so many namespaces, and who may list everywhere, or in each of them only. */
async function spread(count: number, rights: 'everywhere' | 'each', without?: string) {
  const at = await scene();
  const spaces = spacesOf(count);
  for (const namespace of spaces)
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' }, guest });
  await at.pass(5_000);
  at.sim.addToken(rights, `system:${rights}`, rights === 'everywhere' ? allRules() : []);
  if (rights === 'each')
    for (const namespace of spaces) if (namespace !== without) bind(at, namespace, `system:${rights}`);
  // Few need no connection to be counted: no more than one for each call and watch.
  const dispatcher = count < 60 ? at.sim.inProcess() : at.sim.dispatcher();
  const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig(rights)), dispatcher);
  const world: World = {
    ...at.world,
    transport: transportTo(credentials, at.clock, at.world.random),
    config: readConfig({ WATCH_NAMESPACES: spaces.join(',') }),
  };
  return { at, world };
}

function bind(at: Scene, namespace: string, name: string) {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  at.sim.create({ ...rbac, kind: 'Role', metadata: { namespace, name: 'lifecycle' }, rules: allRules() });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'lifecycle' };
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name }];
  at.sim.create({ ...rbac, kind: 'RoleBinding', metadata: { namespace, name: 'lifecycle' }, roleRef, subjects });
}

const watches = (at: Scene) =>
  new Set(
    at.sim.requests
      .flatMap(({ watch, status, path }) => (watch && status === 200 ? [path.split('/').slice(3)] : []))
      .map(String),
  ).size;

const command = (at: Scene, spaces: string[], more: object = {}) =>
  parseCommand(
    { target: { namespaces: spaces, selector: 'env=dev' }, ...more },
    { action: 'stop', trigger: 'event', requestId: 'evening', requestedAt: at.clock.now() },
  );

const ways: Record<string, (at: Scene, world: World, spaces: string[]) => Promise<unknown>> = {
  fleet: (at, world, spaces) =>
    executeCommand(command(at, spaces), world, { limits: { deadline: at.clock.now() + 120_000 } }),
  tick: (at, world, spaces) => {
    for (const namespace of spaces)
      at.sim.change<{ spec: object }>('wukongs', namespace, 'web', ({ spec }) =>
        Object.assign(spec, { lifecycleAction: { action: 'stop' } }),
      );
    return reconcile(world, { deadline: at.clock.now() + 120_000 });
  },
  CLI: (at, world, spaces) => {
    const wukongs = spaces.map((namespace) => at.sim.get<Wukong>('wukongs', namespace, 'web') as Wukong);
    const how = {
      deadline: at.clock.now() + 120_000,
      interrupted: new AbortController().signal,
      wait: true,
      waiting: () => {},
      ended: () => {},
    };
    return executeHere(command(at, spaces), wukongs, world, how);
  },
  batch: (at, world, spaces) => {
    const size = Math.ceil(spaces.length / 5);
    const parts = Array.from({ length: 5 }, (_, i) => spaces.slice(i * size, (i + 1) * size)).filter((one) => one[0]);
    const Records = parts.map((namespaces, i) => ({
      messageId: `m-${i}`,
      eventSource: 'aws:sqs',
      body: JSON.stringify({
        source: 'test',
        id: `part-${i}`,
        time: new Date(at.clock.now()).toISOString(),
        'detail-type': 'Wukong VM Stop Requested',
        detail: { target: { namespaces, selector: 'env=dev' } },
      }),
    })) as Batch['Records'];
    const invocation = { ...at.invocation('batch', 120_000), world };
    return eachRecord({ Records }, invocation, (record) => stopVm(record, invocation));
  },
};

/** Beyond eight it is one way of watching; of the largest numbers the ways that differ most are enough. */
const waysFor = (count: number): string[] => (count < 60 ? Object.keys(ways) : ['tick', 'batch']);

describe.each([1, 8, 33, 60, 200])('%i namespaces', (count) => {
  describe.each(['everywhere', 'each'] as const)('with the right to list %s', (rights) => {
    it.each(waysFor(count))('%s: every VM is stopped, over few connections', { timeout: 60_000 }, async (way) => {
      const { at, world } = await spread(count, rights);
      const spaces = spacesOf(count);
      const begun = at.clock.now();
      await at.run(ways[way]!(at, world, spaces), 130_000);
      expect(spaces.filter((space) => at.sim.get('virtualmachineinstances', space, 'web-vm') !== undefined)).toEqual(
        [],
      );
      expect(at.clock.now() - begun).toBeLessThan(60_000);
      expect(at.sim.connections.most).toBeLessThanOrEqual(mostConnections);
      if (way !== 'batch') expect(watches(at)).toBe(count > 8 && rights === 'everywhere' ? 2 : 2 * count);
    });
  });
});

/** What its admin, or its deletion, may take away in one namespace. */
const refusals: Record<string, object> = {
  everything: { path: /namespaces\/space-1(\/|$)/ },
  'its Wukongs': { path: /space-1\/wukongs(\?|$)/ },
  'its VMs': { path: /space-1\/virtualmachines\?/ },
  'its VMIs': { path: /space-1\/virtualmachineinstances\?/ },
  'its schedules': { path: /space-1\/wukongschedules/ },
  'its runs': { path: /space-1\/wukongruns/ },
};

describe.each([3, 9])('one of %i namespaces that may not be read', (count) => {
  // A batch is fleets; with nine the VMs alone are read in another way.
  const asking = count === 3 ? ['fleet', 'names', 'tick'] : ['tick'];
  it.each(Object.entries(refusals).flatMap(([what, when]) => asking.map((way) => [what, way, when] as const)))(
    '%s, %s: the others are done, and it is said which is not',
    { timeout: 60_000 },
    async (what, way, when) => {
      const { at, world } = await spread(count, 'each');
      const spaces = spacesOf(count);
      delete world.bus;
      at.sim.faults.add({ when, does: { kind: 'status', status: 403 } });
      const names = spaces.map((namespace) => ({ namespace, name: 'web' }));
      const limits = { deadline: at.clock.now() + 120_000 };
      const byName = () => executeCommand(command(at, spaces, { target: { names } }), world, { limits });
      const ask = way === 'names' ? byName() : ways[way]!(at, world, spaces);
      const came = await at.run(ask, 130_000).catch((thrown: Error) => thrown.message);
      const on = spaces.filter((space) => at.sim.get('virtualmachineinstances', space, 'web-vm') !== undefined);
      expect(on.filter((space) => space !== 'space-1')).toEqual([]);
      const isNamed = JSON.stringify(came).includes('space-1');
      const isBatched = way === 'batch' || what === 'its runs';
      if (!isBatched) expect(on.length === 0 || isNamed).toBe(true);
    },
  );
});

it(
  'schedules that may not be read in one namespace keep none from acting in the others',
  { timeout: 60_000 },
  async () => {
    const { at, world } = await spread(3, 'each');
    for (const namespace of spacesOf(3)) scheduleIn(at, namespace, { stop: '1 20 * * *' });
    const when = { path: /space-1\/wukongschedules/ };
    at.sim.faults.add({ when, does: { kind: 'status', status: 403 } });
    await at.pass(60_000);
    delete world.bus;
    const tick = await at.run(reconcile(world, { deadline: at.clock.now() + 50_000 }));
    expect(tick).toMatchObject({
      undone: 1,
      problems: expect.arrayContaining([expect.stringContaining('namespace space-1 is left')]) as [],
    });
    const on = spacesOf(3).filter((space) => at.sim.get('virtualmachineinstances', space, 'web-vm') !== undefined);
    expect(on).toEqual(['space-1']);
  },
);

/** What of one namespace may get no answer. */
const silences: Record<string, RegExp> = {
  everything: /space-1(\/|\?|$)/,
  'its own object': /\/namespaces\/space-1(\?|$)/,
  'its Wukongs': /space-1\/wukongs\?/,
  'its schedules': /space-1\/wukongschedules\?/,
  'its holidays': /space-1\/configmaps/,
  'its runs': /space-1\/wukongruns\?/,
  'its VMs': /space-1\/virtualmachines\?/,
  'its VMIs': /space-1\/virtualmachineinstances\?/,
};

it.each(Object.entries(silences))(
  'a namespace where nobody answers for %s costs a tick five seconds, and nobody else anything',
  { timeout: 60_000 },
  async (_what, path) => {
    const { at, world } = await spread(3, 'each');
    for (const namespace of spacesOf(3)) {
      const holidays = { configMapRef: { name: 'holidays', key: 'dates' } };
      scheduleIn(at, namespace, { stop: '1 20 * * *', holidays });
      at.sim.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace, name: 'holidays' },
        data: { dates: '' },
      });
      at.sim.createWukong({ namespace, name: 'own', runStrategy: 'Always', guest });
      at.sim.change<{ spec: object }>('wukongs', namespace, 'own', ({ spec }) =>
        Object.assign(spec, { lifecycleAction: { action: 'stop' } }),
      );
    }
    at.sim.faults.add({ when: { path }, does: { kind: 'delay', ms: 36_000_000 } });
    await at.pass(60_000);
    delete world.bus;
    const begun = at.clock.now();
    const tick = await at.run(reconcile(world, { deadline: begun + 45_000 }));
    const asked = at.sim.requests.filter(({ path }) => path.endsWith('/stop'));
    const others = asked.filter(({ path }) => !path.includes('/space-1/'));
    expect([others.length, others.every(({ at }) => at < begun + 6_000)]).toEqual([4, true]);
    const said = tick.problems.filter((problem) => !problem.startsWith('ConfigMap wukong-lifecycle'));
    const line = expect.stringMatching(/namespace space-1 .*: no answer for 5 s/) as string;
    expect(said).toEqual(path === silences['everything'] ? [line, line] : [line]);
    expect(at.clock.now() - begun, 'it does not last as long as it may').toBeLessThan(20_000);
    // What may not be known is not done: but runs are only a record of what is.
    expect(asked.length - others.length).toBe(path === silences['its runs'] ? 2 : 0);
  },
);

it.each(['', 'space-0,space-1'])(
  'a namespace where alone something is declared, and whose object gets no answer, costs the schedules of others five seconds (%s)',
  { timeout: 60_000 },
  async (watched) => {
    const { at, world } = await spread(2, 'everywhere');
    world.config = readConfig(watched ? { WATCH_NAMESPACES: watched } : {});
    scheduleIn(at, 'space-0', { stop: '1 20 * * *' });
    at.sim.change<{ spec: object }>('wukongs', 'space-1', 'web', ({ spec }) =>
      Object.assign(spec, { lifecycleAction: { action: 'stop' } }),
    );
    at.sim.faults.add({
      when: { path: silences['its own object'] as RegExp },
      does: { kind: 'delay', ms: 36_000_000 },
    });
    await at.pass(60_000);
    delete world.bus;
    const begun = at.clock.now();
    const tick = await at.run(reconcile(world, { deadline: begun + 45_000 }));
    expect(tick.outcomes).toMatchObject([{ namespace: 'space-0', outcome: 'Stopped' }]);
    expect(at.clock.now() - begun).toBeLessThan(15_000);
  },
);
