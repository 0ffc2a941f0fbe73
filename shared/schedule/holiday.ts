import * as z from 'zod';

import { wallDate } from '../time/wallclock.ts';
import type { Zone } from '../time/zone.ts';
import { holidaysLabel } from './configMap.ts';
import { type Entry, type HolidayRule, readEntry } from './holidayRule.ts';
import { mostProblems, type Problem, problemsOf } from './problem.ts';

/** A calendar file that was read: its dates in a zone, and what is wrong with it, by line. */
export type CalendarDates = (zone: Zone) => { dates: Iterable<string>; problems: { line: number; message: string }[] };

/** Where a ConfigMap is named: `shared`, or without a namespace, it stands in that of the lifecycle functions. */
export interface TextRef {
  namespace: string | undefined;
  name: string;
  key: string;
  shared?: boolean;
}

/** Finds the text of a ConfigMap's key, or the calendar that it is; undefined when the key is not there,
 * null when no such ConfigMap is for holidays. */
export type FindText = (ref: TextRef) => string | CalendarDates | undefined | null;

/** Whether a text is a calendar file rather than a list of dates. */
export const isCalendar = (text: string): boolean => /^\uFEFF?\s{0,100}BEGIN:VCALENDAR/i.test(text);

/** The key of the ConfigMap where none is named. */
export const holidaysKey = 'holidays';

/** A day for each of 27 years; what stands behind it in a list is not read, so that no list takes longer. */
const mostDates = 10_000;
/** Of all ranges together. */
const mostMeant = 20_000;
/** Rules are asked for every date. */
const mostRules = 200;
const longestLine = 1_000;
/** A date, and text that cannot be taken for part of it. */
const dated = /^(\d{4}-\d{2}-\d{2})(?![\w./+-])(.*)$/s;
/** `2026-12-24 - 2026-12-26`, `2026-12-24 to 26`: only the first day would count. */
const range = /\d{4}-\d{2}-\d{2}|^\s*(?:[-–—]|\.\.|to|until|through)\s*\d/;

/** A list or an object is not written out: it may be too deep for that. */
const shown = (value: unknown): string =>
  Array.isArray(value)
    ? 'a list'
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value)).slice(0, 40);

/** A real date as YYYY-MM-DD; text may stand behind it (`2026-12-25 Christmas`), but no second date. */
function dateIn(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > longestLine) return undefined;
  const [, date = '', behind = ''] = dated.exec(value) ?? [];
  const instant = Date.parse(`${date}T00:00:00Z`);
  // Date.parse takes the 30th of February for the 2nd of March.
  return !Number.isNaN(instant) && wallDate(instant) === date && !range.test(behind) ? date : undefined;
}

export interface Holidays {
  /** All that could be read, whatever else is wrong. */
  dates: Set<string>;
  /** What is one in every year. */
  rules: HolidayRule[];
  action: 'skipStart' | 'stopped';
  problems: Problem[];
}

const named = (what: string) => z.string({ error: what }).min(1, what);
const spec = z.strictObject(
  {
    // Not zod's array: it hands over all its issues as arguments of one call, and a long list is too many.
    dates: z.custom<unknown[]>((value) => Array.isArray(value), 'expected a list of dates').default([]),
    configMapRef: z
      .strictObject(
        {
          name: named('expected the name of a ConfigMap'),
          key: named('expected a key of the ConfigMap').default(holidaysKey),
          shared: z.boolean({ error: 'expected true or false' }).optional(),
        },
        { error: 'expected {name, key}' },
      )
      .optional(),
    action: z.enum(['skipStart', 'stopped'], { error: 'expected skipStart or stopped' }).default('skipStart'),
  },
  { error: 'expected {dates, configMapRef}' },
);

/**
 * The dates of `spec.holidays`, and of the ConfigMap that it names: one date a line, what follows it or a # is for
 * people. Without `findText` the ConfigMap is taken for empty. Its contents are never quoted, only the number of a line:
 * who writes schedules may not be somebody who may read ConfigMaps.
 */
export function readHolidays(given: unknown, namespace: string | undefined, zone: Zone, findText?: FindText): Holidays {
  const found: Holidays = { dates: new Set(), rules: [], action: 'skipStart', problems: [] };
  if (given === undefined) return found;
  const read = spec.safeParse(given);
  if (!read.success) {
    const known = ['dates', 'configMapRef', 'action', 'name', 'key', 'shared'];
    const about = { under: ['spec', 'holidays'], known, reasonOf: () => 'InvalidHoliday' as const };
    found.problems = problemsOf(read.error.issues, about);
    return found;
  }
  const { dates, configMapRef, action } = read.data;
  found.action = action;
  add(found, 'spec.holidays.dates', dates.slice(0, mostDates + 1), (value, i) => {
    return { field: `spec.holidays.dates[${i}]`, message: `${shown(value)} is no date: expected YYYY-MM-DD` };
  });
  if (!configMapRef || !findText) return found;
  const { shared, ...ref } = configMapRef;
  addText(found, ref, findText({ namespace, ...ref, ...(shared ? { shared } : {}) }), zone);
  return found;
}

function addText(
  found: Holidays,
  ref: { name: string; key: string },
  text: string | CalendarDates | undefined | null,
  zone: Zone,
): void {
  const field = 'spec.holidays.configMapRef';
  const at = `ConfigMap ${ref.name.slice(0, 253)}, ${ref.key.slice(0, 253)}`;
  if (typeof text === 'function') return addCalendar(found, field, at, text(zone));
  if (typeof text !== 'string') {
    const which = text === null ? `the label ${holidaysLabel}=true and ` : '';
    const message = `there is no ConfigMap ${ref.name.slice(0, 253)} with ${which}the key ${ref.key.slice(0, 253)}`;
    found.problems.push({ field, reason: 'ConfigMapMissing', message });
    return;
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/, mostDates + 1)
    .map((line) => line.split('#', 1)[0]!.trim());
  add(found, field, lines, (_line, i) => ({ field, message: `${at}, line ${i + 1}: expected a date, YYYY-MM-DD` }));
}

function addCalendar(
  { dates, problems }: Holidays,
  field: string,
  at: string,
  { dates: found, problems: wrong }: ReturnType<CalendarDates>,
): void {
  for (const date of found) dates.add(date);
  for (const { line, message } of wrong.slice(0, mostProblems))
    problems.push({ field, reason: 'InvalidHoliday', message: `${at}, line ${line}: ${message}` });
}

function entryIn(value: unknown): Entry | undefined {
  const date = dateIn(value);
  if (date !== undefined) return [date];
  return typeof value === 'string' && value.length <= longestLine ? readEntry(value) : undefined;
}

/** Each value that is no date is a problem, told by `wrong`; the first ten are. */
function add(
  { dates, rules, problems }: Holidays,
  field: string,
  values: unknown[],
  wrong: (value: unknown, i: number) => { field: string; message: string },
): void {
  let count = 0;
  values.slice(0, mostDates).forEach((value, i) => {
    const entry = value === '' && field.endsWith('configMapRef') ? [] : entryIn(value);
    if (typeof entry === 'function') rules.push(entry);
    else if (dates.size < mostMeant) for (const date of entry ?? []) dates.add(date);
    if (entry === undefined && ++count <= mostProblems) problems.push({ reason: 'InvalidHoliday', ...wrong(value, i) });
  });
  const tell = (message: string) => problems.push({ field, reason: 'InvalidHoliday', message });
  if (count > mostProblems) tell(`${count - mostProblems} more are no dates`);
  if (dates.size >= mostMeant) tell(`means more than ${mostMeant} dates: what is behind them is not read`);
  const further = rules.splice(mostRules).length;
  if (further > 0) tell(`has more than ${mostRules} rules for every year: ${further} are not read`);
  if (values.length > mostDates) tell(`has more than ${mostDates} entries: what is behind them is not read`);
}
