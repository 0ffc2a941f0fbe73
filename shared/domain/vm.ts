import { type Condition, conditionOf, type StateName } from './model.ts';

/**
 * A VM and its VMI as this library sees them: of each only what a decision needs, so that ten thousand fit into memory.
 * `…View` is read from the API's JSON by one function here; nothing else knows the JSON.
 */

/** A VirtualMachine. `strategy` is in KubeVirt's words also for the legacy field: `running: true` reads Always. */
export interface VmView {
  namespace: string;
  name: string;
  uid: string;
  resourceVersion: string;
  strategy: string;
  /** Which of the two exclusive fields the VM uses. */
  field: 'runStrategy' | 'running';
  /** `status.stateChangeRequests`: a queued Start beats a stop (KUBEVIRT §1). */
  queue: { action: string; uid?: string }[];
  /** False until the controller has looked at the VM for the first time. */
  observed: boolean;
  deleting: boolean;
  printableStatus: string;
  /** Those that complain. */
  conditions: Condition[];
  startFailure?: { failures: number; retryAfter?: string };
  created: boolean;
  /** Counts the changes of the spec. */
  generation?: number;
  /** The generation that the controller has acted on; older KubeVirt does not say. */
  observedGeneration?: number;
  /** The uids of the Wukongs that own it, and the name of the one that it was given to (`ownership.ts`). */
  owners?: string[];
  adoptedBy?: string;
}

export interface VmiView {
  namespace: string;
  name: string;
  uid: string;
  phase: string;
  /** Instant of `metadata.deletionTimestamp`: where the grace period begins. */
  deletingSince?: number;
  /** The VMI's own grace period; KubeVirt uses 30 s when the field is absent. */
  graceSeconds: number;
  ready: 'True' | 'False' | 'Unknown';
  /** Since when it is so, by the API server's clock, in whole seconds. */
  readySince?: number;
  paused: boolean;
  agentConnected: boolean;
  migrating: boolean;
  node?: string;
  finalizers: string[];
  conditions: Condition[];
  /** When its guest came to run; null: it never did. Undefined where KubeVirt does not tell the times of phases. */
  ranAt?: number | null;
  /** When it came to its final phase, to the second. */
  endedAt?: number;
}

/** What is there of one virtual machine. */
export interface Machine {
  vm?: VmView;
  /** The name of a VM that stands in its place, and is not this Wukong's: then nothing else of it is here. */
  foreign?: string;
  vmi?: VmiView;
  /** The last VMI that was seen to go, as it was at its end. */
  gone?: VmiView;
}

/** A VMI in one of these phases stays in it: its guest has ended. */
export const isEnded = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

/** The VMI whose guest runs or may run; an ended one is none. */
export const living = (vmi: VmiView | undefined): VmiView | undefined => (isEnded(vmi?.phase) ? undefined : vmi);

/** On (KUBEVIRT §2): VMI Running, not deleting, Ready; one that stands still is not. */
export const isOn = ({ vmi }: Machine): boolean =>
  vmi !== undefined &&
  vmi.phase === 'Running' &&
  vmi.deletingSince === undefined &&
  vmi.ready === 'True' &&
  !vmi.paused;

export const startQueued = (vm: VmView): boolean => vm.queue.some(({ action }) => action === 'Start');

/**
 * Off (KUBEVIRT §2): no VMI, or an ended one that nothing will replace; and nothing is going to start one. A VM whose
 * status was never written is between: its controller has not looked yet.
 */
export function isOff({ vm, vmi }: Machine): boolean {
  if (!vm || !vm.observed || living(vmi) || startQueued(vm)) return false;
  switch (vm.strategy) {
    case 'Halted':
    case 'Manual':
      return true;
    case 'RerunOnFailure':
      return vmi?.phase !== 'Failed';
    case 'Once':
      return vmi !== undefined && vmi.deletingSince === undefined;
    default:
      return false;
  }
}

/**
 * Whether the controller has acted on the present spec: before that a VM that looks off may be about to start. True for
 * an older KubeVirt, which does not say.
 */
export const isSpecObserved = ({ generation, observedGeneration }: VmView): boolean =>
  generation === undefined || observedGeneration === undefined || observedGeneration >= generation;

/** The state for people and tools, from what is really there. */
export function stateOf(machine: Machine): StateName {
  const { vm } = machine;
  if (!vm) return 'Unknown';
  const vmi = living(machine.vmi);
  if (vmi) {
    if (vmi.deletingSince !== undefined) return 'Stopping';
    if (vmi.paused) return 'Paused';
    if (vmi.phase === 'Unknown' || vmi.ready === 'Unknown') return 'Unknown';
    if (vmi.phase === 'Running' && vmi.ready === 'True') return 'Running';
    return troubled(vm) ? 'Failed' : 'Starting';
  }
  if (isOff(machine)) return 'Stopped';
  return troubled(vm) ? 'Failed' : 'Starting';
}

const trouble = /^(Err|ImagePullBackOff|CrashLoopBackOff|DataVolumeError)/;

const troubled = (vm: VmView): boolean =>
  trouble.test(vm.printableStatus) || conditionOf(vm.conditions, 'Failure')?.status === 'True';
