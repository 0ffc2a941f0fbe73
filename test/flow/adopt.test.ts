import { describe, expect, it } from 'vitest';

import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { ours } from '../../shared/cluster/ours.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { Cluster } from '../../shared/cluster/world.ts';
import { asLifecycleError } from '../../shared/domain/errors.ts';
import { adoptedByKey, type KubeObject, type Wukong } from '../../shared/domain/model.ts';
import type { RawVm } from '../../shared/domain/vmSize.ts';
import { adopt, release } from '../../shared/lifecycle/adopt.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { dice } from '../dice.ts';
import { createSchedule } from '../schedule.ts';
import { type Rule, shippedRules, single } from './roles.ts';
import { namespace, type Scene, scene } from './scene.ts';

interface Plain {
  labels?: Record<string, string>;
  by?: object;
  domain?: object;
  spec?: object;
  metadata?: object;
}

function plainVm(at: Scene, name: string, { labels, by = { runStrategy: 'Always' }, ...more }: Plain = {}): void {
  at.sim.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { namespace, name, labels, ...more.metadata },
    spec: {
      ...by,
      ...more.spec,
      template: { spec: { domain: { devices: {}, resources: { requests: { memory: '64Mi' } }, ...more.domain } } },
    },
  });
}
const vmOf = (at: Scene, name: string) => at.sim.get<RawVm>('virtualmachines', namespace, name)!;
/** Who adopts is a person: the functions may neither make nor remove Wukongs. */
const person = async (at: Scene): Promise<Cluster> => {
  const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig()), at.sim.inProcess());
  return { ...at.world, transport: transportTo(credentials, at.clock, dice()) };
};
const adopted = (at: Scene, name: string, more: { name?: string; dryRun?: boolean } = {}) =>
  at.run(async () =>
    adopt(
      await person(at),
      vmOf(at, name),
      { wukongs: at.sim.list<Wukong>('wukongs', namespace), name: more.name },
      { dryRun: more.dryRun ?? false },
    ),
  );
describe('a plain VM that is adopted', () => {
  it.each([
    { runStrategy: 'Always' },
    { runStrategy: 'RerunOnFailure' },
    { runStrategy: 'Manual' },
    { runStrategy: 'Once' },
    { running: true },
  ])('%j is stopped and started like any other, and its spec bears no intent', async (by) => {
    const at = await scene();
    plainVm(at, 'billing', { by });
    await at.pass(5_000);
    await adopted(at, 'billing');
    if (by.runStrategy === 'Manual') await at.perform('start', 'billing');
    const stopped = await at.perform('stop', 'billing');
    expect(stopped).toMatchObject({ outcome: 'Stopped' });
    expect(at.sim.get('virtualmachineinstances', namespace, 'billing')).toBeUndefined();
    expect(await at.perform('start', 'billing')).toMatchObject({ outcome: 'Started' });
    expect(at.wukong('billing').spec?.startStrategy).toBeUndefined();
    const { runStrategy, running } = vmOf(at, 'billing').spec!;
    expect(runStrategy ?? running).toBe(by.runStrategy ?? by.running);
  });

  it('obeys the schedules that select its labels, from then on', async () => {
    const at = await scene();
    delete at.world.bus;
    plainVm(at, 'web-vm', { labels: { env: 'dev' } });
    createSchedule(at.sim, namespace, 'evening');
    await at.pass(5_000);
    await adopted(at, 'web-vm');
    expect(at.wukong('web')).toMatchObject({ spec: { cpu: 1, memory: '64Mi' }, status: { vmName: 'web-vm' } });
    await at.pass(60_000);
    await at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
    expect(at.vmi('web')).toBeUndefined();
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ outcome: 'Stopped', trigger: 'schedule' });
  });

  it('is read with its instance type', async () => {
    const at = await scene();
    at.sim.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'virtualmachineclusterinstancetypes.instancetype.kubevirt.io' },
      spec: {
        group: 'instancetype.kubevirt.io',
        scope: 'Cluster',
        names: { kind: 'VirtualMachineClusterInstancetype', plural: 'virtualmachineclusterinstancetypes' },
        versions: [
          {
            name: 'v1beta1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    at.sim.create({
      apiVersion: 'instancetype.kubevirt.io/v1beta1',
      kind: 'VirtualMachineClusterInstancetype',
      metadata: { name: 'u1.medium' },
      spec: { cpu: { guest: 2 }, memory: { guest: '8Gi' } },
    });
    plainVm(at, 'typed', { spec: { instancetype: { name: 'u1.medium' } } });
    await adopted(at, 'typed');
    expect(at.wukong('typed').spec).toMatchObject({ cpu: 2, memory: '8Gi' });
  });

  it('is left alone by a dry run, and as it was where the Wukong cannot be made', async () => {
    const at = await scene();
    plainVm(at, 'billing');
    await adopted(at, 'billing', { dryRun: true });
    expect(at.sim.get('wukongs', namespace, 'billing')).toBeUndefined();
    expect(vmOf(at, 'billing').metadata.annotations).toBeUndefined();
    at.sim.faults.add({ when: { method: 'POST', path: /wukongs/ }, does: { kind: 'status', status: 403 } });
    await expect(adopted(at, 'billing')).rejects.toThrow(/cannot be made/);
    expect(vmOf(at, 'billing').metadata.annotations ?? {}).toEqual({});
  });

  it('is adopted once: repeating it changes nothing', async () => {
    const at = await scene();
    plainVm(at, 'billing');
    expect((await adopted(at, 'billing')).plan.do).toBe('adopt');
    const { resourceVersion } = at.wukong('billing').metadata;
    expect((await adopted(at, 'billing')).plan).toEqual({ do: 'already', name: 'billing' });
    expect(at.wukong('billing').metadata.resourceVersion).toBe(resourceVersion);
  });

  it.each([
    [
      'its status',
      ({ status }: RawVm & { status?: object }) => Object.assign(status!, { printableStatus: 'Starting' }),
      undefined,
    ],
    [
      'its labels',
      ({ metadata }: RawVm) => (metadata.labels = { env: 'prod' }),
      /was changed meanwhile; adopt it again/,
    ],
    [
      'who has it',
      ({ metadata }: RawVm) => (metadata.annotations = { [adoptedByKey]: 'mine' }),
      /was changed meanwhile; adopt it again/,
    ],
  ])('is adopted as it was seen: %s changed meanwhile', async (_what, change, refused) => {
    const at = await scene();
    plainVm(at, 'billing', { labels: { env: 'dev' } });
    await at.pass(5_000);
    const seen = ours<RawVm>(structuredClone(vmOf(at, 'billing')))!; // as a list gives it
    at.sim.change<RawVm>('virtualmachines', namespace, 'billing', (vm) => void change(vm));
    expect(vmOf(at, 'billing').metadata.resourceVersion).not.toBe(seen.metadata.resourceVersion);
    const adopting = at.run(async () => adopt(await person(at), seen, { wukongs: [], name: 'ours' }));
    if (refused) await expect(adopting).rejects.toThrow(refused);
    else await adopting;
    expect(at.sim.get('wukongs', namespace, 'ours') === undefined).toBe(refused !== undefined);
  });
});

describe('a VM that something else made', () => {
  const harvester = {
    labels: { 'harvesterhci.io/creator': 'harvester', 'harvesterhci.io/os': 'ubuntu', env: 'dev' },
    metadata: {
      annotations: {
        'harvesterhci.io/vmRunStrategy': 'RerunOnFailure',
        'harvesterhci.io/volumeClaimTemplates': '[{"metadata":{"name":"disk-0"}}]',
      },
    },
    by: { runStrategy: 'RerunOnFailure' },
  };
  const openShift = {
    labels: {
      'vm.kubevirt.io/template': 'rhel9-server-small',
      'vm.kubevirt.io/template.namespace': 'openshift',
      'vm.kubevirt.io/template.revision': '1',
      app: 'web',
      env: 'dev',
    },
    metadata: {
      annotations: { 'vm.kubevirt.io/validations': '[]' },
      ownerReferences: [{ apiVersion: 'template.openshift.io/v1', kind: 'TemplateInstance', name: 't', uid: 'u' }],
    },
    by: { running: true },
  };

  it.each([
    ['Harvester', harvester, { env: 'dev' }],
    ['a template of OpenShift', openShift, { app: 'web', env: 'dev' }],
  ])('%s: is adopted without its maker’s labels, switched, and given back as it was', async (_who, made, labels) => {
    const at = await scene();
    plainVm(at, 'web', made);
    await at.pass(5_000);
    const before = structuredClone(vmOf(at, 'web'));
    await adopted(at, 'web');
    expect(at.wukong('web').metadata.labels).toEqual(labels);
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
    await at.run(async () => release(await person(at), at.wukong('web')));
    const { metadata, spec } = vmOf(at, 'web');
    const { annotations, labels: own, ownerReferences } = metadata;
    expect({ annotations, labels: own, ownerReferences, spec }).toEqual({
      ...{ annotations: before.metadata.annotations, labels: before.metadata.labels },
      ...{ ownerReferences: before.metadata.ownerReferences, spec: before.spec },
    });
  });

  it('a pool, or a controller: is refused, and nothing of it is touched', async () => {
    const at = await scene();
    for (const [kind, apiVersion] of [
      ['VirtualMachinePool', 'pool.kubevirt.io/v1beta1'],
      ['KubevirtMachine', 'infrastructure.cluster.x-k8s.io/v1alpha1'],
    ] as const)
      plainVm(at, kind.toLowerCase(), {
        metadata: { ownerReferences: [{ apiVersion, kind, name: 'theirs', uid: 'u', controller: true }] },
      });
    for (const name of ['virtualmachinepool', 'kubevirtmachine']) {
      const before = vmOf(at, name).metadata.resourceVersion;
      expect((await adopted(at, name)).plan).toMatchObject({ do: 'refuse' });
      expect(vmOf(at, name).metadata.resourceVersion).toBe(before);
    }
    expect(at.sim.list('wukongs', namespace)).toEqual([]);
  });

  it.each([{ running: false }, { runStrategy: 'Halted' }])('%j: is off, and comes up when it is wished', async (by) => {
    const at = await scene();
    plainVm(at, 'web', { by });
    await at.pass(5_000);
    await adopted(at, 'web');
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'AlreadyOff' });
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
    expect(Object.keys(vmOf(at, 'web').spec!)).toContain(Object.keys(by)[0]);
  });

  it('bears no intent without an operator; where one comes, its Wukong does', async () => {
    const at = await scene();
    plainVm(at, 'web');
    await at.pass(5_000);
    await adopted(at, 'web');
    await at.perform('stop', 'web');
    expect(at.wukong('web').spec?.startStrategy).toBeUndefined();
    await at.perform('start', 'web');
    at.sim.change<Wukong>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.finalizers = ['vm.novasphere.dev/finalizer'];
    });
    await at.perform('stop', 'web');
    expect(at.wukong('web').spec?.startStrategy).toEqual({ autoStart: false });
    plainVm(at, 'mail');
    expect((await adopted(at, 'mail')).plan).toMatchObject({ do: 'refuse' });
  });
});

describe('the Role for people who adopt', () => {
  const rules = shippedRules(['adopt']);
  const by = async (at: Scene, some: Rule[]): Promise<Cluster> => {
    at.sim.addToken('of-ada', 'ada', some);
    const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig('of-ada')), at.sim.dispatcher());
    return { ...at.world, transport: transportTo(credentials, at.clock, dice()) };
  };
  const story = async (some: Rule[]) => {
    const at = await scene();
    plainVm(at, 'web', { spec: { instancetype: { name: 'small', kind: 'VirtualMachineInstancetype' } } });
    await at.pass(5_000);
    const ada = await by(at, some);
    const list = <T extends KubeObject>(path: string) => at.run(listAll<T>(ada.transport, path, {}));
    const path = `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines`;
    const [vm] = await list<RawVm>(path);
    await list(`/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongschedules`);
    const wukongs = await list<Wukong>(wukongPath(namespace));
    await at.run(adopt(ada, vm!, { wukongs }));
    await at.run(release(ada, at.wukong('web')));
    expect(at.sim.list('wukongs', namespace)).toEqual([]);
    return at.sim.requests.filter(({ status }) => status === 403).map(({ path: asked }) => asked);
  };

  it('is enough for both', async () => expect(await story(rules)).toEqual([]));

  it.each(single(rules).filter(({ resources, verbs }) => !/cluster/.test(resources[0]!) && verbs[0] !== 'get'))(
    'has no right too many: without $verbs on $resources it is refused',
    async (one) => {
      const others = single(rules).filter((each) => JSON.stringify(each) !== JSON.stringify(one));
      const refused = await story(others).catch((thrown: unknown) => [asLifecycleError(thrown).code]);
      expect(refused.length).toBeGreaterThan(0);
    },
  );
});

describe('release', () => {
  it('gives the VM back as it is, and the Wukong goes', async () => {
    const at = await scene();
    plainVm(at, 'billing', { by: { runStrategy: 'RerunOnFailure' } });
    await at.pass(5_000);
    await adopted(at, 'billing');
    const uid = at.sim.get<KubeObject>('virtualmachineinstances', namespace, 'billing')?.metadata.uid;
    const done = await at.run(async () => release(await person(at), at.wukong('billing')));
    expect(done).toMatchObject({ plan: { do: 'release', remove: true }, vmName: 'billing' });
    expect(at.sim.get('wukongs', namespace, 'billing')).toBeUndefined();
    expect(vmOf(at, 'billing').metadata.annotations ?? {}).toEqual({});
    await at.pass(60_000);
    expect(at.sim.get<KubeObject>('virtualmachineinstances', namespace, 'billing')?.metadata.uid).toBe(uid);
  });

  it('refuses a Wukong of the operator, whose VM would go with it', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    expect((await at.run(async () => release(await person(at), at.wukong('web')))).plan.do).toBe('refuse');
    expect(at.wukong('web')).toBeDefined();
  });
});
