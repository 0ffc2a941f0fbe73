import { randomUUID } from 'node:crypto';
import type { Timers } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { denied } from './admission.ts';
import type { Recorder } from './recorder.ts';
import { asThing, type ChangeRequest, everRan, isFinal, isGuestKey, strategyOf, told, type Vm, type Vmi, type VmStatus } from './kubevirt.ts';
import { equal, type Fields, stamp, type Thing } from './object.ts';
import type { Resource } from './resources.ts';
import { conditionsOf, printableOf } from './vmstatus.ts';

export interface ControllerOptions {
  /** How long it takes until a changed VM is looked at. */
  delayMs: number;
  /** The same for a VM whose VMI changed. */
  vmiDelayMs: number;
  /** At most so many VMs at a time; Infinity: all at once. */
  workers: number;
  /** How long a worker is busy with a start or a stop. */
  busyMs: number;
  random: () => number;
}

export const vmFinalizer = 'kubevirt.io/virtualMachineControllerFinalize';
const longestBackoffSeconds = 300;

/** The VM part of virt-controller (KubeVirt's pkg/virt-controller/watch/vm/vm.go, v1.9): makes VMIs come and go. */
export class VmController {
  readonly #cluster: Cluster;
  readonly #clock: Timers;
  readonly #recorder: Recorder;
  readonly #options: ControllerOptions;
  readonly #vms: Resource;
  readonly #vmis: Resource;
  /** Waiting to be looked at, in order, each once. */
  readonly #queue = new Set<string>();
  /** The earliest instant at which it will be. */
  readonly #due = new Map<string, number>();
  readonly #working = new Set<string>();

  constructor(cluster: Cluster, recorder: Recorder, options: ControllerOptions) {
    this.#cluster = cluster;
    this.#clock = cluster.clock;
    this.#recorder = recorder;
    this.#options = options;
    this.#vms = cluster.registry.named('virtualmachines');
    this.#vmis = cluster.registry.named('virtualmachineinstances');
    cluster.store.subscribe(this.#vms, ({ object }) => this.#enqueue(object.metadata.namespace, object.metadata.name));
    cluster.store.subscribe(this.#vmis, ({ object }) => this.#enqueue(object.metadata.namespace, object.metadata.name, options.vmiDelayMs));
  }

  #enqueue(namespace: string | undefined, name: string, delayMs = this.#options.delayMs): void {
    const key = `${namespace}/${name}`;
    const at = this.#clock.now() + delayMs;
    if ((this.#due.get(key) ?? Infinity) <= at) return;
    this.#due.set(key, at);
    this.#clock.after(delayMs, () => {
      if (this.#due.get(key) === at) this.#due.delete(key);
      this.#queue.add(key);
      this.#next();
    });
  }

  #next(): void {
    for (const key of this.#queue) {
      if (this.#working.size >= this.#options.workers) return;
      if (this.#working.has(key)) continue;
      this.#queue.delete(key);
      this.#work(key);
    }
  }

  /** A worker that starts or stops something is busy first; looking and writing status cost it nothing. */
  #work(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    if (this.#options.busyMs === 0 || !this.#acts(namespace, name)) return this.#reconcile(namespace, name);
    this.#working.add(key);
    this.#clock.after(this.#options.busyMs, () => {
      this.#working.delete(key);
      this.#reconcile(namespace, name);
      this.#next();
    });
  }

  #seen(namespace: string, name: string): { vm: Vm; vmi: Vmi | undefined } | undefined {
    const { store } = this.#cluster;
    const vm = store.get(this.#vms, namespace, name) as Vm | undefined;
    if (!vm) return undefined;
    const vmi = store.get(this.#vmis, namespace, name) as Vmi | undefined;
    const owned = vmi?.metadata.ownerReferences?.some(({ uid }) => uid === vm.metadata.uid);
    return { vm, vmi: owned ? vmi : undefined };
  }

  #acts(namespace: string, name: string): boolean {
    const seen = this.#seen(namespace, name);
    return seen !== undefined && this.#decide(seen.vm, seen.vmi).act !== 'nothing';
  }

  #reconcile(namespace: string, name: string): void {
    const seen = this.#seen(namespace, name);
    if (!seen) return;
    const { vm } = seen;
    if (!vm.metadata.deletionTimestamp && !vm.metadata.finalizers?.includes(vmFinalizer)) {
      const finalizers = [...(vm.metadata.finalizers ?? []), vmFinalizer];
      this.#cluster.change(this.#vms, namespace, name, (old) => ({ ...old, metadata: { ...old.metadata, finalizers } }));
    }
    const status: VmStatus = { ...vm.status };
    const failure = this.#sync(vm, seen.vmi, status);
    const after = this.#seen(namespace, name);
    if (!after) return;
    this.#writeStatus(after.vm, seen.vmi && after.vmi, status, failure);
  }

  /** What the strategy asks for. */
  #decide(vm: Vm, vmi: Vmi | undefined): { act: 'start' | 'stop' | 'wish' | 'nothing'; restart?: boolean } {
    if (vm.metadata.deletionTimestamp) return { act: vmi && !vmi.metadata.deletionTimestamp ? 'stop' : 'nothing' };
    const strategy = strategyOf(vm);
    const [first] = vm.status?.stateChangeRequests ?? [];
    const startAsked = first?.action === 'Start';
    if (!vmi) {
      if (strategy === 'Halted') return { act: startAsked ? 'wish' : 'nothing' };
      if (strategy === 'Manual') return { act: startAsked ? 'start' : 'nothing' };
      if (strategy === 'RerunOnFailure' && !startAsked && vm.status?.runStrategy === strategy) return { act: 'nothing' };
      return { act: 'start' };
    }
    if (vmi.metadata.deletionTimestamp) return { act: 'nothing' };
    const stopAsked = first?.action === 'Stop' && first.uid === vmi.metadata.uid;
    const phase = vmi.status?.phase;
    switch (strategy) {
      case 'Always':
        return { act: stopAsked || isFinal(vmi) ? 'stop' : 'nothing' };
      case 'RerunOnFailure':
        return { act: stopAsked || isFinal(vmi) ? 'stop' : 'nothing', restart: phase === 'Failed' };
      case 'Manual':
        return { act: stopAsked ? 'stop' : 'nothing' };
      case 'Halted':
        return { act: 'stop' };
      default:
        return { act: 'nothing' };
    }
  }

  /** Carries it out; `status` gets what must be remembered. Returns why it could not, if so. */
  #sync(vm: Vm, vmi: Vmi | undefined, status: VmStatus): string | undefined {
    const { namespace, name } = vm.metadata;
    if (vm.metadata.deletionTimestamp && !vmi) {
      this.#cluster.change(this.#vms, namespace, name, (old) => {
        const finalizers = (old.metadata.finalizers ?? []).filter((one) => one !== vmFinalizer);
        return { ...old, metadata: { ...old.metadata, finalizers } };
      });
      return undefined;
    }
    const { act, restart } = this.#decide(vm, vmi);
    if (act === 'stop' && vmi) {
      this.#cluster.remove(this.#vmis, namespace, name);
      this.#recorder.normal(asThing(vm), 'SuccessfulDelete', `Stopped the virtual machine by deleting the virtual machine instance ${vmi.metadata.uid}`);
      if (restart) status.stateChangeRequests = [...(status.stateChangeRequests ?? []), { action: 'Start' }];
    }
    if (act === 'wish') return this.#wishRunning(vm);
    if (act !== 'start') return undefined;
    const waitMs = backoffLeftMs(vm, this.#clock.now());
    if (waitMs > 0) {
      this.#enqueue(namespace, name, waitMs);
      return undefined;
    }
    return this.#start(vm);
  }

  /** A queued Start beats Halted: the wish becomes Always. */
  #wishRunning(vm: Vm): string {
    const { namespace, name } = vm.metadata;
    const wish = vm.spec.runStrategy != null ? { runStrategy: 'Always' } : { running: true };
    this.#cluster.change(this.#vms, namespace, name, (old) => ({ ...old, spec: { ...old.spec, ...wish } }));
    return 'Failure while starting VMI: %!v(<nil>)';
  }

  #start(vm: Vm): string | undefined {
    const { namespace, name, uid } = vm.metadata;
    const vmi = instanceOf(vm);
    try {
      const refused = told(vmi, 'vmi-refused');
      if (refused !== undefined)
        throw denied('virtualmachineinstances-create-validator.kubevirt.io', meaning(refused, 'spec.domain.resources is not valid'));
      this.#cluster.create(this.#vmis, namespace, asThing(vmi), { internal: true });
      this.#recorder.normal(asThing(vm), 'SuccessfulCreate', `Started the virtual machine by creating the new virtual machine instance ${name}`);
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      this.#recorder.warning(asThing(vm), 'FailedCreate', `Error creating virtual machine instance: ${message}`);
      this.#retries.set(uid, (this.#retries.get(uid) ?? 0) + 1);
      this.#enqueue(namespace, name, Math.min(1000 * 2 ** (this.#retries.get(uid) ?? 1), 120_000));
      return `Failure while starting VMI: ${message}`;
    }
  }

  readonly #retries = new Map<string, number>();

  #writeStatus(vm: Vm, vmi: Vmi | undefined, status: VmStatus, failure: string | undefined): void {
    const now = this.#clock.now();
    const { namespace, name } = vm.metadata;
    status.created = vmi !== undefined;
    status.ready = vmi?.status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
    if (vmi) {
      status.desiredGeneration = vm.metadata.generation ?? 1;
      status.observedGeneration = Number(vmi.metadata.annotations?.['kubevirt.io/vm-generation'] ?? 1);
    }
    if (status.runStrategy || status.created) status.runStrategy = strategyOf(vm);
    status.stateChangeRequests = trimmed(status.stateChangeRequests ?? [], vmi);
    if (status.stateChangeRequests.length === 0) delete status.stateChangeRequests;
    this.#countFailure(vm, vmi, status);
    status.conditions = conditionsOf(status.conditions, vmi, failure, now);
    status.printableStatus = printableOf({ ...vm, status }, vmi, this.#cluster);
    if (!equal(vm.status, status))
      this.#cluster.change(this.#vms, namespace, name, (old) => ({ ...old, status: status as unknown as Fields }));
    if (vmi && isFinal(vmi) && vmi.metadata.finalizers?.includes(vmFinalizer)) this.#release(vmi);
  }

  /** What the VM had to remember of its ended VMI is written: it may go. */
  #release(vmi: Vmi): void {
    const { namespace, name } = vmi.metadata;
    this.#cluster.change(this.#vmis, namespace, name, (old: Thing) => {
      const finalizers = (old.metadata.finalizers ?? []).filter((one) => one !== vmFinalizer);
      return { ...old, metadata: { ...old.metadata, finalizers } };
    });
  }

  #countFailure(vm: Vm, vmi: Vmi | undefined, status: VmStatus): void {
    const strategy = strategyOf(vm);
    const restarts = strategy === 'Always' || strategy === 'RerunOnFailure' || strategy === 'Once';
    if ((vmi && everRan(vmi)) || !restarts) delete status.startFailure;
    else if (vmi && isFinal(vmi) && status.startFailure?.lastFailedVMIUID !== vmi.metadata.uid) {
      const count = (status.startFailure?.consecutiveFailCount ?? 0) + 1;
      const base = 10 * count ** 2;
      const seconds = Math.min(base + Math.floor(this.#options.random() * (Math.floor(base / 2) + 1)), longestBackoffSeconds);
      status.startFailure = {
        consecutiveFailCount: count,
        lastFailedVMIUID: vmi.metadata.uid,
        retryAfterTimestamp: stamp(this.#clock.now() + seconds * 1000),
      };
    }
  }
}

/** The message that an annotation carries, or a usual one where it only says true. */
export const meaning = (value: string, usual: string): string => (value === '' || value === 'true' ? usual : value);

function backoffLeftMs(vm: Vm, now: number): number {
  const strategy = strategyOf(vm);
  const retryAt = vm.status?.startFailure?.retryAfterTimestamp;
  if (!retryAt || (strategy !== 'Always' && strategy !== 'RerunOnFailure')) return 0;
  const seconds = Math.floor(Date.parse(retryAt) / 1000) - Math.floor(now / 1000);
  return Math.max(0, seconds * 1000);
}

function trimmed(queue: ChangeRequest[], vmi: Vmi | undefined): ChangeRequest[] {
  const [first, ...rest] = queue;
  if (!first) return queue;
  if (first.action === 'Stop') return !vmi || first.uid !== vmi.metadata.uid ? rest : queue;
  return vmi && !vmi.metadata.deletionTimestamp && !isFinal(vmi) ? rest : queue;
}

/** The VMI that a VM's template makes. Guests are told what to do by the template, or by the VM itself. */
function instanceOf(vm: Vm): Vmi {
  const { template } = vm.spec;
  const own = Object.entries(vm.metadata.annotations ?? {}).filter(([key]) => isGuestKey(key));
  const paused = vm.status?.stateChangeRequests?.[0]?.data?.['paused'] === 'true';
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name: vm.metadata.name,
      namespace: vm.metadata.namespace,
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: '',
      labels: { ...template.metadata?.labels },
      annotations: {
        ...Object.fromEntries(own),
        ...template.metadata?.annotations,
        'kubevirt.io/latest-observed-api-version': 'v1',
        'kubevirt.io/vm-generation': String(vm.metadata.generation ?? 1),
      },
      finalizers: [vmFinalizer, 'foregroundDeleteVirtualMachine'],
      ownerReferences: [
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachine',
          name: vm.metadata.name,
          uid: vm.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { ...template.spec, ...(paused ? { startStrategy: 'Paused' } : {}) },
    status: { phase: 'Pending' },
  } as Vmi;
}
