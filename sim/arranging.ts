import type { Cluster } from './apiserver/cluster.ts';
import { clone, type Thing } from './apiserver/object.ts';
import { guestAnnotations } from './kubevirt/kubevirt.ts';
import { createWukong, type WukongOptions } from './operator/wukong.ts';

/** The part of a Sim that goes past HTTP. */
export interface Arranging {
  get<T>(plural: string, namespace: string, name: string): T | undefined;
  list<T>(plural: string, namespace?: string): T[];
  /** Any kind that is served; its namespace is made when it is missing. */
  create<T>(object: object): T;
  /** As some other writer: spec, metadata and status alike, without asking webhooks. */
  change<T>(plural: string, namespace: string, name: string, edit: (object: T) => void): T;
  /** As a DELETE call. */
  remove(plural: string, namespace: string, name: string): void;
  createWukong<T = Thing>(wukong: WukongOptions): T;
}

export function arranging(cluster: Cluster): Arranging {
  const { store, registry } = cluster;
  const place = (plural: string, namespace: string) => {
    const resource = registry.named(plural);
    return { resource, home: resource.namespaced ? namespace : undefined };
  };
  const ensure = (namespace: string) => {
    const namespaces = registry.named('namespaces');
    if (store.get(namespaces, undefined, namespace)) return;
    const metadata = { name: namespace, uid: '', resourceVersion: '', creationTimestamp: '' };
    cluster.create(namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
  };
  return {
    get<T>(plural: string, namespace: string, name: string) {
      const { resource, home } = place(plural, namespace);
      return clone(store.get(resource, home, name)) as T | undefined;
    },
    list: <T>(plural: string, namespace?: string) =>
      store.list(registry.named(plural), namespace).map((one) => clone(one) as T),
    create<T>(object: object) {
      const thing = clone(object) as Thing;
      const resource = registry.ofKind(thing.apiVersion, thing.kind);
      if (!resource) throw new Error(`${thing.kind} of ${thing.apiVersion} is not served`);
      const namespace = resource.namespaced ? (thing.metadata.namespace ?? 'default') : undefined;
      if (namespace) ensure(namespace);
      // A story may begin with what a CRD of an older version let in.
      const unchecked = resource.group === 'vm.novasphere.dev';
      return clone(cluster.create(resource, namespace, thing, { internal: true, unchecked })) as T;
    },
    change<T>(plural: string, namespace: string, name: string, edit: (object: T) => void) {
      const { resource, home } = place(plural, namespace);
      const changed = cluster.change(resource, home, name, (old) => {
        const copy = clone(old);
        edit(copy as T);
        return copy;
      });
      return clone(changed) as T;
    },
    remove(plural, namespace, name) {
      const { resource, home } = place(plural, namespace);
      cluster.remove(resource, home, name);
    },
    createWukong<T>(wukong: WukongOptions) {
      ensure(wukong.namespace);
      return clone(createWukong(cluster, wukong, guestAnnotations(wukong.guest ?? {}))) as T;
    },
  };
}
