import { isPaused, told, toldSeconds, type Vmi } from '../kubevirt/kubevirt.ts';
import type { Timers } from '../timers.ts';
import type { Pods } from './pods.ts';

const defaultShutdownSeconds = 2;
const defaultGraceSeconds = 30;
const killMs = 30;

/** A guest's way down: what it does of itself, and when it is ended. */
export class Shutdown {
  readonly #ground: { clock: Timers; pods: Pods };
  readonly #later: (ms: number, run: () => void) => () => void;
  readonly #end: (phase: 'Succeeded' | 'Failed') => void;
  #signalledAt: number | undefined;
  #cancelKill: (() => void) | undefined;
  #cancelEnd: (() => void) | undefined;

  constructor(
    ground: { clock: Timers; pods: Pods },
    later: (ms: number, run: () => void) => () => void,
    end: (phase: 'Succeeded' | 'Failed') => void,
  ) {
    this.#ground = ground;
    this.#later = later;
    this.#end = end;
  }

  /** The first signal counts: from it on the grace period runs. A hanging node side gives none. */
  signal(vmi: Vmi): void {
    if (this.#signalledAt !== undefined || told(vmi, 'hang') !== undefined) return;
    this.#signalledAt = this.#ground.clock.now();
    this.pauseChanged(vmi);
    this.graceChanged(vmi);
  }

  /** A paused guest does not hear of ACPI: the signal waits for it, and the grace period goes on (kubevirt#15405). */
  pauseChanged(vmi: Vmi): void {
    if (this.#signalledAt === undefined || told(vmi, 'ignore-acpi') !== undefined) return;
    if (isPaused(vmi)) {
      this.#cancelEnd?.();
      this.#cancelEnd = undefined;
    } else {
      const shutdownMs = (toldSeconds(vmi, 'shutdown-seconds') ?? defaultShutdownSeconds) * 1000;
      this.#cancelEnd ??= this.#later(shutdownMs, () => this.#end('Succeeded'));
    }
  }

  /**
   * Ends the guest when its grace is over, counted from the signal, or the pod's own limit, whichever comes first.
   * Killed with grace 0 is Succeeded, killed because a longer one was over Failed (KUBEVIRT.md §1).
   */
  graceChanged(vmi: Vmi): void {
    if (this.#signalledAt === undefined) return;
    this.#cancelKill?.();
    const graceSeconds = vmi.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    if (graceSeconds <= 0) {
      this.#cancelKill = this.#later(killMs, () => this.#end('Succeeded'));
      return;
    }
    const podLimit = this.#ground.pods.killedAt(vmi) ?? Infinity;
    const killAt = Math.min(this.#signalledAt + graceSeconds * 1000, podLimit);
    this.#cancelKill = this.#later(Math.max(0, killAt - this.#ground.clock.now()), () => this.#end('Failed'));
  }
}
