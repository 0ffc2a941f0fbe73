import { rfc3339 } from '../clock.ts';
import type { Command } from '../command.ts';
import type { Report } from '../fleet.ts';
import type { World } from '../world.ts';

export const fleetOutcomeType = 'Wukong VM Lifecycle Fleet Outcome';

/** An event holds 256 KB: the first failures are named, the others counted. */
const mostFailed = 50;

/** The detail of a fleet's event; its schema is infra/events/fleet.schema.json. `id` is the same however often sent. */
export function fleetDetailOf({ trigger }: Command, report: Report, startedAt: number, finishedAt: number) {
  const { action, requestId, part, counts, skipped, slowest, failed, sent, left, outcomes } = report;
  return {
    version: '1',
    id: part === undefined ? requestId : `${requestId}/${part}`,
    action,
    requestId,
    ...(part === undefined ? {} : { part }),
    trigger,
    targets: outcomes.length + sent + left,
    counts,
    skipped,
    failed: failed.slice(0, mostFailed).map(({ message, ...one }) => ({ ...one, message: message.slice(0, 300) })),
    failedInAll: failed.length,
    slowest: slowest.map(({ ms, ...one }) => ({ ...one, seconds: Math.round(ms / 100) / 10 })),
    sent,
    left,
    startedAt: rfc3339(startedAt),
    finishedAt: rfc3339(finishedAt),
  };
}

/** Tells what a fleet came to: one log line, metrics, and one event where a bus is configured. */
export async function tellFleet(world: World, command: Command, report: Report, startedAt: number): Promise<void> {
  const { log, metrics, bus, clock } = world;
  const finishedAt = clock.now();
  const detail = fleetDetailOf(command, report, startedAt, finishedAt);
  const forced = report.outcomes.filter((outcome) => outcome.forced).length;
  const level = report.failed.length > 0 || report.left > 0 ? 'warn' : 'info';
  log[level](`${command.action} fleet: ${sentence(report)}`, detail);
  metrics.count('FleetTargets', detail.targets);
  metrics.count('FleetFailed', report.failed.length);
  metrics.count('FleetForced', forced);
  metrics.count('FleetLeft', report.left);
  const { Duplicate = 0 } = report.skipped;
  const nothingNew = detail.targets > 0 && Duplicate === detail.targets;
  if (command.dryRun || nothingNew) return;
  try {
    await bus?.put([{ type: fleetOutcomeType, detail, time: finishedAt }]);
  } catch (thrown) {
    const problem = (thrown as Error).message;
    log.error('the event of the fleet could not be sent', { problem, requestId: command.requestId });
  }
}

/** `300 Wukongs: 297 Stopped, 2 Failed, 1 InProgress`. */
export function sentence({ counts, sent, left, outcomes }: Report): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (sent > 0) parts.push(`${sent} sent on`);
  if (left > 0) parts.push(`${left} not begun`);
  const targets = outcomes.length + sent + left;
  return `${targets} Wukong${targets === 1 ? '' : 's'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}
