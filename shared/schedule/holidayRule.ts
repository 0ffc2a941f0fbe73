import { dayMs } from '../time/zone.ts';

/** Whether a local date, as midnight UTC, is one of those that a line means in every year. */
export type HolidayRule = (date: Date) => boolean;

/** What a line of a holiday list means: dates, or a rule. */
export type Entry = string[] | HolidayRule;

const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** `12-25`, `12-24..01-02`; `MON#1` of `09-MON#1`, `L` is the last; `SUN` is every Sunday. Text may follow. */
const form =
  /^(?:(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})|(\d{2}-\d{2})(?:\.\.(\d{2}-\d{2}))?|(?:(\d{2}|\*)-)?(SUN|MON|TUE|WED|THU|FRI|SAT)(?:#([1-5L]))?)(?=\s|$)(.*)$/s;
/** A second date, or what would make one a range of another form. */
const second = /\d{2}-\d{2}|^\s*(?:[-–—]|\.\.|to|until|through)\s*\d/;
const longestRangeDays = 400;

const dateText = (date: Date): string => date.toISOString().slice(0, 10);
const readDay = (text: string): Date | undefined => {
  const date = new Date(`${text}T00:00:00Z`);
  // Date takes the 30th of February for the 2nd of March.
  return !Number.isNaN(date.getTime()) && dateText(date) === text ? date : undefined;
};
/** `02-29` is a day of leap years. */
const isYearly = (text: string): boolean => readDay(`2024-${text}`) !== undefined;

/** Undefined for what is none of these; a plain date is read elsewhere. */
export function readEntry(line: string): Entry | undefined {
  const [, from, to, first, last = first, month, weekday, nth, behind = ''] = form.exec(line) ?? [];
  if (second.test(behind)) return undefined;
  if (from !== undefined) return datesBetween(readDay(from), readDay(to!));
  if (first !== undefined) return isYearly(first) && isYearly(last!) ? yearly(first, last!) : undefined;
  return weekday === undefined ? undefined : onWeekday(month ?? '*', days.indexOf(weekday), nth);
}

function datesBetween(from: Date | undefined, to: Date | undefined): string[] | undefined {
  if (!from || !to) return undefined;
  const count = (to.getTime() - from.getTime()) / dayMs + 1;
  if (count < 1 || count > longestRangeDays) return undefined;
  return Array.from({ length: count }, (_, i) => dateText(new Date(from.getTime() + i * dayMs)));
}

/** Over the end of the year where the last day comes before the first. */
const yearly =
  (first: string, last: string): HolidayRule =>
  (date) => {
    const day = dateText(date).slice(5);
    return first <= last ? first <= day && day <= last : day >= first || day <= last;
  };

function onWeekday(month: string, weekday: number, nth: string | undefined): HolidayRule | undefined {
  const number = Number(month);
  if (month !== '*' && !(number >= 1 && number <= 12)) return undefined;
  return (date) => {
    if (date.getUTCDay() !== weekday || (month !== '*' && date.getUTCMonth() + 1 !== number)) return false;
    if (nth === undefined) return true;
    const day = date.getUTCDate();
    const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    return nth === 'L' ? day + 7 > lastDay : Math.ceil(day / 7) === Number(nth);
  };
}
