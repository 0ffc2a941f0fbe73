import type ICAL from 'ical.js';

import { dayMs } from '../time/zone.ts';
import { CalendarError } from './calendarLines.ts';

/** A rule of recurrence, read and checked. */
export interface Rule {
  freq: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  interval: number;
  count?: number;
  /** Wall time of the last occurrence that is allowed. */
  until?: number;
  /** It is an instant, not a wall time of the event's zone. */
  untilUtc?: boolean;
  /** 0 is Sunday; `nth` from the beginning, or negative from the end, of the month. */
  weekdays: { day: number; nth: number }[];
  monthDays: number[];
  months: number[];
  positions: number[];
  /** 0 is Sunday. */
  weekStart: number;
}

const names = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const freqs = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
const known = new Set(['BYDAY', 'BYMONTHDAY', 'BYMONTH', 'BYSETPOS']);

/**
 * Dates are asked one by one whether they are in the rule, so that a rule that never happens costs no more than one that
 * does. @throws CalendarError for what holidays do not need: hours, numbers of weeks and of days of the year.
 */
export function readRule(given: unknown): Rule {
  const rule = given as ICAL.Recur;
  if (!freqs.includes(rule.freq)) throw wrong('FREQ');
  const parts = rule.parts as Record<string, (string | number)[]>;
  for (const name of Object.keys(parts)) if (!known.has(name)) throw wrong(name);
  const numbers = (name: string, low: number, high: number) =>
    (parts[name] ?? []).map((value) => {
      const number = Number(value);
      if (!Number.isInteger(number) || number < low || number > high || number === 0) throw wrong(name);
      return number;
    });
  if (rule.freq === 'YEARLY' && !parts['BYMONTH'] && Object.keys(parts).length > 0) throw wrong('BYMONTH');
  const { until } = rule;
  return {
    freq: rule.freq as Rule['freq'],
    interval: Math.min(Math.max(rule.interval, 1), 10_000),
    ...(rule.count ? { count: rule.count } : {}),
    ...(until
      ? {
          until: Date.UTC(
            until.year,
            until.month - 1,
            until.day,
            until.isDate ? 24 : until.hour,
            until.minute,
            until.second,
          ),
          untilUtc: until.zone?.tzid === 'UTC',
        }
      : {}),
    weekdays: (parts['BYDAY'] ?? []).map(weekdayOf),
    monthDays: numbers('BYMONTHDAY', -31, 31),
    months: [...new Set(numbers('BYMONTH', 1, 12))].sort((a, b) => a - b),
    positions: numbers('BYSETPOS', -366, 366),
    weekStart: Math.max(0, (rule.wkst || 2) - 1),
  };
}

function weekdayOf(text: unknown): { day: number; nth: number } {
  const [, nth = '', name = ''] = /^([+-]?[1-5])?(SU|MO|TU|WE|TH|FR|SA)$/.exec(String(text)) ?? [];
  if (name === '') throw wrong('BYDAY');
  return { day: names.indexOf(name), nth: Number(nth) };
}

const wrong = (part: string) => new CalendarError(`RRULE: ${part} is not what can be read here`);

/**
 * Whether a day is one of the rule's, but for BYSETPOS; an event happens when it says that it begins. Both are midnights
 * of walls, as if they were UTC.
 */
export const isMeantOn = (rule: Rule, first: number, day: number): boolean =>
  day >= first && (day === first || (isInTurn(rule, first, day) && isMeant(rule, first, day)));

/** Of a day that is meant, whether it is at one of the rule's places of its month. */
export const isPlacedOn = (rule: Rule, first: number, day: number): boolean =>
  day === first || isPlaced(rule, first, day);

const monthOf = (date: Date) => date.getUTCFullYear() * 12 + date.getUTCMonth();

/** The day with which the week of a day begins. */
const weekOf = (day: number, weekStart: number) => day - ((new Date(day).getUTCDay() - weekStart + 7) % 7) * dayMs;

/** Every nth day, week, month or year from the first. */
function isInTurn({ freq, interval, weekStart }: Rule, first: number, day: number): boolean {
  const [a, b] = [new Date(first), new Date(day)];
  const turn = {
    DAILY: () => (day - first) / dayMs,
    WEEKLY: () => (weekOf(day, weekStart) - weekOf(first, weekStart)) / (7 * dayMs),
    MONTHLY: () => monthOf(b) - monthOf(a),
    YEARLY: () => b.getUTCFullYear() - a.getUTCFullYear(),
  }[freq]();
  return turn % interval === 0;
}

function isMeant({ freq, weekdays, monthDays, months }: Rule, first: number, day: number): boolean {
  const [a, b] = [new Date(first), new Date(day)];
  const lastDay = () => new Date(Date.UTC(b.getUTCFullYear(), b.getUTCMonth() + 1, 0)).getUTCDate();
  const date = b.getUTCDate();
  if (months.length > 0 && !months.includes(b.getUTCMonth() + 1)) return false;
  const yearly = freq === 'YEARLY';
  if (yearly && months.length === 0 && b.getUTCMonth() !== a.getUTCMonth()) return false;
  if (monthDays.length > 0 && !monthDays.some((one) => (one > 0 ? one : lastDay() + 1 + one) === date)) return false;
  const inMonth = freq === 'MONTHLY' || yearly;
  const isThat = ({ day: wanted, nth }: Rule['weekdays'][number]) =>
    wanted === b.getUTCDay() &&
    (nth === 0 || !inMonth || (nth > 0 ? Math.ceil(date / 7) === nth : Math.ceil((lastDay() - date + 1) / 7) === -nth));
  if (weekdays.length > 0) return weekdays.some(isThat);
  if (monthDays.length > 0) return true;
  if (freq === 'WEEKLY') return b.getUTCDay() === a.getUTCDay();
  return inMonth ? date === a.getUTCDate() : true;
}

/**
 * At these places of all that its day, its week, its month, or its year has: the last working day of a month is
 * BYDAY=MO,…,FR;BYSETPOS=-1.
 */
function isPlaced(rule: Rule, first: number, day: number): boolean {
  if (rule.positions.length === 0) return true;
  const all = around(rule, day).filter((one) => isMeant(rule, first, one));
  const place = all.indexOf(day);
  return rule.positions.some((wanted) => place === (wanted > 0 ? wanted - 1 : all.length + wanted));
}

/** The days among which places are counted; of a year those of the months that are meant, which `readRule` asks for. */
function around({ freq, weekStart, months }: Rule, day: number): number[] {
  const date = new Date(day);
  const from = (begin: number, count: number) => Array.from({ length: count }, (_, i) => begin + i * dayMs);
  const year = date.getUTCFullYear();
  const ofMonth = (month: number) =>
    from(Date.UTC(year, month, 1), new Date(Date.UTC(year, month + 1, 0)).getUTCDate());
  return {
    DAILY: () => [day],
    WEEKLY: () => from(weekOf(day, weekStart), 7),
    MONTHLY: () => ofMonth(date.getUTCMonth()),
    YEARLY: () => months.flatMap((month) => ofMonth(month - 1)),
  }[freq]();
}

/** So many days are looked at to know whether a day that is meant is at one of the rule's places. */
export function placingDays({ freq, positions, months }: Rule): number {
  if (positions.length === 0) return 0;
  return { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 31 * months.length }[freq];
}
