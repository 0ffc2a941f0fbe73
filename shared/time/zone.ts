import { nearest } from '../domain/suggest.ts';

/**
 * Time zones: the offset at an instant, the clock changes, and the way from a wall time to its instant. The data is
 * Intl's; asking Intl is slow (some 2 µs), so what it said is kept, for 64 days at a time.
 *
 * A wall time is a number too: the milliseconds since the epoch that a UTC clock would have when it shows that time.
 */
export interface Zone {
  readonly name: string;
  /** Only for this file. */
  readonly format: Intl.DateTimeFormat;
  /** Only for this file: stretches of constant offset, by 64-day chunk. */
  readonly chunks: Map<number, Stretch[]>;
}

/** From the end of the one before to `until` (exclusive) the offset is the same; wall = instant + offset. */
interface Stretch {
  until: number;
  offset: number;
}

/** A change of the clock at instant `at`: offsets in milliseconds before and after it. */
export interface ClockChange {
  at: number;
  before: number;
  after: number;
}

const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
const chunkMs = 64 * dayMs;
const longestShown = 60;
/** Shorter names are all alike. */
const shortest = 6;

const known = new Map<string, Zone>();
let listed: Map<string, string> | undefined;
const official = () =>
  (listed ??= new Map(Intl.supportedValuesOf('timeZone').map((name) => [name.toLowerCase(), name])));

/**
 * An IANA time zone by its name (the tz database's `Area/City`, or an alias such as `UTC`).
 * @throws Error saying what was found and what was expected; an offset such as +02:00 is refused, as it knows no summer.
 */
export function parseZone(text: unknown): Zone {
  if (typeof text !== 'string' || text === '') throw new Error('expected an IANA time zone such as Europe/Berlin');
  const found = known.get(text);
  if (found) return found;
  const shown = `"${text.slice(0, longestShown)}"`;
  if (/^(UTC|GMT)?[+-]\d/i.test(text))
    throw new Error(
      `${shown} is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin`,
    );
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: text, timeZoneName: 'longOffset' });
  } catch {
    const near = nearestZone(text);
    throw new Error(`${shown} is no IANA time zone${near ? `: did you mean ${near}?` : ', such as Europe/Berlin'}`);
  }
  const zone = { name: official().get(text.toLowerCase()) ?? text, format, chunks: new Map() };
  known.set(text, zone);
  return zone;
}

/** The zone that was most likely meant: the same city, or some letters away by its name or its city. */
function nearestZone(text: string): string | undefined {
  const wanted = text.slice(0, longestShown).toLowerCase().replaceAll(' ', '_');
  const zones = new Map<string, string>();
  for (const [lower, name] of official()) zones.set(cityOf(lower), name).set(lower, name);
  const city = zones.get(cityOf(wanted));
  if (city || wanted.length < shortest) return city;
  const meant = nearest(wanted, zones.keys());
  return meant && zones.get(meant);
}

const cityOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** What Intl says, in milliseconds; `GMT+05:45`, `GMT-00:44:30`, `GMT`. */
function ask(zone: Zone, instant: number): number {
  const text = zone.format.format(instant);
  const parts = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (!parts) throw new Error(`${zone.name}: Intl gives an offset that cannot be read: ${text}`);
  const seconds = Number(parts[2] ?? 0) * 3600 + Number(parts[3] ?? 0) * 60 + Number(parts[4] ?? 0);
  return (parts[1] === '-' ? -seconds : seconds) * 1000;
}

/**
 * A chunk's stretches: asked once a day, and where the answer differs, halved down to the second. A zone that goes
 * forth and back within one day would be missed; the tz database has none since 1970.
 */
function learn(zone: Zone, start: number): Stretch[] {
  const stretches: Stretch[] = [];
  let offset = ask(zone, start);
  for (let day = start; day < start + chunkMs; day += dayMs) {
    const after = ask(zone, day + dayMs);
    for (let until = day; offset !== after; offset = ask(zone, until)) {
      until = firstOther(zone, until, day + dayMs, offset);
      stretches.push({ until, offset });
    }
  }
  return [...stretches, { until: start + chunkMs, offset }];
}

/** The first second in (low, high] with another offset; `low` has this one, `high` has not. */
function firstOther(zone: Zone, low: number, high: number, offset: number): number {
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (ask(zone, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}

function chunkAt(zone: Zone, instant: number): Stretch[] {
  const index = Math.floor(instant / chunkMs);
  let chunk = zone.chunks.get(index);
  if (!chunk) {
    chunk = learn(zone, index * chunkMs);
    zone.chunks.set(index, chunk);
  }
  return chunk;
}

function stretchAt(zone: Zone, instant: number): Stretch {
  return chunkAt(zone, instant).find(({ until }) => instant < until)!;
}

/** Milliseconds to add to `instant` to get the wall time. */
export const offsetAt = (zone: Zone, instant: number): number => stretchAt(zone, instant).offset;

export const instantToWall = (zone: Zone, instant: number): number => instant + offsetAt(zone, instant);

/** The clock changes in (from, to], in order. */
export function clockChanges(zone: Zone, from: number, to: number): ClockChange[] {
  const changes: ClockChange[] = [];
  let here = stretchAt(zone, from);
  while (here.until <= to) {
    const next = stretchAt(zone, here.until);
    if (next.offset !== here.offset) changes.push({ at: here.until, before: here.offset, after: next.offset });
    here = next;
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
  if (early.until > wall + dayMs) return { at: wall - early.offset };
  const changes = clockChanges(zone, wall - dayMs, wall + dayMs);
  for (const { at, before, after } of changes) {
    if (wall < at + before) return { at: wall - before, ...(wall >= at + after ? { kind: 'overlap' } : {}) };
    if (wall < at + after) return { at, kind: 'gap' };
  }
  return { at: wall - (changes.at(-1)?.after ?? early.offset) };
}

/** The highest wall time that the clock has shown up to `instant`: in the second pass of an overlap, the end of the first. */
export function highestWall(zone: Zone, instant: number): number {
  const changes = clockChanges(zone, instant - dayMs, instant);
  return Math.max(instantToWall(zone, instant), ...changes.map(({ at, before }) => at + before - 1));
}
