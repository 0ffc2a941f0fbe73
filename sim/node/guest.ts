import { asThing, isFinal, type Phase, told, toldSeconds, type Vmi, withCondition } from '../kubevirt/kubevirt.ts';
import { pausedByUser } from '../kubevirt/pause.ts';
import { ownDoings } from './doings.ts';
import type { Ground } from './ground.ts';
import { heldBack, type Obstacle, podRefused, podTroubles } from './obstacles.ts';
import { Shutdown } from './shutdown.ts';
import { notRunning, podTerminating, StatusWriter } from './statuswriter.ts';

const defaultBootSeconds = 0.84;
/** From Running to Ready=True. */
const readyMs = 18;

/** How long a VMI whose guest has ended stays: one that was to go, and one that ended by itself. */
const releaseMs = 70;
const releaseOfEndedMs = 130;

/**
 * One VMI from its creation to its end: scheduler, kubelet, virt-handler and the guest itself in one, obeying the
 * `sim.novasphere.dev/*` annotations. Times are those of KUBEVIRT.md §2.
 */
export class Guest {
  readonly #ground: Ground;
  readonly #status: StatusWriter;
  readonly #cancels = new Set<() => void>();
  readonly #shutdown: Shutdown;
  #deleting = false;
  #released = false;
  #lost = false;
  #podTries = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#status = new StatusWriter(ground);
    this.#shutdown = new Shutdown(
      ground,
      (ms, run) => this.#later(ms, run),
      (phase) => this.#end(phase),
    );
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
    } else {
      this.#shutdown.pauseChanged(vmi);
      this.#shutdown.graceChanged(vmi);
    }
  }

  /** A PVC came or was bound. */
  claimsChanged(): void {
    if (this.#phase() === 'Pending') this.#later(30, () => this.#schedule());
  }

  /** Somebody deleted the launcher pod gracefully: the guest is asked to go. */
  podTerminating(): void {
    const vmi = this.#ground.current();
    if (vmi?.status?.phase !== 'Running') return this.podGone();
    if (!this.#lost) this.#shutdown.signal(vmi);
    this.#shutdown.graceChanged(vmi); // the pod's time may have been cut short
  }

  /** The launcher pod is gone, and the guest with it. */
  podGone(): void {
    const phase = this.#phase();
    if (phase === undefined || phase === 'Succeeded' || phase === 'Failed') return;
    this.#cancelAll();
    const ended = phase === 'Running' || phase === 'Unknown' || !this.#deleting ? 'Failed' : 'Succeeded';
    this.#later(30, () => this.#status.phase(ended));
  }

  /** The node does not answer any more: nobody knows how the guest is. */
  lose(): void {
    this.#lost = true;
    this.#cancelAll();
    const message = 'the node does not report any more';
    this.#status.phase('Unknown', [{ type: 'Ready', status: 'Unknown', reason: 'NodeUnresponsive', message }]);
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
  }

  #phase(): Phase | undefined {
    return this.#ground.current()?.status?.phase;
  }

  /** From Pending to Scheduling, or what keeps it from there. */
  #schedule(): void {
    const vmi = this.#ground.current();
    if (!vmi || this.#deleting || vmi.status?.phase !== 'Pending') return;
    const held = heldBack(vmi, this.#ground.claimPhase) ?? this.#makePod(vmi);
    if (held) {
      this.#status.tell(...held.conditions);
      if (held.event) this.#ground.recorder.tell(held.event.type, asThing(vmi), held.event.reason, held.event.message);
      return;
    }
    const conditions = (vmi.status.conditions ?? []).filter(
      ({ type }) => !/^(Synchronized|PodScheduled|DataVolumesReady)$/.test(type),
    );
    this.#status.phase('Scheduling', [], {
      conditions: withCondition(conditions, notRunning, this.#ground.clock.now()),
    });
    const troubles = podTroubles(vmi);
    for (const { afterMs, condition } of troubles) this.#later(afterMs, () => this.#status.tell(condition));
    if (troubles.length > 0) return;
    const bootMs = (toldSeconds(vmi, 'boot-seconds') ?? defaultBootSeconds) * 1000;
    this.#later(bootMs / 2, () => this.#scheduled(bootMs / 2));
  }

  /** Why there is no pod, if so; it is tried again, later each time. */
  #makePod(vmi: Vmi): Obstacle | undefined {
    try {
      return this.#ground.pods.create(vmi) ? undefined : { conditions: [] }; // its namespace is going
    } catch (refusal) {
      this.#podTries++;
      this.#later(Math.min(1_000 * 2 ** this.#podTries, 60_000), () => this.#schedule());
      return podRefused((refusal as Error).message);
    }
  }

  #scheduled(bootLeftMs: number): void {
    const vmi = this.#ground.current();
    if (!vmi || this.#deleting) return;
    this.#ground.pods.run(vmi);
    this.#status.phase('Scheduled', [], { nodeName: this.#ground.pods.nodeOf(vmi) });
    if (told(vmi, 'never-running') !== undefined) {
      this.#later(bootLeftMs, () => this.#end('Failed'));
      return;
    }
    this.#later(bootLeftMs, () => this.#running());
  }

  #running(): void {
    const vmi = this.#ground.current();
    if (!vmi) return;
    this.#status.phase(
      'Running',
      [
        { type: 'LiveMigratable', status: 'True' },
        { type: 'StorageLiveMigratable', status: 'True' },
      ],
      {
        interfaces: [{ name: 'default', ipAddress: this.#ground.pods.addressOf(vmi) }],
      },
    );
    if (vmi.spec['startStrategy'] === 'Paused') this.#status.tell(pausedByUser);
    this.#ground.handler?.normal(asThing(vmi), 'Started', 'VirtualMachineInstance started.');
    this.#later(readyMs, () => {
      if (this.#phase() === 'Running' && !this.#deleting) this.#status.tell({ type: 'Ready', status: 'True' });
    });
    for (const { afterMs, what } of ownDoings(vmi, this.#ground.life, readyMs))
      this.#later(afterMs, () => {
        if (what === 'agent') this.#status.tell({ type: 'AgentConnected', status: 'True' });
        else this.#end(what);
      });
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
      if (this.#phase() === 'Running') this.#status.tell(podTerminating);
    });
    this.#shutdown.signal(vmi);
  }

  #end(phase: 'Succeeded' | 'Failed'): void {
    const vmi = this.#ground.current();
    if (!vmi || isFinal(vmi)) return;
    this.#cancelAll();
    this.#status.phase(phase);
    const { handler } = this.#ground;
    if (phase === 'Succeeded') handler?.normal(asThing(vmi), 'Stopped', 'The VirtualMachineInstance was shut down.');
    else handler?.warning(asThing(vmi), 'Stopped', 'The VirtualMachineInstance crashed.');
    this.#ground.pods.ended(vmi, phase);
    this.#later(60, () => this.#status.tell(notRunning));
    this.#later(150, () => this.#status.tell(podTerminating));
  }
}
