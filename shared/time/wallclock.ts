import { instantText } from '../domain/instant.ts';
import { type Cron, lastWall, nextWall } from './cron.ts';
import { highestWall, instantToWall, type Placed, wallToInstant, type Zone } from './zone.ts';

/**
 * When a cron expression happens in a zone. The expression is stepped on a naive wall clock, and each wall time is then
 * put on the time line by `wallToInstant`: after a gap, or the first time in an overlap. Several wall times that a gap
 * moves to one instant are one occurrence, known by the last of them.
 */
export interface Occurrence extends Placed {
  wall: number;
}

/** The first occurrence strictly after `instant`; undefined when there is none within 41 years. */
export function occurrenceAfter(cron: Cron, zone: Zone, instant: number): Occurrence | undefined {
  let wall = nextWall(cron, instantToWall(zone, instant));
  while (wall !== undefined) {
    const placed = wallToInstant(zone, wall);
    if (placed.at > instant)
      return placed.kind === 'gap' ? lastInGap(cron, zone, { ...placed, wall }) : { ...placed, wall };
    // The second pass of an overlap: this wall time was in the first.
    wall = nextWall(cron, Math.max(wall, highestWall(zone, instant)));
  }
  return undefined;
}

function lastInGap(cron: Cron, zone: Zone, found: Occurrence): Occurrence {
  for (;;) {
    const wall = nextWall(cron, found.wall);
    if (wall === undefined) return found;
    const placed = wallToInstant(zone, wall);
    if (placed.at !== found.at) return found;
    found = { ...placed, wall };
  }
}

/** The last occurrence at or before `instant`; undefined when there is none within 41 years. */
export function occurrenceAtOrBefore(cron: Cron, zone: Zone, instant: number): Occurrence | undefined {
  const wall = lastWall(cron, highestWall(zone, instant));
  return wall === undefined ? undefined : { ...wallToInstant(zone, wall), wall };
}

/** The instant of the first occurrence strictly after `instant`. */
export const nextAfter = (cron: Cron, zone: Zone, instant: number): number | undefined =>
  occurrenceAfter(cron, zone, instant)?.at;

/** The instant of the last occurrence at or before `instant`. */
export const lastAtOrBefore = (cron: Cron, zone: Zone, instant: number): number | undefined =>
  occurrenceAtOrBefore(cron, zone, instant)?.at;

const padded = (n: number, digits = 2) => String(n).padStart(digits, '0');

/** `2026-03-29T03:00:00+02:00`. */
export function localText(zone: Zone, instant: number): string {
  const wall = instantToWall(zone, instant);
  const minutes = Math.trunc((wall - instant) / 60_000);
  const offset = `${minutes < 0 ? '-' : '+'}${padded(Math.trunc(Math.abs(minutes) / 60))}:${padded(Math.abs(minutes) % 60)}`;
  return `${instantText(wall).slice(0, 19)}${offset}`;
}

/** `2026-03-29`, the date that the wall clock shows. */
export const wallDate = (wall: number): string => instantText(wall).slice(0, 10);

/** `03:00`. */
export const wallTime = (wall: number): string => instantText(wall).slice(11, 16);

/** `2026-03-29 18:00`, of a zone that is said elsewhere. */
export function localMinute(zone: Zone, instant: number): string {
  const wall = instantToWall(zone, instant);
  return `${wallDate(wall)} ${wallTime(wall)}`;
}
