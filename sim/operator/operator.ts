import type { Cluster } from '../apiserver/cluster.ts';
import { type Condition, equal, type Fields, stamp, type Thing } from '../apiserver/object.ts';
import type { Schema } from '../apiserver/schema.ts';
import type { Vm } from '../kubevirt/kubevirt.ts';
import { vmNameOf, vmOf } from './wukong.ts';

const finalizer = 'vm.novasphere.dev/finalizer';
const delayMs = 50;

/**
 * The operator that owns Wukongs, with its habits (KUBEVIRT.md §4): on every change of a Wukong it replaces the whole
 * VM spec, with `running: <autoStart>`; its typed updates drop what its version of the CRD does not know.
 */
export class WukongOperator {
  readonly #cluster: Cluster;
  readonly #known: Schema;
  readonly #due = new Set<string>();
  readonly #owns: (namespace: string, name: string) => boolean;
  #enabled: boolean;

  /** `known` is the schema that the operator was built with; `enabled` may say which Wukongs are its own. */
  constructor(cluster: Cluster, known: Schema, enabled: boolean | ((namespace: string, name: string) => boolean)) {
    this.#cluster = cluster;
    this.#known = known;
    this.#enabled = enabled !== false;
    this.#owns = typeof enabled === 'function' ? enabled : () => true;
    const { store, registry } = cluster;
    store.subscribe(registry.named('wukongs'), ({ type, object }) => {
      if (type !== 'DELETED') this.#later(object.metadata.namespace ?? '', object.metadata.name, true);
    });
    store.subscribe(registry.named('virtualmachines'), ({ object }) => {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === 'Wukong');
      if (owner) this.#later(object.metadata.namespace ?? '', owner.name, false);
    });
  }

  /** From now on, and at once for what is there already. */
  enable(): void {
    this.#enabled = true;
    for (const { metadata } of this.#cluster.store.each(this.#cluster.registry.named('wukongs')))
      this.#later(metadata.namespace ?? '', metadata.name, true);
  }

  disable(): void {
    this.#enabled = false;
  }

  #later(namespace: string, name: string, rewrite: boolean): void {
    if (!this.#enabled || !this.#owns(namespace, name)) return;
    const key = `${namespace}/${name}/${rewrite}`;
    if (this.#due.has(key)) return;
    this.#due.add(key);
    this.#cluster.clock.after(delayMs, () => {
      this.#due.delete(key);
      if (this.#enabled) this.#reconcile(namespace, name, rewrite);
    });
  }

  #reconcile(namespace: string, name: string, rewrite: boolean): void {
    const { store, registry } = this.#cluster;
    const wukongs = registry.named('wukongs');
    const wukong = store.get(wukongs, namespace, name);
    if (!wukong) return;
    if (wukong.metadata.deletionTimestamp) return this.#setFinalizer(wukong, false);
    if (!wukong.metadata.finalizers?.includes(finalizer)) return this.#setFinalizer(wukong, true);
    const vms = registry.named('virtualmachines');
    const vm = store.get(vms, namespace, vmNameOf(name));
    if (!vm && !this.#cluster.takesNew(namespace)) return;
    if (!vm) this.#cluster.create(vms, namespace, vmOf(wukong, {}), { internal: true });
    else if (rewrite) {
      const spec = vmOf(wukong, vm as unknown as Partial<Vm>).spec;
      this.#cluster.change(vms, namespace, vmNameOf(name), (old) => ({ ...old, spec }));
    }
    this.#writeStatus(wukong, store.get(vms, namespace, vmNameOf(name)) as Vm | undefined);
  }

  /** A typed PUT of the whole Wukong: fields of its spec that the operator does not know are gone afterwards. */
  #setFinalizer(wukong: Thing, on: boolean): void {
    const others = (wukong.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    const spec = typed(this.#known.properties?.['spec'], wukong.spec) as Fields;
    const metadata = { ...wukong.metadata, finalizers: on ? [...others, finalizer] : others };
    const { namespace, name } = metadata;
    this.#cluster.change(this.#cluster.registry.named('wukongs'), namespace, name, (old) => ({
      ...old,
      spec,
      metadata,
    }));
  }

  /** Its own view of things, written when it changed; what it does not know is dropped then. */
  #writeStatus(wukong: Thing, vm: Vm | undefined): void {
    const known = (typed(this.#known.properties?.['status'], wukong.status) ?? {}) as Fields;
    const phase = phaseOf(vm);
    const ready = phase === 'Running';
    const conditions = ((known['conditions'] ?? []) as Condition[]).filter(({ type }) => type !== 'Ready');
    const before = ((known['conditions'] ?? []) as Condition[]).find(({ type }) => type === 'Ready');
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason: ready ? 'VMRunning' : 'VMNotRunning',
      message: `the virtual machine is ${phase.toLowerCase()}`,
    };
    const same = before?.status === condition.status;
    const lastTransitionTime = same ? before.lastTransitionTime : stamp(this.#cluster.clock.now());
    const status = {
      ...known,
      phase,
      vmName: vmNameOf(wukong.metadata.name),
      conditions: [{ ...condition, lastTransitionTime }, ...conditions],
    };
    const { namespace, name } = wukong.metadata;
    if (equal({ ...known, conditions: undefined }, { ...status, conditions: undefined }) && same) return;
    this.#cluster.change(this.#cluster.registry.named('wukongs'), namespace, name, (old) => ({ ...old, status }));
  }
}

/** What a Go struct of that schema keeps of a value. */
function typed(schema: Schema | undefined, value: unknown): unknown {
  if (!schema?.properties || typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => Object.hasOwn(schema.properties ?? {}, key));
  return Object.fromEntries(entries);
}

function phaseOf(vm: Vm | undefined): string {
  const label = vm?.status?.printableStatus;
  if (!label) return 'Pending';
  if (label === 'Running' || label === 'Paused' || label === 'Stopping' || label === 'Migrating') return 'Running';
  if (label === 'Stopped') return 'Stopped';
  if (label === 'Starting' || label === 'Provisioning' || label === 'WaitingForVolumeBinding') return 'Creating';
  return 'Error';
}
