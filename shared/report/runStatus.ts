import { type Failure, isOver, type Member, type RunPhase, type RunStatus } from '../domain/run.ts';
import { rfc3339 } from '../time/clock.ts';
import { plain } from './plain.ts';
import { lineOf } from './runLines.ts';

/** An object of etcd should stay well below its limit: names and lines are left out above it. */
const mostBytes = 60_000;
const longestMessage = 300;

export interface Summing {
  dueAt: number;
  now: number;
  /** Kept where nothing else says when it was over. */
  before?: { finishedAt?: string | undefined } | undefined;
}

/** What the VMs of a run came to, as its status says it. Pure: the same members give the same status. */
export function runStatusOf(members: Map<string, Member>, { dueAt, now, before }: Summing): RunStatus {
  const all = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = (wanted: Member['outcome']) => all.filter(([, { outcome }]) => outcome === wanted);
  const count = (...wanted: Member['outcome'][]) => all.filter(([, { outcome }]) => wanted.includes(outcome)).length;
  const failures = named('Failed').map(([name, { reason = 'Unknown', message = '' }]): Failure => ({
    name,
    reason,
    message: plain(message).slice(0, longestMessage),
  }));
  const begun = all.flatMap(([, { startedAt }]) => startedAt ?? []);
  const ended = all.flatMap(([, { finishedAt }]) => finishedAt ?? []);
  const over = all.every(([, member]) => isOver(member));
  const atEnd = ended.length > 0 ? rfc3339(largest(ended)) : (before?.finishedAt ?? rfc3339(now));
  const counts = {
    targets: all.length,
    done: count('Started', 'Stopped'),
    already: count('AlreadyOn', 'AlreadyOff'),
    forced: count('ForcedOff'),
    failed: failures.length,
    skipped: skippedOf(all),
    inProgress: count('Pending', 'InProgress'),
  };
  const forcedNames = named('ForcedOff').map(([name]) => name);
  return fitting({
    phase: over ? phaseOf(counts) : 'Running',
    ...counts,
    ...(begun.length > 0 ? { startedAt: rfc3339(smallest(begun)) } : {}),
    ...(over ? { finishedAt: atEnd } : {}),
    ...(begun.length > 0 ? { latestSeconds: Math.max(0, Math.floor((largest(begun) - dueAt) / 1000)) } : {}),
    failures,
    forcedNames,
    vms: all.map(([name, member]) => lineOf(name, member, dueAt)),
  });
}

const largest = (all: number[]): number => all.reduce((a, b) => Math.max(a, b));
const smallest = (all: number[]): number => all.reduce((a, b) => Math.min(a, b));

function skippedOf(all: [string, Member][]): Record<string, number> {
  const skipped: Record<string, number> = {};
  for (const [, { outcome, reason = 'NotDue' }] of all) {
    const why = outcome === 'Superseded' ? outcome : outcome === 'Skipped' ? reason : undefined;
    if (why) skipped[why] = (skipped[why] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(skipped).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * How a run ended. Missed: it was too late for all that were left to do. Incomplete: some failed, or it was too late for
 * some. Skipped: each was left alone on purpose, or there were none.
 */
export function phaseOf({
  targets,
  done,
  forced,
  failed,
  skipped,
}: Omit<RunStatus, 'phase' | 'failures' | 'forcedNames'>): RunPhase {
  const { Stale: stale = 0 } = skipped;
  if (stale > 0 && done + forced + failed === 0) return 'Missed';
  if (failed > 0 || stale > 0) return 'Incomplete';
  const left = Object.values(skipped).reduce((sum, each) => sum + each, 0);
  return left === targets ? 'Skipped' : 'Succeeded';
}

const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Leaves out first the lines of the VMs, then as many names as must be. */
function fitting(status: RunStatus): RunStatus {
  if (size(status) <= mostBytes) return status;
  const { vms: _lines, ...rest } = status;
  const all = rest.failures.length + rest.forcedNames.length;
  let left = mostBytes - size({ ...rest, failures: [], forcedNames: [], omitted: all });
  const taken = <T>(all: T[]) => all.filter((one) => (left -= size(one) + 1) >= 0);
  const failures = taken(rest.failures);
  const forcedNames = taken(rest.forcedNames);
  const omitted = all - failures.length - forcedNames.length;
  return { ...rest, failures, forcedNames, ...(omitted > 0 ? { omitted } : {}) };
}
