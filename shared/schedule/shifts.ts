import type { Action } from '../domain/outcome.ts';
import { wallDate } from '../time/wallclock.ts';
import { dayMs, instantToWall, wallToInstant } from '../time/zone.ts';
import type { Schedule } from './schedule.ts';

/** What holds at an instant in the place of the crons: an exception, or a holiday on which VMs are stopped. */
export interface Standing {
  action: Action;
  reason: string;
  /** Since when, an instant. */
  from: number;
}

type Held = Pick<Schedule, 'zone' | 'exceptions' | 'holidays' | 'holidayRules' | 'holidayAction'>;

/** Whether a local date, `YYYY-MM-DD`, is a holiday. */
export function isHoliday({ holidays, holidayRules }: Pick<Held, 'holidays' | 'holidayRules'>, date: string): boolean {
  if (holidays.has(date)) return true;
  if (holidayRules.length === 0) return false;
  const day = new Date(`${date}T00:00:00Z`);
  return holidayRules.some((rule) => rule(day));
}

/** Of several exceptions the one that began last; an exception comes before a holiday. */
export function standingAt(schedule: Held, at: number): Standing | undefined {
  const held = schedule.exceptions.filter(({ from, to }) => from <= at && at < to);
  const last = held.reduce((one, other) => (other.from >= one.from ? other : one), held[0]!);
  if (last)
    return { action: last.action, reason: last.reason ? `exception: ${last.reason}` : 'exception', from: last.from };
  if (schedule.holidayAction !== 'stopped') return undefined;
  const wall = instantToWall(schedule.zone, at);
  const date = wallDate(wall);
  if (!isHoliday(schedule, date)) return undefined;
  return { action: 'stop', reason: `holiday ${date}`, from: wallToInstant(schedule.zone, midnight(wall)).at };
}

/** Instants in (from, to] at which an exception begins or ends, or a holiday does, in their order. */
export function edgesIn(schedule: Held, from: number, to: number): number[] {
  const edges = new Set(schedule.exceptions.flatMap((one) => [one.from, one.to]));
  if (schedule.holidayAction === 'stopped' && hasHolidays(schedule)) {
    const last = midnight(instantToWall(schedule.zone, to)) + dayMs;
    let day = midnight(instantToWall(schedule.zone, from)) - dayMs;
    for (let before = isHoliday(schedule, wallDate(day)); day <= last; day += dayMs) {
      const now = isHoliday(schedule, wallDate(day));
      if (now !== before) edges.add(wallToInstant(schedule.zone, day).at);
      before = now;
    }
  }
  return [...edges].filter((edge) => edge > from && edge <= to).sort((a, b) => a - b);
}

/** Whether anything can stand in the place of the crons at all. */
export const mayShift = (schedule: Held): boolean =>
  schedule.exceptions.length > 0 || (schedule.holidayAction === 'stopped' && hasHolidays(schedule));

const hasHolidays = ({ holidays, holidayRules }: Held): boolean => holidays.size > 0 || holidayRules.length > 0;

export const midnight = (wall: number): number => Math.floor(wall / dayMs) * dayMs;
