import ICAL from 'ical.js';
import { describe, expect, it } from 'vitest';

import { isMeantOn, isPlacedOn, placingDays, readRule } from '../../shared/schedule/recurrence.ts';
import { dayMs } from '../../shared/time/zone.ts';

const rule = (text: string) => readRule(ICAL.Recur.fromString(`FREQ=${text}`));
const midnight = (date: string) => Date.parse(`${date}T00:00:00Z`);

/** The days of a rule behind its first one, up to a day. */
function daysOf(text: string, first: string, last: string): string {
  const [one, from] = [rule(text), midnight(first)];
  const days: string[] = [];
  for (let day = from - 40 * dayMs; day <= midnight(last); day += dayMs)
    if (isMeantOn(one, from, day) && isPlacedOn(one, from, day)) days.push(new Date(day).toISOString().slice(0, 10));
  return days.join(' ');
}

// What python-dateutil 2.9 makes of them, but for the first day, which an event has whatever its rule says.
describe('a rule of a calendar', () => {
  it.each([
    ['DAILY;INTERVAL=2;BYDAY=WE,SU', '2024-03-23', '2024-03-27 2024-03-31 2024-04-10 2024-04-14 2024-04-24 2024-04-28'],
    [
      'DAILY;BYMONTH=1,5,9;BYDAY=SA,TU,WE;BYMONTHDAY=28,29,15',
      '2024-12-01',
      '2025-01-15 2025-01-28 2025-01-29 2025-05-28 2026-01-28 2026-09-15',
    ],
    [
      'DAILY;INTERVAL=2;BYDAY=MO,TH;BYMONTHDAY=-31,29',
      '2024-08-26',
      '2025-05-01 2025-05-29 2025-12-01 2025-12-29 2026-06-29 2026-10-01',
    ],
    ['DAILY;INTERVAL=2', '2024-01-16', '2024-01-18 2024-01-20 2024-01-22 2024-01-24 2024-01-26 2024-01-28'],
    ['DAILY;BYMONTHDAY=29,1', '2024-02-28', '2024-02-29 2024-03-01 2024-03-29 2024-04-01 2024-04-29 2024-05-01'],
    [
      'DAILY;INTERVAL=3;BYMONTHDAY=28,29',
      '2024-07-18',
      '2024-08-29 2024-09-28 2024-10-28 2025-01-29 2025-02-28 2025-04-29',
    ],
    ['DAILY;BYMONTH=7;BYSETPOS=1', '2024-04-11', '2024-07-01 2024-07-02 2024-07-03 2024-07-04 2024-07-05 2024-07-06'],
    ['DAILY;BYDAY=SU;BYSETPOS=1', '2024-02-28', '2024-03-03 2024-03-10 2024-03-17 2024-03-24 2024-03-31 2024-04-07'],
    [
      'DAILY;INTERVAL=2;BYDAY=SU;BYSETPOS=2,1',
      '2024-01-13',
      '2024-01-21 2024-02-04 2024-02-18 2024-03-03 2024-03-17 2024-03-31',
    ],
    [
      'DAILY;BYDAY=MO;BYMONTHDAY=30,2,31;BYSETPOS=1',
      '2024-05-27',
      '2024-09-02 2024-09-30 2024-12-02 2024-12-30 2025-03-31 2025-06-02',
    ],
    [
      'DAILY;INTERVAL=3;BYMONTH=11;BYSETPOS=3,1',
      '2024-05-09',
      '2024-11-02 2024-11-05 2024-11-08 2024-11-11 2024-11-14 2024-11-17',
    ],
    [
      'DAILY;INTERVAL=2;BYMONTHDAY=-2;BYSETPOS=1,-1',
      '2024-01-05',
      '2024-02-28 2024-05-30 2024-06-29 2024-08-30 2024-09-29 2024-12-30',
    ],
    ['MONTHLY', '2024-09-08', '2024-10-08 2024-11-08 2024-12-08 2025-01-08 2025-02-08 2025-03-08'],
    [
      'MONTHLY;BYMONTH=12,3,2;BYDAY=WE',
      '2024-04-27',
      '2024-12-04 2024-12-11 2024-12-18 2024-12-25 2025-02-05 2025-02-12',
    ],
    [
      'MONTHLY;INTERVAL=3;BYDAY=2SU,1MO',
      '2024-08-28',
      '2024-11-04 2024-11-10 2025-02-03 2025-02-09 2025-05-05 2025-05-11',
    ],
    [
      'MONTHLY;BYDAY=WE,TH;BYMONTHDAY=15',
      '2024-09-21',
      '2025-01-15 2025-05-15 2025-10-15 2026-01-15 2026-04-15 2026-07-15',
    ],
    [
      'MONTHLY;INTERVAL=4;BYDAY=SU,FR;BYMONTHDAY=-2,2',
      '2024-11-02',
      '2024-11-29 2025-03-02 2025-03-30 2025-11-02 2026-11-29',
    ],
    ['MONTHLY;INTERVAL=4', '2024-01-16', '2024-05-16 2024-09-16 2025-01-16 2025-05-16 2025-09-16 2026-01-16'],
    ['MONTHLY;BYMONTHDAY=30,29,31', '2024-06-25', '2024-06-29 2024-06-30 2024-07-29 2024-07-30 2024-07-31 2024-08-29'],
    [
      'MONTHLY;INTERVAL=4;BYMONTHDAY=2,30',
      '2024-07-21',
      '2024-07-30 2024-11-02 2024-11-30 2025-03-02 2025-03-30 2025-07-02',
    ],
    [
      'MONTHLY;BYMONTH=1,4;BYSETPOS=-2,1',
      '2024-01-19',
      '2024-04-19 2025-01-19 2025-04-19 2026-01-19 2026-04-19 2027-01-19',
    ],
    ['MONTHLY;BYDAY=FR;BYSETPOS=2', '2024-07-18', '2024-08-09 2024-09-13 2024-10-11 2024-11-08 2024-12-13 2025-01-10'],
    [
      'MONTHLY;INTERVAL=1;BYDAY=SA,WE;BYSETPOS=-1',
      '2024-07-03',
      '2024-07-31 2024-08-31 2024-09-28 2024-10-30 2024-11-30 2024-12-28',
    ],
    [
      'MONTHLY;BYDAY=TU,SA,WE;BYMONTHDAY=-1;BYSETPOS=3,-1',
      '2024-04-13',
      '2024-04-30 2024-07-31 2024-08-31 2024-11-30 2024-12-31 2025-04-30',
    ],
    ['MONTHLY;INTERVAL=3;BYMONTH=9;BYSETPOS=3,-1', '2024-03-20', '2024-09-20 2025-09-20 2026-09-20'],
    [
      'MONTHLY;BYMONTHDAY=29,28,15;BYSETPOS=-2',
      '2024-03-02',
      '2024-03-28 2024-04-28 2024-05-28 2024-06-28 2024-07-28 2024-08-28',
    ],
    [
      'MONTHLY;INTERVAL=4;BYMONTHDAY=-31,15;BYSETPOS=2',
      '2024-03-04',
      '2024-03-15 2024-07-15 2025-03-15 2025-07-15 2026-03-15 2026-07-15',
    ],
    ['WEEKLY', '2024-05-02', '2024-05-09 2024-05-16 2024-05-23 2024-05-30 2024-06-06 2024-06-13'],
    [
      'WEEKLY;INTERVAL=4;BYDAY=TH,SA',
      '2024-01-12',
      '2024-01-13 2024-02-08 2024-02-10 2024-03-07 2024-03-09 2024-04-04',
    ],
    [
      'WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=TH',
      '2024-02-26',
      '2024-02-28 2024-03-11 2024-03-13 2024-03-25 2024-03-27 2024-04-08',
    ],
    ['WEEKLY;INTERVAL=2', '2024-07-09', '2024-07-23 2024-08-06 2024-08-20 2024-09-03 2024-09-17 2024-10-01'],
    [
      'WEEKLY;BYMONTH=2;BYSETPOS=2,-1',
      '2024-06-01',
      '2025-02-01 2025-02-08 2025-02-15 2025-02-22 2026-02-07 2026-02-14',
    ],
    [
      'WEEKLY;BYDAY=TU;BYSETPOS=-1,3',
      '2024-05-10',
      '2024-05-14 2024-05-21 2024-05-28 2024-06-04 2024-06-11 2024-06-18',
    ],
    [
      'WEEKLY;INTERVAL=2;BYDAY=TH,SA;BYSETPOS=-1',
      '2024-12-23',
      '2024-12-28 2025-01-11 2025-01-25 2025-02-08 2025-02-22 2025-03-08',
    ],
    [
      'WEEKLY;BYDAY=TH,SA,FR;BYSETPOS=3,-2;WKST=MO',
      '2024-11-10',
      '2024-11-15 2024-11-16 2024-11-22 2024-11-23 2024-11-29 2024-11-30',
    ],
    [
      'WEEKLY;INTERVAL=3;BYDAY=MO,TU;BYSETPOS=1;WKST=SA',
      '2024-01-03',
      '2024-01-22 2024-02-12 2024-03-04 2024-03-25 2024-04-15 2024-05-06',
    ],
    [
      'WEEKLY;INTERVAL=4;BYMONTH=3,2;BYSETPOS=-2,1',
      '2024-11-05',
      '2025-02-25 2025-03-25 2026-02-24 2026-03-24 2027-02-23 2027-03-23',
    ],
    [
      'WEEKLY;INTERVAL=1;BYMONTH=12;BYSETPOS=-1,1;WKST=WE',
      '2024-10-01',
      '2024-12-03 2024-12-10 2024-12-17 2024-12-24 2024-12-31 2025-12-02',
    ],
    ['WEEKLY;WKST=FR', '2024-04-25', '2024-05-02 2024-05-09 2024-05-16 2024-05-23 2024-05-30 2024-06-06'],
    ['WEEKLY;INTERVAL=2;WKST=SU', '2024-12-17', '2024-12-31 2025-01-14 2025-01-28 2025-02-11 2025-02-25 2025-03-11'],
    ['YEARLY;BYMONTH=9,3', '2024-06-20', '2024-09-20 2025-03-20 2025-09-20 2026-03-20 2026-09-20 2027-03-20'],
    ['YEARLY;BYMONTH=12;BYDAY=FR', '2024-11-04', '2024-12-06 2024-12-13 2024-12-20 2024-12-27 2025-12-05 2025-12-12'],
    [
      'YEARLY;INTERVAL=4;BYMONTH=1,5;BYDAY=SA,TU',
      '2024-04-23',
      '2024-05-04 2024-05-07 2024-05-11 2024-05-14 2024-05-18 2024-05-21',
    ],
    [
      'YEARLY;BYMONTH=12,1;BYDAY=TH,FR;BYMONTHDAY=-1,29,-2',
      '2024-01-25',
      '2025-01-30 2025-01-31 2026-01-29 2026-01-30 2026-12-31 2027-01-29',
    ],
    [
      'YEARLY;INTERVAL=1;BYMONTH=4,11,5',
      '2024-11-25',
      '2025-04-25 2025-05-25 2025-11-25 2026-04-25 2026-05-25 2026-11-25',
    ],
    [
      'YEARLY;BYMONTH=9,7,2;BYMONTHDAY=-2,1',
      '2024-09-15',
      '2024-09-29 2025-02-01 2025-02-27 2025-07-01 2025-07-30 2025-09-01',
    ],
    [
      'YEARLY;BYMONTH=1,10;BYSETPOS=2,-2',
      '2024-04-23',
      '2024-10-23 2025-01-23 2025-10-23 2026-01-23 2026-10-23 2027-01-23',
    ],
    ['YEARLY;BYMONTH=6,3;BYDAY=SA,MO;BYSETPOS=-1', '2024-05-09', '2024-06-29 2025-06-30 2026-06-29'],
    [
      'YEARLY;INTERVAL=2;BYMONTH=12,10;BYMONTHDAY=29,15,28;BYSETPOS=-1,1',
      '2024-02-26',
      '2024-10-15 2024-12-29 2026-10-15 2026-12-29',
    ],
    ['MONTHLY;BYDAY=-1FR', '2024-01-26', '2024-02-23 2024-03-29 2024-04-26 2024-05-31'],
    ['MONTHLY;BYDAY=-2MO', '2024-01-22', '2024-02-19 2024-03-18 2024-04-22'],
    ['YEARLY', '2024-03-05', '2025-03-05 2026-03-05'],
    ['YEARLY;INTERVAL=3', '2023-03-05', '2026-03-05 2029-03-05'],
    ['MONTHLY;BYMONTHDAY=15', '2024-01-10', '2024-01-15 2024-02-15'],
    ['MONTHLY;INTERVAL=5', '2024-01-10', '2024-06-10 2024-11-10 2025-04-10'],
    ['WEEKLY;INTERVAL=7', '2024-01-01', '2024-02-19 2024-04-08'],
    ['WEEKLY;BYDAY=MO,WE;BYSETPOS=-1', '2024-01-03', '2024-01-10 2024-01-17'],
    ['WEEKLY;BYDAY=2MO', '2024-01-01', '2024-01-08 2024-01-15'],
  ])('%s from %s on has %s', (text, first, days) => {
    expect(daysOf(text, first, days.split(' ').at(-1)!)).toBe(`${first} ${days}`);
  });

  it('counts its weeks from the day that it names, else from Monday', () => {
    const twice = (more: string) => daysOf(`WEEKLY;INTERVAL=2;BYDAY=TU,SU${more}`, '1997-08-05', '1997-08-31');
    expect(twice('')).toBe('1997-08-05 1997-08-10 1997-08-19 1997-08-24');
    expect(twice(';WKST=SU')).toBe('1997-08-05 1997-08-17 1997-08-19 1997-08-31');
  });

  it('may be asked for what happens once in so many years', () => {
    expect(rule('YEARLY;INTERVAL=99999').interval).toBe(10_000);
    expect([rule('DAILY').interval, rule('DAILY;COUNT=3').count, 'count' in rule('DAILY')]).toEqual([1, 3, false]);
  });

  it('ends with the day, or at the second, that it names', () => {
    expect([rule('DAILY;UNTIL=20260131').until, rule('DAILY;UNTIL=20260131').untilUtc]).toEqual([
      midnight('2026-02-01'),
      false,
    ]);
    const wall = Date.UTC(2026, 0, 31, 9, 30, 15);
    expect(rule('DAILY;UNTIL=20260131T093015')).toMatchObject({ until: wall, untilUtc: false });
    expect(rule('DAILY;UNTIL=20260131T093015Z')).toMatchObject({ until: wall, untilUtc: true });
    expect(rule('DAILY')).not.toHaveProperty('until');
  });

  it('has months once, and in their order', () => {
    expect(rule('YEARLY;BYMONTH=10,2,10,1').months).toEqual([1, 2, 10]);
  });

  it('costs as many days as its places are looked for among', () => {
    const cost = (text: string) => placingDays(rule(text));
    expect([cost('YEARLY;BYMONTH=1,2;BYDAY=MO'), cost('YEARLY;BYMONTH=1,2;BYDAY=MO;BYSETPOS=1')]).toEqual([0, 62]);
    const others = ['DAILY', 'WEEKLY', 'MONTHLY'].map((freq) => cost(`${freq};BYDAY=MO;BYSETPOS=1`));
    expect(others).toEqual([1, 7, 31]);
  });
});

describe('a rule that is not read here', () => {
  const refused = (parts: object) => {
    const given = { freq: 'YEARLY', interval: 1, parts: {}, ...parts };
    try {
      return readRule(given);
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  it.each<[object, string]>([
    [{ freq: 'HOURLY' }, 'FREQ'],
    [{ parts: { BYHOUR: [1] } }, 'BYHOUR'],
    [{ parts: { BYDAY: ['MO'] } }, 'BYMONTH'],
    [{ parts: { BYMONTH: [0] } }, 'BYMONTH'],
    [{ parts: { BYMONTH: [13] } }, 'BYMONTH'],
    [{ parts: { BYMONTH: [1.5] } }, 'BYMONTH'],
    [{ parts: { BYMONTH: [1], BYMONTHDAY: [32] } }, 'BYMONTHDAY'],
    [{ parts: { BYMONTH: [1], BYMONTHDAY: [-32] } }, 'BYMONTHDAY'],
    [{ parts: { BYMONTH: [1], BYMONTHDAY: [0] } }, 'BYMONTHDAY'],
    [{ parts: { BYMONTH: [1], BYSETPOS: [367] } }, 'BYSETPOS'],
    [{ parts: { BYMONTH: [1], BYSETPOS: [-367] } }, 'BYSETPOS'],
    [{ parts: { BYMONTH: [1], BYDAY: ['6MO'] } }, 'BYDAY'],
    [{ parts: { BYMONTH: [1], BYDAY: ['0MO'] } }, 'BYDAY'],
    [{ parts: { BYMONTH: [1], BYDAY: ['MON'] } }, 'BYDAY'],
  ])('%j is told by the part that is wrong', (parts, part) => {
    expect(refused(parts)).toBe(`RRULE: ${part} is not what can be read here`);
  });
  it('is none of these', () => {
    const parts = { BYMONTH: [1, 12], BYMONTHDAY: [31, -31], BYSETPOS: [366, -366], BYDAY: ['5MO', '-5SU', '+1TU'] };
    expect(refused({ parts })).toMatchObject({
      months: [1, 12],
      monthDays: [31, -31],
      positions: [366, -366],
      weekdays: [
        { day: 1, nth: 5 },
        { day: 0, nth: -5 },
        { day: 2, nth: 1 },
      ],
    });
    expect(refused({ interval: 0 })).toMatchObject({ interval: 1, weekStart: 1 });
    expect(refused({ interval: -3, wkst: 1 })).toMatchObject({ interval: 1, weekStart: 0 });
  });
});
