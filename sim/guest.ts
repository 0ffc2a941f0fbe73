import type { Timers } from './clock.ts';
import { isFinal, told, toldSeconds, type Vmi, type VmiStatus, withCondition } from './kubevirt.ts';
import { meaning } from './controller.ts';
import { type Condition, stamp } from './object.ts';
import { isKilledAtOnce, type Pods } from './pods.ts';
import type { Recorder } from './recorder.ts';
import { claimsOf } from './vmstatus.ts';

/** What a guest needs of the world around it. */
export interface Ground {
  clock: Timers;
  pods: Pods;
  recorder: Recorder;
  /** The newest VMI with this uid; undefined when it is gone. */
  current(): Vmi | undefined;
  setStatus(change: (status: VmiStatus) => VmiStatus): void;
  /** Takes the VMI's own finalizer off. */
  release(): void;
  /** undefined: no such claim. */
  claimPhase(name: string): string | undefined;
}

const defaultBootSeconds = 0.84;
const defaultShutdownSeconds = 2;
const defaultGraceSeconds = 30;

const notReady = (reason: string, message: string): Condition => ({ type: 'Ready', status: 'False', reason, message });
const notRunning = notReady('GuestNotRunning', 'Guest VM is not reported as running');
const podTerminating = notReady('PodTerminating', 'virt-launcher pod is terminating');

/** How long a VMI whose guest has ended stays: one that was to go, and one that ended by itself. */
const releaseMs = 70;
const releaseOfEndedMs = 130;

type PhaseName = NonNullable<VmiStatus['phase']>;

/**
 * One VMI from its creation to its end: scheduler, kubelet, virt-handler and the guest itself in one, obeying the
 * `sim.novasphere.dev/*` annotations. Times are those of KUBEVIRT.md §2.
 */
export class Guest {
  readonly #ground: Ground;
  readonly #cancels = new Set<() => void>();
  #signalledAt: number | undefined;
  #cancelKill: (() => void) | undefined;
  #deleting = false;
  #released = false;
  #lost = false;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#later(60, () => this.#schedule());
  }

  /** The VMI changed: a deletion or another grace period may have come. */
  changed(vmi: Vmi): void {
    const deletedNow = vmi.metadata.deletionTimestamp !== undefined && !this.#deleting;
    if (deletedNow) {
      this.#deleting = true;
      this.#later(20, () => this.#deletionBegins());
    }
    if (isFinal(vmi)) {
      if (this.#deleting && !this.#released) {
        this.#released = true;
        this.#later(deletedNow ? releaseOfEndedMs : releaseMs, () => this.#ground.release());
      }
    } else if (this.#signalledAt !== undefined) this.#armKill(vmi);
  }

  /** A PVC came or was bound. */
  claimsChanged(): void {
    if (this.#phase() === 'Pending') this.#later(30, () => this.#schedule());
  }

  /** Somebody deleted the launcher pod gracefully: the guest is asked to go. */
  podTerminating(): void {
    if (this.#phase() === 'Running') this.#signal();
    else this.podGone();
  }

  /** The launcher pod is gone, and the guest with it. */
  podGone(): void {
    const phase = this.#phase();
    if (phase === undefined || phase === 'Succeeded' || phase === 'Failed') return;
    this.#cancelAll();
    const ended = phase === 'Running' || phase === 'Unknown' || !this.#deleting ? 'Failed' : 'Succeeded';
    this.#later(30, () => this.#setPhase(ended));
  }

  /** The node does not answer any more: nobody knows how the guest is. */
  lose(): void {
    this.#lost = true;
    this.#cancelAll();
    const message = 'the node does not report any more';
    this.#setPhase('Unknown', [{ type: 'Ready', status: 'Unknown', reason: 'NodeUnresponsive', message }]);
  }

  dispose(): void {
    this.#cancelAll();
  }

  #later(ms: number, run: () => void): () => void {
    const cancel = this.#ground.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      run();
    });
    this.#cancels.add(cancel);
    return cancel;
  }

  #cancelAll(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#cancelKill?.();
  }

  #phase(): PhaseName | undefined {
    return this.#ground.current()?.status?.phase;
  }

  /** One write: the phase, and conditions that come with it. */
  #setPhase(phase: PhaseName, conditions: Condition[] = [], more: VmiStatus = {}): void {
    const moment = stamp(this.#ground.clock.now());
    this.#ground.setStatus((status) => ({
      ...this.#withConditions(status, conditions),
      ...more,
      phase,
      phaseTransitionTimestamps: [...(status.phaseTransitionTimestamps ?? []), { phase, phaseTransitionTimestamp: moment }],
    }));
  }

  #condition(...conditions: Condition[]): void {
    this.#ground.setStatus((status) => this.#withConditions(status, conditions));
  }

  #withConditions(status: VmiStatus, conditions: Condition[]): VmiStatus {
    const now = this.#ground.clock.now();
    const all = conditions.reduce((some, next) => withCondition(some, next, now), status.conditions ?? []);
    return { ...status, ...(all.length > 0 ? { conditions: all } : {}) };
  }

  /** From Pending to Scheduling, or what keeps it from there. */
  #schedule(): void {
    const vmi = this.#ground.current();
    if (!vmi || this.#deleting || vmi.status?.phase !== 'Pending') return;
    const held = this.#heldBack(vmi);
    if (held) return;
    this.#ground.pods.create(vmi);
    const conditions = (vmi.status.conditions ?? []).filter(({ type }) => !/^(Synchronized|PodScheduled|DataVolumesReady)$/.test(type));
    this.#setPhase('Scheduling', [], { conditions: withCondition(conditions, notRunning, this.#ground.clock.now()) });
    const unschedulable = told(vmi, 'unschedulable');
    if (unschedulable !== undefined) return this.#unschedulable(unschedulable);
    const image = told(vmi, 'image');
    if (image !== undefined) return this.#badImage(meaning(image, 'registry.example.com/disk:latest'));
    const bootMs = (toldSeconds(vmi, 'boot-seconds') ?? defaultBootSeconds) * 1000;
    this.#later(bootMs / 2, () => this.#scheduled(bootMs / 2));
  }

  #heldBack(vmi: Vmi): boolean {
    const { namespace, name } = vmi.metadata;
    const quota = told(vmi, 'quota');
    if (quota !== undefined) {
      const usual = 'exceeded quota: compute, requested: requests.memory=64Mi, used: requests.memory=1Gi, limited: requests.memory=1Gi';
      const message = `failed to create virtual machine pod: pods "virt-launcher-${name}-" is forbidden: ${meaning(quota, usual)}`;
      this.#condition({ type: 'Synchronized', status: 'False', reason: 'FailedCreate', message });
      this.#warn('FailedCreate', `Error creating pod: ${message}`);
      return true;
    }
    const claims = claimsOf(vmi.spec);
    const absent = told(vmi, 'pvc-missing');
    const missing = absent === undefined ? claims.find((claim) => this.#ground.claimPhase(claim) === undefined) : meaning(absent, `${name}-disk`);
    if (missing !== undefined) {
      const message = `PVC ${namespace}/${missing} does not exist, waiting for it to appear`;
      const condition = { status: 'False', reason: 'FailedPvcNotFound', message } as const;
      this.#condition({ type: 'PodScheduled', ...condition }, { type: 'Synchronized', ...condition });
      this.#warn('FailedPvcNotFound', message);
      return true;
    }
    if (told(vmi, 'datavolume-error') !== undefined) {
      const message = meaning(told(vmi, 'datavolume-error') ?? '', 'DataVolume import failed: unable to connect to the data source');
      this.#condition({ type: 'DataVolumesReady', status: 'False', reason: 'NotAllDVsReady', message });
      return true;
    }
    const unbound = claims.some((claim) => this.#ground.claimPhase(claim) !== 'Bound');
    return unbound || told(vmi, 'pvc-unbound') !== undefined;
  }

  #warn(reason: string, message: string): void {
    const vmi = this.#ground.current();
    if (vmi) this.#ground.recorder.warning({ ...vmi, apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance' } as never, reason, message);
  }

  #unschedulable(value: string): void {
    const usual = '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
    this.#later(40, () =>
      this.#condition({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: meaning(value, usual) }),
    );
  }

  #badImage(image: string): void {
    const failed = (reason: string, message: string) => this.#condition({ type: 'Synchronized', status: 'False', reason, message });
    this.#later(300, () => failed('ErrImagePull', `failed to pull and unpack image "${image}": not found`));
    this.#later(2000, () => failed('ImagePullBackOff', `Back-off pulling image "${image}"`));
  }

  #scheduled(bootLeftMs: number): void {
    const vmi = this.#ground.current();
    if (!vmi || this.#deleting) return;
    this.#ground.pods.run(vmi);
    this.#setPhase('Scheduled', [], { nodeName: this.#ground.pods.nodeName });
    if (told(vmi, 'never-running') !== undefined) {
      this.#later(bootLeftMs, () => this.#end('Failed'));
      return;
    }
    this.#later(bootLeftMs, () => this.#running());
  }

  #running(): void {
    const vmi = this.#ground.current();
    if (!vmi) return;
    this.#setPhase('Running', [{ type: 'LiveMigratable', status: 'True' }, { type: 'StorageLiveMigratable', status: 'True' }], {
      interfaces: [{ name: 'default', ipAddress: this.#ground.pods.addressOf(vmi) }],
    });
    this.#later(18, () => {
      if (this.#phase() === 'Running' && !this.#deleting) this.#condition({ type: 'Ready', status: 'True' });
    });
    const after = (key: 'crash-after-seconds' | 'poweroff-after-seconds' | 'agent-after-seconds', run: () => void) => {
      const seconds = toldSeconds(vmi, key);
      if (seconds !== undefined) this.#later(seconds * 1000, run);
    };
    after('crash-after-seconds', () => this.#end('Failed'));
    after('poweroff-after-seconds', () => this.#end('Succeeded'));
    after('agent-after-seconds', () => this.#condition({ type: 'AgentConnected', status: 'True' }));
    if (this.#deleting) this.#deletionBegins();
  }

  /** virt-controller deletes the pod, and virt-handler tells the guest to go, unless nobody is there to do it. */
  #deletionBegins(): void {
    const vmi = this.#ground.current();
    if (!vmi || isFinal(vmi)) return;
    this.#ground.pods.terminate(vmi);
    if (this.#lost || told(vmi, 'hang') !== undefined) return;
    if (vmi.status?.phase !== 'Running') {
      this.#cancelAll();
      this.#later(150, () => this.#end('Succeeded'));
      return;
    }
    this.#later(70, () => {
      if (this.#phase() === 'Running') this.#condition(podTerminating);
    });
    this.#signal();
  }

  /** The first shutdown signal: from now on the grace period counts. */
  #signal(): void {
    const vmi = this.#ground.current();
    if (!vmi || this.#signalledAt !== undefined || this.#lost || told(vmi, 'hang') !== undefined) return;
    this.#signalledAt = this.#ground.clock.now();
    const shutdownMs = (toldSeconds(vmi, 'shutdown-seconds') ?? defaultShutdownSeconds) * 1000;
    if (told(vmi, 'ignore-acpi') === undefined) this.#later(shutdownMs, () => this.#end('Succeeded'));
    this.#armKill(vmi);
  }

  /** The guest is ended when its grace is over, counted from the signal, or the pod's own, whichever comes first. */
  #armKill(vmi: Vmi): void {
    this.#cancelKill?.();
    if (this.#signalledAt === undefined) return;
    const graceSeconds = vmi.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    const now = this.#ground.clock.now();
    if (isKilledAtOnce(graceSeconds)) {
      this.#cancelKill = this.#later(30, () => this.#end('Succeeded'));
      return;
    }
    const podLimit = this.#ground.pods.killedAt(vmi) ?? Infinity;
    const killAt = Math.min(this.#signalledAt + graceSeconds * 1000, podLimit);
    this.#cancelKill = this.#later(Math.max(0, killAt - now), () => this.#end('Failed'));
  }

  #end(phase: 'Succeeded' | 'Failed'): void {
    const vmi = this.#ground.current();
    if (!vmi || isFinal(vmi)) return;
    this.#cancelAll();
    this.#setPhase(phase);
    this.#ground.pods.ended(vmi, phase);
    this.#later(60, () => this.#condition(notRunning));
    this.#later(150, () => this.#condition(podTerminating));
  }
}
