import { invalid } from '../../shared/domain/command.ts';
import { type Invocation, lambda, retryUnreached, worldOf } from '../../shared/entry/entry.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import type { Report } from '../../shared/report/fleetOutcome.ts';
import { shortened } from '../../shared/report/shortened.ts';

/** Switches off one Wukong or a fleet, and answers with what was seen to come of it. */
export async function stopVm(event: unknown, invocation: Invocation): Promise<Report> {
  const { id, now, limits } = invocation;
  const command = parseTrigger(event, { action: 'stop', requestId: id, requestedAt: now });
  if (command.restart) throw invalid(['restart: expected none, as this function may not start; restartVm does it']);
  const world = await worldOf(invocation, command.cluster);
  return shortened(await retryUnreached(command.trigger, () => executeCommand(command, world, { limits }), event));
}

export const handler = lambda('stopVm', stopVm);
