import type { Command } from './command.ts';
import { annotationPrefix, isOff, isOn, type Machine, type Wukong } from './model.ts';
import { lastOf, operationOf } from './operation.ts';
import type { Result, SkipReason } from './outcome.ts';

/** Whether a command may begin, decided without effects. `already` is a result that needs no operation. */
export type Plan = { kind: 'perform' } | { kind: 'answer'; result: Result } | { kind: 'already'; result: Result };

const skip = (reason: SkipReason, message: string): Plan => ({
  kind: 'answer',
  result: { outcome: 'Skipped', reason, message },
});
const superseded = (message: string): Plan => ({ kind: 'answer', result: { outcome: 'Superseded', message } });

export const protectedKey = `${annotationPrefix}protected`;
const keepKeys = {
  stop: `${annotationPrefix}keep-running-until`,
  start: `${annotationPrefix}keep-stopped-until`,
} as const;

/** Stale needs no read at all. */
export function stale(command: Command, now: number): Plan | undefined {
  if (command.notAfter === undefined || now <= command.notAfter) return undefined;
  return skip(
    'Stale',
    `Not after ${new Date(command.notAfter).toISOString()}, and it is ${new Date(now).toISOString()}.`,
  );
}

/** The guards that need the Wukong alone: duplicates, order of wishes, protection, overrides. */
export function admit(
  command: Command,
  wukong: Wukong,
  now: number,
  namespaceAnnotations: Record<string, string> = {},
): Plan {
  const late = stale(command, now);
  if (late) return late;
  const last = lastOf(wukong);
  if (last?.requestId === command.requestId)
    return skip('Duplicate', `Request ${last.requestId} was done before: ${last.outcome}.`);
  if (last && last.action !== command.action && last.requestedAt > command.requestedAt)
    return superseded(
      `A newer ${last.action}, asked for at ${new Date(last.requestedAt).toISOString()}, was done already.`,
    );
  const guarded = guard(command, { ...namespaceAnnotations, ...wukong.metadata.annotations }, now);
  if (guarded) return guarded;
  const running = operationOf(wukong);
  if (!running || now >= running.deadline) return { kind: 'perform' };
  if (running.requestId === command.requestId)
    return skip('Duplicate', `Request ${running.requestId} is being carried out.`);
  if (running.action === command.action && (!command.force || running.force))
    return skip('Duplicate', `The same is being carried out already, by request ${running.requestId}.`);
  if (running.requestedAt > command.requestedAt)
    return superseded(`A newer ${running.action}, request ${running.requestId}, is being carried out.`);
  return { kind: 'perform' };
}

/** Protected and overridden VMs are left alone, whoever asks. */
function guard({ action }: Command, annotations: Record<string, string>, now: number): Plan | undefined {
  if (action === 'stop' && annotations[protectedKey] === 'true')
    return skip('Protected', `The annotation ${protectedKey} protects this VM.`);
  const key = keepKeys[action];
  const until = Date.parse(annotations[key] ?? '');
  return until > now
    ? skip('Override', `The annotation ${key} holds until ${new Date(until).toISOString()}.`)
    : undefined;
}

/** What is so already. Another operation under way is no rest: then the command is carried out. */
export function already(command: Command, wukong: Wukong, machine: Machine, requireAgent: boolean): Plan | undefined {
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

/** Whether the Wukong's spec says already what the command leaves behind; the default of autoStart is true. */
export const intentHolds = (command: Command, wukong: Wukong): boolean =>
  (wukong.spec?.startStrategy?.autoStart ?? true) === (command.action === 'start');
