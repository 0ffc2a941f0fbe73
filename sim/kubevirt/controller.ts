import { denied } from '../apiserver/admission.ts';
import type { Cluster } from '../apiserver/cluster.ts';
import { equal, type Fields, stamp, type Thing } from '../apiserver/object.ts';
import type { Resource } from '../apiserver/resources.ts';
import type { Timers } from '../timers.ts';
import { asThing, everRan, isFinal, meaning, strategyOf, told, type Vm, type Vmi, type VmStatus } from './kubevirt.ts';
import type { Recorder } from './recorder.ts';
import { backoffLeftMs, decide, instanceOf, trimmed, vmFinalizer } from './strategy.ts';
import { VmCache } from './vmcache.ts';
import { conditionsOf, printableOf } from './vmstatus.ts';
import { type Pace, WorkQueue } from './workqueue.ts';

export interface ControllerOptions extends Pace {
  /** How long it takes until a changed VM is looked at. */
  delayMs: number;
  /** The same for a VM whose VMI changed. */
  vmiDelayMs: number;
  /** How much later than it happened it hears of a changed VM; within `delayMs`, unless that is longer. */
  lagMs: () => number;
  random: () => number;
}

const longestBackoffSeconds = 300;

/** The VM part of virt-controller (KubeVirt's pkg/virt-controller/watch/vm/vm.go, v1.9): makes VMIs come and go. */
export class VmController {
  readonly #cluster: Cluster;
  readonly #clock: Timers;
  readonly #recorder: Recorder;
  readonly #options: ControllerOptions;
  readonly #known: VmCache;
  readonly #vmis: Resource;
  readonly #queue: WorkQueue;

  constructor(cluster: Cluster, recorder: Recorder, options: ControllerOptions) {
    this.#cluster = cluster;
    this.#clock = cluster.clock;
    this.#recorder = recorder;
    this.#options = options;
    this.#vmis = cluster.registry.named('virtualmachineinstances');
    this.#queue = new WorkQueue(cluster.clock, options, {
      acts: (namespace, name) => this.#acts(namespace, name),
      work: (namespace, name) => this.#reconcile(namespace, name),
    });
    this.#known = new VmCache(cluster, options.lagMs, ({ metadata }, lagMs) =>
      this.#queue.add(metadata.namespace, metadata.name, Math.max(0, options.delayMs - lagMs)),
    );
    cluster.store.subscribe(this.#vmis, ({ object: { metadata } }) =>
      this.#queue.add(metadata.namespace, metadata.name, options.vmiDelayMs),
    );
  }

  #seen(namespace: string, name: string): { vm: Vm; current: boolean; vmi: Vmi | undefined } | undefined {
    const known = this.#known.get(namespace, name);
    if (!known) return undefined;
    const vmi = this.#cluster.store.get(this.#vmis, namespace, name) as Vmi | undefined;
    const owned = vmi?.metadata.ownerReferences?.some(({ uid }) => uid === known.vm.metadata.uid);
    return { ...known, vmi: owned ? vmi : undefined };
  }

  #acts(namespace: string, name: string): boolean {
    const seen = this.#seen(namespace, name);
    return seen !== undefined && decide(seen.vm, seen.vmi).act !== 'nothing';
  }

  #reconcile(namespace: string, name: string): void {
    const seen = this.#seen(namespace, name);
    if (!seen) return;
    const { vm } = seen;
    if (seen.current && !vm.metadata.deletionTimestamp && !vm.metadata.finalizers?.includes(vmFinalizer)) {
      const finalizers = [...(vm.metadata.finalizers ?? []), vmFinalizer];
      this.#known.write(namespace, name, (old) => ({ ...old, metadata: { ...old.metadata, finalizers } }));
    }
    const status: VmStatus = { ...vm.status };
    const failure = this.#sync(vm, seen.vmi, status, seen.current);
    const after = this.#seen(namespace, name);
    // A status that builds on what is not so any more is a conflict; the change that is on its way brings it back here.
    if (after?.current) this.#writeStatus(after.vm, seen.vmi && after.vmi, status, failure);
  }

  /** Carries it out; `status` gets what must be remembered. Returns why it could not, if so. */
  #sync(vm: Vm, vmi: Vmi | undefined, status: VmStatus, current: boolean): string | undefined {
    const { namespace, name } = vm.metadata;
    if (vm.metadata.deletionTimestamp && !vmi) {
      this.#known.write(namespace, name, (old) => {
        const finalizers = (old.metadata.finalizers ?? []).filter((one) => one !== vmFinalizer);
        return { ...old, metadata: { ...old.metadata, finalizers } };
      });
      return undefined;
    }
    const { act, restart } = decide(vm, vmi);
    if (!current && (restart || act === 'wish')) return undefined; // needs a write of the VM, which would be a conflict
    if (act === 'stop' && vmi) {
      this.#cluster.remove(this.#vmis, namespace, name);
      this.#recorder.normal(
        asThing(vm),
        'SuccessfulDelete',
        `Stopped the virtual machine by deleting the virtual machine instance ${vmi.metadata.uid}`,
      );
      if (restart) status.stateChangeRequests = [...(status.stateChangeRequests ?? []), { action: 'Start' }];
    }
    if (act === 'wish') return this.#wishRunning(vm);
    if (act !== 'start') return undefined;
    const waitMs = backoffLeftMs(vm, this.#clock.now());
    if (waitMs > 0) {
      this.#queue.add(namespace, name, waitMs);
      return undefined;
    }
    return this.#start(vm);
  }

  /** A queued Start beats Halted: the wish becomes Always. */
  #wishRunning(vm: Vm): string {
    const { namespace, name } = vm.metadata;
    const wish = vm.spec.runStrategy != null ? { runStrategy: 'Always' } : { running: true };
    this.#known.write(namespace, name, (old) => ({ ...old, spec: { ...old.spec, ...wish } }));
    return 'Failure while starting VMI: %!v(<nil>)';
  }

  #start(vm: Vm): string | undefined {
    const { namespace, name, uid } = vm.metadata;
    const vmi = instanceOf(vm);
    try {
      const refused = told(vmi, 'vmi-refused');
      if (refused !== undefined)
        throw denied(
          'virtualmachineinstances-create-validator.kubevirt.io',
          meaning(refused, 'spec.domain.resources is not valid'),
        );
      this.#cluster.create(this.#vmis, namespace, asThing(vmi), { internal: true });
      this.#retries.delete(uid);
      this.#recorder.normal(
        asThing(vm),
        'SuccessfulCreate',
        `Started the virtual machine by creating the new virtual machine instance ${name}`,
      );
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      this.#recorder.warning(asThing(vm), 'FailedCreate', `Error creating virtual machine instance: ${message}`);
      this.#retries.set(uid, (this.#retries.get(uid) ?? 0) + 1);
      this.#queue.add(namespace, name, Math.min(1000 * 2 ** (this.#retries.get(uid) ?? 1), 120_000));
      return `Failure while starting VMI: ${message}`;
    }
  }

  readonly #retries = new Map<string, number>();

  #writeStatus(vm: Vm, vmi: Vmi | undefined, status: VmStatus, failure: string | undefined): void {
    const now = this.#clock.now();
    const { namespace, name } = vm.metadata;
    status.created = vmi !== undefined;
    status.ready = vmi?.status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
    status.desiredGeneration = vm.metadata.generation ?? 1;
    status.observedGeneration = vm.metadata.generation ?? 1;
    if (status.runStrategy || status.created) status.runStrategy = strategyOf(vm);
    status.stateChangeRequests = trimmed(status.stateChangeRequests ?? [], vmi);
    if (status.stateChangeRequests.length === 0) delete status.stateChangeRequests;
    this.#countFailure(vm, vmi, status);
    status.conditions = conditionsOf(status.conditions, vmi, failure, now);
    status.printableStatus = printableOf({ ...vm, status }, vmi, this.#cluster);
    if (!equal(vm.status, status))
      this.#known.write(namespace, name, (old) => ({ ...old, status: status as unknown as Fields }));
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
      const seconds = Math.min(
        base + Math.floor(this.#options.random() * (Math.floor(base / 2) + 1)),
        longestBackoffSeconds,
      );
      status.startFailure = {
        consecutiveFailCount: count,
        lastFailedVMIUID: vmi.metadata.uid,
        retryAfterTimestamp: stamp(this.#clock.now() + seconds * 1000),
      };
    }
  }
}
