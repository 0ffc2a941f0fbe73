import { type Condition, stamp } from '../apiserver/object.ts';
import { type Phase, type VmiStatus, withCondition } from '../kubevirt/kubevirt.ts';
import type { Timers } from '../timers.ts';

const notReady = (reason: string, message: string): Condition => ({ type: 'Ready', status: 'False', reason, message });
export const notRunning = notReady('GuestNotRunning', 'Guest VM is not reported as running');
export const podTerminating = notReady('PodTerminating', 'virt-launcher pod is terminating');

/** Writes a VMI's status, as little and as often as the real node side does. */
export class StatusWriter {
  readonly #clock: Timers;
  readonly #write: (change: (status: VmiStatus) => VmiStatus) => void;

  constructor(ground: { clock: Timers; setStatus(change: (status: VmiStatus) => VmiStatus): void }) {
    this.#clock = ground.clock;
    this.#write = (change) => ground.setStatus(change);
  }

  /** One write: the phase, and conditions that come with it. */
  phase(phase: Phase, conditions: Condition[] = [], more: VmiStatus = {}): void {
    const transition = { phase, phaseTransitionTimestamp: stamp(this.#clock.now()) };
    this.#write((status) => ({
      ...this.#with(status, conditions),
      ...more,
      phase,
      phaseTransitionTimestamps: [...(status.phaseTransitionTimestamps ?? []), transition],
    }));
  }

  tell(...conditions: Condition[]): void {
    this.#write((status) => this.#with(status, conditions));
  }

  #with(status: VmiStatus, conditions: Condition[]): VmiStatus {
    const now = this.#clock.now();
    const all = conditions.reduce((some, next) => withCondition(some, next, now), status.conditions ?? []);
    return { ...status, ...(all.length > 0 ? { conditions: all } : {}) };
  }
}
