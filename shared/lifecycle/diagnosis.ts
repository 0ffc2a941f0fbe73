import type { FailureCode } from '../domain/errors.ts';
import { type Condition, conditionOf } from '../domain/model.ts';
import type { Operation } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import { living, type Machine, type VmView } from '../domain/vm.ts';
import type { Seen } from './step.ts';

interface Cause {
  reason: FailureCode;
  message: string;
}

/** One row of KUBEVIRT §2 "failures to start": where to look, and what it means. */
interface Row {
  reason: FailureCode;
  labels?: RegExp;
  condition?: { type: string; status: Condition['status']; reason?: RegExp };
  fallback: string;
}

const rows: Row[] = [
  {
    reason: 'ImageUnavailable',
    labels: /^(ErrImagePull|ImagePullBackOff)$/,
    condition: { type: 'Synchronized', status: 'False', reason: /^(ErrImagePull|ImagePullBackOff)$/ },
    fallback: 'A container image cannot be pulled.',
  },
  {
    reason: 'StorageNotReady',
    labels: /^ErrorPvcNotFound$/,
    condition: { type: 'Synchronized', status: 'False', reason: /Pvc/ },
    fallback: 'A PVC of the VM does not exist.',
  },
  {
    reason: 'StorageNotReady',
    condition: { type: 'PodScheduled', status: 'False', reason: /Pvc/ },
    fallback: 'A PVC of the VM does not exist.',
  },
  {
    reason: 'Unschedulable',
    labels: /^ErrorUnschedulable$/,
    condition: { type: 'PodScheduled', status: 'False', reason: /^Unschedulable$/ },
    fallback: 'No node fits.',
  },
  {
    reason: 'StorageNotReady',
    labels: /^DataVolumeError$/,
    condition: { type: 'DataVolumesReady', status: 'False' },
    fallback: 'A DataVolume of the VM failed.',
  },
  {
    reason: 'StorageNotReady',
    labels: /^(Provisioning|WaitingForVolumeBinding)$/,
    fallback: 'A disk of the VM is not bound or imported yet.',
  },
  { reason: 'Refused', condition: { type: 'Failure', status: 'True' }, fallback: 'The VMI was refused by admission.' },
  {
    reason: 'Refused',
    condition: { type: 'Synchronized', status: 'False', reason: /^FailedCreate$/ },
    fallback: 'The pod was refused.',
  },
];

/**
 * Why a VM did not come up, with KubeVirt's own message: from VM and VMI conditions, startFailure, what was seen to die,
 * and last the Wukong's own conditions. TimedOut when nothing tells.
 */
export function causeOf(
  machine: Machine,
  seen: Pick<Seen, 'died' | 'refusal'>,
  op: Pick<Operation, 'waitSeconds' | 'died'>,
  options: { wukongSays?: Cause; requireAgent: boolean },
): Cause {
  const known = knownCause(machine, Math.max(seen.died.size, op.died ?? 0)) ?? options.wukongSays;
  if (known) return known;
  return { reason: 'TimedOut', message: timedOut(machine, op.waitSeconds, options.requireAgent, seen.refusal) };
}

/**
 * Whether an operation loads the cluster (DESIGN §13): a stop until its guest shuts down; a start until it ends,
 * or its guest is known to go nowhere. One that waits for an old guest, or that KubeVirt has refused twice and that is asked ever more
 * rarely, loads nothing either.
 */
export function loadsCluster(action: Action, machine: Machine, seen: Pick<Seen, 'died' | 'refusals'>): boolean {
  const vmi = living(machine.vmi);
  if (vmi?.deletingSince !== undefined || seen.refusals >= 2) return false;
  if (action === 'stop') return vmi !== undefined;
  // What a VM says that is switched off is of its last start.
  const asked = vmi !== undefined || machine.vm?.strategy !== 'Halted';
  return !(asked && knownCause(machine, seen.died.size));
}

/** What VM and VMI themselves say of why the guest does not come up; `died`: so many lives have ended. */
function knownCause(machine: Machine, died: number): Cause | undefined {
  const { vm } = machine;
  const vmi = living(machine.vmi);
  const conditions = [...(vmi?.conditions ?? []), ...(vm?.conditions ?? [])];
  const label = vm?.printableStatus ?? '';
  for (const row of rows) {
    const found = row.condition && matching(conditions, row.condition);
    if (!found && !row.labels?.test(label)) continue;
    return { reason: row.reason, message: found?.message || firstComplaint(conditions) || row.fallback };
  }
  if (vm && (vm.startFailure || label === 'CrashLoopBackOff')) return crashLoop(vm);
  if (died >= 2)
    return {
      reason: 'GuestCrashLoop',
      message: `The guest ended ${died} times soon after it came up; KubeVirt restarts it each time.`,
    };
  if (vmi && (vmi.ready === 'Unknown' || vmi.phase === 'Unknown' || label === 'Unknown')) {
    const says = conditionOf(vmi.conditions, 'Ready')?.message;
    return { reason: 'NodeLost', message: `Node ${vmi.node ?? 'unknown'} does not answer.${says ? ` ${says}` : ''}` };
  }
  return undefined;
}

const matching = (conditions: Condition[], { type, status, reason }: NonNullable<Row['condition']>) =>
  conditions.find((c) => c.type === type && c.status === status && (!reason || reason.test(c.reason ?? '')));

const firstComplaint = (conditions: Condition[]): string | undefined =>
  conditions.find(({ status, message, type }) => status === 'False' && message && type !== 'Ready')?.message;

function crashLoop({ startFailure: failure }: VmView): Cause {
  const times = failure ? (failure.failures === 1 ? 'once' : `${failure.failures} times in a row`) : 'again and again';
  const next = failure?.retryAfter ? ` KubeVirt tries again at ${failure.retryAfter}.` : '';
  return { reason: 'GuestCrashLoop', message: `The guest failed to start ${times}.${next}` };
}

function timedOut({ vm, vmi }: Machine, waitSeconds: number, requireAgent: boolean, refusal?: string): string {
  const after = `after ${waitSeconds} s`;
  if (vmi?.paused) return `The VM is paused ${after}; resume it with: virtctl unpause vm ${vm?.name ?? ''}`;
  if (vmi?.deletingSince !== undefined) return `The old guest is still shutting down ${after}.`;
  if (vmi && vmi.ready === 'True' && requireAgent && !vmi.agentConnected)
    return `The guest runs, but its agent has not connected ${after}.`;
  const state = vmi ? `VMI ${vmi.phase || 'Pending'}` : 'no VMI';
  return `Not ready ${after}: ${state}, VM reads ${vm?.printableStatus || 'nothing yet'}.${refusal ? ` KubeVirt said: ${refusal}` : ''}`;
}
