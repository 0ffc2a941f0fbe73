import { describe, expect, it } from 'vitest';

import { readEvent, type Wrong, zoneOf } from '../../shared/schedule/calendarEvent.ts';
import { eventLines } from '../../shared/schedule/calendarLines.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { berlin, file } from './calendars.ts';

const day = 86_400_000;
const at = (text: string) => Date.parse(`${text}Z`);
/** An event, as it is read. */
function read(...lines: string[]) {
  const problems: Wrong[] = [];
  const event = readEvent(eventLines(file(lines.join('\n'))).events[0]!, problems);
  return { event, problems };
}
const whole = 'DTSTART;VALUE=DATE:20260105';
const morning = 'DTSTART;TZID=Europe/Berlin:20260105T100000';
const more = (...lines: string[]) =>
  read(...lines).event?.more.map((wall) => new Date(wall).toISOString().slice(0, 16));

describe('an event of a calendar file', () => {
  it('is when it begins, how long it lasts, and which one it is', () => {
    expect(read(whole, 'UID:a').event).toEqual({
      ...{ line: 3, uid: 'a', start: { wall: at('2026-01-05T00:00'), wholeDay: true, zone: undefined }, lengthMs: day },
      ...{ more: [], without: new Set(), cancelled: false },
    });
    const [event, instant, local] = [morning, 'DTSTART:20260105T100000Z', 'DTSTART:20260105T100000'].map(
      (one) => read(one).event,
    );
    expect(event).toMatchObject({
      uid: '',
      start: { wall: at('2026-01-05T10:00'), wholeDay: false, zone: 'Europe/Berlin' },
      lengthMs: 0,
    });
    expect([instant?.start.zone, local?.start.zone]).toEqual(['UTC', undefined]);
    expect(read(whole, `UID:b${'a'.repeat(300)}`).event?.uid).toBe(`b${'a'.repeat(254)}`);
    expect(read(whole, 'STATUS:CANCELLED').event?.cancelled).toBe(true);
  });

  it.each<[string[], number]>([
    [['DTEND;VALUE=DATE:20260107'], 2 * day],
    [['DURATION:P1DT2H'], day + 7_200_000],
    [['DURATION:P400D'], 400 * day],
    [['DTEND;VALUE=DATE:20260105'], 0],
    [['DTEND;VALUE=DATE:20260106', 'DURATION:P9D'], day],
  ])('lasts as %j says', (lines, lengthMs) => expect(read(whole, ...lines).event?.lengthMs).toBe(lengthMs));

  it('happens at other times too, in the zone of the first one', () => {
    expect(
      more(morning, 'RDATE;TZID=Europe/Berlin:20260301T090000', 'RDATE:20260701T070000Z,20260301T080000Z'),
    ).toEqual([...['2026-03-01T09:00', '2026-07-01T09:00', '2026-03-01T09:00']]);
    expect(more('DTSTART:20260105T100000Z', 'RDATE:20260701T070000Z')).toEqual(['2026-07-01T07:00']);
    expect(more(morning, 'RDATE;VALUE=DATE:20260301')).toEqual(['2026-03-01T10:00']);
    expect(more(whole, 'RDATE:20260301T153000Z')).toEqual(['2026-03-01T00:00']);
    expect(more(morning, 'RDATE;VALUE=PERIOD:20260301T080000Z/PT1H')).toEqual(['2026-03-01T09:00']);
  });

  it('leaves times out, and may take the place of one', () => {
    const { event } = read(
      morning,
      'EXDATE:20260112T090000Z',
      'EXDATE;VALUE=DATE:20260119',
      'RECURRENCE-ID:20260126T090000Z',
    );
    expect(event?.without).toEqual(new Set([at('2026-01-12T10:00'), at('2026-01-19T10:00')]));
    expect(event?.replaces).toBe(at('2026-01-26T10:00'));
  });

  it('comes again until a time of its own zone', () => {
    const until = (start: string, rule: string) => read(start, `RRULE:FREQ=DAILY${rule}`).event?.rule?.until;
    expect(until(morning, ';UNTIL=20260108T090000Z')).toBe(at('2026-01-08T10:00'));
    expect(until(morning, ';UNTIL=20260108T090000')).toBe(at('2026-01-08T09:00'));
    expect(until('DTSTART:20260105T100000Z', ';UNTIL=20260108T090000Z')).toBe(at('2026-01-08T09:00'));
    expect(until(whole, ';UNTIL=20260108T090000Z')).toBe(at('2026-01-08T09:00'));
    expect([until(morning, ''), until(whole, '')]).toEqual([undefined, undefined]);
    expect(read(morning, 'RRULE:FREQ=DAILY').event?.rule).not.toHaveProperty('until');
    expect(read(morning, 'RRULE:FREQ=DAILY;UNTIL=20260108T090000Z').event?.rule).toMatchObject({
      freq: 'DAILY',
      untilUtc: true,
    });
  });

  it.each<[string[], number, string]>([
    [['DTSTART;VALUE=DATE:20261301'], 4, 'expected a real date'],
    [['DTSTART;VALUE=DATE:00000101'], 4, 'expected a real date'],
    [['UID:a', 'DTSTART;VALUE=TEXT:abc'], 5, 'expected a date'],
    [[whole, `RDATE;VALUE=DATE:${Array(1_001).fill('20260105').join(',')}`], 5, 'more than 1000 dates'],
    [[whole, 'DURATION:P400DT1S'], 3, 'it is longer than 400 days'],
    [[whole, 'DTEND;VALUE=DATE:20260104'], 3, 'its end is before its beginning'],
  ])('is told by its line where it is wrong: %.60j', (lines, line, message) =>
    expect(read(...lines)).toEqual({ event: undefined, problems: [{ line, message }] }),
  );

  it.each([
    'DTSTART:',
    'DTSTART;VALUE=DATE:2026ab01',
    'DTSTART:20260105T1000xx',
    'DTSTART;VALUE=DATE:abcd0101',
    'RDATE:x',
  ])('without a date is none: %s', (line) => {
    const { event, problems } = read(...(line.startsWith('RDATE') ? [whole, line] : [line]));
    expect([event, problems.length]).toEqual([undefined, 1]);
    expect(problems[0]?.message).toMatch(/^(expected a (real )?date|cannot be understood)$/);
  });

  it('may be of the year one, and have a thousand dates', () => {
    expect(read('DTSTART;VALUE=DATE:00010101').problems).toEqual([]);
    expect(read('DTSTART;VALUE=DATE:99991231').problems).toEqual([]);
    expect(read(whole, `RDATE;VALUE=DATE:${Array(1_000).fill('20260105').join(',')}`).event?.more).toHaveLength(1_000);
  });
});

it('a zone that nobody knows, or none, is that of the schedule', () => {
  expect([zoneOf('Nowhere', berlin), zoneOf(undefined, berlin)]).toEqual([berlin, berlin]);
  expect(zoneOf('UTC', berlin).name).toBe(parseZone('UTC').name);
});
