import type { Cluster } from '../apiserver/cluster.ts';
import type { Thing } from '../apiserver/object.ts';
import type { Resource } from '../apiserver/resources.ts';
import type { StoreEvent } from '../apiserver/store.ts';
import type { Vm } from './kubevirt.ts';

/**
 * The VMs as virt-controller knows them: what others write reaches it a moment later, each time another one, and in
 * order (KUBEVIRT.md §5). What it writes itself it knows at once.
 */
export class VmCache {
  readonly #cluster: Cluster;
  readonly #vms: Resource;
  readonly #lagMs: () => number;
  readonly #known = new Map<string, Thing>();
  /** When the last change of a VM that is under way arrives. */
  readonly #arrives = new Map<string, number>();
  #writing = false;

  /** `arrived` is called as the cache gets to know a change, with how long that took. */
  constructor(cluster: Cluster, lagMs: () => number, arrived: (vm: Thing, lagMs: number) => void) {
    this.#cluster = cluster;
    this.#vms = cluster.registry.named('virtualmachines');
    this.#lagMs = lagMs;
    cluster.store.subscribe(this.#vms, (event) => this.#happened(event, arrived));
  }

  #happened({ type, object }: StoreEvent, arrived: (vm: Thing, lagMs: number) => void): void {
    const { namespace, name } = object.metadata;
    const key = `${namespace}/${name}`;
    const take = (lagMs: number) => {
      if (type === 'DELETED') this.#known.delete(key);
      else this.#known.set(key, object);
      arrived(object, lagMs);
    };
    if (type === 'DELETED' || this.#writing) {
      this.#arrives.delete(key);
      return take(0);
    }
    const now = this.#cluster.clock.now();
    const at = Math.max(now + this.#lagMs(), this.#arrives.get(key) ?? 0);
    this.#arrives.set(key, at);
    this.#cluster.clock.after(at - now, () => {
      if (!this.#isOvertaken(key, object)) take(at - now);
    });
  }

  /** A write of the controller's own, or a deletion, has told more since. */
  #isOvertaken(key: string, { metadata }: Thing): boolean {
    const known = this.#known.get(key);
    if (known) return Number(known.metadata.resourceVersion) >= Number(metadata.resourceVersion);
    return this.#cluster.store.get(this.#vms, metadata.namespace, metadata.name)?.metadata.uid !== metadata.uid;
  }

  /** As it is known; `current` is false where somebody has changed it since, so that a write would be a conflict. */
  get(namespace: string, name: string): { vm: Vm; current: boolean } | undefined {
    const known = this.#known.get(`${namespace}/${name}`);
    const newest = this.#cluster.store.get(this.#vms, namespace, name);
    if (!known || !newest || known.metadata.uid !== newest.metadata.uid) return undefined;
    return { vm: known as unknown as Vm, current: known === newest };
  }

  /** Changes a VM in the controller's own name. */
  write(namespace: string | undefined, name: string, edit: (old: Thing) => Thing): void {
    this.#writing = true;
    try {
      this.#cluster.change(this.#vms, namespace, name, edit);
    } finally {
      this.#writing = false;
    }
  }
}
