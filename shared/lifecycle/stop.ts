import { acceptMs, forceWaitMs, marginMs, undoneUntil } from '../domain/claimTimes.ts';
import { type Operation } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import { isOff, isSpecObserved, living, type Machine, startQueued, type VmiView, type VmView } from '../domain/vm.ts';
import { endingOf } from './ending.ts';
import { hasTried, isOvertaken, isRecent, lagMs, type Seen, type Step, without } from './step.ts';

const mostComebacks = 2;
/** KubeVirt takes an ended VMI away in a tenth of a second; one that something holds is off all the same after this. */
const goneMs = 60_000;

/** The stop ladder of DESIGN §5, as one decision: ask, wait, insist, wait, verify. `now` is an instant. */
export function decideStop(op: Operation, machine: Machine, seen: Seen, now: number): Step {
  const { vm } = machine;
  if (!vm) return end({ outcome: 'Failed', ...without(machine) });
  if (seen.clearedQueue && vm.strategy === 'RerunOnFailure') return { do: 'strategy', value: 'Halted' };
  const at: Moment = { op, vm, seen, now };
  if (isOff(machine)) return atRest(at, machine);
  const vmi = living(machine.vmi);
  if (!vmi) return keepOff(at, machine.vmi);
  if (op.vmiUid !== vmi.uid) return retarget(op, vmi, seen);
  return vmi.deletingSince === undefined ? begin(at, vmi) : insist(at, vmi, vmi.deletingSince);
}

/** One operation, and what is known of its VM at one moment. */
interface Moment {
  op: Operation;
  vm: VmView;
  seen: Seen;
  /** Instant. */
  now: number;
}

const end = (result: Result): Step => ({ do: 'end', result });

/** No guest, and nothing that starts one; unless somebody's call, or the controller, is about to. */
function atRest({ op, vm, seen, now }: Moment, machine: Machine): Step {
  if (now < undoneUntil(op))
    return { do: 'wait', until: undoneUntil(op), for: 'the superseded start to leave the VM alone' };
  const goneBy = (seen.ended?.at ?? op.stepAt) + goneMs;
  const stays = machine.vmi?.deletingSince === undefined && (vm.strategy === 'Manual' || vm.strategy === 'Once');
  if (machine.vmi && !stays && now < goneBy) return { do: 'wait', until: goneBy, for: 'the ended VMI to go' };
  const observedBy = specObservedBy(vm, seen, now);
  if (now < observedBy) return { do: 'wait', until: observedBy, for: 'KubeVirt to look at the present spec' };
  return end(endingOf(op, machine, seen));
}

/**
 * virt-controller acts from a cache, so that a VMI may still come of a spec that was changed since. Without a VMI, or
 * with another template, KubeVirt never says that it has acted on a spec: then its cache had time enough.
 */
function specObservedBy(vm: VmView, { spec }: Seen, now: number): number {
  if (isSpecObserved(vm)) return now;
  return (spec && spec.generation === vm.generation ? spec.since : now) + lagMs;
}

/**
 * A VMI with another uid: the first one to stop, or one that came back after its predecessor was asked, by this process
 * or by one that recorded that it was further with it. How far it was is nothing to the new one, which has its whole grace.
 */
function retarget(op: Operation, vmi: VmiView, seen: Seen): Step {
  const cameBack = op.vmiUid !== undefined && (seen.askedFor === op.vmiUid || op.step !== 'Claimed');
  if (cameBack && op.comebacks >= mostComebacks) {
    const message = `The VM was stopped ${op.comebacks + 1} times and came back each time.`;
    return end({ outcome: 'Failed', reason: 'RestartedItself', message });
  }
  return { do: 'retarget', uid: vmi.uid, cameBack };
}

/** Whether the answer to our request for this guest may not have come by the watch yet. */
const justAsked = (seen: Seen, uid: string, now: number): boolean => seen.askedFor === uid && isRecent(seen, now);

/** Whether the VM shows that KubeVirt was asked: Halted, or a Stop request for this very VMI. */
const isAsked = (vm: VmView, vmi: VmiView): boolean =>
  vm.strategy === 'Halted' || vm.queue.some(({ action, uid }) => action === 'Stop' && uid === vmi.uid);

/** The guest runs and nothing has begun yet. */
function begin({ op, vm, seen, now }: Moment, vmi: VmiView): Step {
  if (seen.invalid) return refused(op, seen);
  const recently = justAsked(seen, vmi.uid, now);
  const waits = recently && !isOvertaken(seen, vm);
  const comesBack = comingBack(vm, vmi);
  if (comesBack && !waits) return comesBack;
  const since = op.step === 'AskedAgain' ? op.stepAt : (seen.askedAt ?? op.startedAt);
  if (isAsked(vm, vmi) || waits) {
    if (!recently && graceWanted(op, vmi) !== undefined) return { do: 'ask', graceSeconds: graceWanted(op, vmi) };
    if (now < since + acceptMs) return { do: 'wait', until: since + acceptMs, for: 'KubeVirt to begin the shutdown' };
    // A Halted VM takes only a shorter period (KUBEVIRT §1): asking the same again would be refused.
    if (op.step === 'Claimed') return { do: 'ask', graceSeconds: shorter(vm, vmi), again: true };
    return notAccepted('KubeVirt took the stop and began no shutdown, although it was asked again.', seen);
  }
  if (now >= op.startedAt + 2 * acceptMs && op.comebacks === 0 && hasTried(seen))
    return notAccepted('KubeVirt did not take the stop.', seen);
  return { do: 'ask', graceSeconds: op.force ? 0 : op.graceSeconds };
}

const shorter = (vm: VmView, vmi: VmiView): number | undefined =>
  vm.strategy === 'Halted' ? Math.max(0, vmi.graceSeconds - 1) : undefined;

const notAccepted = (what: string, seen: Seen): Step =>
  end({ outcome: 'Failed', reason: 'NotAccepted', message: seen.refusal ? `${what} It said: ${seen.refusal}` : what });

/** DESIGN §5: when asking gracefully fails for good, the guest is forced; when that is refused too, it is told. */
function refused(op: Operation, seen: Seen): Step {
  if (!op.force && op.step !== 'Forced') return { do: 'force' };
  return end({ outcome: 'Failed', reason: 'Refused', message: `KubeVirt refused the stop: ${seen.refusal ?? ''}` });
}

/** The period that was asked for, where the VMI still has another one. */
function graceWanted(op: Operation, vmi: VmiView): number | undefined {
  const wanted = op.force ? 0 : op.graceSeconds;
  return wanted === vmi.graceSeconds || vmi.graceSeconds === 0 ? undefined : wanted;
}

/** What keeps a VM from coming back once its guest is gone (KUBEVIRT §1, the restart table). */
function comingBack(vm: VmView, vmi: VmiView): Step | undefined {
  if (startQueued(vm)) {
    if (vm.strategy !== 'Halted') return { do: 'ask' };
    return vmi.graceSeconds > 1 ? { do: 'ask', graceSeconds: vmi.graceSeconds - 1 } : { do: 'clearQueue' };
  }
  return undefined;
}

/** The guest is shutting down: wait for its grace period, counted from deletionTimestamp, then force. */
function insist({ op, vm, seen, now }: Moment, vmi: VmiView, since: number): Step {
  const recently = justAsked(seen, vmi.uid, now);
  const restarts =
    comingBack(vm, vmi) ?? (vm.strategy === 'Always' || vm.strategy === 'Once' ? ({ do: 'ask' } as const) : undefined);
  if (restarts && !(recently && !isOvertaken(seen, vm))) return restarts;
  const isForced = vmi.graceSeconds === 0 || seen.forced;
  // A record alone deletes no pod: the live guest was forced, and had its time to go.
  if (op.step === 'PodDeleted' && isForced && now >= since + forceWaitMs)
    return seen.podDeleted ? untilStuck(op, vmi, op.stepAt + forceWaitMs, now) : { do: 'deletePod' };
  if (isForced) return untilStuck(op, vmi, Math.max(since, op.stepAt) + forceWaitMs, now);
  if (op.step === 'Forced' || op.step === 'PodDeleted') return { do: 'force' }; // its owner died between the record and the call
  if (!recently && graceWanted(op, vmi) !== undefined) return { do: 'ask', graceSeconds: graceWanted(op, vmi) };
  const forceAt = since + vmi.graceSeconds * 1000 + marginMs;
  if (op.force || now >= forceAt) return { do: 'force' };
  return { do: 'wait', until: forceAt, for: 'the guest to shut down' };
}

/** Forced, and given its time to go; then the pod, where that was allowed, and in the end the truth. */
function untilStuck(op: Operation, vmi: VmiView, until: number, now: number): Step {
  if (now < until) return { do: 'wait', until, for: 'the forced guest to go' };
  if (op.deletePodWhenStuck && op.step !== 'PodDeleted') return { do: 'deletePod' };
  const where = `VMI ${vmi.name} (uid ${vmi.uid}) on node ${vmi.node ?? 'unknown'}`;
  const held = vmi.finalizers.length > 0 ? `, finalizers ${vmi.finalizers.join(', ')}` : '';
  return end({
    outcome: 'Failed',
    reason: 'Stuck',
    message: `The guest was forced and is still there: ${where}${held}.`,
  });
}

/** No guest, but something is going to start one. */
function keepOff({ op, vm, seen, now }: Moment, ended: VmiView | undefined): Step {
  if (now >= op.deadline) return notAccepted('The VM did not come to rest.', seen);
  if (!vm.observed) return { do: 'wait', until: op.deadline, for: 'KubeVirt to look at the VM' };
  if (startQueued(vm)) return { do: 'clearQueue' };
  if (vm.strategy === 'RerunOnFailure') return { do: 'strategy', value: 'Halted' };
  if (seen.invalid) return refused(op, seen);
  return justAsked(seen, ended?.uid ?? 'none', now) && !isOvertaken(seen, vm)
    ? { do: 'wait', until: now + lagMs, for: 'the VM to come to rest' }
    : { do: 'ask' };
}
