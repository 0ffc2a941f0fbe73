import { readInstant } from '../../shared/schedule/override.ts';
import { dayMs, instantToWall, wallToInstant, type Zone } from '../../shared/time/zone.ts';
import { UsageError } from '../command.ts';

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `2h`, `1d`, `1h30m` and `0`, in milliseconds. @throws UsageError naming the option. */
export function durationMs(option: string, text: string): number {
  if (text === '0') return 0;
  if (!/^(\d+[smhd])+$/.test(text))
    throw new UsageError(`--${option} ${text}: expected a duration such as 90s, 5m, 2h or 1d`);
  let sum = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+)([smhd])/g)) sum += Number(count) * (unitMs[unit] ?? 0);
  if (!Number.isSafeInteger(sum) || sum > 3_660 * 86_400_000)
    throw new UsageError(`--${option} ${text}: expected at most ten years`);
  return sum;
}

export const durationSeconds = (option: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : durationMs(option, text) / 1000;

/** `18:00`, `2026-12-24T18:00`: a time of some zone. */
const wallForm = /^(?:(\d{4}-\d{2}-\d{2})[T ])?([01]?\d|2[0-3]):([0-5]\d)$/;
export const needsZone = (until: unknown): boolean => typeof until === 'string' && wallForm.test(until);

/**
 * The end of a span given as `--until TIME` or `--for DURATION`. A time without a zone is the next one in `zone`.
 * @throws UsageError unless it is one of the two, and to come.
 */
export function endOf({ until, for: span }: { until?: unknown; for?: unknown }, now: number, zone?: Zone): number {
  if ((until === undefined) === (span === undefined))
    throw new UsageError('expected either --until TIME or --for DURATION');
  if (span !== undefined) return now + durationMs('for', span as string);
  const text = until as string;
  const instant = zone && needsZone(text) ? nextWallTime(text, now, zone) : readInstant(text);
  if (instant === undefined)
    throw new UsageError(`--until ${text}: expected a time such as 2026-03-29T01:00:00Z, or 18:00`);
  if (instant <= now) throw new UsageError(`--until ${text}: expected a time that is still to come`);
  return instant;
}

function nextWallTime(text: string, now: number, zone: Zone): number | undefined {
  const [, date, hours = '', minutes = ''] = wallForm.exec(text) ?? [];
  const ofDay = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const day = date === undefined ? undefined : readInstant(`${date}T00:00:00Z`);
  if (date !== undefined) return day === undefined ? undefined : wallToInstant(zone, day + ofDay).at;
  const today = Math.floor(instantToWall(zone, now) / dayMs) * dayMs;
  const first = wallToInstant(zone, today + ofDay).at;
  return first > now ? first : wallToInstant(zone, today + dayMs + ofDay).at;
}

/** A duration for people: the two largest units. */
export function spoken(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  const parts: string[] = [];
  let left = Math.round(ms / 1000);
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    if (left >= size) parts.push(`${Math.floor(left / size)}${unit}`);
    left %= size;
  }
  return parts.slice(0, 2).join('');
}

/** How long ago, in whole seconds, as kubectl shows it; 0 where a clock is ahead of ours. */
export const ago = (ms: number): string => (ms < 10_000 ? `${Math.floor(Math.max(0, ms) / 1000)}s` : spoken(ms));
