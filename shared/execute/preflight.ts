import type { Command } from '../domain/command.ts';
import type { Wukong } from '../domain/model.ts';
import type { Annotations } from '../domain/model.ts';
import { leaseKey, runningOf } from '../domain/operation.ts';
import type { Result } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import { admit, already, asDryRun, intentHolds } from '../lifecycle/plan.ts';

export interface Known {
  now: number;
  requireAgent: boolean;
  namespaceAnnotations?: Annotations;
  /** An older wish for the other action is being carried out on others of this fleet. */
  contested?: boolean;
}

/** Whether some of these are being switched the other way, by a wish that is older than this one. */
export const isContested = ({ action, requestedAt }: Command, wukongs: Wukong[], now: number): boolean =>
  wukongs.some((wukong) => {
    const running = runningOf(wukong, now);
    return running && running.action !== action && running.requestedAt <= requestedAt;
  });

/**
 * What a fleet command comes to for a Wukong that it leaves as it is: protected, overridden, too late, known, or there
 * already. That costs no request, no write and no Event; the fleet's summary tells it. Undefined: it is to be performed,
 * if only to write down why nothing was done, or to put right what the operator would act on.
 */
export function sortOut(command: Command, wukong: Wukong, machine: Machine, known: Known): Result | undefined {
  const { now, requireAgent, namespaceAnnotations, contested } = known;
  const admitted = admit(command, wukong, now, namespaceAnnotations);
  if (admitted.kind === 'joins') return undefined; // that it was wished is to be remembered
  if (admitted.kind !== 'perform') {
    if (command.dryRun) return asDryRun(admitted.result);
    return admitted.result.outcome === 'Skipped' ? admitted.result : undefined;
  }
  const there = already(command, wukong, machine, requireAgent);
  if (!there) return undefined;
  if (command.dryRun) return asDryRun(there.result);
  return there.kind === 'already' && !contested && nothingToWrite(command, wukong) ? there.result : undefined;
}

function nothingToWrite(command: Command, wukong: Wukong): boolean {
  const hasLease = wukong.metadata.annotations?.[leaseKey] !== undefined;
  const lease = command.action === 'start' ? command.leaseSeconds !== undefined : hasLease;
  return intentHolds(command, wukong) && !lease;
}
