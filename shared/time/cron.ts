import { CronExpressionParser } from 'cron-parser';

import { dayMs } from './zone.ts';

/**
 * A five-field cron expression on a wall clock that knows no zone. cron-parser reads it; the stepping is here, as
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
  /** Day of month and day of week are both restricted: then either is enough, as in cron since 1979. */
  readonly either: boolean;
}

interface Field {
  name: string;
  low: number;
  high: number;
  names: string[];
}
const fields: Field[] = [
  { name: 'minute', low: 0, high: 59, names: [] },
  { name: 'hour', low: 0, high: 23, names: [] },
  { name: 'day of the month', low: 1, high: 31, names: [] },
  { name: 'month', low: 1, high: 12, names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ') },
  { name: 'day of the week', low: 0, high: 7, names: 'SUN MON TUE WED THU FRI SAT'.split(' ') },
];
const example = 'such as "0 8 * * 1-5"';
/** Leap days are at most eight years apart (1896 to 1904, 2096 to 2104). */
const horizonDays = 8 * 366;

/**
 * Reads `minute hour day-of-month month day-of-week`: numbers, names (MON, JAN), `*`, lists, ranges and steps. What only
 * some crons know is refused: seconds, `@daily`, `H`, `?`, `L`, `W`, `#`, ranges that wrap, steps beyond the field.
 * @throws Error saying what was found and what was expected.
 */
export function parseCron(text: unknown): Cron {
  if (typeof text !== 'string') throw new Error(`expected a cron expression ${example}`);
  const shown = `"${text.slice(0, 80)}"`;
  const parts = text.trim().split(/\s+/);
  if (text.trim() === '') throw new Error(`is empty: expected a cron expression ${example}`);
  if (text.trim().startsWith('@')) throw new Error(`${shown} is a nickname: expected its five fields, ${example}`);
  if (parts.length !== 5)
    throw new Error(`${shown} has ${parts.length} field${parts.length === 1 ? '' : 's'}: expected five, ${example}`);
  parts.forEach((part, i) => checkField(part, fields[i]!, shown));
  let read;
  try {
    read = CronExpressionParser.parse(parts.join(' '), { tz: 'UTC' }).fields;
  } catch (thrown) {
    const why = (thrown as Error).message;
    if (why.includes('day of month')) throw new Error(`${shown} never happens: no such month has day ${parts[2]}`);
    throw new Error(`${shown}: ${why.includes('duplicate') ? 'names a value twice' : why}`);
  }
  const bits = (values: readonly (number | string)[]) =>
    values.reduce<number>((mask, value) => mask | (1 << Number(value)), 0);
  const minutes = read.minute.values.map(Number);
  const free = (part: string) => part === '*' || part === '*/1';
  return {
    text,
    times: read.hour.values.flatMap((hour) => minutes.map((minute) => Number(hour) * 60 + minute)),
    months: bits(read.month.values),
    days: bits(read.dayOfMonth.values),
    weekdays: bits(read.dayOfWeek.values.map((day) => Number(day) % 7)),
    either: !free(parts[2]!) && !free(parts[4]!),
  };
}

function checkField(part: string, { name, low, high, names }: Field, shown: string) {
  const fail = (why: string): never => {
    throw new Error(`${shown}: ${name} ${why}`);
  };
  const known = `${low} to ${high}${names.length > 0 ? ` or ${names[0]} to ${names.at(-1)}` : ''}`;
  const value = (text: string, item: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const number = named >= 0 ? named + low : /^\d{1,2}$/.test(text) ? Number(text) : NaN;
    return number >= low && number <= high ? number : fail(`"${item.slice(0, 20)}": expected ${known}`);
  };
  const seen = new Set<number>();
  for (const item of part.split(',')) {
    const [range = '', step, ...more] = item.split('/');
    if (more.length > 0) fail(`"${item.slice(0, 20)}": expected one step at most`);
    const every = step === undefined ? 1 : /^\d{1,2}$/.test(step) ? Number(step) : NaN;
    if (!(every >= 1 && every <= high)) fail(`"${item.slice(0, 20)}": expected a step from 1 to ${high}`);
    const [first = '', last, ...rest] = range === '*' ? [String(low), String(high)] : range.split('-');
    if (rest.length > 0) fail(`"${item.slice(0, 20)}": expected a range such as ${low}-${high}`);
    const from = value(first, item);
    const to = last !== undefined ? value(last, item) : step !== undefined ? high : from;
    if (from > to) fail(`"${item}": expected a range that does not wrap`);
    for (let n = from; n <= to; n += every) {
      // cron-parser refuses what is named twice; `*` and 0-7 name Sunday twice, and are fine.
      if (seen.has(n)) fail(`names ${n} twice`);
      seen.add(n);
    }
  }
}

/** Whether the cron has times on the day, counted from 1970-01-01. */
export function onDay(cron: Cron, day: number): boolean {
  const date = new Date(day * dayMs);
  if (!((cron.months >> (date.getUTCMonth() + 1)) & 1)) return false;
  const byDate = (cron.days >> date.getUTCDate()) & 1;
  const byWeekday = (cron.weekdays >> date.getUTCDay()) & 1;
  return (cron.either ? byDate | byWeekday : byDate & byWeekday) === 1;
}

/** The first wall time strictly after `wall`; undefined when there is none within eight years. */
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

/** The last wall time at or before `wall`; undefined when there is none within eight years. */
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
