/** One of the five fields of a cron expression. */
export interface Field {
  name: string;
  low: number;
  /** The last value; of the days of the week 7, which is Sunday once more. */
  high: number;
  names: string[];
}
export const fields = [
  { name: 'minute', low: 0, high: 59, names: [] },
  { name: 'hour', low: 0, high: 23, names: [] },
  { name: 'day of the month', low: 1, high: 31, names: [] },
  { name: 'month', low: 1, high: 12, names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ') },
  { name: 'day of the week', low: 0, high: 7, names: 'SUN MON TUE WED THU FRI SAT'.split(' ') },
] satisfies Field[];
const [, , date, , weekday] = fields;

/** A weekday's place in its month, from 1 to 5; -1 is the last. */
export interface Nth {
  weekday: number;
  nth: number;
}

/** What a field names: values, and of the two day fields what depends on the month. */
export interface Named {
  values: Set<number>;
  nths: Nth[];
  lastDay: boolean;
}

/** Values, names, `*`, lists, ranges and steps of one field. @throws Error saying what was found and what to write. */
export function readField(part: string, field: Field, shown: string): Named {
  const fail = (why: string): never => {
    throw new Error(`${shown}: ${field.name} ${why}`);
  };
  const found: Named = { values: new Set(), nths: [], lastDay: false };
  const said = new Set<string>();
  for (const item of part.split(',')) {
    const special = specialOf(item, field, fail);
    if (!special) addValues(item, field, found.values, said, shown, fail);
    else if (said.has(item.toUpperCase())) fail(`names ${item.slice(0, 20)} twice`);
    else if (special === 'last') found.lastDay = true;
    else found.nths.push(special);
    said.add(item.toUpperCase());
  }
  return found;
}

type Fail = (why: string) => never;

function addValues(item: string, field: Field, values: Set<number>, said: Set<string>, shown: string, fail: Fail) {
  const mine = new Set<number>();
  for (const n of valuesOf(item, field, fail)) {
    if (said.has(String(n))) fail(`names ${n} twice`);
    const value = field === weekday ? n % 7 : n;
    // 0-7 names Sunday twice, and is fine; 0,7 is a slip.
    if (values.has(value)) throw new Error(`${shown}: names a value twice`);
    mine.add(n);
  }
  for (const n of mine) {
    said.add(String(n));
    values.add(field === weekday ? n % 7 : n);
  }
}

/** `L`, `MON#1`, `FRI#L`, `5L`: what only depends on the month; undefined for everything else. */
function specialOf(item: string, field: Field, fail: Fail): Nth | 'last' | undefined {
  const quoted = `"${item.slice(0, 20)}"`;
  if (item === '?' && (field === date || field === weekday)) fail(`${quoted}: write * instead`);
  if (field === date) {
    if (item.toUpperCase() === 'L') return 'last';
    if (/^\d{0,2}L?W$/i.test(item)) fail(`${quoted}: W is not known; write days, such as 14,15,16, or MON#3`);
    if (/^L-?\d+$/i.test(item))
      fail(`${quoted}: expected L alone, the last day of the month; write days, such as 27,28`);
  }
  if (field !== weekday) return undefined;
  if (item.toUpperCase() === 'L') fail(`${quoted}: write SAT, or FRI#L for the last Friday of the month`);
  const [, day, nth] = /^([A-Z]{3}|\d)(#[1-5L]|L)$/i.exec(item) ?? [];
  if (day === undefined || nth === undefined) {
    if (item.includes('#')) fail(`${quoted}: expected one weekday from MON#1 to MON#5, or MON#L for the last`);
    return undefined;
  }
  const number = valueOf(day, weekday, () => fail(`${quoted}: expected ${knownOf(weekday)}`));
  return { weekday: number % 7, nth: /L$/i.test(nth) ? -1 : Number(nth.slice(1)) };
}

const knownOf = ({ low, high, names }: Field): string =>
  `${low} to ${high}${names.length > 0 ? ` or ${names[0]} to ${names.at(-1)}` : ''}`;

function valueOf(text: string, { low, high, names }: Field, fail: () => never): number {
  const named = names.indexOf(text.toUpperCase());
  const number = named >= 0 ? named + low : /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return number >= low && number <= high ? number : fail();
}

/** The values of one item of a list. */
function valuesOf(item: string, field: Field, fail: Fail): number[] {
  const { low, high } = field;
  const quoted = `"${item.slice(0, 20)}"`;
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0) fail(`${quoted}: expected one step at most`);
  const every = step === undefined ? 1 : /^\d{1,2}$/.test(step) ? Number(step) : NaN;
  if (!(every >= 1 && every <= high)) fail(`${quoted}: expected a step from 1 to ${high}`);
  const top = field === weekday ? 6 : high;
  if (range === '*') return steps(low, top, every);
  const [first = '', last, ...rest] = range.split('-');
  if (rest.length > 0) fail(`${quoted}: expected a range such as ${low}-${high}`);
  const read = (text: string) => valueOf(text, field, () => fail(`${quoted}: expected ${knownOf(field)}`));
  const from = read(first);
  const written = (values: number[]) => values.map((n) => (/[A-Z]/i.test(range) ? field.names[n - low] : n)).join(',');
  if (last === undefined) {
    if (step === undefined) return [from];
    if (from > top)
      fail(`${quoted}: a step cannot begin at the second Sunday; write ${written(steps(low, top, every))}`);
    return steps(from, top, every);
  }
  const to = read(last);
  if (from > to)
    fail(`"${item}": expected a range that does not wrap; write ${written(around(from, to, every, low, top))}`);
  return steps(from, to, every);
}

const steps = (from: number, to: number, every: number): number[] =>
  Array.from({ length: Math.floor((to - from) / every) + 1 }, (_none, i) => from + i * every);

/** What a range that wraps most likely means: on from the lowest value after the highest. */
function around(from: number, to: number, every: number, low: number, top: number): number[] {
  const size = top - low + 1;
  const long = (((to - from) % size) + size) % size;
  return steps(0, long, every).map((n) => low + ((from - low + n) % size));
}
