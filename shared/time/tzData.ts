import data from 'moment-timezone/data/packed/latest.json' with { type: 'json' };

/**
 * The tz database, as moment-timezone packs it: a text for each zone, with all its clock changes up to 2499. The rules
 * are this dependency's and not the runtime's, so that they can be renewed without another Node or image.
 */
export const tzVersion = data.version;

/** When moment-timezone brought this version out; a test holds both against its changelog. */
export const tzReleased = { version: '2026f', at: Date.UTC(2026, 9, 29) };
const halfAYearMs = 183 * 24 * 60 * 60_000;

/** A sentence when the rules may have changed meanwhile; undefined while they are younger than half a year. */
export function tzWarning(now: number): string | undefined {
  if (now - tzReleased.at <= halfAYearMs) return undefined;
  const date = new Date(tzReleased.at).toISOString().slice(0, 10);
  return `the time zones are those of ${tzVersion}, of ${date}, and countries may have changed their clocks since; npm install --save-exact moment-timezone@latest brings newer ones`;
}

/** From the one before up to `untils[i]` (exclusive, milliseconds) a zone is `offsets[i]` milliseconds ahead of UTC. */
export interface Rules {
  untils: number[];
  offsets: number[];
}

const packed = new Map<string, { name: string; zone: string }>();

/** Every name of the database by its lower case, with the text of the zone that it means. */
export function tzNames(): ReadonlyMap<string, { name: string; zone: string }> {
  if (packed.size > 0) return packed;
  const nameOf = (text: string) => text.slice(0, text.indexOf('|'));
  for (const zone of data.zones) packed.set(nameOf(zone).toLowerCase(), { name: nameOf(zone), zone });
  for (const link of data.links) {
    const [target = '', name = ''] = link.split('|');
    const zone = packed.get(target.toLowerCase())?.zone;
    if (zone !== undefined) packed.set(name.toLowerCase(), { name, zone });
  }
  return packed;
}

/** `name|abbreviations|offsets|which offset when|how long each lasts`; minutes in base 60, offsets west of Greenwich. */
export function unpack(zone: string): Rules {
  const [, , offsets = '', which = '', lasts = ''] = zone.split('|');
  const ahead = offsets.split(' ').map((text) => -Math.round(base60(text) * 60) * 1000 || 0);
  const spans = lasts.split(' ').map(base60);
  const rules: Rules = { untils: [], offsets: [...which].map((digit) => ahead[base60(digit)]!) };
  let until = 0;
  for (let i = 0; i < rules.offsets.length - 1; i++) {
    // The first is an instant, the others are counted from the one before.
    until = Math.round(until + spans[i]! * 60_000);
    rules.untils.push(until);
  }
  rules.untils.push(Infinity);
  return rules;
}

const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function base60(text: string): number {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  let number = 0;
  for (const digit of whole) number = 60 * number + digits.indexOf(digit);
  let worth = 1;
  for (const digit of fraction) number += digits.indexOf(digit) * (worth /= 60);
  return text.startsWith('-') ? -number : number;
}
