import { dayMs, instantToWall, wallToInstant, type Zone } from '../../shared/time/zone.ts';
import type { Period } from './course.ts';

/** The instants at which local days begin, from the day that `from` lies in. */
export function midnights(zone: Zone, { from, to }: Period): number[] {
  const found: number[] = [];
  for (let wall = Math.floor(instantToWall(zone, from) / dayMs) * dayMs; ; wall += dayMs) {
    const { at } = wallToInstant(zone, wall);
    if (at >= to) return found;
    found.push(at);
  }
}

export interface Tick {
  at: number;
  /** `Fri` and `27`; the month on the first label, and where one begins. */
  weekday: string;
  day: string;
  month?: string;
}

const part = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
const weekday = part({ weekday: 'short' });
const month = part({ month: 'short' });

/** Of the whole time: what a label takes where it is narrowest. */
const labelShare = 0.03;

/** A label a day; a week where there are many. None for what is left of a last day, where it would be cut. */
export function ticks(zone: Zone, period: Period): Tick[] {
  const starts = midnights(zone, period);
  const each = starts.length <= 62 ? 1 : 7;
  const room = (period.to - period.from) * labelShare;
  const labels = starts.filter((at) => (at >= period.from && period.to - at >= room) || starts.length === 1);
  return labels
    .filter((at) => each === 1 || new Date(instantToWall(zone, at)).getUTCDay() === 1)
    .map((at, i) => {
      const wall = instantToWall(zone, at);
      const date = new Date(wall).getUTCDate();
      return {
        at: Math.max(at, period.from),
        weekday: weekday.format(wall),
        day: String(date),
        ...(i === 0 || date === 1 || (each === 7 && date <= 7) ? { month: month.format(wall) } : {}),
      };
    });
}
