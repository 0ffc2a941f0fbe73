import { wallDate } from '../time/wallclock.ts';
import { dayMs, instantToWall, wallToInstant, type Zone } from '../time/zone.ts';
import { type Event, readEvent, type Wrong, zoneOf } from './calendarEvent.ts';
import { eventLines } from './calendarLines.ts';
import type { CalendarDates } from './holiday.ts';
import { isMeantOn, isPlacedOn, placingDays } from './recurrence.ts';

/** Local dates around which recurring events are looked for. Instants. */
export interface Window {
  from: number;
  to: number;
}

/** Whatever somebody writes, no more work than this comes of it. */
const mostEvents = 5_000;

const mostDates = 20_000;

/** A day that a rule is asked for is one step. */
const mostSteps = 300_000;
/** What it costs beside that where the rule means the day: it becomes a date. */
const stepsOfDate = 2;

/**
 * The dates on which the events of an iCalendar file (RFC 5545) lie: each local date that one touches, as a whole day or
 * for an hour, once or again and again. What is wrong is told by its line, never by its words. A zone that the tz
 * database does not know is taken for the schedule's.
 */
export function readCalendar(text: string, window: Window): CalendarDates {
  const problems: Wrong[] = [];
  const { events: found, problems: wrong } = eventLines(text);
  problems.push(...wrong);
  if (found.length > mostEvents)
    problems.push({
      line: found[mostEvents]![0]!.number,
      message: `more than ${mostEvents} events: it and those behind it are not read`,
    });
  const events = found.slice(0, mostEvents).flatMap((lines) => readEvent(lines, problems) ?? []);
  for (const one of events)
    if (one.replaces !== undefined)
      for (const other of events)
        if (other.uid === one.uid && other.replaces === undefined) other.without.add(one.replaces);
  const known = new Map<string, ReturnType<CalendarDates>>();
  return (zone) => {
    const found = known.get(zone.name) ?? datesOf(events, window, zone, problems);
    known.set(zone.name, found);
    return found;
  };
}

function datesOf(events: Event[], window: Window, zone: Zone, read: Wrong[]) {
  // Midnights: a thousand events on the same days are the same few dates, and each is written once.
  const days = new Set<number>();
  const problems = [...read];
  const budget = { steps: mostSteps };
  for (const event of events) {
    if (event.cancelled) continue;
    for (const wall of occurrences(event, window, budget)) {
      if (days.size >= mostDates) break;
      add(days, event, wall, zone);
    }
    if (budget.steps > 0 && days.size < mostDates) continue;
    problems.push({
      line: event.line,
      message: 'too many dates: this event and those behind it are not read to their end',
    });
    break;
  }
  return { dates: new Set([...days].map(wallDate)), problems };
}

/** Walls at which it begins, near the window; what does not recur is far from it or not. */
export function occurrences(
  { start, rule, more, without, lengthMs }: Event,
  window: Window,
  budget: { steps: number },
): number[] {
  const near = (wall: number) => wall >= window.from - lengthMs - 2 * dayMs && wall <= window.to + 2 * dayMs;
  const found = [start.wall, ...more].filter(near);
  if (rule) {
    const time = start.wall % dayMs;
    const first = start.wall - time;
    // Who counts has to count from the beginning.
    const begin =
      rule.count === undefined
        ? Math.max(first, Math.floor((window.from - lengthMs) / dayMs) * dayMs - 2 * dayMs)
        : first;
    let count = 0;
    for (let day = begin; day <= window.to + 2 * dayMs && budget.steps-- > 0; day += dayMs) {
      if (rule.until !== undefined && day + time > rule.until) break;
      if (!isMeantOn(rule, first, day)) continue;
      budget.steps -= stepsOfDate + placingDays(rule);
      if (!isPlacedOn(rule, first, day)) continue;
      if (rule.count !== undefined && ++count > rule.count) break;
      if (near(day + time)) found.push(day + time);
    }
  }
  return [...new Set(found)].filter((wall) => !without.has(wall));
}

/** The local days that one occurrence touches. */
function add(days: Set<number>, { start, lengthMs }: Event, wall: number, zone: Zone): void {
  const there = (each: number) =>
    start.wholeDay ? each : instantToWall(zone, wallToInstant(zoneOf(start.zone, zone), each).at);
  const [from, to] = [there(wall), there(wall + lengthMs)];
  for (let day = Math.floor(from / dayMs) * dayMs; day < Math.max(to, from + 1); day += dayMs) days.add(day);
}
