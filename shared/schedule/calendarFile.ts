import ICAL from 'ical.js';

import { wallDate } from '../time/wallclock.ts';
import { dayMs, instantToWall, parseZone, wallToInstant, type Zone } from '../time/zone.ts';
import { CalendarError, type EventLine, eventLines } from './calendarLines.ts';
import type { CalendarDates } from './holiday.ts';
import { occursOn, readRule, type Rule } from './recurrence.ts';

/** Local dates around which recurring events are looked for. Instants. */
export interface Window {
  from: number;
  to: number;
}

/** A time as a calendar has it: a wall time with the zone it is meant in, or an instant. Whole days have none. */
interface Point {
  /** Wall time as if it were UTC. */
  wall: number;
  wholeDay: boolean;
  /** `UTC`, a name that may be no zone, or undefined: that of the schedule. */
  zone: string | undefined;
}

interface Event {
  line: number;
  uid: string;
  start: Point;
  lengthMs: number;
  rule?: Rule;
  more: number[];
  /** Walls of occurrences that do not happen. */
  without: Set<number>;
  /** Replaces this occurrence of the event with the same uid. */
  replaces?: number;
  cancelled: boolean;
}

type Wrong = { line: number; message: string };

/** Whatever somebody writes, no more work than this comes of it. */
const mostEvents = 5_000;
const mostDates = 20_000;
const mostSteps = 300_000;
const longestMs = 400 * dayMs;

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
  const dates = new Set<string>();
  const problems = [...read];
  const budget = { steps: mostSteps };
  for (const event of events) {
    if (event.cancelled) continue;
    for (const wall of occurrences(event, window, budget)) {
      if (dates.size >= mostDates) break;
      add(dates, event, wall, zone);
    }
    if (budget.steps > 0 && dates.size < mostDates) continue;
    problems.push({
      line: event.line,
      message: 'too many dates: this event and those behind it are not read to their end',
    });
    break;
  }
  return { dates, problems };
}

/** Walls at which it begins, near the window; what does not recur is far from it or not. */
function occurrences(
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
      if (!occursOn(rule, first, day)) continue;
      if (rule.count !== undefined && ++count > rule.count) break;
      if (near(day + time)) found.push(day + time);
    }
  }
  return [...new Set(found)].filter((wall) => !without.has(wall));
}

/** The local dates that one occurrence touches. */
function add(dates: Set<string>, { start, lengthMs }: Event, wall: number, zone: Zone): void {
  const there = (each: number) =>
    start.wholeDay ? each : instantToWall(zone, wallToInstant(zoneOf(start.zone, zone), each).at);
  const [from, to] = [there(wall), there(wall + lengthMs)];
  for (let day = Math.floor(from / dayMs) * dayMs; day < Math.max(to, from + 1); day += dayMs) dates.add(wallDate(day));
}

function zoneOf(name: string | undefined, otherwise: Zone): Zone {
  try {
    return name === undefined ? otherwise : parseZone(name);
  } catch {
    return otherwise;
  }
}

/** Undefined, and told, where it cannot be understood. */
function readEvent(lines: EventLine[], problems: Wrong[]): Event | undefined {
  let at = lines[0]!.number;
  const begun = at;
  const said = new Map<string, ICAL.Property[]>();
  try {
    for (const { name, number, text } of lines) {
      at = number;
      if (!name) continue;
      const property = ICAL.Property.fromString(text, ICAL.design.icalendar);
      said.set(name, [...(said.get(name) ?? []), property]);
      if (name === 'RRULE') readRule(property.getFirstValue());
      else if (name !== 'UID' && name !== 'STATUS' && name !== 'DURATION') {
        checkDays(text);
        pointsIn(property);
      }
    }
    at = begun;
    return eventFrom(said, begun);
  } catch (thrown) {
    const message = thrown instanceof CalendarError ? thrown.message : 'cannot be understood';
    problems.push({ line: at, message });
    return undefined;
  }
}

function eventFrom(said: Map<string, ICAL.Property[]>, line: number): Event {
  const one = (name: string) => said.get(name)?.[0];
  const dtstart = one('DTSTART');
  if (!dtstart) throw new CalendarError('an event without DTSTART');
  const [start] = pointsIn(dtstart);
  if (!start) throw new CalendarError('expected a date');
  const rule = one('RRULE') && readRule(one('RRULE')!.getFirstValue());
  const text = (name: string) => String(one(name)?.getFirstValue() ?? '');
  const replaced = one('RECURRENCE-ID');
  return {
    line,
    uid: text('UID').slice(0, 255),
    start,
    lengthMs: lengthOf(start, one('DTEND'), one('DURATION')),
    ...(rule ? { rule: inZoneOf(rule, start) } : {}),
    more: (said.get('RDATE') ?? []).flatMap(pointsIn).map((one) => wallOf(one, start)),
    without: new Set((said.get('EXDATE') ?? []).flatMap(pointsIn).map((one) => wallOf(one, start))),
    ...(replaced ? { replaces: wallOf(pointsIn(replaced)[0]!, start) } : {}),
    cancelled: text('STATUS') === 'CANCELLED',
  };
}

/** The wall of a date of the event, in the zone of its first one; a whole day is that day's occurrence. */
function wallOf({ wall, wholeDay, zone }: Point, start: Point): number {
  if (wholeDay !== start.wholeDay) return Math.floor(wall / dayMs) * dayMs + (start.wall % dayMs);
  return zone === 'UTC' && start.zone !== 'UTC' ? instantToWall(zoneOf(start.zone, utc), wall) : wall;
}

const utc = parseZone('UTC');

const inZoneOf = (rule: Rule, start: Point): Rule =>
  rule.until !== undefined && rule.untilUtc && !start.wholeDay
    ? { ...rule, until: wallOf({ wall: rule.until, wholeDay: false, zone: 'UTC' }, start) }
    : rule;

function lengthOf(start: Point, end: ICAL.Property | undefined, duration: ICAL.Property | undefined): number {
  const till = end && pointsIn(end)[0]!.wall;
  const given = duration?.getFirstValue();
  const seconds = given instanceof ICAL.Duration ? given.toSeconds() : undefined;
  const length =
    till !== undefined ? till - start.wall : seconds !== undefined ? seconds * 1_000 : start.wholeDay ? dayMs : 0;
  if (length < 0) throw new CalendarError('its end is before its beginning');
  if (length > longestMs) throw new CalendarError('it is longer than 400 days');
  return length;
}

/** The parser takes the 30th of February for the 2nd of March. */
function checkDays(text: string): void {
  for (const [, year, month, day] of text.matchAll(/(?<=[:,/])(\d{4})(\d{2})(\d{2})(?!\d)/g)) {
    const date = `${year}-${month}-${day}`;
    const instant = Date.parse(`${date}T00:00:00Z`);
    if (Number.isNaN(instant) || wallDate(instant) !== date) throw new CalendarError('expected a real date');
  }
}

const mostPoints = 1_000;

function pointsIn(property: ICAL.Property): Point[] {
  const zone = property.getParameter('tzid');
  const values: unknown[] = property.getValues();
  if (values.length > mostPoints) throw new CalendarError(`more than ${mostPoints} dates`);
  return values.map((given) => {
    const value = given instanceof ICAL.Period ? given.start : given;
    if (!(value instanceof ICAL.Time)) throw new CalendarError('expected a date');
    const { year, month, day, hour, minute, second, isDate } = value;
    const wall = Date.UTC(year, month - 1, day, hour, minute, second);
    if (!(year >= 1 && year <= 9999) || Number.isNaN(wall)) throw new CalendarError('expected a real date');
    const own = value.zone?.tzid === 'UTC' ? 'UTC' : typeof zone === 'string' ? zone : undefined;
    return { wall, wholeDay: isDate, zone: own };
  });
}
