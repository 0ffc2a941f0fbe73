import type { Cluster } from './cluster.ts';
import type { Thing } from './object.ts';
import { keyOf, type Resource } from './resources.ts';

interface Dependent {
  key: string;
  namespace: string | undefined;
  name: string;
}

const delayMs = 20;
/** Events are kept for an hour, as the API server keeps them. */
const eventsKeptMs = 3_600_000;
const sweptMs = 600_000;

/** What belongs to an owner goes with it, and what is in a namespace goes with that. */
export class GarbageCollector {
  readonly #cluster: Cluster;
  #sweptRevision = 0;
  readonly #byOwner = new Map<string, Map<string, Dependent>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.store.observe(({ type, object }, key) => {
      this.#index(object, key, type === 'DELETED');
      if (type === 'DELETED') this.#ownerGone(object.metadata.uid);
      if (key === 'namespaces.' && object.metadata.deletionTimestamp && type === 'MODIFIED') this.#emptyLater(object);
    });
    cluster.clock.background(sweptMs, () => this.#sweep());
  }

  /** Old Events go, and history older than the last sweep. */
  #sweep(): void {
    const { store, registry, clock } = this.#cluster;
    store.forget(this.#sweptRevision);
    this.#sweptRevision = store.revision;
    const events = registry.named('events');
    const oldest = clock.now() - eventsKeptMs;
    const told = (event: Thing) =>
      Date.parse(String(event['lastTimestamp'] ?? event['eventTime'] ?? event.metadata.creationTimestamp));
    for (const event of [...store.each(events)]) if (told(event) < oldest) store.delete(events, event);
    clock.background(sweptMs, () => this.#sweep());
  }

  #index(object: Thing, key: string, gone: boolean): void {
    const { namespace, name, ownerReferences = [], uid } = object.metadata;
    for (const owner of ownerReferences) {
      const dependents = this.#byOwner.get(owner.uid) ?? new Map<string, Dependent>();
      if (gone) dependents.delete(uid);
      else dependents.set(uid, { key, namespace, name });
      if (dependents.size > 0) this.#byOwner.set(owner.uid, dependents);
      else this.#byOwner.delete(owner.uid);
    }
  }

  #ownerGone(uid: string): void {
    const dependents = this.#byOwner.get(uid);
    if (!dependents) return;
    this.#byOwner.delete(uid);
    this.#cluster.clock.after(delayMs, () => {
      for (const { key, namespace, name } of dependents.values()) {
        const resource = this.#resource(key);
        const thing = resource && this.#cluster.store.get(resource, namespace, name);
        if (resource && thing?.metadata.ownerReferences?.some((owner) => owner.uid === uid))
          this.#cluster.remove(resource, namespace, name);
      }
    });
  }

  #resource(key: string): Resource | undefined {
    return this.#cluster.registry.all().find((resource) => keyOf(resource) === key);
  }

  #emptyLater(namespace: Thing): void {
    const { name } = namespace.metadata;
    this.#cluster.clock.after(delayMs, () => {
      const { store, registry } = this.#cluster;
      const current = store.get(registry.named('namespaces'), undefined, name);
      if (!current || current.status?.['phase'] === 'Terminating') return;
      this.#cluster.change(registry.named('namespaces'), undefined, name, (old) => ({
        ...old,
        status: { phase: 'Terminating' },
      }));
      this.#empty(name, true);
    });
  }

  /** Asks everything in it to go, and looks again until all has gone. */
  #empty(name: string, first: boolean): void {
    const { store, registry } = this.#cluster;
    let left = 0;
    for (const resource of registry.all().filter(({ namespaced }) => namespaced))
      for (const thing of store.list(resource, name)) {
        if (first || !thing.metadata.deletionTimestamp)
          this.#cluster.remove(resource, name, thing.metadata.name, { gracePeriodSeconds: 0 });
        if (store.get(resource, name, thing.metadata.name)) left++;
      }
    const namespaces = registry.named('namespaces');
    const home = store.get(namespaces, undefined, name);
    if (left === 0 && home) store.delete(namespaces, home);
    else if (home) this.#cluster.clock.background(100, () => this.#empty(name, false));
  }
}
