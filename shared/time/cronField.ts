import { CronExpressionParser } from 'cron-parser';

const fieldOf = (name: string, low: number, high: number, ...names: string[]) => ({ name, low, high, names });
type Field = ReturnType<typeof fieldOf>;
const date = fieldOf('day of the month', 1, 31);
/** Its last day, 7, is Sunday once more. */
const weekday = fieldOf('day of the week', 0, 7, ...'SUN MON TUE WED THU FRI SAT'.split(' '));
const month = fieldOf('month', 1, 12, ...'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '));
export const fields = [fieldOf('minute', 0, 59), fieldOf('hour', 0, 23), date, month, weekday];

/** A weekday's place in its month, from 1 to 5; -1 is the last. */
export interface Nth {
  weekday: number;
  nth: number;
}

/**
 * Takes numbers, names, `*`, lists, ranges and steps of one field, and of the weekdays what depends on the month.
 * @returns what is left for cron-parser to read, if anything; and the places of weekdays in their month.
 * @throws Error saying what was found and what to write.
 */
export function checkField(part: string, field: Field, shown: string): { plain?: string; nths: Nth[] } {
  const fail = (why: string): never => {
    throw new Error(`${shown}: ${field.name} ${why}`);
  };
  const nths: Nth[] = [];
  const plain = part.split(',').flatMap((item) => {
    const found = nthOf(item, field, fail);
    if (!found) return [plainItem(item, field, fail)];
    if (nths.some(({ weekday, nth }) => weekday === found.weekday && nth === found.nth)) fail(`names ${item} twice`);
    nths.push(found);
    return [];
  });
  return { ...(plain.length > 0 ? { plain: plain.join(',') } : {}), nths };
}

type Fail = (why: string) => never;

/** `MON#1`, `FRI#L`, `5L`; undefined for everything else that may be taken. */
function nthOf(item: string, field: Field, fail: Fail): Nth | undefined {
  const quoted = `"${item.slice(0, 20)}"`;
  if (item === '?' && (field === date || field === weekday)) fail(`${quoted}: write * instead`);
  if (field === date && /^\d{0,2}L?W$/i.test(item))
    fail(`${quoted}: W is not known; write days, such as 14,15,16, or MON#3`);
  if (field === date && /^L-?\d+$/i.test(item))
    fail(`${quoted}: expected L alone, the last day of the month; write days, such as 27,28`);
  if (field !== weekday) return undefined;
  if (item.toUpperCase() === 'L') fail(`${quoted}: write SAT, or FRI#L for the last Friday of the month`);
  const [, day, nth = ''] = /^([A-Z]{3}|\d)(#[1-5L]|L)$/i.exec(item) ?? [];
  if (day === undefined) {
    if (item.includes('#')) fail(`${quoted}: expected one weekday from MON#1 to MON#5, or MON#L for the last`);
    return undefined;
  }
  return { weekday: valueOf(day, item, weekday, fail) % 7, nth: /L$/i.test(nth) ? -1 : Number(nth.slice(1)) };
}

function valueOf(text: string, item: string, { low, high, names }: Field, fail: Fail): number {
  const named = names.indexOf(text.toUpperCase());
  const number = named >= 0 ? named + low : /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (number >= low && number <= high) return number;
  const or = names.length > 0 ? ` or ${names[0]} to ${names.at(-1)}` : '';
  return fail(`"${item.slice(0, 20)}": expected ${low} to ${high}${or}`);
}

/** One item of a list as cron-parser reads it in the same way: its steps from a weekday would go on to a second Sunday. */
function plainItem(item: string, field: Field, fail: Fail): string {
  const { low, high } = field;
  const quoted = `"${item.slice(0, 20)}"`;
  if (field === date && item.toUpperCase() === 'L') return 'L';
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0) fail(`${quoted}: expected one step at most`);
  const every = step === undefined ? 1 : /^\d{1,2}$/.test(step) ? Number(step) : NaN;
  if (!(every >= 1 && every <= high)) fail(`${quoted}: expected a step from 1 to ${high}`);
  if (range === '*') return item;
  const [first = '', last, ...rest] = range.split('-');
  if (rest.length > 0) fail(`${quoted}: expected a range such as ${low}-${high}`);
  const from = valueOf(first, item, field, fail);
  const top = field === weekday ? 6 : high;
  const instead = (begin: number, end: number) => {
    const values = around({ from: begin, to: end, every }, low, top);
    return values.map((n) => (/[A-Z]/i.test(range) ? field.names[n - low] : n)).join(',');
  };
  if (last === undefined) {
    if (step === undefined) return item;
    if (from > top) fail(`${quoted}: a step cannot begin at the second Sunday; write ${instead(low, top)}`);
    return `${from}-${top}/${step}`;
  }
  const to = valueOf(last, item, field, fail);
  if (from > to) fail(`"${item}": expected a range that does not wrap; write ${instead(from, to)}`);
  return item;
}

/** What a range that wraps most likely means: on from the lowest value after the highest. */
function around({ from, to, every }: { from: number; to: number; every: number }, low: number, top: number): number[] {
  const size = top - low + 1;
  const long = (((to - from) % size) + size) % size;
  return Array.from({ length: Math.floor(long / every) + 1 }, (_none, i) => low + ((from - low + i * every) % size));
}

/** What cron-parser finds in five fields that were checked: of the weekdays 0 and 7 are Sunday, NaN is L. */
function read(five: string[]): number[][] {
  const found = CronExpressionParser.parse(five.join(' '), { tz: 'UTC' }).fields;
  const { minute, hour, dayOfMonth, month, dayOfWeek } = found;
  return [minute, hour, dayOfMonth, month, dayOfWeek].map(({ values }) => values.map(Number));
}

/** The values of five fields that were checked. @throws Error for what is named twice, and for what never happens. */
export function readFields(five: string[], shown: string): number[][] {
  try {
    return read(five);
  } catch (cause) {
    five.forEach((part, i) => failForTwice(part, i, shown));
    throw new Error(`${shown} never happens: no such month has day ${five[2]}`, { cause });
  }
}

function failForTwice(part: string, i: number, shown: string): void {
  const seen = new Set<number>();
  for (const item of part.split(',')) {
    const alone = fields.map((_field, j) => (j === i ? item : '*'));
    // Where it has Sunday as 7 it has it as 0 too.
    for (const value of read(alone)[i]!) {
      const what = Number.isNaN(value) ? 'L' : value;
      if (seen.has(value) && fields[i] === weekday && value === 0) throw new Error(`${shown}: names a value twice`);
      if (seen.has(value)) throw new Error(`${shown}: ${fields[i]!.name} names ${what} twice`);
      seen.add(value);
    }
  }
}
