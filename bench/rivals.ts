import { follow } from '../shared/cluster/informer.ts';
import { vmPath } from '../shared/cluster/vmInformer.ts';
import type { World } from '../shared/cluster/world.ts';
import { type KubeObject } from '../shared/domain/model.ts';
import type { Action } from '../shared/domain/outcome.ts';
import { readVmi } from '../shared/domain/readVm.ts';
import { each } from '../shared/time/forEachLimited.ts';

export interface Rival {
  world: World;
  namespace: string;
  action: Action;
  vms: string[];
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const vmi = (namespace: string, name: string) => `${vmPath('virtualmachineinstances', namespace)}/${name}`;
const power = ({ world, namespace, action }: Rival, name: string) =>
  world.transport.call({
    method: 'PUT',
    path: `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}/virtualmachines/${name}/${action}`,
    body: {},
    safe: false,
  });
const there = (object: KubeObject | undefined, action: Action): boolean =>
  action === 'stop' ? object === undefined : object !== undefined && readVmi(object).ready === 'True';

/** The same power calls, as many at once as ours, one watch, and nothing written. */
async function bare(rival: Rival): Promise<void> {
  const { world, namespace, action, vms } = rival;
  const limits = { deadline: world.clock.now() + 840_000 };
  const path = vmPath('virtualmachineinstances', namespace);
  const watch = await follow(world, { path, read: readVmi }, limits);
  const settled = (name: string) => {
    const one = watch.get(namespace, name);
    return action === 'stop' ? one === undefined : one?.ready === 'True';
  };
  const waits = vms.map(
    (name) =>
      new Promise<void>((resolve) => {
        const end = watch.on(namespace, name, () => settled(name) && (end(), resolve()));
      }),
  );
  await each(vms, 50, async (name) => void (await power(rival, name)));
  await Promise.all(waits);
  watch.close();
}

/** One call a VM, eight at a time, then a look at all of them every second. */
async function virtctl(rival: Rival): Promise<void> {
  const { world, namespace, action, vms } = rival;
  await each(vms, 8, async (name) => void (await power(rival, name)));
  for (;;) {
    const path = vmPath('virtualmachineinstances', namespace);
    const list = await world.transport.call<{ items: KubeObject[] }>({ method: 'GET', path, safe: true });
    const byName = new Map(list.body.items.map((one) => [one.metadata.name, one]));
    if (vms.every((name) => there(byName.get(name), action))) return;
    await sleep(1_000);
  }
}

/**
 * The original design's loop for each VM: get VM and VMI, delete the VMI (or ask for the start), poll every 2 s, update
 * the VM, its status, the Wukong. It ends under run strategy Manual only: under the others the VM comes back.
 */
async function original(rival: Rival): Promise<void> {
  const { world, namespace, action, vms } = rival;
  const call = <T>(method: 'GET' | 'DELETE', path: string) =>
    world.transport.call<T>({ method, path, safe: method === 'GET' });
  await each(vms, 50, async (name) => {
    const vm = `${vmPath('virtualmachines', namespace)}/${name}`;
    await call('GET', vm);
    await call('GET', vmi(namespace, name));
    if (action === 'stop') await call('DELETE', vmi(namespace, name));
    else await power(rival, name);
    for (;;) {
      const seen = await call<KubeObject>('GET', vmi(namespace, name));
      if (there(seen.status === 404 ? undefined : seen.body, action)) break;
      await sleep(2_000);
    }
    const update = (path: string, change: object) =>
      world.transport.call({
        method: 'PATCH',
        path,
        body: change,
        contentType: 'application/merge-patch+json',
        safe: false,
      });
    const mark = { metadata: { annotations: { 'bench.novasphere.dev/done': `${action} ${Date.now()}` } } };
    const wukong = `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongs/${name.replace(/-vm$/, '')}`;
    await update(vm, mark);
    await update(`${wukong}/status`, {
      status: { lifecycleState: { state: action === 'stop' ? 'Stopped' : 'Running' } },
    });
    await update(wukong, mark);
  });
}

export const rivals = { bare, virtctl, original };
