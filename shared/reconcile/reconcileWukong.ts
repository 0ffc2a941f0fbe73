import { isBelievable } from '../domain/believe.ts';
import { mostMessage } from '../domain/lifecycleState.ts';
import type { LifecycleState, Wukong } from '../domain/model.ts';
import { type Last, type Operation, operationOf, untoldEnd } from '../domain/operation.ts';
import { type Machine, stateOf } from '../domain/vm.ts';
import { declaredId } from '../lifecycle/declared.ts';
import { decideStart } from '../lifecycle/start.ts';
import { nothingSeen, type Step } from '../lifecycle/step.ts';
import { decideStop } from '../lifecycle/stop.ts';
import { plain } from '../report/plain.ts';
import { lastShown } from '../report/status.ts';
import { roomless, roomMessage } from './room.ts';

/** What one tick of reconcileState has to do for one Wukong, beside what schedules say. Decided without effects. */
export type Task =
  /** A record that nobody ends: go on from it. `begins`: its power call was not made yet. */
  | { do: 'resume'; op: Operation; because: string; begins: boolean }
  /** Its claim expired, again and again, or it is a start of a Wukong that is being deleted. */
  | { do: 'giveUp'; op: Operation }
  /** spec.lifecycleAction. */
  | { do: 'declared' }
  /** An end that was recorded, and reported to nobody. */
  | { do: 'reportAgain'; last: Last }
  /** `op`: what is being waited for. */
  | { do: 'nothing'; because: string; op?: Operation };

export const mostAttempts = 3;
const backOffMs = 60_000;
/** How long an end that the VM contradicts is left to whoever may still tell it. */
const doubtMs = 60_000;

export function taskFor(wukong: Wukong, machine: Machine, now: number, requireAgent: boolean): Task {
  const op = operationOf(wukong);
  if (op?.action === 'start' && wukong.metadata.deletionTimestamp) return { do: 'giveUp', op };
  if (op) return resumption(op, machine, now, requireAgent) ?? declaration(wukong, op) ?? waiting(op);
  const last = untoldEnd(wukong, now);
  // Where the VM does not agree, what was read may be older than the end.
  if (last && (isBelievable(last, stateOf(machine)) || now > last.finishedAt + doubtMs))
    return { do: 'reportAgain', last };
  return declaration(wukong) ?? { do: 'nothing', because: 'nothing is asked for' };
}

const waiting = (op: Operation): Task => ({
  do: 'nothing',
  because: `${op.action} ${op.requestId} is being waited for`,
  op,
});

/** The next step of somebody else's operation; undefined while there is nothing to do but wait. */
function resumption(op: Operation, machine: Machine, now: number, requireAgent: boolean): Task | undefined {
  const step = nextStep(op, machine, now, requireAgent);
  const begins = step.do === 'ask' || step.do === 'strategy';
  if (now >= op.deadline) {
    if (op.attempts >= mostAttempts) return { do: 'giveUp', op };
    return now >= op.deadline + backOffMs * 2 ** (op.attempts - 1)
      ? { do: 'resume', op, because: 'its claim expired', begins }
      : undefined;
  }
  return step.do === 'wait' ? undefined : { do: 'resume', op, because: step.do, begins };
}

const nextStep = (op: Operation, machine: Machine, now: number, requireAgent: boolean): Step =>
  op.action === 'stop'
    ? decideStop(op, machine, nothingSeen(), now)
    : decideStart(op, machine, nothingSeen(), now, { requireAgent });

function declaration(wukong: Wukong, running?: Operation): Task | undefined {
  const value = wukong.spec?.lifecycleAction;
  if (value === undefined || value === null) return undefined;
  const carriedOut = running?.declared !== undefined && JSON.stringify(running.declared) === JSON.stringify(value);
  return carriedOut || running?.requestId === declaredId(wukong) ? undefined : { do: 'declared' };
}

/** What the status should say: the last outcome as it was, and what is so now. */
export function statusFor(
  wukong: Wukong,
  machine: Machine,
  next: Pick<LifecycleState, 'nextAction' | 'nextActionTime'>,
): LifecycleState {
  const state = stateOf(machine);
  const shown = lastShown(wukong, state);
  const room = shown?.requestId === roomless(wukong)?.requestId ? roomMessage(wukong, machine) : undefined;
  return { ...shown, ...(room ? { message: plain(room, mostMessage) } : {}), state, ...next };
}
