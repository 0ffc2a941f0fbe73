import type { Cron } from '../../shared/time/cron.ts';
import { instantToWall, offsetAt, type Zone } from '../../shared/time/zone.ts';

const format = (options: Intl.DateTimeFormatOptions) => {
  const formatter = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
  return (wall: number) => formatter.format(wall);
};
const longDay = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = format({ weekday: 'short', day: 'numeric', month: 'short' });
const clock = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** `Friday 27 March 2026, 13:00`. */
export function longTime(zone: Zone, instant: number): string {
  const wall = instantToWall(zone, instant);
  return `${longDay(wall).replace(',', '')}, ${clock(wall)}`;
}

/** `Fri 27 Mar, 13:00`. */
export function shortTime(zone: Zone, instant: number): string {
  const wall = instantToWall(zone, instant);
  return `${shortDay(wall).replace(',', '')}, ${clock(wall)}`;
}

/** `Fri 27 Mar` of a date such as 2026-03-27. */
export const dateText = (date: string): string => shortDay(Date.parse(`${date}T00:00:00Z`)).replace(',', '');

/** `UTC+1`, `UTC+5:45`. */
export function offsetText(zone: Zone, instant: number): string {
  const minutes = Math.round(offsetAt(zone, instant) / 60_000);
  const rest = Math.abs(minutes) % 60;
  const hours = Math.trunc(Math.abs(minutes) / 60);
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

/** `40 s`, `12 min`, `3 h 20 min`, `2 days 4 h`. */
export function durationText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return `${days} days${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`;
}

const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** A figure as exact as it is worth reading: `7.5`, `1,204`. */
export const figure = (value: number): string => (Math.abs(value) < 100 ? number : whole).format(value);

/** Whole percent; what is not quite all or nothing never reads so. */
export function percent(part: number, all: number): string {
  if (all === 0) return '–';
  const share = (100 * part) / all;
  const rounded = Math.round(share);
  if (rounded === 0 && share > 0) return '<1 %';
  return rounded === 100 && share < 100 ? '>99 %' : `${rounded} %`;
}

export const money = (amount: number, currency: string): string =>
  new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(amount);

/** `1 VM`, `12 VMs`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${whole.format(n)} ${n === 1 ? one : many}`;

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const monday = [1, 2, 3, 4, 5, 6, 0];

/** `08:00 Mon–Fri`; the expression itself where it says more than that. */
export function cronText({ text, times, weekdays, nths }: Cron): string {
  const [, , day, month] = text.trim().split(/\s+/);
  if (day !== '*' || month !== '*' || times.length > 3 || nths.length > 0) return `cron ${text}`;
  const at = times.map((minute) => clock(minute * 60_000)).join(', ');
  const on = monday.filter((each) => weekdays & (1 << each));
  if (on.length === 7) return `${at} every day`;
  const runs: number[][] = [];
  for (const each of on) {
    const place = monday.indexOf(each);
    if (runs.at(-1)?.at(-1) === place - 1) runs.at(-1)!.push(place);
    else runs.push([place]);
  }
  const label = (place: number) => days[monday[place]!]!;
  const parts = runs.map((run) =>
    run.length > 2 ? `${label(run[0]!)}–${label(run.at(-1)!)}` : run.map(label).join(', '),
  );
  return `${at} ${parts.join(', ')}`;
}
