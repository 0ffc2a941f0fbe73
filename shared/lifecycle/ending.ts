import { marginMs } from '../domain/claimTimes.ts';
import { type Operation } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import { isEnded, type Machine, type VmiView } from '../domain/vm.ts';
import { type Ended, seconds, type Seen } from './step.ts';

type ForceReason = (Result & { outcome: 'ForcedOff' })['forceReason'];

/** What the guest that was to be stopped came to, as far as a watch or KubeVirt's own records tell. */
type Ending =
  | 'shutDown'
  | 'crashed'
  /** KubeVirt ended it, as its period was over. */
  | 'periodOver'
  | 'neverRan'
  /** It ended although nobody had asked it yet. */
  | 'before'
  /** Nobody saw how, but it was gone while its period ran: KubeVirt did not end it. */
  | 'inTime'
  | 'unseen';

/** A stop whose VM is off, and the last that was seen of the guest that it was for. */
interface Stop {
  op: Operation;
  last: VmiView | undefined;
  seen: Seen;
}

/** How a VM that is off came to be so, never more than is known: what was not seen has `observed: false`. */
export function endingOf(op: Operation, machine: Machine, seen: Seen): Result {
  if (!op.vmiUid && op.step === 'Claimed') return { outcome: 'Stopped', message: 'The VM is off; it had no guest.' };
  const last = [machine.vmi, machine.gone].find((vmi) => vmi?.uid === op.vmiUid);
  const stop = { op, last, seen };
  const ending = howEnded(stop);
  const took = seconds(Math.max(0, (endOf(op, seen)?.at ?? op.stepAt) - op.startedAt));
  return forcedBy(stop, ending, took) ?? byItself(op, endOf(op, seen)?.phase, ending, took);
}

const unobserved = { observed: false } as const;

/** By the record, or by KubeVirt. Undefined when nothing says that it was forced. */
function forcedBy(stop: Stop, ending: Ending, took: string): Result | undefined {
  const { op, last, seen } = stop;
  if (ending === 'before') return undefined;
  const isKnown = endOf(op, seen) !== undefined;
  const forced = (forceReason: ForceReason, how: string, known = isKnown): Result => ({
    outcome: 'ForcedOff',
    forceReason,
    message: `${how}${cappedOf(op)}`,
    ...(known ? {} : unobserved),
  });
  const step = stepTaken(stop);
  if (step === 'PodDeleted')
    return forced('PodDeleted', 'The launcher pod had to be deleted; the guest may have lost data.');
  if (op.force) return forced('Requested', `Forced off in ${took}, as the command said.`);
  if (step === 'Forced')
    return seen.invalid
      ? forced('RefusedGracefully', `KubeVirt refused a graceful stop; forced off in ${took}.`)
      : forced('GuestIgnoredShutdown', `The guest ignored the shutdown and was forced off after ${took}.`);
  if (ending !== 'periodOver') return undefined;
  return forced('GracePeriodExceeded', `The guest did not shut down ${withinPeriod(op, last)}, so KubeVirt ended it.`);
}

/** The record is written before the call: a guest that was gone by then was not forced by it. */
function stepTaken({ op, last, seen }: Stop): Operation['step'] {
  const endedAt = last?.endedAt ?? endOf(op, seen)?.at;
  const tooLate = endedAt !== undefined && endedAt + 1_000 <= op.stepAt;
  if (op.step === 'Forced' && !seen.forced) {
    if (tooLate || (seen.recorded === 'Forced' && seen.missed)) return 'Claimed';
  }
  if (op.step === 'PodDeleted' && !seen.podDeleted) {
    if (tooLate || (seen.recorded === 'PodDeleted' && seen.missed)) return 'Forced';
  }
  return op.step;
}

function byItself(op: Operation, phase: string | undefined, ending: Ending, took: string): Result {
  const stopped = (message: string, more: { observed?: false } = {}): Result => ({
    outcome: 'Stopped',
    message: `${message}${cappedOf(op)}`,
    ...more,
  });
  switch (ending) {
    case 'shutDown':
      return stopped(`The guest shut down by itself; off in ${took}.`);
    case 'before':
      return phase === 'Failed'
        ? stopped('The guest crashed before it was asked to shut down; the VM is off.')
        : stopped('The guest shut down by itself before it was asked; the VM is off.');
    case 'crashed':
      return stopped(`The guest crashed while it shut down; off in ${took}.`);
    case 'neverRan':
      return stopped(`The VM is off; its guest had never come up.`);
    case 'inTime':
      return stopped(
        'The VM is off; how its guest ended was not seen, but it was gone before its grace period was over.',
        unobserved,
      );
    default:
      return stopped('The VM is off; how its guest ended was not seen.', unobserved);
  }
}

/** The end of the very guest that was to be stopped: seen by the watch, or told by KubeVirt's Events. */
function endOf({ vmiUid }: Operation, { ended, trace }: Seen): Ended | undefined {
  if (ended && ended.uid === vmiUid && isEnded(ended.phase)) return ended;
  return trace?.end;
}

function howEnded(stop: Stop): Ending {
  const { op, last, seen } = stop;
  const end = endOf(op, seen);
  if (!end) return isGoneInTime(stop) ? 'inTime' : 'unseen';
  if (last?.ranAt === null) return 'neverRan';
  if (end.unasked || (last && isUnasked(last))) return 'before';
  const over = periodEndOf(stop);
  // Killed with a period of 0 is Succeeded, killed because a longer one was over Failed (KUBEVIRT §1).
  if (end.phase === 'Succeeded') return last?.graceSeconds === 0 ? 'periodOver' : 'shutDown';
  // A VMI that failed after its deletion, of whose period nothing is known: that is how a forced end looks.
  if (over === undefined) return seen.trace?.since === undefined ? 'unseen' : 'periodOver';
  return (last?.endedAt ?? end.at) >= over ? 'periodOver' : 'crashed';
}

const isUnasked = ({ deletingSince, endedAt }: VmiView): boolean =>
  deletingSince === undefined || (endedAt !== undefined && endedAt < deletingSince);

/** When the guest's period was over, to the second as KubeVirt tells it. Undefined: nobody knows that it was asked to go. */
function periodEndOf({ op, last, seen: { trace } }: Stop): number | undefined {
  if (last?.deletingSince !== undefined) return last.deletingSince + last.graceSeconds * 1000;
  if (op.forceAt !== undefined) return wholeSecond(op.forceAt - marginMs);
  const period = op.graceSeconds ?? op.periodSeconds;
  return trace?.since === undefined || period === undefined ? undefined : trace.since + period * 1000;
}

/** Nobody saw it end, but it was found gone while its period ran at least as long: KubeVirt cannot have ended it. */
function isGoneInTime(stop: Stop): boolean {
  const { op, seen } = stop;
  const period = op.graceSeconds ?? op.periodSeconds;
  const over = periodEndOf(stop) ?? (period === undefined ? undefined : op.startedAt + period * 1000);
  return over !== undefined && seen.offSince !== undefined && seen.offSince < over && op.step === 'Claimed';
}

const wholeSecond = (at: number): number => Math.floor(at / 1000) * 1000;

/** As a sentence has it: `within 20 s`, where it is known. */
const withinPeriod = (op: Operation, last: VmiView | undefined): string => {
  const period = last?.graceSeconds ?? op.graceSeconds ?? op.periodSeconds;
  return period === undefined ? 'before its grace period was over' : `within ${period} s`;
};

const cappedOf = ({ cappedFrom, graceSeconds }: Operation): string =>
  cappedFrom
    ? ` The grace period of ${cappedFrom} s was capped at ${graceSeconds} s, which is all that the launcher pod allows; set terminationGracePeriodSeconds in the VM's template for more.`
    : '';
