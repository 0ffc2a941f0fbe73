import type { Cluster } from '../apiserver/cluster.ts';
import { hashOf, stamp, type Thing } from '../apiserver/object.ts';

/** Events that the cluster's own parts tell; the same again counts up, as client-go's recorder does. */
export class Recorder {
  #cluster: Cluster;
  #component: string;

  constructor(cluster: Cluster, component: string) {
    this.#cluster = cluster;
    this.#component = component;
  }

  normal(object: Thing, reason: string, message: string): void {
    this.tell('Normal', object, reason, message);
  }

  warning(object: Thing, reason: string, message: string): void {
    this.tell('Warning', object, reason, message);
  }

  tell(type: 'Normal' | 'Warning', { apiVersion, kind, metadata }: Thing, reason: string, message: string): void {
    const cluster = this.#cluster;
    const events = cluster.registry.named('events');
    const { namespace, uid, resourceVersion } = metadata;
    const now = stamp(cluster.clock.now());
    const suffix = hashOf(`${uid}${type}${reason}${message}`).toString(16).padStart(16, '0');
    const name = `${metadata.name}.${suffix}`;
    const known = cluster.store.get(events, namespace, name);
    if (known) {
      cluster.store.put(events, { ...known, count: Number(known['count'] ?? 1) + 1, lastTimestamp: now });
      return;
    }
    if (!cluster.takesNew(namespace)) return;
    cluster.store.put(events, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace, uid: '', resourceVersion: '', creationTimestamp: now },
      involvedObject: {
        apiVersion: apiVersion ?? 'kubevirt.io/v1',
        kind: kind ?? '',
        name: metadata.name,
        namespace,
        uid,
        resourceVersion,
      },
      type,
      reason,
      message,
      source: { component: this.#component },
      reportingComponent: this.#component,
      reportingInstance: '',
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      eventTime: null,
    });
  }
}
