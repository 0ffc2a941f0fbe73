import type { Cluster } from './cluster.ts';
import type { GuestAnnotations, Strategy, Vm } from './kubevirt.ts';
import { asThing, isGuestKey } from './kubevirt.ts';
import { at, clone, type Condition, equal, type Fields, stamp, type Thing } from './object.ts';
import type { Schema } from './schema.ts';

/** How a Wukong is made for a test or the demo. */
export interface WukongOptions {
  namespace: string;
  name: string;
  runStrategy?: Strategy;
  /** The legacy field, instead of a run strategy. */
  running?: boolean;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** How the guest behaves; keys without their prefix. */
  guest?: GuestAnnotations;
  terminationGracePeriodSeconds?: number;
  cpu?: number;
  memory?: string;
  /** Merged over the Wukong's spec. */
  spec?: object;
  status?: object;
}

const finalizer = 'vm.novasphere.dev/finalizer';
const delayMs = 50;

export const vmNameOf = (wukong: string): string => `${wukong}-vm`;

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
    this.#cluster.change(this.#cluster.registry.named('wukongs'), namespace, name, (old) => ({ ...old, spec, metadata }));
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

/** The VM of a Wukong as the operator builds it; guests keep how they were told to behave. */
function vmOf(wukong: Thing, old: Partial<Vm>): Thing {
  const { namespace, name, uid } = wukong.metadata;
  const told = Object.entries(wukong.metadata.annotations ?? {}).filter(([key]) => isGuestKey(key));
  const template = old.spec?.template;
  const running = (at(wukong, 'spec', 'startStrategy', 'autoStart') as boolean | undefined) ?? true;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {
      name: vmNameOf(name),
      namespace,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      ownerReferences: [{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'Wukong', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      running,
      template: {
        metadata: { annotations: { ...template?.metadata?.annotations, ...Object.fromEntries(told) } },
        spec: template?.spec ?? machineOf(Number(at(wukong, 'spec', 'cpu')), String(at(wukong, 'spec', 'memory'))),
      },
    },
  };
}

export const machineOf = (cpu: number, memory: string): Fields => ({
  architecture: 'amd64',
  domain: { cpu: { cores: cpu }, devices: {}, resources: { requests: { memory } } },
});

/** A Wukong and its VM, as they stand when the operator has done its work. */
export function createWukong(cluster: Cluster, options: WukongOptions, guest: Record<string, string>): Thing {
  const { namespace, name, labels, annotations, running, runStrategy, cpu = 1, memory = '64Mi' } = options;
  const { registry } = cluster;
  const strategy = runStrategy ?? (running === undefined ? 'Always' : undefined);
  const autoStart = strategy ? !['Halted', 'Manual'].includes(strategy) : running;
  const head = { uid: '', resourceVersion: '', creationTimestamp: '' };
  const wukong = cluster.create(
    registry.named('wukongs'),
    namespace,
    {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'Wukong',
      metadata: {
        ...head,
        name,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      },
      spec: { cpu, memory, startStrategy: { autoStart }, ...options.spec },
      status: { phase: autoStart ? 'Running' : 'Stopped', vmName: vmNameOf(name), ...options.status },
    },
    { internal: true },
  );
  const spec = machineOf(cpu, memory);
  if (options.terminationGracePeriodSeconds !== undefined)
    spec['terminationGracePeriodSeconds'] = options.terminationGracePeriodSeconds;
  const made = vmOf(wukong, { spec: { template: { metadata: { annotations: guest }, spec } } });
  const wish = strategy ? { runStrategy: strategy } : { running };
  const vm: Thing = {
    ...made,
    metadata: { ...made.metadata, ...(labels ? { labels: clone(labels) } : {}) },
    spec: { ...wish, template: made.spec?.['template'] },
  };
  cluster.create(registry.named('virtualmachines'), namespace, asThing(vm as unknown as Vm), { internal: true });
  return cluster.get(registry.named('wukongs'), namespace, name);
}
