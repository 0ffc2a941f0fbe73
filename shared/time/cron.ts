import { remember } from '../domain/remember.ts';
import { checkField, fields, type Nth, readFields } from './cronField.ts';
import { foreignForm } from './cronForeign.ts';
import { dayMs } from './zone.ts';

/**
 * A five-field cron expression on a wall clock that knows no zone. cron-parser reads its values; the stepping is here, as
 * cron-parser's takes 40 µs a step, gives up on its loop limit, and is in two minds at clock changes.
 */
export interface Cron {
  readonly text: string;
  /** Minutes of the day, ascending. */
  readonly times: readonly number[];
  /** Bit n: the month (1 to 12), day of the month (1 to 31), day of the week (0 Sunday to 6) is among them. */
  readonly months: number;
  readonly days: number;
  readonly weekdays: number;
  /** The last day of the month is among them. */
  readonly lastDay: boolean;
  /** Weekdays of one week of the month only: `MON#1`, `FRI#L`. */
  readonly nths: readonly Nth[];
  /** Day of month and day of week are both restricted: then either is enough, as in cron since 1979. */
  readonly either: boolean;
}

const example = 'such as "0 8 * * 1-5"';
const longest = 1_000;
/** The fifth Monday of a February comes every 28 years, and once after 40, as 2100 has no leap day. */
const horizonDays = 41 * 366;

/**
 * Reads `minute hour day-of-month month day-of-week`: numbers, names (MON, JAN), `*`, lists, ranges and steps; `L`, the
 * last day of the month; `MON#1` and `FRI#L`, the first Monday and the last Friday. What crons do not agree on is
 * refused (decision 28): seconds, `@daily`, `H`, `?`, `W`, ranges that wrap, steps beyond the field, a step of `*` beside
 * another day field.
 * @throws Error saying what was found, and what to write instead.
 */
export function parseCron(text: unknown): Cron {
  if (typeof text !== 'string') throw new Error(`expected a cron expression ${example}`);
  const found = known.get(text);
  if (found) return found;
  const cron = read(text);
  remember(known, text, cron, mostKnown);
  return cron;
}

/** A tick reads all schedules anew, and most say the same as a minute ago. */
const known = new Map<string, Cron>();
const mostKnown = 1_000;

function read(text: string): Cron {
  const bare = text.trim();
  if (bare === '') throw new Error(`is empty: expected a cron expression ${example}`);
  const shown = `"${text.slice(0, 80)}"`;
  if (text.length > longest) throw new Error(`${shown} is too long: expected five fields, ${example}`);
  const foreign = foreignForm(bare, isCron);
  if (foreign !== undefined) throw new Error(`${shown} ${foreign}`);
  const parts = bare.split(/\s+/);
  const checked = parts.map((part, i) => checkField(part, fields[i]!, shown));
  const { plain: plainWeek, nths } = checked[4]!;
  const given = checkDays(parts, nths, shown);
  const values = readFields(
    checked.map(({ plain = '*' }) => plain),
    shown,
  );
  const [minutes = [], hours = [], days = [], months = [], week = []] = values;
  return {
    text,
    times: hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)),
    months: bits(months),
    days: bits(days.filter((day) => !Number.isNaN(day))),
    weekdays: plainWeek === undefined ? 0 : bits(week.map((day) => day % 7)),
    lastDay: days.some(Number.isNaN),
    nths,
    either: given.day && given.week,
  };
}

const bits = (values: number[]) => values.reduce((mask, value) => mask | (1 << value), 0);

function isCron(text: string): boolean {
  try {
    parseCron(text);
    return true;
  } catch {
    return false;
  }
}

/** Which day fields restrict the days. @throws Error where both do, and crons do not agree on what that means. */
function checkDays([minute, hour, day = '', month, week = '']: string[], nths: Nth[], shown: string) {
  const free = (part: string) => part === '*' || part === '*/1';
  const given = { day: !free(day), week: !free(week) };
  if (!given.day || !given.week) return given;
  const write = `write one of them as *: "${minute} ${hour} ${day} ${month} *" or "${minute} ${hour} * ${month} ${week}"`;
  const starred = [day, week].find((part) => part.startsWith('*'));
  if (starred) throw new Error(`${shown}: crons do not agree on ${starred} with the other day field given; ${write}`);
  if (nths.length > 0 || /L/i.test(day)) throw new Error(`${shown}: L and # go with no other day field; ${write}`);
  return given;
}

/** Whether the cron has times on the day, counted from 1970-01-01. */
export function onDay(cron: Cron, day: number): boolean {
  const date = new Date(day * dayMs);
  if (!((cron.months >> (date.getUTCMonth() + 1)) & 1)) return false;
  const byDate = ((cron.days >> date.getUTCDate()) & 1) === 1 || (cron.lastDay && isLast(day, 1));
  const byWeekday =
    ((cron.weekdays >> date.getUTCDay()) & 1) === 1 ||
    cron.nths.some(({ weekday, nth }) => date.getUTCDay() === weekday && isNth(day, date.getUTCDate(), nth));
  return cron.either ? byDate || byWeekday : byDate && byWeekday;
}

/** Whether so many days later it is another month. */
const isLast = (day: number, later: number): boolean =>
  new Date((day + later) * dayMs).getUTCMonth() !== new Date(day * dayMs).getUTCMonth();
const isNth = (day: number, date: number, nth: number): boolean =>
  nth === -1 ? isLast(day, 7) : Math.ceil(date / 7) === nth;

/** The first wall time strictly after `wall`; undefined when there is none within 41 years. */
export function nextWall(cron: Cron, wall: number): number | undefined {
  const today = Math.floor(wall / dayMs);
  const minute = Math.floor((wall - today * dayMs) / 60_000);
  if (onDay(cron, today)) {
    const time = cron.times.find((each) => each > minute);
    if (time !== undefined) return today * dayMs + time * 60_000;
  }
  for (let day = today + 1; day <= today + horizonDays; day++)
    if (onDay(cron, day)) return day * dayMs + cron.times[0]! * 60_000;
  return undefined;
}

/** The last wall time at or before `wall`; undefined when there is none within 41 years. */
export function lastWall(cron: Cron, wall: number): number | undefined {
  const today = Math.floor(wall / dayMs);
  const minute = Math.floor((wall - today * dayMs) / 60_000);
  if (onDay(cron, today)) {
    const time = cron.times.findLast((each) => each <= minute);
    if (time !== undefined) return today * dayMs + time * 60_000;
  }
  for (let day = today - 1; day >= today - horizonDays; day--)
    if (onDay(cron, day)) return day * dayMs + cron.times.at(-1)! * 60_000;
  return undefined;
}

/** A wall time that both name, or undefined. The calendar repeats after 28 years, but for the leap days of 2100. */
export function sharedWall(a: Cron, b: Cron, from: number): number | undefined {
  const time = a.times.find((each) => b.times.includes(each));
  if (time === undefined) return undefined;
  const first = Math.floor(from / dayMs);
  for (let day = first; day < first + 28 * 366; day++)
    if (onDay(a, day) && onDay(b, day)) return day * dayMs + time * 60_000;
  return undefined;
}
