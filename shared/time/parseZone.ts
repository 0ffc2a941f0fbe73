import { remember } from '../domain/remember.ts';
import { nearest } from '../domain/suggest.ts';
import { tzNames, unpack } from './tzData.ts';
import type { Zone } from './zone.ts';

const longestShown = 60;
/** Shorter names are all alike. */
const shortest = 6;

const known = new Map<string, Zone>();

/**
 * An IANA time zone by its name (the tz database's `Area/City`, or an alias such as `UTC`); its rules are unpacked once.
 * @throws Error saying what was found and what was expected; an offset such as +02:00 is refused, as it knows no summer,
 * and so are names that only a runtime knows: old three-letter ones, of which `BST` is Dhaka's.
 */
export function parseZone(text: unknown): Zone {
  if (typeof text !== 'string' || text === '') throw new Error('expected an IANA time zone such as Europe/Berlin');
  const zone = knownZone(text);
  if (zone) return zone;
  const shown = `"${text.slice(0, longestShown)}"`;
  if (/^(UTC|GMT)?[+-]\d/i.test(text))
    throw new Error(
      `${shown} is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin`,
    );
  const near = meantBy(text.slice(0, longestShown));
  throw new Error(`${shown} is no IANA time zone${near ? `: did you mean ${near}?` : ', such as Europe/Berlin'}`);
}

/** The same, and undefined for what is none: costs nothing where many names are asked for. */
export function knownZone(text: string): Zone | undefined {
  if (text.length > longestShown) return undefined;
  const lower = text.toLowerCase();
  const found = known.get(lower);
  const packed = found ? undefined : tzNames().get(lower);
  if (!packed) return found;
  const zone = { name: packed.name, rules: unpack(packed.zone) };
  known.set(lower, zone);
  return zone;
}

/** What was meant by names that are none: finding that out takes a millisecond, and each tick asks again. */
const meant = new Map<string, string | undefined>();
const mostMeant = 2_000;

function meantBy(text: string): string | undefined {
  if (!meant.has(text)) remember(meant, text, nearestZone(text), mostMeant);
  return meant.get(text);
}

/** The zone that was most likely meant: the same city, or some letters away by its name or its city. */
function nearestZone(text: string): string | undefined {
  const wanted = text.toLowerCase().replaceAll(' ', '_');
  const zones = new Map<string, string>();
  for (const [lower, { name }] of tzNames()) zones.set(cityOf(lower), name).set(lower, name);
  const city = zones.get(cityOf(wanted));
  if (city || wanted.length < shortest) return city;
  const near = nearest(wanted, zones.keys());
  return near && zones.get(near);
}

const cityOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
