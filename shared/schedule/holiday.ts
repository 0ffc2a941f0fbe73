import { wallDate } from '../time/wallclock.ts';

/** Finds the text of a ConfigMap's key; undefined when ConfigMap or key is not there. */
export type FindText = (ref: { namespace: string | undefined; name: string; key: string }) => string | undefined;

/** The key of the ConfigMap where none is named. */
export const holidaysKey = 'holidays';

/** A real date as YYYY-MM-DD. @throws Error saying what was found and what was expected. */
export function readDate(value: unknown): string {
  const instant = typeof value === 'string' ? Date.parse(`${value}T00:00:00Z`) : NaN;
  // Date.parse takes the 30th of February for the 2nd of March, and reads more forms than this one.
  if (!Number.isNaN(instant) && wallDate(instant) === value) return value;
  throw new Error(`${JSON.stringify(value)?.slice(0, 40)} is no date: expected YYYY-MM-DD`);
}

export interface Holidays {
  dates: string[];
  problems: { reason: 'ConfigMapMissing' | 'InvalidHoliday'; message: string }[];
}

/** Reads a ConfigMap's holidays: one date a line; what follows a # is a comment. */
export function readHolidays(ref: Parameters<FindText>[0], findText: FindText): Holidays {
  const found: Holidays = { dates: [], problems: [] };
  const text = findText(ref);
  if (text === undefined)
    found.problems.push({
      reason: 'ConfigMapMissing',
      message: `there is no ConfigMap ${ref.name} with the key ${ref.key}`,
    });
  text?.split(/\r?\n/).forEach((line, i) => {
    const written = line.replace(/#.*/, '').trim();
    if (written === '') return;
    try {
      found.dates.push(readDate(written));
    } catch (wrong) {
      const message = `ConfigMap ${ref.name}, ${ref.key}, line ${i + 1}: ${(wrong as Error).message}`;
      found.problems.push({ reason: 'InvalidHoliday', message });
    }
  });
  return found;
}
