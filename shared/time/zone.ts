import type { Rules } from './tzData.ts';

/**
 * Time zones: the offset at an instant, the clock changes, and the way from a wall time to its instant.
 *
 * A wall time is a number too: the milliseconds since the epoch that a UTC clock would have when it shows that time.
 */
export interface Zone {
  readonly name: string;
  /** Only for this file and the one that makes it, which loads the data of all zones: parseZone.ts. */
  readonly rules: Rules;
}

/** A change of the clock at instant `at`: offsets in milliseconds before and after it. */
export interface ClockChange {
  at: number;
  before: number;
  after: number;
}

export const dayMs = 24 * 60 * 60_000;

/** Where in the rules an instant is: the first stretch that ends after it. */
function stretchAt({ rules: { untils } }: Zone, instant: number): number {
  let [low, high] = [0, untils.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (instant < untils[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Milliseconds to add to `instant` to get the wall time. */
export const offsetAt = (zone: Zone, instant: number): number => zone.rules.offsets[stretchAt(zone, instant)]!;

export const instantToWall = (zone: Zone, instant: number): number => instant + offsetAt(zone, instant);

/** The clock changes in (from, to], in order. */
export function clockChanges(zone: Zone, from: number, to: number): ClockChange[] {
  const { untils, offsets } = zone.rules;
  const changes: ClockChange[] = [];
  for (let i = stretchAt(zone, from); untils[i]! <= to; i++) {
    const [before, after] = [offsets[i]!, offsets[i + 1]!];
    // Where only the name or the standard time changes, no clock does.
    if (after !== before) changes.push({ at: untils[i]!, before, after });
  }
  return changes;
}

export interface Placed {
  /** Instant. */
  at: number;
  /** Set where the wall time does not exist (gap), or exists twice (overlap). */
  kind?: 'gap' | 'overlap';
}

/**
 * The instant of a wall time, under the one rule: a time in a gap is the first instant after the gap; a time in an
 * overlap is the first of the two.
 */
export function wallToInstant(zone: Zone, wall: number): Placed {
  // No offset is a day long, so everything that can matter lies in the two days around.
  const early = stretchAt(zone, wall - dayMs);
  const offset = zone.rules.offsets[early]!;
  if (zone.rules.untils[early]! > wall + dayMs) return { at: wall - offset };
  const changes = clockChanges(zone, wall - dayMs, wall + dayMs);
  for (const { at, before, after } of changes) {
    if (wall < at + before) return { at: wall - before, ...(wall >= at + after ? { kind: 'overlap' } : {}) };
    if (wall < at + after) return { at, kind: 'gap' };
  }
  return { at: wall - (changes.at(-1)?.after ?? offset) };
}

/** The highest wall time that the clock has shown up to `instant`: in the second pass of an overlap, the end of the first. */
export function highestWall(zone: Zone, instant: number): number {
  const changes = clockChanges(zone, instant - dayMs, instant);
  return Math.max(instantToWall(zone, instant), ...changes.map(({ at, before }) => at + before - 1));
}
