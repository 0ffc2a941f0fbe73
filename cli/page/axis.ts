import { dayMs, instantToWall, wallToInstant, type Zone } from '../../shared/time/zone.ts';
import type { Period } from './course.ts';

/** The instants at which local days begin, from the day that `from` lies in. */
export function midnights(zone: Zone, { from, to }: Period): number[] {
  const found: number[] = [];
  for (let wall = Math.floor(instantToWall(zone, from) / dayMs) * dayMs; ; wall += dayMs) {
    const { at } = wallToInstant(zone, wall);
    if (at >= to) return found;
    if (at !== found.at(-1)) found.push(at); // a day that a zone has skipped
  }
}

export interface Tick {
  at: number;
  /** `Fri` and `27`; the month on the first label, and where one begins. */
  weekday: string;
  day: string;
  month?: string;
}

const part = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
const weekday = part({ weekday: 'short' });
const month = part({ month: 'short' });

/** Every day that has a part in the period, its first label at the beginning. */
export const ticks = (zone: Zone, period: Period): Tick[] =>
  midnights(zone, period).map((at, i) => {
    const wall = instantToWall(zone, at);
    const date = new Date(wall).getUTCDate();
    return {
      at: Math.max(at, period.from),
      weekday: weekday.format(wall),
      day: String(date),
      ...(i === 0 || date === 1 ? { month: month.format(wall) } : {}),
    };
  });

/** What the label of a day needs, at the least, in pixels; its day may be shorter at either end. */
export const dayPx = 28;

/** Its days are wide enough to be halved. */
export const isShort = ({ from, to }: Period): boolean => to - from <= 10 * dayMs;

/** How wide a lane must be to be read, in pixels. */
export function laneWidth(zone: Zone, period: Period): number {
  const days = (period.to - period.from) / dayMs;
  return Math.round(isShort(period) ? Math.max(320, days * 80) : Math.max(640, midnights(zone, period).length * dayPx));
}

/** A week has half the room on a phone, where it is not scrolled across; what is longer has as much as elsewhere. */
export const phoneWidth = (zone: Zone, period: Period): number => laneWidth(zone, period) / (isShort(period) ? 2 : 1);

/** How much wider than fitting the timeline can be made. */
export const zooms = [1, 2, 4] as const;
export type Zoom = (typeof zooms)[number];

/** What a mark of an hour needs to be read, in pixels. */
const hourPx = 26;
const steps = [1, 2, 3, 6, 12] as const;

/** Every how many hours there is a mark, where the whole period is `width` pixels wide; undefined where none has room. */
export function hourStep({ from, to }: Period, width: number, zoom: Zoom): number | undefined {
  const each = (width * zoom * hourMs) / (to - from);
  const step = steps.find((hours) => hours * each >= hourPx);
  return zoom === 1 && step === 12 ? undefined : step;
}

const hourMs = 3_600_000;

export interface HourMark {
  at: number;
  /** `06`, of the wall clock. */
  text: string;
}

/** The full hours of the wall clock that `step` divides, but midnight: an hour that is skipped has none, one that comes twice has two. */
export function hourMarks(zone: Zone, { from, to }: Period, step: number): HourMark[] {
  const found: HourMark[] = [];
  const days = new Set(midnights(zone, { from, to }));
  const begin = Math.ceil(from / quarterMs) * quarterMs;
  for (let at = begin; at < to; at += quarterMs) {
    const wall = instantToWall(zone, at);
    const hour = (wall % dayMs) / hourMs;
    if (hour === 0 || hour % step !== 0 || days.has(at)) continue;
    found.push({ at, text: String(hour).padStart(2, '0') });
  }
  return found;
}

/** Offsets from UTC are whole quarters of an hour. */
const quarterMs = 15 * 60_000;
