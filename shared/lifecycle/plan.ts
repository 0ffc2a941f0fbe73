import type { Command } from '../domain/command.ts';
import { type Annotations, hasIntent, type Wukong } from '../domain/model.ts';
import {
  lastOf,
  leaseKey,
  newestDone,
  type Operation,
  operationOf,
  runningOf,
  settledOf,
  skippedOf,
} from '../domain/operation.ts';
import { reasonOf, type Result, type SkipReason } from '../domain/outcome.ts';
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
  return skip(
    'Stale',
    `Not after ${new Date(command.notAfter).toISOString()}, and it is ${new Date(now).toISOString()}.`,
  );
}

/** The guards that need the Wukong alone: duplicates, order of wishes, protection, overrides. */
export function admit(command: Command, wukong: Wukong, now: number, namespaceAnnotations: Annotations = {}): Plan {
  const known = knownRequest(command, wukong, now);
  if (known) return known;
  const last = newestDone(wukong);
  if (last && last.requestedAt > command.requestedAt)
    return superseded(
      `A newer ${last.action}, asked for at ${new Date(last.requestedAt).toISOString()}, was done already.`,
    );
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

/** A request that was delivered before comes to nothing else, however late it comes again. */
function knownRequest({ requestId }: Command, wukong: Wukong, now: number): Answered | undefined {
  const last = lastOf(wukong);
  if (last?.requestId === requestId) return skip('Duplicate', `Request ${requestId} was done before: ${last.outcome}.`);
  if (last?.earlier?.includes(requestId)) return skip('Duplicate', `Request ${requestId} was done before.`);
  const settled = settledOf(wukong);
  if (settled?.requestId === requestId || settled?.earlier.includes(requestId))
    return skip('Duplicate', `Request ${requestId} was answered before: it was so already, or on its way.`);
  const skipped = skippedOf(wukong).find((one) => one.requestId === requestId);
  if (skipped?.reason === 'Superseded') return superseded(`Request ${requestId} came too late for a newer one before.`);
  if (skipped) return skip(skipped.reason, `Request ${requestId} was skipped before, and is so again.`);
  const overtaken = [...(last?.superseded ?? []), ...(operationOf(wukong)?.supersedes ?? [])];
  if (overtaken.some((old) => old.requestId === requestId))
    return skip('Duplicate', `Request ${requestId} was superseded before.`);
  if (runningOf(wukong, now)?.requestId === requestId)
    return skip('Duplicate', `Request ${requestId} is being carried out.`);
  return undefined;
}

/** Protected and overridden VMs are left alone, whoever asks; only a lease yields to somebody who asks for a stop. */
function guard(
  { action, trigger }: Command,
  wukong: Wukong,
  now: number,
  namespaceAnnotations: Annotations,
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

/** What is so already. Another operation under way is no rest: then the command is carried out. */
export function already(
  command: Command,
  wukong: Wukong,
  machine: Machine,
  requireAgent: boolean,
): Answered | undefined {
  if (!machine.vm) {
    const message = `Wukong ${wukong.metadata.namespace}/${wukong.metadata.name} has no VM.`;
    return { kind: 'answer', result: { outcome: 'Failed', reason: 'NotFound', message } };
  }
  if (operationOf(wukong)) return undefined;
  if (command.action === 'stop' && isOff(machine))
    return { kind: 'already', result: { outcome: 'AlreadyOff', message: 'The VM is off.' } };
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
