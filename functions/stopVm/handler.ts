import { type Invocation, lambda, retryUnreached } from '../../shared/entry.ts';
import { performCommand, type Report } from '../../shared/fleet.ts';
import { parseTrigger } from '../../shared/trigger.ts';

/** Switches off one Wukong or a fleet, and answers with what was seen to come of it. */
export async function stopVm(event: unknown, { world, limits, id, now }: Invocation): Promise<Report> {
  const command = parseTrigger(event, { action: 'stop', requestId: id, requestedAt: now });
  return retryUnreached(await performCommand(command, world, { limits }), command.trigger);
}

export const handler = lambda('stopVm', stopVm);
