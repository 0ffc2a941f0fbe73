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
  const lower = text.slice(0, longestShown).toLowerCase();
  const found = known.get(lower);
  if (found && text.length <= longestShown) return found;
  const shown = `"${text.slice(0, longestShown)}"`;
  if (/^(UTC|GMT)?[+-]\d/i.test(text))
    throw new Error(
      `${shown} is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin`,
    );
  const packed = text.length <= longestShown ? tzNames().get(lower) : undefined;
  if (!packed) {
    const near = nearestZone(text);
    throw new Error(`${shown} is no IANA time zone${near ? `: did you mean ${near}?` : ', such as Europe/Berlin'}`);
  }
  const zone = { name: packed.name, rules: unpack(packed.zone) };
  known.set(lower, zone);
  return zone;
}

/** The zone that was most likely meant: the same city, or some letters away by its name or its city. */
function nearestZone(text: string): string | undefined {
  const wanted = text.slice(0, longestShown).toLowerCase().replaceAll(' ', '_');
  const zones = new Map<string, string>();
  for (const [lower, { name }] of tzNames()) zones.set(cityOf(lower), name).set(lower, name);
  const city = zones.get(cityOf(wanted));
  if (city || wanted.length < shortest) return city;
  const meant = nearest(wanted, zones.keys());
  return meant && zones.get(meant);
}

const cityOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
