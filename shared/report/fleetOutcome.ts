import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import type { Place } from '../domain/model.ts';
import { isUnobserved, type Outcome, type OutcomeName, reasonOf, type SkipReason } from '../domain/outcome.ts';
import { rfc3339 } from '../time/clock.ts';

/** What a command came to, for one Wukong or many. */
export interface Report {
  action: Command['action'];
  requestId: string;
  /** Which part of a fleet that was split. */
  part?: string;
  counts: Partial<Record<OutcomeName, number>>;
  /** Why those that were left alone were. */
  skipped: Partial<Record<SkipReason, number>>;
  /** The five that took longest, in milliseconds. */
  slowest: (Place & { outcome: OutcomeName; ms: number })[];
  failed: (Place & { reason: string; message: string })[];
  /** How many are off although nobody saw how their guests ended; counted in `counts` too. */
  unobserved: number;
  /** VMs that went on the bus as commands of their own. */
  sent: number;
  /** VMs that were not begun in time and are untouched. */
  left: number;
  outcomes: Outcome[];
}

const mostSlowest = 5;

export function reportOf(
  { action, requestId, part }: Pick<Command, 'action' | 'requestId' | 'part'>,
  outcomes: Outcome[],
  { sent = 0, left = 0 } = {},
): Report {
  const counts: Report['counts'] = {};
  const skipped: Report['skipped'] = {};
  const failed: Report['failed'] = [];
  for (const one of outcomes) {
    const { namespace, name, message } = one;
    counts[one.outcome] = (counts[one.outcome] ?? 0) + 1;
    if (one.outcome === 'Skipped') skipped[one.reason] = (skipped[one.reason] ?? 0) + 1;
    if (one.outcome === 'Failed') failed.push({ namespace, name, reason: reasonOf(one) ?? 'Unknown', message });
  }
  const unobserved = outcomes.filter(isUnobserved).length;
  const slowest = outcomes
    .filter(({ outcome }) => outcome === 'Started' || outcome === 'Stopped' || outcome === 'ForcedOff')
    .map(({ namespace, name, outcome, ...at }) => ({ namespace, name, outcome, ms: at.finishedAt - at.startedAt }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, mostSlowest);
  return {
    action,
    requestId,
    ...(part ? { part } : {}),
    counts,
    skipped,
    slowest,
    failed,
    unobserved,
    sent,
    left,
    outcomes,
  };
}

export const fleetOutcomeType = 'Wukong VM Lifecycle Fleet Outcome';

/** An event holds 256 KB: the first failures are named, the others counted. */
const mostFailed = 50;

/** The detail of a fleet's event; its schema is infra/events/fleet.schema.json. `id` is the same however often sent. */
export function fleetDetailOf({ trigger }: Command, report: Report, startedAt: number, finishedAt: number) {
  const { action, requestId, part, counts, skipped, slowest, failed, unobserved, sent, left, outcomes } = report;
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
    unobserved,
    sent,
    left,
    startedAt: rfc3339(startedAt),
    finishedAt: rfc3339(finishedAt),
  };
}

/**
 * Tells what a fleet came to: one log line, metrics, and one event where a bus is configured. Returns whether the bus
 * has what is to be told.
 */
export async function tellFleet(world: World, command: Command, report: Report, startedAt: number): Promise<boolean> {
  const { log, metrics, bus, clock } = world;
  const finishedAt = clock.now();
  const detail = fleetDetailOf(command, report, startedAt, finishedAt);
  const forced = report.outcomes.filter((outcome) => outcome.forced).length;
  const level = report.failed.length > 0 || report.left > 0 ? 'warn' : 'info';
  log[level](`${command.action} fleet: ${sentence(report)}`, detail);
  metrics.count('FleetTargets', detail.targets);
  metrics.count('FleetFailed', report.failed.length);
  metrics.count('FleetForced', forced);
  metrics.count('FleetUnobserved', report.unobserved);
  metrics.count('FleetLeft', report.left);
  const { Duplicate = 0 } = report.skipped;
  const nothingNew = detail.targets > 0 && Duplicate === detail.targets;
  if (command.dryRun || nothingNew) return true;
  try {
    await bus?.put([{ type: fleetOutcomeType, detail, time: finishedAt }]);
    return bus !== undefined;
  } catch (thrown) {
    const problem = (thrown as Error).message;
    log.error('the event of the fleet could not be sent', { problem, requestId: command.requestId });
    return false;
  }
}

/** `300 Wukongs: 297 Stopped, 2 Failed, 1 InProgress`. */
export function sentence({ counts, unobserved, sent, left, outcomes }: Report): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (unobserved > 0) parts.push(`of ${unobserved} the end was not seen`);
  if (sent > 0) parts.push(`${sent} sent on`);
  if (left > 0) parts.push(`${left} not begun`);
  const targets = outcomes.length + sent + left;
  return `${targets} Wukong${targets === 1 ? '' : 's'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}
