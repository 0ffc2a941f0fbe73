import { keyOf, type KubeObject, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { type Machine, readVm, readVmi, type VmiView, type VmView } from '../domain/vm.ts';
import { heard, type Limits } from '../time/wait.ts';
import { follow, type Followed, type Source } from './informer.ts';
import type { Cluster } from './world.ts';

/** What is seen of VMs and their VMIs, kept by one watch per kind and scope, for any number of waiters. */
export interface Machines {
  get(namespace: string, vmName: string): Machine;
  /** Waits for the next change of this VM or VMI: false when the deadline came first. @throws when the watch failed. */
  changed(namespace: string, vmName: string, limits: Limits): Promise<boolean>;
  close(): void;
}

export type Scope =
  | { namespace: string; vmName: string }
  | { namespaces: string[] | 'all'; wanted?: (namespace: string, vmName: string) => boolean };

/** `/apis/kubevirt.io/v1/namespaces/x/virtualmachines`, or of all namespaces. */
export const vmPath = (kind: 'virtualmachines' | 'virtualmachineinstances', namespace?: string): string =>
  `/apis/kubevirt.io/v1/${namespace === undefined ? '' : `namespaces/${namespace}/`}${kind}`;

export const machineOf = (wukong: Wukong, machines: Machines): Machine =>
  machines.get(wukong.metadata.namespace ?? '', vmNameOf(wukong));

/** The VMs of these Wukongs, in these namespaces. */
export function scopeOf(wukongs: Wukong[], namespaces: string[] | 'all'): Scope {
  const vms = new Set(wukongs.map((wukong) => keyOf({ ...placeOf(wukong), name: vmNameOf(wukong) })));
  return { namespaces, wanted: (namespace, name) => vms.has(keyOf({ namespace, name })) };
}

/** Begins to watch; resolves when the first state is complete. @throws LifecycleError when it cannot be had. */
export async function watchMachines(cluster: Cluster, scope: Scope, limits: Limits): Promise<Machines> {
  const one = 'vmName' in scope ? scope : undefined;
  const wide = 'vmName' in scope ? undefined : scope;
  const places = one ? [one.namespace] : wide?.namespaces === 'all' || !wide ? [undefined] : wide.namespaces;
  const source = <V>(
    kind: Parameters<typeof vmPath>[0],
    place: string | undefined,
    read: (o: KubeObject) => V,
  ): Source<V> => ({
    path: vmPath(kind, place),
    name: one?.vmName,
    read,
    wanted: wide?.wanted,
  });
  const opened: Followed<unknown>[] = [];
  const open = async <V>(from: Source<V>): Promise<Followed<V>> => {
    const followed = await follow(cluster, from, limits);
    opened.push(followed);
    return followed;
  };
  const close = () => {
    for (const followed of opened) followed.close();
  };
  const pairs = await Promise.allSettled(
    places.map(async (place) => {
      const vms = open(source<VmView>('virtualmachines', place, readVm));
      const vmis = open(source<VmiView>('virtualmachineinstances', place, readVmi));
      await Promise.allSettled([vms, vmis]); // both are open or failed before anything is closed
      return { place, vms: await vms, vmis: await vmis };
    }),
  );
  const failed = pairs.find((pair) => pair.status === 'rejected');
  if (failed) {
    close();
    throw failed.reason;
  }
  const byPlace = new Map(
    pairs.flatMap((pair) => (pair.status === 'fulfilled' ? [[pair.value.place, pair.value]] : [])),
  );
  const of = (namespace: string) => {
    const pair = byPlace.get(namespace) ?? byPlace.get(undefined);
    if (!pair) throw new Error(`namespace ${namespace} is not watched`);
    return pair;
  };
  return {
    close,
    get(namespace, vmName) {
      const { vms, vmis } = of(namespace);
      vms.check();
      vmis.check();
      return { vm: vms.get(namespace, vmName), vmi: vmis.get(namespace, vmName), gone: vmis.gone(namespace, vmName) };
    },
    changed(namespace, vmName, limits) {
      const { vms, vmis } = of(namespace);
      const subscribe = (call: () => void) => {
        const ends = [vms.on(namespace, vmName, call), vmis.on(namespace, vmName, call)];
        return () => ends.forEach((end) => end());
      };
      return heard(cluster.clock, subscribe, limits);
    },
  };
}
