import { describe, expect, it } from 'vitest';

import { boundaries, newestBoundary, nextBoundary } from '../../shared/schedule/calendar.ts';
import { decide } from '../../shared/schedule/decide.ts';
import { readExceptions } from '../../shared/schedule/exception.ts';
import { checkSchedule, type Schedule } from '../../shared/schedule/schedule.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { at, facts, never, office, schedule } from './schedules.ts';

const told = (one: Schedule, from: string, to: string) =>
  boundaries(one, at(from), at(to)).map(({ at: when, action, skippedBecause, note }) =>
    [new Date(when).toISOString().slice(0, 16), skippedBecause ? 'skip' : action, skippedBecause ?? note ?? '']
      .join(' ')
      .trim(),
  );
const happens = (one: Schedule, from: string, to: string) =>
  told(one, from, to).filter((line) => !line.includes(' skip '));
const problems = (exceptions: unknown) =>
  checkSchedule({ metadata: { name: 'office', namespace: 'dev' }, spec: { ...office, exceptions } }).problems?.map(
    ({ field, reason, message }) => `${reason} ${field}: ${message}`,
  );

// Europe/Berlin, on at 8 of a working day, off at 20 every day; in December 07:00Z and 19:00Z.
describe('exceptions in a schedule', () => {
  it('of whole days: off from the first midnight, no start, and what the crons want afterwards', () => {
    const closed = schedule({
      exceptions: [{ from: '2026-12-24', to: '2026-12-27', state: 'Stopped', reason: 'closed' }],
    });
    expect(told(closed, '2026-12-23T12:00Z', '2026-12-28T12:00Z')).toEqual([
      '2026-12-23T19:00 stop',
      '2026-12-23T23:00 stop exception: closed',
      '2026-12-24T07:00 skip exception: closed: start skipped',
      '2026-12-24T19:00 stop',
      '2026-12-25T07:00 skip exception: closed: start skipped',
      '2026-12-25T19:00 stop',
      '2026-12-26T19:00 stop',
      '2026-12-27T19:00 stop',
      '2026-12-28T07:00 start',
    ]);
  });

  it('of hours on: on at once, no stop, and off again as the crons have it by then', () => {
    const release = schedule({
      exceptions: [{ from: '2026-12-22T18:00', to: '2026-12-23T02:00', state: 'Running', reason: 'release' }],
    });
    expect(told(release, '2026-12-22T12:00Z', '2026-12-23T12:00Z')).toEqual([
      '2026-12-22T17:00 start exception: release',
      '2026-12-22T19:00 skip exception: release: stop skipped',
      '2026-12-23T01:00 stop exception: release ends',
      '2026-12-23T07:00 start',
    ]);
    expect(newestBoundary(release, at('2026-12-22T22:00Z'))).toMatchObject({
      action: 'start',
      at: at('2026-12-22T17:00Z'),
    });
    expect(nextBoundary(release, at('2026-12-22T18:00Z'))).toMatchObject({
      action: 'stop',
      at: at('2026-12-23T01:00Z'),
    });
    expect(nextBoundary(release, at('2026-12-22T18:00Z'), 'start')?.at).toBe(at('2026-12-23T07:00Z'));
  });

  it('that end while the crons want the same say nothing more', () => {
    const dentist = schedule({ exceptions: [{ from: '2026-12-22T20:30', to: '2026-12-22T21:30', state: 'Stopped' }] });
    expect(happens(dentist, '2026-12-22T12:00Z', '2026-12-23T06:00Z')).toEqual([
      '2026-12-22T19:00 stop',
      '2026-12-22T19:30 stop exception',
    ]);
  });

  it('one within another holds while it lasts, and then the other again', () => {
    const both = schedule({
      exceptions: [
        { from: '2026-12-21', to: '2027-01-03', state: 'Stopped', reason: 'closed' },
        { from: '2026-12-28T10:00', to: '2026-12-28T12:00', state: 'Running', reason: 'inventory' },
      ],
    });
    expect(happens(both, '2026-12-28T00:00Z', '2026-12-28T18:00Z')).toEqual([
      '2026-12-28T09:00 start exception: inventory',
      '2026-12-28T11:00 stop exception: closed',
    ]);
    expect(nextBoundary(both, at('2026-12-28T12:00Z'), 'start')?.at).toBe(at('2027-01-04T07:00Z'));
  });

  it('two of the same kind, one right after the other, are one stretch', () => {
    const closed = schedule({
      exceptions: [
        { from: '2026-12-24', to: '2026-12-24', state: 'Stopped', reason: 'closed' },
        { from: '2026-12-25', to: '2026-12-25', state: 'Stopped', reason: 'closed too' },
      ],
    });
    expect(happens(closed, '2026-12-23T20:00Z', '2026-12-25T18:00Z')).toEqual([
      '2026-12-23T23:00 stop exception: closed',
      '2026-12-24T19:00 stop',
    ]);
  });

  it('that end as a cron says the same say nothing more; those of a millisecond end too', () => {
    const until = schedule({ exceptions: [{ from: '2026-12-22T18:00', to: '2026-12-22T20:00', state: 'Running' }] });
    expect(happens(until, '2026-12-22T12:00Z', '2026-12-23T06:00Z')).toEqual([
      '2026-12-22T17:00 start exception',
      '2026-12-22T19:00 stop',
    ]);
    const [from, to] = ['2026-12-22T22:00:00.000Z', '2026-12-22T22:00:00.001Z'];
    const short = schedule({ exceptions: [{ from, to, state: 'Running' }] });
    expect(boundaries(short, at('2026-12-22T20:00Z'), at('2026-12-23T06:00Z')).map(({ action }) => action)).toEqual([
      'start',
      'stop',
    ]);
  });

  it('of a schedule whose crons never happen begin all the same, as far as 800 days away', () => {
    const now = at('2026-12-22T12:00Z');
    const day = 24 * 3_600_000;
    const some = (...starts: number[]) => {
      const of = (days: number) => ({ from: now + days * day, to: now + (days + 1) * day, action: 'start' as const });
      return { ...never(), exceptions: starts.map(of) };
    };
    expect(boundaries(some(1), now, now + 9 * day).map((one) => [one.at - now, one.action])).toEqual([[day, 'start']]);
    expect(nextBoundary(some(1, 5), now)?.at).toBe(now + day);
    expect(nextBoundary(some(1, 5), now, 'start')?.at).toBe(now + day);
    expect(nextBoundary(some(1, 5), now, 'stop')).toBeUndefined();
    expect(newestBoundary(some(-9, -5), now)?.at).toBe(now - 5 * day);
    expect([nextBoundary(some(800), now)?.at, nextBoundary(some(800.5), now)]).toEqual([now + 800 * day, undefined]);
    expect([newestBoundary(some(-799.5), now)?.at, newestBoundary(some(-800.5), now)]).toEqual([
      now - 799.5 * day,
      undefined,
    ]);
  });

  it('that are over, or far away, hide no cron between', () => {
    const one = (from: string, more = {}) => schedule({ ...more, exceptions: [{ from, to: from, state: 'Stopped' }] });
    const now = at('2026-12-22T12:00Z');
    expect(newestBoundary(one('2026-12-14'), now)).toMatchObject({ action: 'start', at: at('2026-12-22T07:00Z') });
    expect(nextBoundary(one('2027-01-14'), now)).toMatchObject({ action: 'stop', at: at('2026-12-22T19:00Z') });
  });

  it('that last for years are known by their beginning', () => {
    const started = { start: '0 0 * * *', stop: undefined };
    const closed = [{ from: '2023-01-01', to: '2026-12-31', state: 'Stopped', reason: 'closed' }];
    expect(newestBoundary(schedule({ ...started, exceptions: closed }), at('2026-12-22T12:00Z'))).toMatchObject({
      action: 'stop',
      at: at('2022-12-31T23:00Z'),
    });
  });

  it('come before holidays, and instants with an offset are what they say', () => {
    const one = schedule({
      holidays: { dates: ['2026-12-25'] },
      exceptions: [{ from: '2026-12-25T10:00:00+09:00', to: '2026-12-25T04:00:00Z', state: 'Running' }],
    });
    expect(happens(one, '2026-12-24T20:00Z', '2026-12-25T06:00Z')).toEqual([
      '2026-12-25T01:00 start exception',
      '2026-12-25T04:00 stop exception ends',
    ]);
  });

  it('begin and end by the clock of the zone, also where it changes', () => {
    const night = schedule({ exceptions: [{ from: '2026-03-29T02:30', to: '2026-03-29', state: 'Running' }] });
    expect(happens(night, '2026-03-28T20:00Z', '2026-03-30T05:00Z')).toEqual([
      '2026-03-29T01:00 start exception',
      '2026-03-29T22:00 stop exception ends',
    ]);
  });

  it('are why something is decided', () => {
    const closed = schedule({
      exceptions: [{ from: '2026-12-22T12:00', to: '2026-12-23', state: 'Stopped', reason: 'move' }],
    });
    const decision = decide([closed], facts({}, { power: 'on' }), at('2026-12-22T11:00:30Z'));
    expect(decision).toMatchObject({
      do: 'stop',
      because: 'stop of 2026-12-22T12:00 by schedule dev/office (exception: move)',
    });
    const enforced = decide(
      [{ ...closed, policy: 'Enforce' }],
      facts({}, { power: 'on', lastHandled: at('2026-12-22T19:00Z') }),
      at('2026-12-23T12:00Z'),
    );
    expect(enforced).toMatchObject({ do: 'stop', enforced: true });
  });

  it('that are wrong are told, each, and the schedule does nothing', () => {
    expect(problems('x')).toEqual(['InvalidException spec.exceptions: expected a list of {from, to, state, reason}']);
    expect(problems([{ from: '2026-02-30', to: 'monday', state: 'Off' }])).toEqual([
      'InvalidException spec.exceptions[0].state: expected Running or Stopped',
    ]);
    const shown = 'expected a day (2026-12-24), a local time (2026-12-24T18:00), or RFC 3339';
    expect(problems([{ from: '2026-02-30', to: 'monday', state: 'Stopped' }])).toEqual([
      `InvalidException spec.exceptions[0].from: "2026-02-30": ${shown}`,
      `InvalidException spec.exceptions[0].to: "monday": ${shown}`,
    ]);
    expect(problems([{ from: '2026-02-03', to: '2026-02-01', state: 'Stopped' }])).toEqual([
      'InvalidException spec.exceptions[0].to: expected a time after from',
    ]);
    expect(problems([{ from: '2026-02-03', to: '2026-02-04', state: 'Stopped', until: 3 }])).toEqual([
      'InvalidException spec.exceptions[0].until: unknown',
    ]);
    const many = Array.from({ length: 100_000 }, () => ({ from: '2026-02-03', to: 'x', state: 'Stopped' }));
    expect(problems(many)!.length).toBeLessThanOrEqual(11);
    const reason = 'a\u202eb';
    expect(problems([{ from: '2026-02-03', to: '2026-02-04', state: 'Stopped', reason }])).toEqual([
      'InvalidException spec.exceptions[0].reason: expected no control characters',
    ]);
  });
});

describe('an exception as it is read', () => {
  const zone = parseZone('Europe/Berlin');
  const one = { from: '2026-12-24', to: '2026-12-26', state: 'Stopped' };
  const read = (...given: object[]) => readExceptions(given, zone);
  const said = (...given: object[]) => read(...given).problems.map(({ field, message }) => `${field}: ${message}`);

  it('is two instants, what is wished, and perhaps why', () => {
    const known = { from: at('2026-12-23T23:00:00Z'), to: at('2026-12-26T23:00:00Z'), action: 'stop' };
    expect(read(one, { ...one, reason: 'closed' })).toStrictEqual({
      exceptions: [known, { ...known, reason: 'closed' }],
      problems: [],
    });
    expect(readExceptions(undefined, zone)).toEqual({ exceptions: [], problems: [] });
  });

  it('is one of a hundred at the most, of which each has a reason of 256 characters at the most', () => {
    expect(problems(Array(100).fill(one))).toBeUndefined();
    expect(problems(Array(101).fill(one))).toEqual(['InvalidException spec.exceptions: expected at most 100']);
    expect(said({ ...one, reason: 'x'.repeat(256) })).toEqual([]);
    expect(said({ ...one, reason: 'x'.repeat(257) })).toEqual([
      'spec.exceptions[0].reason: expected at most 256 characters',
    ]);
  });

  it('is none where either time is wrong, or both are the same', () => {
    for (const wrong of [{ from: 'x' }, { to: 'x' }, { from: '2026-13-01' }])
      expect(read({ ...one, ...wrong })).toMatchObject({ exceptions: [], problems: [{}] });
    const same = { ...one, from: '2026-12-24T10:00', to: '2026-12-24T10:00' };
    expect(said(same)).toEqual(['spec.exceptions[0].to: expected a time after from']);
  });

  it('has times of 40 characters at the most, and no more of a wrong one is shown', () => {
    const long = (length: number) => `2026-12-24T10:00:00.${'0'.repeat(length - 21)}Z`;
    expect([said({ ...one, from: long(40) }), said({ ...one, from: long(41) }).length]).toEqual([[], 1]);
    const [from, to] = said({ ...one, from: 'x'.repeat(50), to: 'y'.repeat(50) });
    expect([from, to]).toEqual(
      ['from: "x', 'to: "y'].map((text) => expect.stringMatching(`${text}{40}": expected`) as string),
    );
  });

  it('is told with its first problems only', () =>
    expect(said(...Array.from({ length: 50 }, () => ({})))).toHaveLength(11));
});

describe('holidays', () => {
  const skips = (dates: string[], from: string, to: string, more: object = {}) =>
    told(schedule({ start: '0 8 * * *', holidays: { dates, ...more } }), from, to)
      .filter((line) => line.includes(' skip '))
      .map((line) => line.slice(0, 10));
  it('of every year, as a day or a range that may go over its end', () => {
    expect(skips(['12-25 Christmas'], '2026-12-20T00:00Z', '2028-12-31T00:00Z')).toEqual([
      '2026-12-25',
      '2027-12-25',
      '2028-12-25',
    ]);
    expect(skips(['12-30..01-02'], '2026-12-28T00:00Z', '2027-01-05T00:00Z')).toEqual([
      '2026-12-30',
      '2026-12-31',
      '2027-01-01',
      '2027-01-02',
    ]);
    expect(skips(['02-29'], '2026-02-01T00:00Z', '2028-03-31T00:00Z')).toEqual(['2028-02-29']);
  });
  it('of a range of dates, and on weekdays', () => {
    expect(skips(['2026-12-24..2026-12-26 closed'], '2026-12-20T00:00Z', '2026-12-31T00:00Z')).toEqual([
      '2026-12-24',
      '2026-12-25',
      '2026-12-26',
    ]);
    expect(skips(['09-MON#1 Labor Day'], '2026-01-01T00:00Z', '2027-12-31T00:00Z')).toEqual([
      '2026-09-07',
      '2027-09-06',
    ]);
    expect(skips(['05-MON#L'], '2026-01-01T00:00Z', '2026-12-31T00:00Z')).toEqual(['2026-05-25']);
    expect(skips(['SUN'], '2026-12-01T00:00Z', '2026-12-15T00:00Z')).toEqual(['2026-12-06', '2026-12-13']);
  });
  it.each([
    '12-32',
    '2026-12-26..2026-12-24',
    '2026-12-24 - 2026-12-26',
    '12-24 to 12-26',
    '13-MON#1',
    'MON#6',
    '2026-01-01..2030-01-01',
    '*-*',
  ])('%s is none', (text) => {
    const { problems } = checkSchedule({
      metadata: { name: 'o', namespace: 'd' },
      spec: { ...office, holidays: { dates: [text] } },
    });
    expect(problems).toMatchObject([{ reason: 'InvalidHoliday', field: 'spec.holidays.dates[0]' }]);
  });
  it('on which VMs are stopped: off for the whole day, and as before afterwards', () => {
    const always = { start: '0 8 * * 1', stop: '0 20 * * 5', holidays: { dates: ['2026-12-02'], action: 'stopped' } };
    expect(happens(schedule(always), '2026-11-30T12:00Z', '2026-12-05T00:00Z')).toEqual([
      '2026-12-01T23:00 stop holiday 2026-12-02',
      '2026-12-02T23:00 start holiday 2026-12-02 ends',
      '2026-12-04T19:00 stop',
    ]);
    const daily = schedule({ holidays: { dates: ['2026-12-02', '2026-12-03'], action: 'stopped' } });
    expect(happens(daily, '2026-12-01T20:00Z', '2026-12-04T12:00Z')).toEqual([
      '2026-12-01T23:00 stop holiday 2026-12-02',
      '2026-12-02T19:00 stop',
      '2026-12-03T19:00 stop',
      '2026-12-04T07:00 start',
    ]);
  });
  it('that are every day, in every year, come to an end of the work', () => {
    const all = schedule({
      start: '*/5 * * * *',
      stop: undefined,
      holidays: { dates: ['01-01..12-31'], action: 'stopped' },
    });
    expect(nextBoundary(all, at('2026-12-01T00:00Z'))).toBeUndefined();
    expect(newestBoundary(all, at('2026-12-01T00:00Z'))?.action).not.toBe('start');
  }, 20_000);
});
