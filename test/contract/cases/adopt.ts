import assert from 'node:assert/strict';

import type { Wukong } from '../../../shared/domain/model.ts';
import type { RawVm } from '../../../shared/domain/vmSize.ts';
import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow } from '../looking.ts';
import {
  type Guest,
  isUp,
  type Made,
  plainTemplate,
  strategyOf,
  type Switch,
  vmiOf,
  vmOf,
  wukongOf,
} from '../making.ts';
import type { Stage } from '../stage.ts';
import { annotate, boundary, prefix } from '../timing.ts';

const adoptedBy = `${prefix}adopted-by`;
let vms = 0;

interface Plain {
  by?: Switch;
  name?: string;
  guest?: Guest;
  metadata?: object;
}

/** A VM that no Wukong has made, with a name of its own. */
async function plainVm(
  stage: Stage,
  { by = { runStrategy: 'Always' }, guest = {}, ...more }: Plain = {},
): Promise<Made> {
  const name = more.name ?? `plain-${++vms}`;
  const annotations = Object.fromEntries(
    Object.entries(guest).map(([key, value]) => [`sim.novasphere.dev/${key}`, value]),
  );
  const { status, body } = await stage.send('POST', paths.vm(stage.namespace), {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, labels: { env: 'dev' }, ...more.metadata },
    spec: { ...by, template: { metadata: { annotations }, ...plainTemplate } },
  });
  assert.equal(status, 201, JSON.stringify(body).slice(0, 300));
  const made = { wukong: name.replace(/-vm$/, ''), vm: name, uid: undefined };
  await stage.until('KubeVirt to look at the VM', async () => (await vmOf(stage, made)).status?.printableStatus);
  return made;
}
const running = async (stage: Stage, how?: Plain): Promise<Made> => {
  const made = await plainVm(stage, how);
  if (JSON.stringify(how?.by ?? '').includes('Manual')) await stage.power(made, 'start');
  await stage.until('the guest to be up', () => isUp(stage, made));
  return made;
};
const wukongsOf = async (stage: Stage): Promise<Wukong[]> =>
  (await stage.send('GET', paths.wukong(stage.namespace))).body.items;

/** As a person does it, by what is there now. */
async function adopt(stage: Stage, made: Made, { name, dryRun = false }: { name?: string; dryRun?: boolean } = {}) {
  const vm = (await vmOf(stage, made)) as RawVm;
  const around = { wukongs: await wukongsOf(stage), ...(name ? { name } : {}) };
  return (await stage.ground.functions.adopt(await stage.world('person'), vm, around, { dryRun })).plan;
}
async function adopted(stage: Stage, made: Made, name = made.wukong): Promise<Made> {
  const plan = await adopt(stage, made, { name });
  assert.deepEqual([plan.do, (plan as { name: string }).name], ['adopt', name]);
  return { ...made, wukong: name };
}
const release = async (stage: Stage, made: Made) =>
  stage.ground.functions.release(await stage.world('person'), await wukongOf(stage, made));
const giverOf = async (stage: Stage, made: Made) => (await vmOf(stage, made)).metadata.annotations?.[adoptedBy];

async function isRefused(stage: Stage, made: Made, because: RegExp): Promise<void> {
  const before = (await wukongsOf(stage)).length;
  const plan = await adopt(stage, made);
  assert.equal(plan.do, 'refuse', JSON.stringify(plan));
  assert.match((plan as { because: string }).because, because);
  assert.equal((await wukongsOf(stage)).length, before);
}

export const adoptCases = cases('adopted', [
  ...(
    [
      { runStrategy: 'Always' },
      { runStrategy: 'RerunOnFailure' },
      { runStrategy: 'Manual' },
      { runStrategy: 'Once' },
      { running: true },
    ] as Switch[]
  ).map((by) => ({
    name: `${JSON.stringify(by)}: stopped, started with its own strategy, and given back as it is`,
    async run(stage: Stage) {
      const made = await adopted(stage, await running(stage, { by }));
      assert.equal((await wukongOf(stage, made)).metadata.labels.env, 'dev');
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made);
      is(await stage.start(made), 'Started');
      assert.equal(strategyOf(await vmOf(stage, made)), Object.values(by)[0]);
      assert.equal((await wukongOf(stage, made)).spec.startStrategy, undefined, 'an intent nobody reads');
      const uid = (await vmiOf(stage, made)).metadata.uid;
      await release(stage, made);
      assert.equal(await wukongOf(stage, made), undefined);
      assert.equal((await vmiOf(stage, made)).metadata.uid, uid);
    },
  })),
  {
    name: 'Halted: it stays off until somebody starts it',
    async run(stage) {
      const made = await adopted(stage, await plainVm(stage, { by: { runStrategy: 'Halted' } }));
      is(await stage.stop(made), 'AlreadyOff');
      is(await stage.start(made), 'Started');
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'web-vm is given to Wukong web, which says whose VM it is',
    alone: true,
    async run(stage) {
      const made = await adopted(stage, await plainVm(stage, { name: 'web-vm', by: { runStrategy: 'Halted' } }));
      assert.equal(made.wukong, 'web');
      assert.equal(await giverOf(stage, made), 'web');
      assert.equal((await wukongOf(stage, made)).status.vmName, 'web-vm');
    },
  },
  {
    name: 'under a name of its own: that Wukong stops it',
    async run(stage) {
      const made = await adopted(stage, await running(stage), `billing-${++vms}`);
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'by its labels a schedule has it, from then on',
    alone: true,
    async run(stage) {
      const made = await adopted(stage, await running(stage));
      await boundary(stage, 'stop', { selector: { matchLabels: { env: 'dev' } } });
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'protected: it is left alone like any other',
    async run(stage) {
      const made = await adopted(stage, await running(stage));
      await annotate(stage, made, `${prefix}protected`, 'true');
      is(await stage.stop(made, { force: true }), 'Skipped', 'Protected');
      assert.ok(await isUp(stage, made));
    },
  },
]);

const ownedBy = (kind: string, apiVersion: string, name: string, uid: string) => ({
  metadata: { ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] },
  by: { runStrategy: 'Halted' } as const,
});

export const adoptionCases = cases('adoption', [
  {
    name: 'a VM of a pool is refused, saying what to scale',
    alone: true,
    async run(stage) {
      const { uid } = (await stage.send('GET', `/api/v1/namespaces/${stage.namespace}`)).body.metadata;
      const pool = ownedBy('VirtualMachinePool', 'pool.kubevirt.io/v1alpha1', 'workers', uid);
      // No such pool is there, so the VM does not stay long where owners are looked up: it is read as it was made.
      await isRefused(stage, await plainVm(stage, pool), /VirtualMachinePool workers .*scale the pool/);
    },
  },
  {
    name: 'a VM that another controller owns is refused, naming it',
    alone: true,
    async run(stage) {
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `owner-${++vms}` } };
      const { uid, name } = (await stage.send('POST', paths.core(stage.namespace, 'configmaps'), map)).body.metadata;
      await isRefused(
        stage,
        await plainVm(stage, ownedBy('ConfigMap', 'v1', name, uid)),
        new RegExp(`ConfigMap ${name} owns it`),
      );
    },
  },
  {
    name: "a Wukong's own VM is refused",
    alone: true,
    async run(stage) {
      await isRefused(stage, await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' }), /belongs to Wukong/);
    },
  },
  {
    name: 'a VM that one Wukong has adopted is refused to another name',
    alone: true,
    async run(stage) {
      const made = await adopted(stage, await plainVm(stage, { by: { runStrategy: 'Halted' } }));
      const plan = await adopt(stage, made, { name: 'second' });
      assert.equal(plan.do, 'refuse');
      assert.equal(await giverOf(stage, made), made.wukong);
    },
  },
  {
    name: 'a dry run says yes, and changes neither the VM nor anything else',
    alone: true,
    async run(stage) {
      const made = await plainVm(stage, { by: { runStrategy: 'Halted' } });
      assert.equal((await adopt(stage, made, { dryRun: true })).do, 'adopt');
      assert.equal(await giverOf(stage, made), undefined);
      assert.deepEqual(await wukongsOf(stage), []);
    },
  },
  {
    name: 'adopted again it is as it was',
    async run(stage) {
      const made = await adopted(stage, await plainVm(stage, { by: { runStrategy: 'Halted' } }));
      const { resourceVersion } = (await wukongOf(stage, made)).metadata;
      assert.deepEqual(await adopt(stage, made), { do: 'already', name: made.wukong });
      assert.equal((await wukongOf(stage, made)).metadata.resourceVersion, resourceVersion);
    },
  },
  {
    name: 'interrupted before the Wukong was made: done again it is complete, and the VM obeys',
    async run(stage) {
      const made = await running(stage);
      const given = { metadata: { annotations: { [adoptedBy]: made.wukong } } };
      assert.equal((await stage.send('PATCH', paths.vm(stage.namespace, made.vm), given)).status, 200);
      is(await stage.stop(await adopted(stage, made)), 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a Wukong that was made for a VM that does not say so switches nothing: NotOwned; adopted, it does',
    async run(stage) {
      const made = await running(stage);
      const adopts = { [`${prefix}adopts`]: made.vm };
      await stage.send('POST', paths.wukong(stage.namespace), {
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'Wukong',
        metadata: { name: made.wukong, annotations: adopts },
        spec: { cpu: 1, memory: '64Mi' },
      });
      await stage.send('PATCH', `${paths.wukong(stage.namespace, made.wukong)}/status`, {
        status: { vmName: made.vm },
      });
      is(await stage.stop(made), 'Failed', 'NotOwned');
      assert.ok(await isUp(stage, made));
      is(await stage.stop(await adopted(stage, made)), 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'two who adopt one VM under two names at once: the VM has one of them',
    alone: true,
    async run(stage) {
      const made = await plainVm(stage, { by: { runStrategy: 'Halted' } });
      const both = await Promise.allSettled([adopt(stage, made, { name: 'one' }), adopt(stage, made, { name: 'two' })]);
      const won = both.filter((each) => each.status === 'fulfilled' && each.value.do === 'adopt');
      assert.equal(won.length, 1, JSON.stringify(both));
      const names = (await wukongsOf(stage)).map(({ metadata }) => metadata.name);
      assert.deepEqual(names, [await giverOf(stage, made)]);
    },
  },
  {
    name: 'labels that were changed since it was looked at: refused, and nothing is made',
    alone: true,
    async run(stage) {
      const made = await plainVm(stage, { by: { runStrategy: 'Halted' } });
      const seen = (await vmOf(stage, made)) as RawVm;
      await stage.send('PATCH', paths.vm(stage.namespace, made.vm), { metadata: { labels: { env: 'prod' } } });
      const { functions } = stage.ground;
      await assert.rejects(functions.adopt(await stage.world('person'), seen, { wukongs: [] }), /changed meanwhile/);
      assert.deepEqual(await wukongsOf(stage), []);
    },
  },
]);

export const releaseCases = cases('release', [
  {
    name: 'while it is being stopped: refused; afterwards the VM stays off, and its strategy is named',
    guests: true,
    async run(stage) {
      const by = { runStrategy: 'RerunOnFailure' } as const;
      const made = await adopted(stage, await running(stage, { by, guest: { 'shutdown-seconds': '5' } }));
      const stopped = stage.stop(made);
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      assert.equal((await release(stage, made)).plan.do, 'refuse');
      is(await stopped, 'Stopped');
      assert.equal((await release(stage, made)).plan.do, 'release');
      await isOffNow(stage, made, 4_000);
    },
  },
  {
    name: 'of a VM with Always that we have stopped: it stays off, and what it was is said',
    async run(stage) {
      const made = await adopted(stage, await running(stage, { by: { runStrategy: 'Once' } }));
      is(await stage.stop(made), 'Stopped');
      const { plan, restore } = await release(stage, made);
      assert.deepEqual([plan.do, restore], ['release', 'Once']);
      assert.equal(await giverOf(stage, made), undefined);
      await isOffNow(stage, made, 4_000);
    },
  },
  {
    name: 'of a Wukong whose VM would go with it is refused; the guest runs on',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Always' }, as: 'on' });
      assert.equal((await release(stage, made)).plan.do, 'refuse');
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'interrupted after the VM was given back: done again, the Wukong goes and the VM stays',
    async run(stage) {
      const made = await adopted(stage, await running(stage));
      const given = { metadata: { annotations: { [adoptedBy]: null } } };
      await stage.send('PATCH', paths.vm(stage.namespace, made.vm), given);
      assert.equal((await release(stage, made)).plan.do, 'release');
      assert.equal(await wukongOf(stage, made), undefined);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'a VM that was given back can be adopted again',
    async run(stage) {
      const made = await adopted(stage, await running(stage));
      await release(stage, made);
      is(await stage.stop(await adopted(stage, made)), 'Stopped');
    },
  },
]);
