import type { Vmi, VmiStatus } from '../kubevirt/kubevirt.ts';
import type { Recorder } from '../kubevirt/recorder.ts';
import type { Timers } from '../timers.ts';
import type { Pods } from './pods.ts';

/** What a guest needs of the world around it. */
export interface Ground {
  clock: Timers;
  pods: Pods;
  recorder: Recorder;
  /** virt-handler's own, where it tells of guests that began and ended. */
  handler?: Recorder;
  /** The newest VMI with this uid; undefined when it is gone. */
  current(): Vmi | undefined;
  /** The how manieth of its VM this one is, from 1. */
  life: number;
  setStatus(change: (status: VmiStatus) => VmiStatus): void;
  /** Takes the VMI's own finalizer off. */
  release(): void;
  /** undefined: no such claim. */
  claimPhase(name: string): string | undefined;
}
