import { type Cron, parseCron } from '../../shared/time/cron.ts';

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/**
 * A cron as EventBridge Scheduler takes it, `cron(0 20 ? * MON-FRI *)`: from the five fields that WukongSchedules have,
 * or from AWS's own six, which are checked.
 * @throws Error saying what was found and what was expected.
 */
export function awsCron(text: unknown): string {
  const bare = typeof text === 'string' ? (/^cron\((.*)\)$/.exec(text.trim())?.[1] ?? text).trim() : text;
  if (typeof bare === 'string' && bare.split(/\s+/).length === 6) return `cron(${checkSix(bare)})`;
  return `cron(${fromFive(parseCron(bare))})`;
}

/** Every set is written out, so that nothing depends on how AWS reads a step. */
function fromFive(cron: Cron): string {
  if (cron.either)
    throw new Error(`"${cron.text}": expected day of the month or day of the week, as AWS takes only one of them`);
  const minutes = [...new Set(cron.times.map((time) => time % 60))];
  const hours = [...new Set(cron.times.map((time) => Math.floor(time / 60)))];
  const members = (bits: number, low: number, high: number) =>
    Array.from({ length: high - low + 1 }, (_none, i) => low + i).filter((n) => (bits >> n) & 1);
  const list = (values: (number | string)[], all: number) => (values.length === all ? '*' : values.join(','));
  const days = [...(cron.days ? [list(members(cron.days, 1, 31), 31)] : []), ...(cron.lastDay ? ['L'] : [])].join(',');
  const week = members(cron.weekdays, 0, 6);
  // SUN is 1 there, and the last one of a month is 6L.
  const nths = cron.nths.map(({ weekday, nth }) => `${weekday + 1}${nth === -1 ? 'L' : `#${nth}`}`);
  if (nths.length + (week.length > 0 ? 1 : 0) > 1 || (cron.lastDay && cron.days !== 0))
    throw new Error(`"${cron.text}": expected one entry beside L or #, as AWS takes no list of them`);
  const named = [...week.map((day) => weekdays[day] ?? ''), ...nths];
  const month = list(members(cron.months, 1, 12), 12);
  const everyDay = week.length === 7;
  return [list(minutes, 60), list(hours, 24), everyDay ? days : '?', month, everyDay ? '?' : named.join(','), '*'].join(
    ' ',
  );
}

interface Field {
  name: string;
  low: number;
  high: number;
  names: string[];
  extra?: RegExp;
}
const six: Field[] = [
  { name: 'minute', low: 0, high: 59, names: [] },
  { name: 'hour', low: 0, high: 23, names: [] },
  { name: 'day of the month', low: 1, high: 31, names: [], extra: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', low: 1, high: 12, names: months },
  {
    name: 'day of the week',
    low: 1,
    high: 7,
    names: weekdays,
    extra: /^(\?|([1-7]|[A-Z]{3})?L|([1-7]|[A-Z]{3})#[1-5])$/,
  },
  { name: 'year', low: 1970, high: 2199, names: [] },
];

function checkSix(text: string): string {
  const parts = text.toUpperCase().split(/\s+/);
  parts.forEach((part, i) => checkField(part, six[i] as Field, text));
  if ((parts[2] === '?') === (parts[4] === '?'))
    throw new Error(`"${text}": expected "?" as day of the month or as day of the week, and not as both`);
  return parts.join(' ');
}

function checkField(part: string, { name, low, high, names, extra }: Field, text: string): void {
  if (extra?.test(part)) return;
  const known = (value: string): boolean =>
    names.includes(value) || (/^\d{1,4}$/.test(value) && Number(value) >= low && Number(value) <= high);
  for (const item of part.split(',')) {
    const [range = '', step, ...rest] = item.split('/');
    const ends = range === '*' ? [] : range.split('-');
    const stepFits = step === undefined || (/^\d{1,3}$/.test(step) && Number(step) >= 1 && Number(step) <= high);
    if (rest.length > 0 || ends.length > 2 || !ends.every(known) || !stepFits)
      throw new Error(
        `"${text}": ${name} "${item.slice(0, 20)}": expected ${low} to ${high}, *, a list, range or step`,
      );
  }
}
