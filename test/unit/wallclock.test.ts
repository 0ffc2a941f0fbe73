import { Cron as Croner } from 'croner';
import { describe, expect, test } from 'vitest';

import { rfc3339 } from '../../shared/time/clock.ts';
import { parseCron, sharedWall } from '../../shared/time/cron.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { lastAtOrBefore, localText, nextAfter, occurrenceAfter } from '../../shared/time/wallclock.ts';
import { clockChanges, instantToWall, wallToInstant } from '../../shared/time/zone.ts';
import { compareAround, nothing } from '../zones/compare.ts';
import { changesOf } from '../zones/oracle.ts';

const at = (text: string) => Date.parse(text);
const next = (cron: string, zone: string, after: string) => {
  const found = nextAfter(parseCron(cron), parseZone(zone), at(after));
  return found === undefined ? undefined : rfc3339(found);
};
const last = (cron: string, zone: string, before: string) => {
  const found = lastAtOrBefore(parseCron(cron), parseZone(zone), at(before));
  return found === undefined ? undefined : rfc3339(found);
};

describe('a cron expression', () => {
  test.each([
    ['', 'is empty: expected a cron expression such as "0 8 * * 1-5"'],
    ['0 8 * *', '"0 8 * *" has 4 fields: expected five, such as "0 8 * * 1-5"'],
    ['0 0 8 * * *', '"0 0 8 * * *" has 6 fields: expected five, without seconds: write "0 8 * * *"'],
    ['@daily', '"@daily" is a nickname: expected its five fields, such as "0 8 * * 1-5"'],
    ['*/90 * * * *', '"*/90 * * * *": minute "*/90": expected a step from 1 to 59'],
    ['*/0 * * * *', '"*/0 * * * *": minute "*/0": expected a step from 1 to 59'],
    ['0 */24 * * *', '"0 */24 * * *": hour "*/24": expected a step from 1 to 23'],
    ['60 8 * * *', '"60 8 * * *": minute "60": expected 0 to 59'],
    ['0 24 * * *', '"0 24 * * *": hour "24": expected 0 to 23'],
    ['H 8 * * *', '"H 8 * * *": minute "H": expected 0 to 59'],
    ['0 8 ? * 1', '"0 8 ? * 1": day of the month "?": write * instead'],
    ['0 8 15W * *', '"0 8 15W * *": day of the month "15W": W is not known; write days, such as 14,15,16, or MON#3'],
    ['0 8 * FOO *', '"0 8 * FOO *": month "FOO": expected 1 to 12 or JAN to DEC'],
    [
      '0 20-8 * * *',
      '"0 20-8 * * *": hour "20-8": expected a range that does not wrap; write 20,21,22,23,0,1,2,3,4,5,6,7,8',
    ],
    ['1,,2 8 * * *', '"1,,2 8 * * *": minute "": expected 0 to 59'],
    ['1-5,3 8 * * *', '"1-5,3 8 * * *": minute names 3 twice'],
    ['0 8 * * 0,7', '"0 8 * * 0,7": names a value twice'],
    ['0 0 31 2 *', '"0 0 31 2 *" never happens: no such month has day 31'],
    [' ', 'is empty: expected a cron expression such as "0 8 * * 1-5"'],
    [' @daily', '" @daily" is a nickname: expected its five fields, such as "0 8 * * 1-5"'],
    [8, 'expected a cron expression such as "0 8 * * 1-5"'],
    ['x'.repeat(81), `"${'x'.repeat(80)}" has 1 field: expected five, such as "0 8 * * 1-5"`],
    ['0 8 0 * *', '"0 8 0 * *": day of the month "0": expected 1 to 31'],
    ['1/2/3 8 * * *', '"1/2/3 8 * * *": minute "1/2/3": expected one step at most'],
    ['1-2-3 8 * * *', '"1-2-3 8 * * *": minute "1-2-3": expected a range such as 0-59'],
    ['*/1e1 8 * * *', '"*/1e1 8 * * *": minute "*/1e1": expected a step from 1 to 59'],
    ['1-5,4 8 * * *', '"1-5,4 8 * * *": minute names 4 twice'],
    ['5/20,25 8 * * *', '"5/20,25 8 * * *": minute names 25 twice'],
    [
      '0 8 */2 * 3',
      '"0 8 */2 * 3": crons do not agree on */2 with the other day field given; write one of them as *: "0 8 */2 * *" or "0 8 * * 3"',
    ],
    [
      '0 8 3 * */2',
      '"0 8 3 * */2": crons do not agree on */2 with the other day field given; write one of them as *: "0 8 3 * *" or "0 8 * * */2"',
    ],
    [
      '0 8 1 * MON#1',
      '"0 8 1 * MON#1": L and # go with no other day field; write one of them as *: "0 8 1 * *" or "0 8 * * MON#1"',
    ],
    [
      '0 8 */2 * */3',
      '"0 8 */2 * */3": crons do not agree on */2 with the other day field given; write one of them as *: "0 8 */2 * *" or "0 8 * * */3"',
    ],
    [
      '0 8 L * MON',
      '"0 8 L * MON": L and # go with no other day field; write one of them as *: "0 8 L * *" or "0 8 * * MON"',
    ],
    ['0 8 * * 8', '"0 8 * * 8": day of the week "8": expected 0 to 7 or SUN to SAT'],
    ['0 8 * * 1,1', '"0 8 * * 1,1": day of the week names 1 twice'],
    ['0 8 * * ?', '"0 8 * * ?": day of the week "?": write * instead'],
    ['? 8 * * *', '"? 8 * * *": minute "?": expected 0 to 59'],
    ['L 8 * * *', '"L 8 * * *": minute "L": expected 0 to 59'],
    ['0 15W * * *', '"0 15W * * *": hour "15W": expected 0 to 23'],
    ['0 L-3 * * *', '"0 L-3 * * *": hour "L-3": expected 0 to 23'],
    ['0 8 * * l', '"0 8 * * l": day of the week "l": write SAT, or FRI#L for the last Friday of the month'],
    ['0 20-8/7 * * *', '"0 20-8/7 * * *": hour "20-8/7": expected a range that does not wrap; write 20,3'],
    [
      `0 8 L-${'9'.repeat(30)} * *`,
      `"0 8 L-${'9'.repeat(30)} * *": day of the month "L-${'9'.repeat(18)}": expected L alone, the last day of the month; write days, such as 27,28`,
    ],
    ['0 8 * * 7/2', '"0 8 * * 7/2": day of the week "7/2": a step cannot begin at the second Sunday; write 0,2,4,6'],
    [
      '0 8 * * FRI-SUN',
      '"0 8 * * FRI-SUN": day of the week "FRI-SUN": expected a range that does not wrap; write FRI,SAT,SUN',
    ],
    [
      '0 8 * * SAT-WED',
      '"0 8 * * SAT-WED": day of the week "SAT-WED": expected a range that does not wrap; write SAT,SUN,MON,TUE,WED',
    ],
    ['0 8 * * 5-1', '"0 8 * * 5-1": day of the week "5-1": expected a range that does not wrap; write 5,6,0,1'],
    [
      '0 8 * NOV-FEB *',
      '"0 8 * NOV-FEB *": month "NOV-FEB": expected a range that does not wrap; write NOV,DEC,JAN,FEB',
    ],
    ['0 20-8/6 * * *', '"0 20-8/6 * * *": hour "20-8/6": expected a range that does not wrap; write 20,2,8'],
    ['0 8 * * L', '"0 8 * * L": day of the week "L": write SAT, or FRI#L for the last Friday of the month'],
    [
      '0 8 L-3 * *',
      '"0 8 L-3 * *": day of the month "L-3": expected L alone, the last day of the month; write days, such as 27,28',
    ],
    [
      '0 8 * * MON#6',
      '"0 8 * * MON#6": day of the week "MON#6": expected one weekday from MON#1 to MON#5, or MON#L for the last',
    ],
    [
      '0 8 * * MON-FRI#1',
      '"0 8 * * MON-FRI#1": day of the week "MON-FRI#1": expected one weekday from MON#1 to MON#5, or MON#L for the last',
    ],
    ['0,5,00 8 * * *', '"0,5,00 8 * * *": minute names 0 twice'],
    ['0 8 L,5,l * *', '"0 8 L,5,l * *": day of the month names L twice'],
    ['0 8 * JAN,1 *', '"0 8 * JAN,1 *": month names 1 twice'],
    ['0 8 * * 1-7,SUN', '"0 8 * * 1-7,SUN": names a value twice'],
    [`0 8 ${'1,'.repeat(300)}1 * *`, `"0 8 ${'1,'.repeat(300)}`.slice(0, 81) + '": day of the month names 1 twice'],
    ['0 8 * * MON#1,1#1', '"0 8 * * MON#1,1#1": day of the week names 1#1 twice'],
    ['0 8 * * MON#1,mon#1', '"0 8 * * MON#1,mon#1": day of the week names mon#1 twice'],
    ['cron(0 8 ? * MON-FRI *)', '"cron(0 8 ? * MON-FRI *)" is as AWS writes it: write "0 8 * * MON-FRI"'],
    ['0 8 ? * 2-6 *', '"0 8 ? * 2-6 *" is as AWS writes it: write "0 8 * * MON-FRI"'],
    ['0 8 ? * 6L 2027', '"0 8 ? * 6L 2027" is as AWS writes it: write "0 8 * * FRI#L"'],
    ['0 8 L * ? *', '"0 8 L * ? *" is as AWS writes it: write "0 8 L * *"'],
    ['0 8 ? * 1,3-4,5,7 *', '"0 8 ? * 1,3-4,5,7 *" is as AWS writes it: write "0 8 * * SUN,TUE-WED,THU,SAT"'],
    ['0 8 ? * L *', '"0 8 ? * L *" is as AWS writes it: write "0 8 * * SAT"'],
    ['cron( 0 8 ? * MON * )', '"cron( 0 8 ? * MON * )" is as AWS writes it: write "0 8 * * MON"'],
    ['cron(0 8 ? * MON)', '"cron(0 8 ? * MON)" is as AWS writes it: expected five fields, such as "0 8 * * 1-5"'],
    ['0 0 8 * * MON 2027', '"0 0 8 * * MON 2027" has 7 fields: expected five, without seconds: write "0 8 * * MON"'],
    ['0 0 8 * * MON 2027 x', '"0 0 8 * * MON 2027 x" has 8 fields: expected five, such as "0 8 * * 1-5"'],
    ['TZ= 0 8 * * 1', '"TZ= 0 8 * * 1" names its zone: write "0 8 * * 1", and the zone as timeZone: UTC'],
    ['rate(5 minutes)', '"rate(5 minutes)" is as AWS writes it: expected five fields, such as "0 8 * * 1-5"'],
    ['0 0 8 * * 1-5', '"0 0 8 * * 1-5" has 6 fields: expected five, without seconds: write "0 8 * * 1-5"'],
    ['0 0 8 ? * MON-FRI', '"0 0 8 ? * MON-FRI" has 6 fields: expected five, without seconds: write "0 8 * * MON-FRI"'],
    ['0 0 8 ? * 2-6', '"0 0 8 ? * 2-6" has 6 fields: expected five, such as "0 8 * * 1-5"'],
    [
      'TZ=Europe/Berlin 0 8 * * 1-5',
      '"TZ=Europe/Berlin 0 8 * * 1-5" names its zone: write "0 8 * * 1-5", and the zone as timeZone: Europe/Berlin',
    ],
    [
      'CRON_TZ=UTC 0 8 * *',
      '"CRON_TZ=UTC 0 8 * *" names its zone: expected five fields, such as "0 8 * * 1-5", and the zone as timeZone: UTC',
    ],
    ['0 '.repeat(501), `"${'0 '.repeat(40)}" is too long: expected five fields, such as "0 8 * * 1-5"`],
    ['0 0 31 4,6,9,11 *', '"0 0 31 4,6,9,11 *" never happens: no such month has day 31'],
  ])('%j is refused, saying what was expected', (text, message) => {
    expect(() => parseCron(text)).toThrow(new Error(message));
  });

  test.each([
    ['1'.repeat(21), '0 to 59'],
    [`*/${'9'.repeat(19)}`, 'a step from 1 to 59'],
    [`1/2/${'3'.repeat(17)}`, 'one step at most'],
    [`1-2-${'3'.repeat(17)}`, 'a range such as 0-59'],
  ])('is refused showing no more than 20 characters of %s', (item, expected) => {
    const text = `${item} 8 * * *`;
    expect(() => parseCron(text)).toThrow(new Error(`"${text}": minute "${item.slice(0, 20)}": expected ${expected}`));
  });

  test('is read up to a thousand characters', () => {
    expect(parseCron('0 8 * * *'.padEnd(1_000)).times).toEqual([480]);
    expect(() => parseCron('0 8 * * *'.padEnd(1_001))).toThrow('is too long');
  });

  test('is read once', () => expect(parseCron('0 8 * * 2')).toBe(parseCron('0 8 * * 2')));

  test('has the last day of a month beside its days, not among them', () => {
    expect(parseCron('0 8 L * *')).toMatchObject({ days: 0, lastDay: true });
    expect(parseCron('0 8 1,L * *')).toMatchObject({ days: 0b10, lastDay: true });
  });

  test('is kept as it was written', () => expect(parseCron('0  8 * * MON').text).toBe('0  8 * * MON'));

  test.each([
    ['names of days and months', '0 8 * jan Mon-fri', '2026-01-02T08:00:00Z'],
    ['Sunday as 0', '0 8 * * 0', '2026-01-04T08:00:00Z'],
    ['Sunday as 7', '0 8 * * 7', '2026-01-04T08:00:00Z'],
    ['a range up to Sunday', '0 8 * * 6-7', '2026-01-03T08:00:00Z'],
    ['a step within a range', '10-50/20 9 * * *', '2026-01-01T09:10:00Z'],
    ['a step from a value on', '5/20 * * * *', '2026-01-01T08:45:00Z'],
    ['a step as long as its field', '*/59 9 * * *', '2026-01-01T09:00:00Z'],
    ['a leap day', '0 0 29 2 *', '2028-02-29T00:00:00Z'],
    ['spaces around and between', '  0  9 * * *\t', '2026-01-01T09:00:00Z'],
    ['day of month or of week, when both are given', '0 0 13 * 5', '2026-01-02T00:00:00Z'],
    ['either of both, though one has a step', '0 0 1-31/10 * 0', '2026-01-04T00:00:00Z'],
    ['the last day of a month', '0 8 L 2 *', '2026-02-28T08:00:00Z'],
    ['the last day beside others', '0 8 30,L 2 *', '2026-02-28T08:00:00Z'],
    ['the first Monday', '0 8 * * MON#1', '2026-01-05T08:00:00Z'],
    ['the fifth Thursday', '0 8 * * 4#5', '2026-01-29T08:00:00Z'],
    ['the first Sunday as 7', '0 8 * * 7#1', '2026-01-04T08:00:00Z'],
    ['two weekdays of one week of a month', '0 8 * * TUE#1,MON#1', '2026-01-05T08:00:00Z'],
    ['one weekday of two weeks of a month', '0 8 * * MON#2,MON#1', '2026-01-05T08:00:00Z'],
    ['a range of one', '0 9-9 * * *', '2026-01-01T09:00:00Z'],
    ['the last Friday', '0 8 * * FRI#L', '2026-01-30T08:00:00Z'],
    ['the last Friday as 5L', '0 8 * * 5L', '2026-01-30T08:00:00Z'],
    ['the last Friday as FRIL', '0 8 * * fril', '2026-01-30T08:00:00Z'],
    ['some weekdays of a month beside all of one', '0 8 * * WED#4,SAT', '2026-01-03T08:00:00Z'],
    ['the fifth Monday of a February, every 28 years', '0 8 * 2 MON#5', '2044-02-29T08:00:00Z'],
    ['every day, whatever is named beside it', '0 8 * * *,MON#1', '2026-01-02T08:00:00Z'],
    ['a weekday beside a date that never comes', '0 8 31 2 MON', '2026-02-02T08:00:00Z'],
    ['every seventh weekday, which is Sunday', '0 8 * * */7', '2026-01-04T08:00:00Z'],
    ['a step from a weekday on, without a second Sunday', '0 8 * * 6/1', '2026-01-03T08:00:00Z'],
    ['a step from a weekday on, up to Saturday', '0 8 * * 5/2', '2026-01-02T08:00:00Z'],
    ['day of week alone beside */1', '0 0 */1 * 0', '2026-01-04T00:00:00Z'],
  ])('knows %s', (_, text, expected) => {
    expect(next(text, 'UTC', '2026-01-01T08:30:00Z')).toBe(expected);
  });

  test('has every weekday once, steps from one of them end at Saturday', () => {
    const weekdays = (part: string) => parseCron(`0 8 * * ${part}`).weekdays;
    for (const [part, days] of [
      ['*', 0b1111111],
      ['1/2', 0b0101010],
      ['FRI/1', 0b1100000],
      ['1-7/2', 0b0101011],
      ['0-7', 0b1111111],
      ['MON#1', 0],
    ] as const)
      expect([part, weekdays(part)]).toEqual([part, days]);
  });

  /** What other crons make of it, as decision 28 has it; croner is asked here. */
  test.each<[string, 'either' | 'both' | 'refused']>([
    ['0 8 */2 * 3', 'refused'],
    ['0 8 3 * */2', 'refused'],
    ['0 8 1-7 * 1', 'either'],
    ['0 8 1-31/2 * 3', 'either'],
    ['0 8 1-31 * 3', 'either'],
  ])('%s is read as every cron reads it, or refused', (text, expected) => {
    const days = (after: (instant: Date) => Date | null | undefined) => {
      const found: string[] = [];
      for (let one = after(new Date('2026-12-01T00:00:00Z')); found.length < 20; one = after(one!))
        found.push(one!.toISOString());
      return found;
    };
    const croner = new Croner(text, { timezone: 'UTC' });
    if (expected === 'refused') return expect(() => parseCron(text)).toThrow('crons do not agree');
    const cron = parseCron(text);
    expect(cron.either).toBe(expected === 'either');
    return expect(days((at) => new Date(nextAfter(cron, parseZone('UTC'), at.getTime())!))).toEqual(
      days((at) => croner.nextRun(at)),
    );
  });

  test.each(['0 8 L * *', '0 8 15,L * *', '0 8 * * MON#1', '0 8 * * FRI#L', '0 8 * * 0#5', '0 8 * 2,3 TUE#L,THU'])(
    '%s happens for twenty years when croner says so',
    (text) => {
      const [cron, croner] = [parseCron(text), new Croner(text, { timezone: 'UTC' })];
      let instant = Date.UTC(2026, 0, 1);
      while (instant < Date.UTC(2046, 0, 1)) {
        const next = nextAfter(cron, parseZone('UTC'), instant)!;
        expect(next).toBe(croner.nextRun(new Date(instant))!.getTime());
        expect(lastAtOrBefore(cron, parseZone('UTC'), next + 1)).toBe(next);
        instant = next;
      }
    },
  );

  test('that shares a minute with another is found out, however it is written', () => {
    const from = at('2026-01-01T00:00:00Z');
    const shared = (a: string, b: string) => sharedWall(parseCron(a), parseCron(b), from);
    expect(shared('0 8 * * 1-5', '0 8 * * MON')).toBe(at('2026-01-05T08:00:00Z'));
    expect(shared('0 */4 * * *', '0 20 1 * *')).toBe(at('2026-01-01T20:00:00Z'));
    expect(shared('0 8 * * 1-5', '0 8 * * 0,6')).toBeUndefined();
    expect(shared('0 8 29 2 *', '0 8 * 2 1')).toBe(at('2044-02-29T08:00:00Z'));
    expect(shared('0 8 * * *', '30 8 * * *')).toBeUndefined();
    expect(shared('0 9,8 * * *', '0 8-9 * * *')).toBe(at('2026-01-01T08:00:00Z'));
  });
});

describe('a time zone', () => {
  test.each([
    ['', 'expected an IANA time zone such as Europe/Berlin'],
    [undefined, 'expected an IANA time zone such as Europe/Berlin'],
    ['+02:00', '"+02:00" is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin'],
    ['UTC+2', '"UTC+2" is an offset, which knows no clock changes: expected an IANA time zone such as Europe/Berlin'],
    ['Europe/Berln', '"Europe/Berln" is no IANA time zone: did you mean Europe/Berlin?'],
    ['new york', '"new york" is no IANA time zone: did you mean America/New_York?'],
    ['CEST', '"CEST" is no IANA time zone, such as Europe/Berlin'],
  ])('%j is refused, naming the nearest one', (text, message) => {
    expect(() => parseZone(text)).toThrow(new Error(message));
  });

  test('is known by its official spelling, and by its aliases', () => {
    expect(parseZone('europe/berlin').name).toBe('Europe/Berlin');
    expect(parseZone('US/Eastern').name).toBe('US/Eastern');
    expect(parseZone('UTC').name).toBe('UTC');
  });

  test('says when its clock changes', () => {
    const lordHowe = parseZone('Australia/Lord_Howe');
    const changes = clockChanges(lordHowe, at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'));
    expect(changes.map((change) => [rfc3339(change.at), (change.after - change.before) / 60_000])).toEqual([
      ['2026-04-04T15:00:00Z', -30],
      ['2026-10-03T15:30:00Z', 30],
    ]);
  });

  test('knows old and odd offsets', () => {
    expect(localText(parseZone('Asia/Kathmandu'), at('2026-01-01T00:00:00Z'))).toBe('2026-01-01T05:45:00+05:45');
    expect(localText(parseZone('America/St_Johns'), at('2026-01-01T00:00:00Z'))).toBe('2025-12-31T20:30:00-03:30');
    expect(instantToWall(parseZone('Africa/Monrovia'), 0)).toBe(-(44 * 60 + 30) * 1000);
    const samoa = parseZone('Pacific/Apia'); // had no 2011-12-30
    expect(wallToInstant(samoa, at('2011-12-30T12:00:00Z'))).toEqual({ at: at('2011-12-30T10:00:00Z'), kind: 'gap' });
  });
});

describe('at a clock change', () => {
  test.each([
    ['Berlin has no 02:30 in spring', '30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
    ['Berlin has two 02:30 in autumn', '30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z'],
    ['and takes no second one', '30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
    ['Cairo has no midnight', '0 0 * * *', 'Africa/Cairo', '2026-04-23T12:00:00Z', '2026-04-23T22:00:00Z'],
    ['Havana has two midnights', '0 0 * * *', 'America/Havana', '2026-10-31T12:00:00Z', '2026-11-01T04:00:00Z'],
    ['Santiago has two 23:30', '30 23 * * *', 'America/Santiago', '2026-04-04T12:00:00Z', '2026-04-05T02:30:00Z'],
    [
      'Lord Howe has half an hour twice',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:00:00Z',
      '2026-04-04T14:45:00Z',
    ],
    [
      'Lord Howe loses half an hour',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T12:00:00Z',
      '2026-10-03T15:30:00Z',
    ],
  ])('%s', (_, cron, zone, after, expected) => {
    expect(next(cron, zone, after)).toBe(expected);
    expect(last(cron, zone, expected)).toBe(expected);
  });

  test('what a gap swallows happens once, known by the last of it', () => {
    const found = occurrenceAfter(parseCron('*/20 * * * *'), parseZone('Europe/Berlin'), at('2026-03-29T00:45:00Z'));
    expect(found).toEqual({ at: at('2026-03-29T01:00:00Z'), wall: at('2026-03-29T03:00:00Z') });
    expect(next('*/20 * * * *', 'Europe/Berlin', '2026-03-29T01:00:00Z')).toBe('2026-03-29T01:20:00Z');
  });

  test('in the second pass the last one is that of the first', () => {
    expect(last('50 2 * * *', 'Europe/Berlin', '2026-10-25T01:10:00Z')).toBe('2026-10-25T00:50:00Z');
  });

  test('next is strictly later, last may be now', () => {
    expect(next('0 8 * * *', 'UTC', '2026-01-01T08:00:00Z')).toBe('2026-01-02T08:00:00Z');
    expect(next('0 8 * * *', 'UTC', '2026-01-01T07:59:59Z')).toBe('2026-01-01T08:00:00Z');
    expect(last('0 8 * * *', 'UTC', '2026-01-01T08:00:00Z')).toBe('2026-01-01T08:00:00Z');
    expect(last('0 8 * * *', 'UTC', '2026-01-01T07:59:59Z')).toBe('2025-12-31T08:00:00Z');
  });
});

// All zones: npm run test:zones.
const sample = [
  'Africa/Cairo', // gap at midnight
  'Africa/Casablanca', // back for Ramadan
  'America/Havana', // midnight twice
  'America/Scoresbysund', // gap up to midnight
  'America/Santiago', // gap at midnight, the other half of the year
  'Antarctica/Troll', // two hours at once
  'Asia/Beirut',
  'Asia/Kathmandu', // no changes, odd offset
  'Australia/Lord_Howe', // half an hour
  'Europe/Berlin',
  'Europe/Dublin', // winter is the exception there
  'Pacific/Chatham', // odd offset with changes
];

test.each(sample)(
  'around the clock changes of %s schedules happen as the oracle says, and croner differs only as explained',
  (zone) => {
    const seen = nothing();
    for (const change of changesOf(zone).slice(0, 3)) compareAround(zone, change, seen);
    expect(seen.wrong).toEqual([]);
    expect(seen.unexplained).toEqual([]);
  },
);
