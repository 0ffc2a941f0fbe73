import type { Cluster } from '../apiserver/cluster.ts';
import { at, type Fields, stamp, type Thing } from '../apiserver/object.ts';
import type { Resource } from '../apiserver/resources.ts';
import { isFinal, toldSeconds, type Vmi } from '../kubevirt/kubevirt.ts';
import type { Pods } from './pods.ts';

const defaultSeconds = 5;
const isOver = (phase: unknown): boolean => phase === 'Succeeded' || phase === 'Failed';

/**
 * Live migrations: a VirtualMachineInstanceMigration moves a running guest to the other node within `migration-seconds`.
 * A guest that is asked to shut down meanwhile does so wherever it is; one that ends takes the migration with it.
 */
export class Migrations {
  readonly #cluster: Cluster;
  readonly #pods: Pods;
  readonly #migrations: Resource;
  readonly #vmis: Resource;
  /** By the VMI's uid. */
  readonly #running = new Map<string, Thing>();

  constructor(cluster: Cluster, pods: Pods) {
    this.#cluster = cluster;
    this.#pods = pods;
    this.#migrations = cluster.registry.named('virtualmachineinstancemigrations');
    this.#vmis = cluster.registry.named('virtualmachineinstances');
    cluster.store.subscribe(this.#migrations, ({ type, object }) => {
      if (type === 'ADDED') cluster.clock.after(50, () => this.#begin(object));
    });
    cluster.store.subscribe(this.#vmis, ({ type, object }) => {
      const migration = this.#running.get(object.metadata.uid);
      if (migration && (type === 'DELETED' || isFinal(object as unknown as Vmi)))
        cluster.clock.after(0, () => this.#end(migration, object.metadata.uid, false));
    });
  }

  #vmiOf(migration: Thing): Vmi | undefined {
    const name = String(at(migration, 'spec', 'vmiName'));
    return this.#cluster.store.get(this.#vmis, migration.metadata.namespace, name) as Vmi | undefined;
  }

  #begin(migration: Thing): void {
    const vmi = this.#vmiOf(migration);
    const movable = vmi?.status?.phase === 'Running' && this.#cluster.takesNew(vmi.metadata.namespace);
    if (!movable || this.#running.has(vmi.metadata.uid)) return this.#phase(migration, 'Failed');
    const { uid } = vmi.metadata;
    this.#running.set(uid, migration);
    const [sourceNode, targetNode] = this.#pods.createTarget(vmi);
    const startTimestamp = stamp(this.#cluster.clock.now());
    this.#state(vmi, { migrationUid: migration.metadata.uid, startTimestamp, sourceNode, targetNode });
    this.#phase(migration, 'Running');
    const ms = (toldSeconds(vmi, 'migration-seconds') ?? defaultSeconds) * 1000;
    this.#cluster.clock.after(ms, () => this.#end(migration, uid, true));
  }

  #end(migration: Thing, uid: string, well: boolean): void {
    if (this.#running.get(uid) !== migration) return;
    this.#running.delete(uid);
    const endTimestamp = stamp(this.#cluster.clock.now());
    const found = this.#vmiOf(migration);
    const vmi = found?.metadata.uid === uid ? found : undefined;
    const target = this.#pods.moved(uid, well);
    this.#phase(migration, well ? 'Succeeded' : 'Failed');
    if (!vmi) return;
    const more = well ? { nodeName: target } : {};
    this.#state(vmi, { completed: true, endTimestamp, ...(well ? {} : { failed: true }) }, more);
    if (vmi.metadata.deletionTimestamp) this.#pods.terminate(vmi);
  }

  #state(vmi: Vmi, change: Fields, more: Fields = {}): void {
    this.#cluster.change(this.#vmis, vmi.metadata.namespace, vmi.metadata.name, (old) => {
      const before =
        change['startTimestamp'] === undefined ? (old.status?.['migrationState'] as Fields | undefined) : {};
      return { ...old, status: { ...old.status, ...more, migrationState: { ...before, ...change } } };
    });
  }

  #phase({ metadata: { namespace, name, uid } }: Thing, phase: string): void {
    const found = this.#cluster.store.get(this.#migrations, namespace, name);
    if (found?.metadata.uid !== uid || isOver(found.status?.['phase'])) return;
    this.#cluster.change(this.#migrations, namespace, name, (old) => ({ ...old, status: { ...old.status, phase } }));
  }
}
