import type { Command } from './command.ts';
import type { Machine, Wukong } from './model.ts';
import { leaseKey } from './operation.ts';
import { type Result, reasonOf } from './outcome.ts';
import type { Annotations } from './override.ts';
import { admit, already, intentHolds } from './plan.ts';

export interface Known {
  now: number;
  requireAgent: boolean;
  namespaceAnnotations?: Annotations;
}

/**
 * What a fleet command comes to for a Wukong that it leaves as it is: protected, overridden, too late, known, or there
 * already. That costs no request, no write and no Event; the fleet's summary tells it. Undefined: it is to be performed,
 * if only to write down why nothing was done, or to put right what the operator would act on.
 */
export function sortOut(command: Command, wukong: Wukong, machine: Machine, known: Known): Result | undefined {
  const { now, requireAgent, namespaceAnnotations } = known;
  const admitted = admit(command, wukong, now, namespaceAnnotations);
  if (admitted.kind !== 'perform') {
    if (command.dryRun) return asDryRun(admitted.result);
    return admitted.result.outcome === 'Skipped' ? admitted.result : undefined;
  }
  const there = already(command, wukong, machine, requireAgent);
  if (!there || there.kind === 'perform') return undefined;
  if (command.dryRun) return asDryRun(there.result);
  return there.kind === 'already' && nothingToWrite(command, wukong) ? there.result : undefined;
}

function asDryRun(result: Result): Result {
  const reason = reasonOf(result);
  const would = `${result.outcome}${reason ? ` (${reason})` : ''}`;
  return { outcome: 'Skipped', reason: 'DryRun', message: `Nothing would be called: ${would}. ${result.message}` };
}

function nothingToWrite(command: Command, wukong: Wukong): boolean {
  const hasLease = wukong.metadata.annotations?.[leaseKey] !== undefined;
  const lease = command.action === 'start' ? command.leaseSeconds !== undefined : hasLease;
  return intentHolds(command, wukong) && !lease;
}
