import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { ownMachine, vmNameIn, vmNamesOf } from '../domain/ownership.ts';
import { readVm, readVmi } from '../domain/readVm.ts';
import { type Machine, type VmiView, type VmView } from '../domain/vm.ts';
import { heard, type Limits } from '../time/wait.ts';
import type { Followed, Source } from './informer.ts';
import { allOpen, followIn, type Space } from './informers.ts';
import { apiPath } from './path.ts';
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
  | {
      namespaces: string[] | 'all';
      /** By its key, `namespace/vmName`. */
      wanted?: (key: string, namespace: string) => boolean;
      /** Called after every change of a VM or VMI, with its key; without one when a watch failed for good. */
      changed?: (key?: string) => void;
    };

/** All of a kind, in one namespace, or one of them with its subresource. */
export const vmPath = (
  kind: 'virtualmachines' | 'virtualmachineinstances',
  namespace?: string,
  name?: string,
  subresource?: string,
): string => apiPath({ api: 'kubevirt.io/v1', namespace, kind, name, subresource });

/** What is there of a Wukong's own VM. */
export const machineOf = (wukong: Wukong, machines: Machines): Machine =>
  ownMachine(wukong, (vmName) => machines.get(wukong.metadata.namespace ?? '', vmName));

/** Waits for the next change of a Wukong's VM, as `Machines.changed`. */
export const changedOf = (wukong: Wukong, machines: Machines, limits: Limits): Promise<boolean> =>
  machines.changed(wukong.metadata.namespace ?? '', vmNameIn(wukong, machineOf(wukong, machines)), limits);

/** The VMs of these Wukongs, in these namespaces. */
export function scopeOf(wukongs: Wukong[], namespaces: string[] | 'all'): Scope {
  const vms = new Set<string>();
  for (const wukong of wukongs)
    for (const name of vmNamesOf(wukong)) vms.add(keyOf({ namespace: placeOf(wukong).namespace, name }));
  return { namespaces, wanted: (key) => vms.has(key) };
}

/** Above so many namespaces one watch for all of them costs everybody less, where it is allowed. */
const mostSeparate = 8;

/**
 * Begins to watch; resolves when the first state is complete. Many namespaces are watched by one watch for the whole
 * cluster, or, where that is not allowed, one by one. @throws LifecycleError when the first state cannot be had.
 */
export async function watchMachines(cluster: Cluster, scope: Scope, limits: Limits): Promise<Machines> {
  const { vms, vmis } = await openAll(cluster, scope, limits);
  return {
    close() {
      vms.close();
      vmis.close();
    },
    get(namespace, vmName) {
      vms.check(namespace);
      vmis.check(namespace);
      return { vm: vms.get(namespace, vmName), vmi: vmis.get(namespace, vmName), gone: vmis.gone(namespace, vmName) };
    },
    changed(namespace, vmName, limits) {
      const subscribe = (call: () => void) => {
        const ends = [vms.on(namespace, vmName, call), vmis.on(namespace, vmName, call)];
        return () => ends.forEach((end) => end());
      };
      return heard(cluster.clock, subscribe, limits);
    },
  };
}

/** Watches one Wukong's VM: the one that its status names, and where that is not its own, the other one too. */
export async function watchOwn(cluster: Cluster, wukong: Wukong, limits: Limits): Promise<Machines> {
  const { namespace } = placeOf(wukong);
  const machines = await watchMachines(cluster, { namespace, vmName: vmNameOf(wukong) }, limits);
  if (vmNamesOf(wukong).length === 1 || machineOf(wukong, machines).vm) return machines;
  machines.close();
  return watchMachines(cluster, scopeOf([wukong], [namespace]), limits);
}

async function openAll(cluster: Cluster, scope: Scope, limits: Limits): Promise<Pair> {
  if ('vmName' in scope) return openPair(cluster, [scope.namespace], { name: scope.vmName }, limits);
  const { namespaces, wanted, changed } = scope;
  if (namespaces === 'all') return openPair(cluster, [undefined], { wanted, changed }, limits);
  const places = new Set(namespaces);
  if (places.size > mostSeparate) {
    const among = (key: string, namespace: string) => places.has(namespace) && (wanted?.(key, namespace) ?? true);
    try {
      return await openPair(cluster, [undefined], { wanted: among, changed }, limits);
    } catch (thrown) {
      if (asLifecycleError(thrown).status !== 403) throw thrown;
    }
  }
  return openPair(cluster, places, { wanted, changed }, limits);
}

interface Pair {
  vms: Followed<VmView>;
  vmis: Followed<VmiView>;
}

/** Both kinds in each of these places; all of them are open, or none. */
function openPair(
  cluster: Cluster,
  places: Iterable<Space>,
  which: Pick<Source<object>, 'name' | 'wanted' | 'changed'>,
  limits: Limits,
): Promise<Pair> {
  const spaces = [...places];
  const pathOf = (kind: Parameters<typeof vmPath>[0]) => (space: Space) => vmPath(kind, space);
  const vmi = { ...which, path: pathOf('virtualmachineinstances'), read: readVmi };
  return allOpen({
    vms: followIn<VmView>(cluster, spaces, { ...which, path: pathOf('virtualmachines'), read: readVm }, limits),
    vmis: followIn<VmiView>(cluster, spaces, vmi, limits),
  });
}
