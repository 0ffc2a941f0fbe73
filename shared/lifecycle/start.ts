import { undoneUntil } from '../domain/claimTimes.ts';
import { type Operation } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import { isOn, living, type Machine, startQueued, type VmView } from '../domain/vm.ts';
import { causeOf } from './diagnosis.ts';
import { hasTried, isOvertaken, isRecent, lagMs, seconds, type Seen, settleMs, type Step, without } from './step.ts';

/**
 * When a start gives up waiting; the wish to run stays. Where its first process died before it asked, and the next one
 * came that late, the time counts from the request.
 */
export function startDeadline({ startedAt, waitSeconds }: Operation, { askedAt }: Seen): number {
  const until = startedAt + waitSeconds * 1000;
  return askedAt === undefined || askedAt < until ? until : askedAt + waitSeconds * 1000;
}

export interface StartOptions {
  requireAgent: boolean;
  /** What the Wukong's own conditions say of networks and volumes. */
  wukongSays?: { reason: 'NetworkNotReady' | 'StorageNotReady'; message: string };
}

/** The start of DESIGN §6, as one decision. `now` is an instant. */
export function decideStart(op: Operation, machine: Machine, seen: Seen, now: number, options: StartOptions): Step {
  const { vm } = machine;
  if (!vm) return end({ outcome: 'Failed', ...without(machine) });
  const isUp = isOn(machine) && staysOn(vm) && (!options.requireAgent || machine.vmi?.agentConnected);
  if (isUp && now < undoneUntil(op))
    return { do: 'wait', until: undoneUntil(op), for: 'the superseded stop to leave the VM alone' };
  const settledAt = isUp ? settled(op, machine, seen) : now;
  if (now < settledAt) return { do: 'wait', until: settledAt, for: 'the guest to stay up, as one before it died' };
  if (isUp)
    return end({ outcome: 'Started', message: `The guest is up and ready after ${seconds(now - op.startedAt)}.` });
  const until = startDeadline(op, seen);
  const failed = (): Step => end({ outcome: 'Failed', ...causeOf(machine, seen, op, options) });
  if (now >= until && hasTried(seen)) return failed();
  const wait = (what: string): Step => (now < until ? { do: 'wait', until, for: what } : failed());
  const vmi = living(machine.vmi);
  if (vmi?.deletingSince !== undefined) return wait('the old guest to go'); // its 409 is never success
  if (vmi && vm.strategy === 'Halted') return wait('the accepted stop to end');
  if (vmi) return wait(options.requireAgent && isOn(machine) ? 'the guest agent' : 'the guest to be ready');
  if (startQueued(vm) || !vm.observed) return wait('KubeVirt to begin the start');
  if (isRecent(seen, now) && !isOvertaken(seen, vm))
    return { do: 'wait', until: Math.min(until, now + lagMs), for: 'KubeVirt to begin the start' };
  if (seen.invalid)
    return end({ outcome: 'Failed', reason: 'Refused', message: `KubeVirt refused the start: ${seen.refusal ?? ''}` });
  return request({ op, vm, seen, ended: machine.vmi }, wait);
}

/**
 * When a guest that is up counts as started: one that dies at once is ready for some 20 ms in each of its lives (KUBEVIRT
 * §5). By our own clock where this process saw it come up; else never later than `settleMs` after the time to wait,
 * whatever a clock says.
 */
function settled(op: Operation, { vmi }: Machine, seen: Seen): number {
  if (seen.died.size === 0 && (op.died ?? 0) === 0) return 0;
  const since = seen.up?.since ?? Math.min(vmi?.readySince ?? 0, startDeadline(op, seen));
  return since + settleMs;
}

const end = (result: Result): Step => ({ do: 'end', result });

/** A VM that is on while it is Halted, or a Stop is queued, is about to go off. */
const staysOn = (vm: VmView): boolean => vm.strategy !== 'Halted' && !vm.queue.some(({ action }) => action === 'Stop');

/** Nothing runs and nothing is queued: what makes this VM start, by its strategy (KUBEVIRT §1). */
function request(
  { op, vm, seen, ended }: { op: Operation; vm: VmView; seen: Seen; ended: Machine['vmi'] },
  wait: (what: string) => Step,
): Step {
  switch (vm.strategy) {
    case 'Halted': {
      const { restore } = op;
      // Once anew beside its old VMI would stay as it is.
      if (restore === 'Once' && ended && ended.deletingSince === undefined) return wait('the ended VMI to go');
      if (vm.field === 'runStrategy' && restore !== undefined && restore !== 'Always')
        return { do: 'strategy', value: seen.noSubresource && restore === 'Manual' ? 'Always' : restore };
      return seen.noSubresource ? { do: 'strategy', value: 'Always' } : { do: 'ask' };
    }
    case 'Manual':
      return seen.noSubresource ? { do: 'strategy', value: 'Always' } : { do: 'ask' };
    case 'RerunOnFailure':
      if (ended?.phase === 'Failed') return wait('KubeVirt to restart the failed guest');
      return seen.noSubresource ? wait('KubeVirt to begin the start') : { do: 'ask' };
    case 'Once':
      // An ended Once stays ended; it runs again when it becomes Once anew, without its old VMI.
      return ended && ended.deletingSince === undefined
        ? { do: 'strategy', value: 'Halted' }
        : wait('KubeVirt to begin the start');
    default:
      return wait('KubeVirt to begin the start');
  }
}
