import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { parseZone } from '../../shared/time/parseZone.ts';
import { tzNames, tzReleased, tzVersion, tzWarning, unpack } from '../../shared/time/tzData.ts';
import { clockChanges, dayMs, highestWall, instantToWall, offsetAt, wallToInstant } from '../../shared/time/zone.ts';

const at = (text: string): number => Date.parse(text);
/** A wall time, as a UTC clock would show it. */
const wall = (text: string): number => at(`${text}Z`);
const berlin = parseZone('Europe/Berlin');
const minute = 60_000;
const hour = 60 * minute;

describe('the name of a time zone', () => {
  const refused = (text: unknown) => {
    try {
      return parseZone(text).name;
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };

  it('is found in any case, and is the official one', () => {
    expect(parseZone('europe/BERLIN').name).toBe('Europe/Berlin');
    expect(parseZone('UTC').name).toBe('UTC');
  });

  it('is read once', () => expect(parseZone('Europe/Berlin')).toBe(parseZone('europe/berlin')));

  it.each([
    [7, 'expected an IANA time zone such as Europe/Berlin'],
    ['', 'expected an IANA time zone such as Europe/Berlin'],
    ['+02:00', '"+02:00" is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin'],
    ['utc+2', '"utc+2" is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin'],
    ['Mars/Base', '"Mars/Base" is no IANA time zone, such as Europe/Berlin'],
    ['Mars/Berlin', '"Mars/Berlin" is no IANA time zone: did you mean Europe/Berlin?'],
    ['europe/berln', '"europe/berln" is no IANA time zone: did you mean Europe/Berlin?'],
    ['Amsterdm', '"Amsterdm" is no IANA time zone: did you mean Europe/Amsterdam?'],
    ['Berlimm', '"Berlimm" is no IANA time zone: did you mean Europe/Berlin?'],
    ['La Paz', '"La Paz" is no IANA time zone: did you mean America/La_Paz?'],
    ['New York', '"New York" is no IANA time zone: did you mean America/New_York?'],
    ['nope', '"nope" is no IANA time zone, such as Europe/Berlin'],
    ['paric', '"paric" is no IANA time zone, such as Europe/Berlin'],
    ['parris', '"parris" is no IANA time zone: did you mean Europe/Paris?'],
  ])('%j is refused in words', (text, message) => expect(refused(text)).toBe(message));

  // What ICU takes for zones, and nobody else: BST is Dhaka to it.
  it.each([
    ...'ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST'.split(' '),
    ...['SystemV/EST5', 'constructor', '__proto__', 'Europe/Berlin '],
  ])('%s is none of the tz database', (text) => expect(refused(text)).toContain('is no IANA time zone'));

  it.each(['EST5EDT', 'us/eastern', 'Etc/GMT+5', 'Asia/Calcutta', 'Europe/Kyiv', 'GB', 'Zulu'])('%s is one', (text) =>
    expect(refused(text).toLowerCase()).toBe(text.toLowerCase()),
  );

  it('is known where Node knows it', () => {
    for (const name of Intl.supportedValuesOf('timeZone')) expect(parseZone(name).name).toBe(name);
  });

  it('is quoted up to sixty characters', () => {
    const long = `x${'y'.repeat(80)}`;
    expect(refused(long)).toBe(`"${long.slice(0, 60)}" is no IANA time zone, such as Europe/Berlin`);
    const city = `${'x'.repeat(53)}/berlin`;
    expect(refused(`${city}x`)).toBe(`"${city}" is no IANA time zone: did you mean Europe/Berlin?`);
  });
});

describe('an offset', () => {
  it.each([
    ['Europe/Berlin', '2026-01-01T00:00:00Z', 60],
    ['Europe/Berlin', '2026-07-01T00:00:00Z', 120],
    ['Asia/Kathmandu', '2026-01-01T00:00:00Z', 345],
    ['America/St_Johns', '2026-01-01T00:00:00Z', -210],
    ['UTC', '2026-01-01T00:00:00Z', 0],
    ['Africa/Monrovia', '1971-01-01T00:00:00Z', -44.5],
  ])('of %s at %s is %d minutes', (zone, instant, minutes) => {
    expect(offsetAt(parseZone(zone), at(instant))).toBe(minutes * minute);
    expect(instantToWall(parseZone(zone), at(instant))).toBe(at(instant) + minutes * minute);
  });

  // The rules of the dependency, not of Node, whose own are of 2026c.
  it.each([
    ['America/Winnipeg', '2026-11-26T08:00:00', '2026-11-26T13:00:00Z'],
    ['Canada/Central', '2026-11-26T08:00:00', '2026-11-26T13:00:00Z'],
    ['America/Rainy_River', '2026-11-26T08:00:00', '2026-11-26T13:00:00Z'],
  ])('of %s at %s is that of 2026f', (zone, local, instant) => {
    expect(wallToInstant(parseZone(zone), wall(local))).toEqual({ at: at(instant) });
  });

  it('is that of its rules for centuries', () => {
    expect(offsetAt(berlin, at('2099-07-01T00:00:00Z'))).toBe(2 * hour);
    expect(offsetAt(parseZone('America/Havana'), at('1800-01-01T00:00:00Z'))).toBeLessThan(-5 * hour);
  });

  it('changes at the very millisecond', () => {
    const spring = at('2026-03-29T01:00:00Z');
    expect([offsetAt(berlin, spring - 1), offsetAt(berlin, spring)]).toEqual([hour, 2 * hour]);
    // Within a second of an odd instant: Monrovia gave up its 44 and a half minutes.
    const monrovia = at('1972-01-07T00:44:30Z');
    expect([
      offsetAt(parseZone('Africa/Monrovia'), monrovia - 1),
      offsetAt(parseZone('Africa/Monrovia'), monrovia),
    ]).toEqual([-44.5 * minute, 0]);
  });
});

describe('the changes of the clock', () => {
  const spring = { at: at('2026-03-29T01:00:00Z'), before: hour, after: 2 * hour };
  const autumn = { at: at('2026-10-25T01:00:00Z'), before: 2 * hour, after: hour };

  it('are those after the one instant and up to the other', () => {
    expect(clockChanges(berlin, at('2026-01-01T00:00:00Z'), at('2026-12-31T00:00:00Z'))).toEqual([spring, autumn]);
    expect(clockChanges(berlin, spring.at - 1, spring.at)).toEqual([spring]);
    expect(clockChanges(berlin, spring.at - 1, spring.at - 1)).toEqual([]);
    expect(clockChanges(berlin, spring.at, autumn.at - 1)).toEqual([]);
  });

  it('may be two within a chunk of days, and may drop a whole day', () => {
    // Morocco sets its clock back for Ramadan: 15 February and 22 March 2026.
    expect(
      clockChanges(parseZone('Africa/Casablanca'), at('2026-02-01T00:00:00Z'), at('2026-04-01T00:00:00Z')),
    ).toEqual([
      { at: at('2026-02-15T02:00:00Z'), before: hour, after: 0 },
      { at: at('2026-03-22T02:00:00Z'), before: 0, after: hour },
    ]);
    expect(clockChanges(parseZone('Pacific/Apia'), at('2011-12-01T00:00:00Z'), at('2012-01-31T00:00:00Z'))).toEqual([
      { at: at('2011-12-30T10:00:00Z'), before: -10 * hour, after: 14 * hour },
    ]);
  });
});

it('the rules of every zone are whole seconds, and end never', () => {
  for (const { zone } of tzNames().values()) {
    const { untils, offsets } = unpack(zone);
    expect(untils.at(-1)).toBe(Infinity);
    const fractions = [...untils.slice(0, -1), ...offsets].filter((ms) => !Number.isInteger(ms / 1_000));
    expect(fractions).toEqual([]);
  }
});

describe('where only the name of the time changes', () => {
  // Moscow kept its summer time for good, and went back to it: in between its clocks showed the same.
  const moscow = parseZone('Europe/Moscow');
  const renamed = at('1991-03-30T23:00:00Z');
  it('no clock does', () => {
    expect(clockChanges(moscow, renamed - dayMs, renamed + dayMs)).toEqual([]);
    expect(wallToInstant(moscow, wall('1991-03-31T03:30:00'))).toEqual({ at: at('1991-03-31T00:30:00Z') });
  });
});

describe('the instant of a wall time', () => {
  it.each([
    ['far from any change', '2026-01-15T20:00:00', '2026-01-15T19:00:00Z', undefined],
    ['the day before a gap', '2026-03-28T02:30:00', '2026-03-28T01:30:00Z', undefined],
    ['the last before a gap', '2026-03-29T01:59:59.999', '2026-03-29T00:59:59.999Z', undefined],
    ['the first in a gap', '2026-03-29T02:00:00', '2026-03-29T01:00:00Z', 'gap'],
    ['the last in a gap', '2026-03-29T02:59:59.999', '2026-03-29T01:00:00Z', 'gap'],
    ['the first after a gap', '2026-03-29T03:00:00', '2026-03-29T01:00:00Z', undefined],
    ['the day after a gap', '2026-03-30T02:30:00', '2026-03-30T00:30:00Z', undefined],
    ['the last before an overlap', '2026-10-25T01:59:59.999', '2026-10-24T23:59:59.999Z', undefined],
    ['the first in an overlap', '2026-10-25T02:00:00', '2026-10-25T00:00:00Z', 'overlap'],
    ['the last in an overlap', '2026-10-25T02:59:59.999', '2026-10-25T00:59:59.999Z', 'overlap'],
    ['the first after an overlap', '2026-10-25T03:00:00', '2026-10-25T02:00:00Z', undefined],
  ])('%s', (_what, given, instant, kind) => {
    expect(wallToInstant(berlin, wall(given))).toEqual({ at: at(instant), ...(kind ? { kind } : {}) });
  });

  it('of a day that was left out is its end', () => {
    const apia = parseZone('Pacific/Apia');
    expect(wallToInstant(apia, wall('2011-12-30T12:00:00'))).toEqual({ at: at('2011-12-30T10:00:00Z'), kind: 'gap' });
  });
});

describe('the highest wall time so far', () => {
  const autumn = at('2026-10-25T01:00:00Z');
  it.each([
    ['an ordinary instant', '2026-01-15T19:00:00Z', '2026-01-15T20:00:00'],
    ['the end of the first pass', '2026-10-25T00:59:59.999Z', '2026-10-25T02:59:59.999'],
    ['the second pass', '2026-10-25T01:30:00Z', '2026-10-25T02:59:59.999'],
    ['the end of the second pass', '2026-10-25T02:00:00Z', '2026-10-25T03:00:00'],
    ['after a gap', '2026-03-29T01:30:00Z', '2026-03-29T03:30:00'],
  ])('at %s', (_what, instant, expected) => expect(highestWall(berlin, at(instant))).toBe(wall(expected)));

  it('is its own again a day later', () =>
    expect(highestWall(berlin, autumn + dayMs)).toBe(instantToWall(berlin, autumn + dayMs)));
});

describe('the version of the time zones', () => {
  it('is told with its day, as its changelog has it', () => {
    const changelog = readFileSync('node_modules/moment-timezone/changelog.md', 'utf8');
    const [, date] = /_(\d{4}-\d{2}-\d{2})_\s+\* Updated data to IANA TZDB `(?:\w+)`/.exec(changelog) ?? [];
    expect(changelog).toContain(`\`${tzVersion}\``);
    expect([tzReleased.version, new Date(tzReleased.at).toISOString().slice(0, 10)]).toEqual([tzVersion, date]);
  });

  it('is warned of when it is older than half a year', () => {
    expect(tzWarning(tzReleased.at + 183 * dayMs)).toBeUndefined();
    const warning = /^the time zones are those of 2026f, of 2026-10-29, and countries/;
    expect(tzWarning(tzReleased.at + 183 * dayMs + 1)).toMatch(warning);
  });
});
