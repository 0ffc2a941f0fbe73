import { invalid } from '../../shared/domain/command.ts';
import { type Invocation, lambda, retryUnreached, worldOf } from '../../shared/entry/entry.ts';
import { isHttp } from '../../shared/entry/request.ts';
import { isEvent, isRecord, parseTrigger } from '../../shared/entry/trigger.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import type { Report } from '../../shared/report/fleetOutcome.ts';
import { shortened } from '../../shared/report/shortened.ts';

/**
 * Switches one Wukong or a fleet off and on again, and answers with what was seen to come of it: by HTTP, or directly.
 * A function of its own, as it needs the Roles of both others; no event asks for it.
 */
export async function restartVm(event: unknown, invocation: Invocation): Promise<Report> {
  const { id, now, limits } = invocation;
  if (isEvent(event) || isRecord(event)) throw invalid(['event: expected none, as a restart is asked for directly']);
  const asked = isHttp(event) || !isObject(event) ? event : { restart: true, ...event };
  const command = parseTrigger(asked, { action: 'stop', requestId: id, requestedAt: now });
  if (!command.restart) throw invalid(['restart: expected true, or nothing, as this is the restart function']);
  const world = await worldOf(invocation, command.cluster);
  return shortened(await retryUnreached(command.trigger, () => executeCommand(command, world, { limits }), event));
}

const isObject = (event: unknown): event is object =>
  typeof event === 'object' && event !== null && !Array.isArray(event);

export const handler = lambda('restartVm', restartVm);
