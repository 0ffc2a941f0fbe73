import { describe, expect, test } from 'vitest';

import {
  boundaries,
  type Boundary,
  compare,
  newestBoundary,
  nextBoundary,
  nextOfAll,
  wishAt,
} from '../../shared/schedule/calendar.ts';
import { due } from '../../shared/schedule/due.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { lastAtOrBefore, localText, nextAfter } from '../../shared/time/wallclock.ts';
import { at, never, schedule } from './schedules.ts';

const a = schedule({}, 'a');
const b = schedule({}, 'b');
const one = (of: typeof a, instant: number, action: 'start' | 'stop', wall: string): Boundary => ({
  schedule: of,
  at: instant,
  action,
  wall,
});

describe('of two boundaries', () => {
  test.each<[string, Boundary, Boundary, number]>([
    ['the earlier comes first, whatever its wall says', one(a, 1, 'start', '03:00'), one(a, 4, 'stop', '02:00'), -3],
    ['a gap keeps their order on the wall', one(a, 1, 'start', '02:15'), one(a, 1, 'stop', '02:45'), -1],
    ['of two schedules the start is later', one(a, 1, 'start', '02:15'), one(b, 1, 'stop', '02:45'), 1],
    ['of one wall time the start is later', one(a, 1, 'start', '02:15'), one(a, 1, 'stop', '02:15'), 1],
    ['of two alike the name decides', one(a, 1, 'stop', '02:15'), one(b, 1, 'stop', '02:15'), -1],
    ['and of one there is no order', one(a, 1, 'stop', '02:15'), one(a, 1, 'stop', '02:15'), 0],
  ])('%s', (_, first, second, order) => {
    expect(compare(first, second)).toBe(order);
    expect(compare(second, first)).toBe(0 - order);
  });
});

describe('a start at midnight', () => {
  const spec = { start: '0 0 * * *', stop: '0 12 * * *', timeZone: 'UTC', holidays: { dates: ['2026-12-25'] } };

  test('that a holiday skips is followed by that of the next day', () => {
    expect(nextBoundary(schedule(spec), at('2026-12-24T12:00:00Z'), 'start')?.wall).toBe('2026-12-26T00:00');
  });
  test('that a holiday skips is preceded by that of the day before', () => {
    const starts = schedule({ ...spec, stop: undefined });
    expect(newestBoundary(starts, at('2026-12-25T06:00:00Z'))?.wall).toBe('2026-12-24T00:00');
  });
});

describe('a schedule that never happens', () => {
  const now = at('2026-03-31T18:00:00Z');
  test('has no boundary, and does not hide those of another', () => {
    const { start, stop, zone } = never();
    expect(boundaries(never(), now, now + 1e9)).toEqual([]);
    expect(newestBoundary(never(), now)).toBeUndefined();
    expect(nextBoundary(never(), now)).toBeUndefined();
    expect([nextAfter(start!, zone, now), lastAtOrBefore(stop!, zone, now)]).toEqual([undefined, undefined]);
    expect(wishAt([schedule(), never()], now)?.at).toBe(now);
  });
  test('has nothing due, and says so', () => {
    expect(due(never(), { now })).toEqual({ kind: 'nothing', because: 'schedule dev/never has not happened yet' });
  });
});

test('the next boundary of all is that of the first one that is not suspended', () => {
  const now = at('2026-03-31T12:00:00Z');
  const [late, early] = [schedule({ stop: '0 22 * * *' }), schedule()];
  const asleep = schedule({ stop: '0 16 * * *', suspend: true });
  expect(nextOfAll([late, never(), early, asleep], now)).toBe(at('2026-03-31T18:00:00Z'));
  expect([nextOfAll([], now), nextOfAll([asleep], now), nextOfAll([never()], now)]).toEqual(Array(3).fill(Infinity));
});

describe('what is due says why', () => {
  const stop = at('2026-03-31T18:00:00Z');
  const what = 'stop of 2026-03-31T20:00 by schedule dev/office';
  test.each([
    ['at the instant that the machine was made', { now: stop, createdAt: stop }, 'due', what],
    [
      'before it',
      { now: stop, createdAt: stop + 1 },
      'nothing',
      `${what} was before the schedule or the machine was there`,
    ],
    ['when it was done', { now: stop, lastHandled: stop }, 'nothing', `${what} is handled`],
    ['at the last instant', { now: stop + 3_600_000 }, 'due', what],
    ['after it', { now: stop + 3_600_501 }, 'missed', `${what} is 3601 s late, more than 3600 s`],
  ])('%s', (_, given, kind, because) => {
    expect(due(schedule(), given)).toMatchObject({ kind, because });
  });
  test('when it is suspended', () => {
    const because = 'schedule dev/office is suspended';
    expect(due(schedule({ suspend: true }), { now: stop })).toEqual({ kind: 'suspended', because });
  });
});

test.each([
  ['UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00+00:00'],
  ['Pacific/Kiritimati', '2026-01-01T00:00:00Z', '2026-01-01T14:00:00+14:00'],
  ['Africa/Monrovia', '1970-01-01T00:00:00Z', '1969-12-31T23:15:30-00:44'],
])('local time in %s carries its offset', (zone, instant, expected) => {
  expect(localText(parseZone(zone), at(instant))).toBe(expected);
});
