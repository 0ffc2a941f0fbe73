import * as z from 'zod';

import { wallDate } from '../time/wallclock.ts';
import { holidaysLabel } from './configMap.ts';
import { mostProblems, type Problem, problemsOf } from './problem.ts';

/** Finds the text of a ConfigMap's key; undefined when the key is not there, null when no such ConfigMap is for holidays. */
export type FindText = (ref: { namespace: string | undefined; name: string; key: string }) => string | undefined | null;

/** The key of the ConfigMap where none is named. */
export const holidaysKey = 'holidays';

/** A day for each of 27 years; what stands behind it in a list is not read, so that no list takes longer. */
const mostDates = 10_000;
const longestLine = 1_000;
/** A date, and text that cannot be taken for part of it. */
const dated = /^(\d{4}-\d{2}-\d{2})(?![\w./+-])(.*)$/s;
/** `2026-12-24 - 2026-12-26`, `2026-12-24 to 26`: only the first day would count. */
const range = /\d{4}-\d{2}-\d{2}|^\s*(?:[-–—]|\.\.|to|until|through)\s*\d/;

/**
 * A real date as YYYY-MM-DD; text may stand behind it (`2026-12-25 Christmas`), but no second date.
 * @throws Error saying what was found and what was expected.
 */
export function readDate(value: unknown): string {
  const date = dateIn(value);
  if (date !== undefined) return date;
  throw new Error(`${JSON.stringify(value)?.slice(0, 40)} is no date: expected YYYY-MM-DD`);
}

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
        },
        { error: 'expected {name, key}' },
      )
      .optional(),
  },
  { error: 'expected {dates, configMapRef}' },
);

/**
 * The dates of `spec.holidays`, and of the ConfigMap that it names: one date a line, what follows it or a # is for
 * people. Without `findText` the ConfigMap is taken for empty. Its contents are never quoted, only the number of a line:
 * who writes schedules may not be somebody who may read ConfigMaps.
 */
export function readHolidays(given: unknown, namespace: string | undefined, findText?: FindText): Holidays {
  const found: Holidays = { dates: new Set(), problems: [] };
  if (given === undefined) return found;
  const read = spec.safeParse(given);
  if (!read.success) {
    const known = ['dates', 'configMapRef', 'name', 'key'];
    const about = { under: ['spec', 'holidays'], known, reasonOf: () => 'InvalidHoliday' as const };
    found.problems = problemsOf(read.error.issues, about);
    return found;
  }
  const { dates, configMapRef: ref } = read.data;
  add(found, 'spec.holidays.dates', dates.slice(0, mostDates + 1), (value, i) => {
    const shown = JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value)?.slice(0, 40);
    return { field: `spec.holidays.dates[${i}]`, message: `${shown} is no date: expected YYYY-MM-DD` };
  });
  if (ref && findText) addText(found, ref, findText({ namespace, ...ref }));
  return found;
}

function addText(found: Holidays, ref: { name: string; key: string }, text: string | undefined | null): void {
  const field = 'spec.holidays.configMapRef';
  const at = `ConfigMap ${ref.name.slice(0, 253)}, ${ref.key.slice(0, 253)}`;
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

/** Each value that is no date is a problem, told by `wrong`; the first ten are. */
function add(
  { dates, problems }: Holidays,
  field: string,
  values: unknown[],
  wrong: (value: unknown, i: number) => { field: string; message: string },
): void {
  let count = 0;
  values.slice(0, mostDates).forEach((value, i) => {
    const date = value === '' && field.endsWith('configMapRef') ? '' : dateIn(value);
    if (date) dates.add(date);
    else if (date === undefined && ++count <= mostProblems)
      problems.push({ reason: 'InvalidHoliday', ...wrong(value, i) });
  });
  const tell = (message: string) => problems.push({ field, reason: 'InvalidHoliday', message });
  if (count > mostProblems) tell(`${count - mostProblems} more are no dates`);
  if (values.length > mostDates) tell(`has more than ${mostDates} entries: what is behind them is not read`);
}
