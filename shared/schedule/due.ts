import { type Boundary, newestBoundary } from './calendar.ts';
import type { Schedule } from './schedule.ts';

export type Due =
  { kind: 'due' | 'missed'; boundary: Boundary; because: string } | { kind: 'suspended' | 'nothing'; because: string };

/**
 * What one schedule has due. Only the newest boundary counts: whatever was not done before it does not matter any more.
 * @param lastHandled instant of the last boundary that was done, skipped or missed for this machine
 * @param createdAt   instant from which the machine is there; boundaries before it are not due
 */
export function due(
  schedule: Schedule,
  { now, lastHandled, createdAt = 0 }: { now: number; lastHandled?: number; createdAt?: number },
): Due {
  if (schedule.suspended) return { kind: 'suspended', because: `schedule ${schedule.key} is suspended` };
  const newest = newestBoundary(schedule, now);
  if (!newest) return { kind: 'nothing', because: `schedule ${schedule.key} has not happened yet` };
  const what = `${newest.action} of ${newest.wall} by schedule ${schedule.key}${newest.reason ? ` (${newest.reason})` : ''}`;
  if (newest.at < Math.max(schedule.createdAt, createdAt))
    return { kind: 'nothing', because: `${what} was before the schedule or the machine was there` };
  if (lastHandled !== undefined && newest.at <= lastHandled) return { kind: 'nothing', because: `${what} is handled` };
  const late = now - newest.at;
  if (late <= schedule.startingDeadlineMs) return { kind: 'due', boundary: newest, because: what };
  const seconds = schedule.startingDeadlineMs / 1000;
  return {
    kind: 'missed',
    boundary: newest,
    because: `${what} is ${Math.round(late / 1000)} s late, more than ${seconds} s`,
  };
}
