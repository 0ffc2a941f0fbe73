import { describe, expect, it } from 'vitest';

import { readCalendar } from '../../shared/schedule/calendarFile.ts';
import { checkSchedule } from '../../shared/schedule/schedule.ts';
import { berlin, file, window } from './calendars.ts';
import { office } from './schedules.ts';

const read = (text: string, zone = berlin) => {
  const { dates, problems } = readCalendar(text, window)(zone);
  return { dates: [...dates].sort(), problems };
};
const datesOf = (...events: string[]) => read(file(...events));

describe('the events of a calendar file are holidays', () => {
  it.each<[string, string, string[]]>([
    ['a whole day', 'DTSTART;VALUE=DATE:20261225', ['2026-12-25']],
    [
      'whole days up to the end, which is not among them',
      'DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227',
      ['2026-12-24', '2026-12-25', '2026-12-26'],
    ],
    ['days by their duration', 'DTSTART;VALUE=DATE:20261224\nDURATION:P2D', ['2026-12-24', '2026-12-25']],
    ['each year', 'DTSTART;VALUE=DATE:20001225\nRRULE:FREQ=YEARLY', ['2026-12-25', '2027-12-25']],
    [
      'the first Monday of September',
      'DTSTART;VALUE=DATE:20200907\nRRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO',
      ['2026-09-07', '2027-09-06'],
    ],
    [
      'the last Monday of May',
      'DTSTART;VALUE=DATE:20200525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO',
      ['2026-05-25', '2027-05-31'],
    ],
    [
      'as often as it says, but for one',
      'DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;VALUE=DATE:20260119',
      ['2026-01-05', '2026-01-12', '2026-01-26'],
    ],
    [
      'every second week, two days',
      'DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260122',
      ['2026-01-05', '2026-01-07', '2026-01-19', '2026-01-21'],
    ],
    [
      'the last working day of a month',
      'DTSTART;VALUE=DATE:20260130\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20260331',
      ['2026-01-30', '2026-02-27', '2026-03-31'],
    ],
    [
      'the last day of a month',
      'DTSTART;VALUE=DATE:20260131\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3',
      ['2026-01-31', '2026-02-28', '2026-03-31'],
    ],
    [
      'every third day',
      'DTSTART;VALUE=DATE:20260227\nRRULE:FREQ=DAILY;INTERVAL=3;COUNT=3',
      ['2026-02-27', '2026-03-02', '2026-03-05'],
    ],
    [
      'and dates besides',
      'DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=DATE:20260301,20260302',
      ['2026-01-05', '2026-03-01', '2026-03-02'],
    ],
    [
      'an hour of a day',
      'DTSTART;TZID=Europe/Berlin:20260105T100000\nDTEND;TZID=Europe/Berlin:20260105T110000',
      ['2026-01-05'],
    ],
    [
      'an evening in New York, which is the night of two days here',
      'DTSTART;TZID=America/New_York:20260105T170000\nDTEND;TZID=America/New_York:20260105T190000',
      ['2026-01-05', '2026-01-06'],
    ],
    ['an instant', 'DTSTART:20260105T233000Z\nDTEND:20260106T000000Z', ['2026-01-06']],
    [
      'an evening each day until an instant',
      'DTSTART;TZID=America/New_York:20260105T200000\nRRULE:FREQ=DAILY;UNTIL=20260108T010000Z',
      ['2026-01-06', '2026-01-07', '2026-01-08'],
    ],
    ["in a zone that nobody knows, the schedule's", 'DTSTART;TZID=Our Own Time:20260105T233000', ['2026-01-05']],
    ['nothing that is cancelled', 'DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED', []],
  ])('%s', (_, event, dates) => expect(datesOf(event)).toEqual({ dates, problems: [] }));

  it('but one that was moved is where it is now', () => {
    const all = 'UID:a\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=3';
    const moved = 'UID:a\nRECURRENCE-ID;VALUE=DATE:20260112\nDTSTART;VALUE=DATE:20260114';
    expect(datesOf(all, moved).dates).toEqual(['2026-01-05', '2026-01-14', '2026-01-19']);
  });

  it('folded lines, alarms, zones and descriptions do no harm', () => {
    const text = file(
      'DTSTART;VALUE=DA\n TE:20261225\nDESCRIPTION:a\\nb: c; d\nBEGIN:VALARM\nDTSTART:19990101T000000Z\nEND:VALARM',
    );
    const zone =
      'BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n';
    expect(read(text.replace('BEGIN:VEVENT', `${zone}BEGIN:VEVENT`))).toEqual({ dates: ['2026-12-25'], problems: [] });
  });
});

describe('what is wrong with a calendar file is told by its line, never by its words', () => {
  it.each<[string, string, number, RegExp]>([
    ['no date', 'DTSTART;VALUE=DATE:topsecret', 4, /^(cannot be understood|expected a (real )?date)$/],
    ['a day that is none', 'UID:a\nDTSTART;VALUE=DATE:20260230', 5, /^expected a real date$/],
    ['a rule of seconds', 'DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=SECONDLY', 5, /^RRULE: FREQ/],
    [
      'a rule of weeks of the year',
      'DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYWEEKNO=20',
      5,
      /^RRULE: BYWEEKNO/,
    ],
    [
      'a rule that is none',
      'DTSTART;VALUE=DATE:20260101\nRRULE:topsecret',
      5,
      /^(cannot be understood|RRULE: FREQ.*)$/,
    ],
    ['no beginning', 'UID:topsecret', 3, /^an event without DTSTART$/],
    ['an end before the beginning', 'DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260101', 3, /^its end is before/],
    ['years on end', 'DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20300101', 3, /^it is longer than 400 days$/],
  ])('%s', (_, event, line, message) => {
    const { dates, problems } = datesOf(event, 'DTSTART;VALUE=DATE:20261225');
    expect(dates).toEqual(['2026-12-25']);
    expect(problems).toEqual([{ line, message: expect.stringMatching(message) as string }]);
    expect(JSON.stringify(problems)).not.toContain('topsecret');
  });

  it('also a file that ends too early, or ends what it did not begin', () => {
    expect(read('BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101').problems[0]?.message).toMatch(/ends within/);
    expect(read('BEGIN:VCALENDAR\nEND:VEVENT\n').problems).toEqual([{ line: 2, message: 'an END without its BEGIN' }]);
  });

  it('and stands in the condition of the schedule, which goes on', () => {
    const spec = { ...office, holidays: { configMapRef: { name: 'days', key: 'de.ics' } } };
    const find = () => readCalendar(file('DTSTART;VALUE=DATE:20261225', 'UID:x'), window);
    const { schedule, problems } = checkSchedule({ metadata: { name: 'o', namespace: 'd' }, spec }, find);
    expect([...schedule!.holidays]).toEqual(['2026-12-25']);
    expect(problems).toEqual([
      {
        field: 'spec.holidays.configMapRef',
        reason: 'InvalidHoliday',
        message: 'ConfigMap days, de.ics, line 6: an event without DTSTART',
      },
    ]);
  });
});
