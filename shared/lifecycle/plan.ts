import type { Command } from '../domain/command.ts';
import { earlierOf } from '../domain/earlier.ts';
import { instantText } from '../domain/instant.ts';
import { type Annotations, hasIntent, type Wukong } from '../domain/model.ts';
import {
  lastKey,
  lastOf,
  leaseKey,
  newestDone,
  type Operation,
  operationKey,
  operationOf,
  runningOf,
  settledKey,
  settledOf,
  skippedKey,
  skippedOf,
} from '../domain/operation.ts';
import { type Action, reasonOf, type Result, type SkipReason } from '../domain/outcome.ts';
import { lacksVm } from '../domain/ownership.ts';
import { isSameRequest } from '../domain/requestId.ts';
import { isOff, isOn, type Machine } from '../domain/vm.ts';
import { overrideFor, overrideKeys } from '../schedule/override.ts';
import { rfc3339 } from '../time/clock.ts';
import { asksForMore } from './sharpen.ts';

/**
 * Whether a command may begin, decided without effects. `already` and `joins` need no operation: what is wished is so, or
 * an older wish for it is being carried out, and nothing more is asked for.
 */
export type Plan = { kind: 'perform' } | Answered;
export interface Answered {
  kind: 'answer' | 'already' | 'joins';
  result: Result;
}

const skip = (reason: SkipReason, message: string): Answered => ({
  kind: 'answer',
  result: { outcome: 'Skipped', reason, message },
});
const superseded = (message: string): Answered => ({ kind: 'answer', result: { outcome: 'Superseded', message } });

/** A Wukong that is being deleted is not switched on any more; a stop is carried out. */
function deleted({ action }: Command, { metadata }: Wukong): Answered | undefined {
  if (action === 'stop' || !metadata.deletionTimestamp) return undefined;
  const message = `Wukong ${metadata.namespace}/${metadata.name} is being deleted, so it is not started. Make it anew once it is gone.`;
  return { kind: 'answer', result: { outcome: 'Failed', reason: 'NotFound', message } };
}

/** A delivery after `notAfter` does nothing. */
function stale(command: Command, now: number): Answered | undefined {
  if (command.notAfter === undefined || now <= command.notAfter) return undefined;
  return skip('Stale', `Not after ${instantText(command.notAfter)}, and it is ${instantText(now)}.`);
}

/** The guards that need the Wukong alone: duplicates, order of wishes, protection, overrides. */
export function admit(command: Command, wukong: Wukong, now: number, namespaceAnnotations: Annotations = {}): Plan {
  const known = knownRequest(command, wukong, now);
  if (known) return known;
  const last = newestDone(wukong, now);
  if (last && last.requestedAt > command.requestedAt)
    return superseded(`A newer ${last.action}, asked for at ${instantText(last.requestedAt)}, was done already.`);
  const running = runningOf(wukong, now);
  const same = running?.action === command.action && !asksForMore(command, running, now) ? running : undefined;
  if (running && !same && running.requestedAt > command.requestedAt)
    return superseded(`A newer ${running.action}, request ${running.requestId}, is being carried out.`);
  const guarded = deleted(command, wukong) ?? stale(command, now) ?? guard(command, wukong, now, namespaceAnnotations);
  if (guarded) return guarded;
  if (!same) return { kind: 'perform' };
  return command.requestedAt > same.requestedAt ? joins(same) : { ...joins(same), kind: 'answer' };
}

/** What a request for no more than what is being carried out comes to. */
export const joins = ({ requestId }: Operation): Answered => ({
  ...skip('Duplicate', `The same is being carried out already, by request ${requestId}.`),
  kind: 'joins',
});

/**
 * A request that was delivered before comes to nothing else, however late it comes again. One that bears the id of a
 * request for the other action is neither that one, nor done.
 */
export function knownRequest(
  { requestId, action, restart }: Command,
  wukong: Wukong,
  now: number,
): Answered | undefined {
  const known = findRequest(requestId, wukong, now);
  if (!known) return undefined;
  // A restart is recorded as either of its halves.
  if (known.action === undefined || known.action === action || restart) return known.answer;
  const message = `Request ${requestId} was for ${known.action} before, so it is not carried out; give ${action} an id of its own.`;
  return { kind: 'answer', result: { outcome: 'Failed', reason: 'Refused', message } };
}

const recordKeys = [operationKey, lastKey, settledKey, skippedKey];

/** Whether a record on this Wukong is of the request, whatever came of it. */
export function knowsRequest(requestId: string, wukong: Wukong, now: number): boolean {
  // Most have no such text: then no record is read.
  const tail = JSON.stringify(requestId.slice(requestId.lastIndexOf(':') + 1)).slice(1, -1);
  const records = recordKeys.map((key) => wukong.metadata.annotations?.[key]);
  return records.some((record) => record?.includes(tail)) && findRequest(requestId, wukong, now) !== undefined;
}

interface KnownRequest {
  /** Undefined where version 0.1.0 did not write it down. */
  action: Action | undefined;
  answer: Answered;
}

function findRequest(requestId: string, wukong: Wukong, now: number): KnownRequest | undefined {
  const [last, settled] = [lastOf(wukong), settledOf(wukong)];
  const isIt = (one: { requestId: string } | undefined) => one !== undefined && isSameRequest(one.requestId, requestId);
  const duplicate = (action: Action | undefined, what: string): KnownRequest => ({
    action,
    answer: skip('Duplicate', `Request ${requestId} ${what}.`),
  });
  if (last && isIt(last)) return duplicate(last.action, `was done before: ${last.outcome}`);
  const done = last && earlierOf(last).find(isIt);
  if (done) return duplicate(done.action, 'was done before');
  const answered = settled && [settled, ...earlierOf(settled)].find(isIt);
  if (answered) return duplicate(answered.action, 'was answered before: it was so already, or on its way');
  const skipped = skippedOf(wukong).find(isIt);
  if (skipped?.reason === 'Superseded')
    return { action: skipped.action, answer: superseded(`Request ${requestId} came too late for a newer one before.`) };
  if (skipped)
    return {
      action: skipped.action,
      answer: skip(skipped.reason, `Request ${requestId} was skipped before, and is so again.`),
    };
  const overtaken = [...(last?.superseded ?? []), ...(operationOf(wukong)?.supersedes ?? [])].find(isIt);
  if (overtaken) return duplicate(overtaken.action, 'was superseded before');
  const running = runningOf(wukong, now);
  const sharpening = [...(last?.sharpenedBy ?? []), ...(running?.sharpenedBy ?? [])].find(isIt);
  if (sharpening) return duplicate(sharpening.action, 'was carried out before, or is so now, together with another');
  return running && isIt(running) ? duplicate(running.action, 'is being carried out') : undefined;
}

/** Protected and overridden VMs are left alone, whoever asks; only a lease yields to somebody who asks for a stop. */
function guard(
  { action, trigger }: Pick<Command, 'action' | 'trigger'>,
  wukong: Wukong,
  now: number,
  namespaceAnnotations: Annotations = {},
): Answered | undefined {
  const annotations = wukong.metadata.annotations ?? {};
  const { [leaseKey]: _lease, ...withoutLease } = annotations;
  const wukongAnnotations = trigger === 'schedule' ? annotations : withoutLease;
  const { holds, ...override } = overrideFor({ wukongAnnotations, namespaceAnnotations, now });
  if (action === 'stop' && override.protected)
    return skip('Protected', `The annotation ${overrideKeys.protected} on the ${override.protected} protects this VM.`);
  const hold = holds[action];
  if (!hold) return undefined;
  const until = Number.isFinite(hold.until)
    ? `until ${rfc3339(hold.until)}`
    : 'until it is mended, as its time cannot be read';
  return skip('Override', `The annotation ${hold.key} on the ${hold.level} holds ${until}.`);
}

/** Why a record is not carried on by now: protection and overrides are asked again, whoever wrote it. */
export const heldBack = (
  op: Operation,
  wukong: Wukong,
  now: number,
  namespaceAnnotations?: Annotations,
): Result | undefined => guard(op, wukong, now, namespaceAnnotations)?.result;

/** What is so already. Another operation under way is no rest: then the command is carried out. */
export function already(
  command: Command,
  wukong: Wukong,
  machine: Machine,
  requireAgent: boolean,
): Answered | undefined {
  if (!machine.vm) {
    return { kind: 'answer', result: { outcome: 'Failed', ...lacksVm(wukong, machine) } };
  }
  if (operationOf(wukong)) return undefined;
  if (command.action === 'stop' && isOff(machine)) {
    const message = command.restart ? 'The VM is off, and a restart leaves it so; start it instead.' : 'The VM is off.';
    return { kind: 'already', result: { outcome: 'AlreadyOff', message } };
  }
  const on = isOn(machine) && machine.vm.strategy !== 'Halted' && machine.vm.queue.length === 0;
  if (command.action === 'start' && on && (!requireAgent || machine.vmi?.agentConnected))
    return { kind: 'already', result: { outcome: 'AlreadyOn', message: 'The VM is on and ready.' } };
  return undefined;
}

/** What a dry run says in the place of a result for which nothing is called. */
export function asDryRun(result: Result): Result {
  const reason = reasonOf(result);
  const would = `${result.outcome}${reason ? ` (${reason})` : ''}`;
  return { outcome: 'Skipped', reason: 'DryRun', message: `Nothing would be called: ${would}. ${result.message}` };
}

/** Whether the Wukong's spec says already what the command leaves behind; the default of autoStart is true. */
export const intentHolds = (command: Command, wukong: Wukong): boolean =>
  !hasIntent(wukong) || (wukong.spec?.startStrategy?.autoStart ?? true) === (command.action === 'start');
