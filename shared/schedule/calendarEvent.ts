import ICAL from 'ical.js';

import { knownZone, parseZone } from '../time/parseZone.ts';
import { wallDate } from '../time/wallclock.ts';
import { dayMs, instantToWall, type Zone } from '../time/zone.ts';
import { CalendarError, type EventLine } from './calendarLines.ts';
import { readRule, type Rule } from './recurrence.ts';

/** A time as a calendar has it: a wall time with the zone it is meant in, or an instant. Whole days have none. */
interface Point {
  /** Wall time as if it were UTC. */
  wall: number;
  wholeDay: boolean;
  /** `UTC`, a name that may be no zone, or undefined: that of the schedule. */
  zone: string | undefined;
}

export interface Event {
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

export type Wrong = { line: number; message: string };

const longestMs = 400 * dayMs;

export const zoneOf = (name: string | undefined, otherwise: Zone): Zone =>
  (name === undefined ? undefined : knownZone(name)) ?? otherwise;

/** Undefined, and told, where it cannot be understood. */
export function readEvent(lines: EventLine[], problems: Wrong[]): Event | undefined {
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
  const start = pointsIn(dtstart)[0]!;
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
    if (!(year >= 1)) throw new CalendarError('expected a real date');
    const own = value.zone?.tzid === 'UTC' ? 'UTC' : typeof zone === 'string' ? zone : undefined;
    return { wall, wholeDay: isDate, zone: own };
  });
}
