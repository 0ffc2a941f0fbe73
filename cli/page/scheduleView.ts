import { boundaries } from '../../shared/schedule/calendar.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { type ClockChange, clockChanges } from '../../shared/time/zone.ts';
import type { Period } from './course.ts';

export interface ScheduleView {
  schedule: Schedule;
  matched: number;
  /** Local dates in the period on which a start is skipped. */
  holidays: string[];
  changes: ClockChange[];
}

/** How many machines each schedule rules; a row without a wave is no machine. */
export function countsOf(rows: { schedules: Schedule[]; wave?: number }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { schedules, wave } of rows)
    if (wave !== undefined) for (const { key } of schedules) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

export function viewOf(schedule: Schedule, matched: number, { from, to }: Period): ScheduleView {
  const skipped = boundaries(schedule, from - 1, to - 1).filter(({ skippedBecause }) => skippedBecause);
  const holidays = [...new Set(skipped.map(({ wall }) => wall.slice(0, 10)))];
  return { schedule, matched, holidays, changes: clockChanges(schedule.zone, from, to - 1) };
}
