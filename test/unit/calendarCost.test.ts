import { describe, expect, it } from 'vitest';

import { readCalendar } from '../../shared/schedule/calendarFile.ts';
import { berlin, file, window } from './calendars.ts';

const read = (text: string) => readCalendar(text, window)(berlin);

describe('a calendar that means harm costs a bounded time', () => {
  const forever = 'DTSTART;VALUE=DATE:00010101\nRRULE:FREQ=DAILY;COUNT=999999999';
  it.each<[string, string]>([
    [
      'rules that never happen',
      file(
        ...(Array(2_000).fill('DTSTART;VALUE=DATE:20200131\nRRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30') as string[]),
      ),
    ],
    ['rules that count from the year one', file(...(Array(500).fill(forever) as string[]))],
    ['a hundred thousand events', file(...(Array(100_000).fill('DTSTART;VALUE=DATE:20260101') as string[]))],
    ['deep nesting', 'BEGIN:VCALENDAR\n' + 'BEGIN:X\n'.repeat(100_000)],
    ['one endless line', `BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:${'1'.repeat(1_000_000)}\nEND:VEVENT\nEND:VCALENDAR`],
    [
      'endless folding',
      `BEGIN:VCALENDAR\nBEGIN:VEVENT\nEXDATE:${'20260101,\n '.repeat(100_000)}\nEND:VEVENT\nEND:VCALENDAR`,
    ],
    [
      'a million dates',
      file(
        `DTSTART;VALUE=DATE:20260101\n${`RDATE;VALUE=DATE:${'20260101,'.repeat(100)}20260102\n`.repeat(5_000)}UID:a`,
      ),
    ],
  ])(
    '%s',
    (_, text) => {
      const { problems } = readCalendar(text, window)(berlin);
      expect(problems.length).toBeLessThan(6_000);
    },
    60_000, // without a bound it would be hours
  );
});

describe('work that anybody may cause by a small file', () => {
  const many = (zone: string, rule: string) =>
    file(...Array.from({ length: 200 }, () => `DTSTART;TZID=${zone}:20260101T200000\nRRULE:${rule}`));
  const cost = (text: string) => {
    const once = () => {
      const begun = process.cpuUsage();
      read(text);
      const { user, system } = process.cpuUsage(begun);
      return user + system;
    };
    return Math.max(2_000, Math.min(once(), once(), once()));
  };
  const usual = cost(many('Europe/Berlin', 'FREQ=DAILY'));

  it.each([
    ['a zone that nobody knows', many('Nowhere', 'FREQ=DAILY')],
    ['another such zone in each event', many('Nowhere', 'FREQ=DAILY').replace(/Nowhere/g, () => `X${Math.random()}`)],
    ['places in the month', many('UTC', 'FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=-1')],
  ])('%s costs no more than others', (_what, text) => expect(cost(text) / usual).toBeLessThan(8), 60_000);
});
