import { describe, expect, it } from 'vitest';

import { readEvent } from '../../shared/schedule/calendarEvent.ts';
import { occurrences, readCalendar } from '../../shared/schedule/calendarFile.ts';
import { eventLines } from '../../shared/schedule/calendarLines.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { berlin, file } from './calendars.ts';

const day = 86_400_000;
const at = (text: string) => Date.parse(`${text}Z`);
const window = { from: at('2026-03-01T00:00'), to: at('2026-03-05T00:00') };
const shown = (wall: number) => new Date(wall).toISOString().slice(0, 16);
/** When an event happens near the window, and how many steps are left of so many. */
function happens(text: string, steps = 1_000) {
  const event = readEvent(eventLines(file(text)).events[0]!, [])!;
  const budget = { steps };
  return { walls: occurrences(event, window, budget).map(shown), left: budget.steps };
}
const whole = (date: string) => `DTSTART;VALUE=DATE:${date}`;

describe('an event happens near the window', () => {
  it.each<[string, string[]]>([
    ['2026-02-26T23:59', []],
    ['2026-02-27T00:00', ['2026-02-27T00:00']],
    ['2026-03-07T00:00', ['2026-03-07T00:00']],
    ['2026-03-07T00:01', []],
  ])('two days before and after it: %s', (text, walls) =>
    expect(happens(`DTSTART:${text.replace(/[-:]/g, '')}00Z`).walls).toEqual(walls),
  );

  it('or as much earlier as it is long', () => {
    const long = (date: string) => happens(`${whole(date)}\nDURATION:P3D`).walls.length;
    expect([long('20260223'), long('20260224')]).toEqual([0, 1]);
  });

  it('with the other times of it, each once, but those that are left out', () => {
    expect(
      happens(`${whole('20260301')}\nRDATE;VALUE=DATE:20260303,20260301,20260302\nEXDATE;VALUE=DATE:20260302`).walls,
    ).toEqual([...['2026-03-01T00:00', '2026-03-03T00:00']]);
    expect(happens(`${whole('20200101')}\nRDATE;VALUE=DATE:20260303`).walls).toEqual(['2026-03-03T00:00']);
  });
});

describe('an event that comes again', () => {
  const daily = (rule: string, start = 'DTSTART:20200101T100000Z', steps?: number) =>
    happens(`${start}\nRRULE:FREQ=DAILY${rule}`, steps);

  it('is looked for on the days of the window, and two before and after', () => {
    const { walls, left } = daily('');
    expect([walls[0], walls.at(-1), walls.length]).toEqual(['2026-02-27T10:00', '2026-03-06T10:00', 8]);
    expect(left).toBe(1_000 - 9 - 9 * 2);
    expect(daily('', 'DTSTART:20200101T000000Z').walls.at(-1)).toBe('2026-03-07T00:00');
    expect(daily('', 'DTSTART:20200101T100000Z\nDURATION:P3D').walls[0]).toBe('2026-02-24T10:00');
    expect(daily('', 'DTSTART:20200101T100000Z\nDURATION:PT1H').walls[0]).toBe('2026-02-27T10:00');
    expect(daily('', 'DTSTART:20200101T100000Z\nDURATION:PT1H').left).toBe(1_000 - 10 - 10 * 2);
  });

  it('is looked for from its first day on', () => {
    expect(daily('', 'DTSTART:20260303T100000Z').left).toBe(1_000 - 5 - 5 * 2);
    expect(daily('', 'DTSTART:20260303T100000Z').walls).toHaveLength(4);
  });

  it('until it ends: the last time that may be is among them', () => {
    expect(daily(';UNTIL=20260302T100000Z').walls.at(-1)).toBe('2026-03-02T10:00');
    expect(daily(';UNTIL=20260302T095959Z').walls.at(-1)).toBe('2026-03-01T10:00');
  });

  it('as often as it says, counted from the beginning', () => {
    const { walls, left } = daily(';COUNT=3', 'DTSTART:20260226T100000Z');
    expect([walls, left]).toEqual([['2026-02-27T10:00', '2026-02-28T10:00'], 1_000 - 4 - 4 * 2]);
    expect(daily(';COUNT=99999', 'DTSTART:20251201T100000Z').walls).toHaveLength(8);
  });

  it('costs a step for each day, two more for each that is meant, and those by which its place is known', () => {
    const monday = `${whole('20260202')}\nRRULE:FREQ=WEEKLY`;
    expect(happens(monday).left).toBe(1_000 - 10 - 2);
    const last = `${whole('20260202')}\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1`;
    expect(happens(last)).toEqual({ walls: ['2026-03-02T00:00'], left: 1_000 - 10 - 2 * (2 + 31) });
  });

  it('is not looked for any further where there are no steps left', () => {
    expect(daily('', undefined, 7).walls).toHaveLength(3);
    expect(daily('', undefined, 9).walls).toHaveLength(3);
    expect([daily('', undefined, 0).walls, daily('', undefined, 1).walls.length]).toEqual([[], 1]);
  });
});

describe('the dates of a calendar file', () => {
  const wide = { from: at('2026-01-01T00:00'), to: at('2026-12-31T00:00') };
  const read = (text: string, zone = berlin, within = wide) => {
    const { dates, problems } = readCalendar(text, within)(zone);
    return { dates: [...dates], problems };
  };
  const utc = parseZone('UTC');

  it('are all days that an event touches, in the zone of who asks', () => {
    const event = (lines: string, zone = utc) => read(file(lines), zone).dates;
    expect(event('DTSTART:20260105T230000Z\nDURATION:PT1H')).toEqual(['2026-01-05']);
    expect(event('DTSTART:20260105T230000Z\nDURATION:PT1H', berlin)).toEqual(['2026-01-06']);
    expect(event('DTSTART:20260105T230000Z\nDURATION:PT1H1S')).toEqual(['2026-01-05', '2026-01-06']);
    expect(event('DTSTART:20260105T000000Z')).toEqual(['2026-01-05']);
    expect(event('DTSTART:20260105T235959Z')).toEqual(['2026-01-05']);
    expect(event('DTSTART:20260105T000000', parseZone('America/New_York'))).toEqual(['2026-01-05']);
    expect(event('DTSTART;VALUE=DATE:20260105', parseZone('America/New_York'))).toEqual(['2026-01-05']);
    // There the day after begins at one.
    expect(event('DTSTART;VALUE=DATE:20260905', parseZone('America/Santiago'))).toEqual(['2026-09-05']);
    expect(event('DTSTART;VALUE=DATE:20260105\nDURATION:P2D', parseZone('Asia/Tokyo'))).toEqual([
      '2026-01-05',
      '2026-01-06',
    ]);
  });

  it('are found once for each zone', () => {
    const find = readCalendar(file('DTSTART:20260105T230000Z'), wide);
    expect(find(utc)).toBe(find(utc));
    expect([...find(berlin).dates]).not.toEqual([...find(utc).dates]);
  });

  it('are those of the event with the same name that one takes the place of', () => {
    const all = 'UID:a\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=2';
    const other = 'UID:b\nDTSTART;VALUE=DATE:20260112';
    const moved = 'UID:a\nRECURRENCE-ID;VALUE=DATE:20260112\nDTSTART;VALUE=DATE:20260112';
    expect(read(file(all, moved)).dates).toEqual(['2026-01-05', '2026-01-12']);
    const away = moved.replace('DTSTART;VALUE=DATE:20260112', 'DTSTART;VALUE=DATE:20260120');
    expect(read(file(all, away)).dates).toEqual(['2026-01-05', '2026-01-20']);
    expect(read(file(all, other, away)).dates).toEqual(['2026-01-05', '2026-01-12', '2026-01-20']);
    expect(read(file('UID:c\nDTSTART;VALUE=DATE:20260301', all)).dates).toHaveLength(3);
  });

  it('are those of five thousand events', () => {
    const events = (count: number) =>
      file(
        ...Array.from({ length: count }, (_, i) => `DTSTART;VALUE=DATE:2026010${1 + (i % 5)}`),
        'DTSTART;VALUE=DATE:20260201',
      );
    expect(read(events(4_999)).dates).toHaveLength(6);
    const { dates, problems } = read(events(5_000));
    expect(dates).toHaveLength(5);
    expect(problems).toEqual([
      { line: 3 + 5_000 * 3, message: 'more than 5000 events: it and those behind it are not read' },
    ]);
  });

  it('are twenty thousand', () => {
    const far = { from: at('0200-01-01T00:00'), to: at('3000-01-01T00:00') };
    const years = (count: number, first: string) =>
      Array.from({ length: count / 400 }, (_, i) => {
        const start = new Date(at(first) + i * 400 * day).toISOString().slice(0, 10).replaceAll('-', '');
        return `DTSTART;VALUE=DATE:${start}\nDURATION:P400D`;
      });
    const fit = read(file(...years(19_600, '2000-01-01T00:00')), utc, far);
    expect([fit.dates.length, fit.problems]).toEqual([19_600, []]);
    const over = read(file(...years(20_000, '2000-01-01T00:00'), 'DTSTART;VALUE=DATE:20990101'), utc, far);
    const message = 'too many dates: this event and those behind it are not read to their end';
    expect([over.dates.length, over.problems]).toEqual([20_000, [{ line: 3 + 49 * 4, message }]]);
    const one = `DTSTART;VALUE=DATE:19990101\nRDATE;VALUE=DATE:19990103`;
    const last = read(
      file(...years(19_600, '2000-01-01T00:00'), 'DTSTART;VALUE=DATE:19900101\nDURATION:P399D', one),
      utc,
      far,
    );
    expect([last.dates.length, last.problems]).toEqual([20_000, [{ line: 3 + 50 * 4, message }]]);
  });

  it('are found in three hundred thousand steps', () => {
    const years = { from: at('2026-01-01T00:00'), to: at('2026-01-01T00:00') + 9_995 * day };
    // A rule that never happens takes each of 9,998 days, and two steps for its first one.
    const never = (start: string) => `DTSTART;VALUE=DATE:${start}\nRRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9`;
    const taken = (last: string) =>
      read(file(...Array<string>(29).fill(never('20260101')), never(last), 'DTSTART;VALUE=DATE:20260201'), utc, years);
    expect(taken('20260102')).toEqual({ dates: ['2026-01-01', '2026-01-02', '2026-02-01'], problems: [] });
    expect(taken('20260101')).toMatchObject({ dates: ['2026-01-01'], problems: [{ line: 3 + 29 * 4 }] });
  });

  it('are none of what is cancelled', () =>
    expect(read(file('DTSTART;VALUE=DATE:20260105\nSTATUS:CANCELLED', 'DTSTART;VALUE=DATE:20260106')).dates).toEqual([
      '2026-01-06',
    ]));
});
