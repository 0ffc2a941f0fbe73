import { happensAt } from '../zones/oracle.ts';
import { type Calendar, calendars, clockOf, holidayOn, keyOf } from './calendars.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export interface Expected {
  schedule: string;
  key: string;
  at: number;
  action: 'start' | 'stop';
}

/**
 * Every switch in (from, to], minute by minute: a skipped minute happens where the clock goes on, a doubled one once; an
 * exception, and a holiday that is off, stands before what the crons want. The VMs are off at first, and what the crons
 * wanted before is not made up for.
 */
export const expectedOf = (span: { from: number; to: number }): Expected[] =>
  calendars.flatMap((calendar) => switchesOf(calendar, span)).sort((a, b) => a.at - b.at);

function switchesOf(calendar: Calendar, { from, to }: { from: number; to: number }): Expected[] {
  const { name, zone, start, stop } = calendar;
  const clock = clockOf(zone);
  const exceptions = calendar.exceptions?.(from, to).slice(0, 100) ?? [];
  const found: Expected[] = [];
  let crons: 'start' | 'stop' = 'stop';
  let is: 'start' | 'stop' = 'stop';
  let stood = false;
  let highest = clock(from - 48 * hourMs);
  for (let at = from - 48 * hourMs + minuteMs; at <= to; at += minuteMs) {
    const wall = clock(at);
    let named = false;
    for (let shown = highest + 1; shown <= wall; shown++) {
      const starts = happensAt(start, shown) && !holidayOn(calendar, shown);
      if (starts || happensAt(stop, shown)) {
        crons = starts ? 'start' : 'stop';
        named = true;
      }
    }
    highest = Math.max(highest, wall);
    const held = exceptions.findLast((one) => one.from <= at && at < one.to)?.state;
    const off = calendar.holidays?.off === true && holidayOn(calendar, wall);
    const stands = held !== undefined || off;
    const wish: 'start' | 'stop' = held ? (held === 'Running' ? 'start' : 'stop') : off ? 'stop' : crons;
    if (at > from && (named || stands !== stood) && wish !== is) {
      found.push({ schedule: name, key: keyOf(calendar), at, action: wish });
      is = wish;
    }
    stood = stands;
  }
  return found;
}
