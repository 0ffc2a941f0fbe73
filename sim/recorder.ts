import type { Cluster } from './cluster.ts';
import { stamp, type Thing } from './object.ts';

/** Events that the cluster's own parts tell; the same again counts up, as client-go's recorder does. */
export class Recorder {
  #cluster: Cluster;
  #component: string;

  constructor(cluster: Cluster, component: string) {
    this.#cluster = cluster;
    this.#component = component;
  }

  normal(object: Thing, reason: string, message: string): void {
    this.#tell('Normal', object, reason, message);
  }

  warning(object: Thing, reason: string, message: string): void {
    this.#tell('Warning', object, reason, message);
  }

  #tell(type: string, { apiVersion, kind, metadata }: Thing, reason: string, message: string): void {
    const cluster = this.#cluster;
    const events = cluster.registry.named('events');
    const { namespace, uid, resourceVersion } = metadata;
    const now = stamp(cluster.clock.now());
    const name = `${metadata.name}.${hash(`${uid}${type}${reason}${message}`)}`;
    const known = cluster.store.get(events, namespace, name);
    if (known) {
      cluster.store.put(events, { ...known, count: Number(known['count'] ?? 1) + 1, lastTimestamp: now });
      return;
    }
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

/** FNV-1a, as a name's suffix. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value.toString(16).padStart(16, '0');
}
