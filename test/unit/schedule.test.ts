import { describe, expect, test } from 'vitest';

import { readLabelSelector } from '../../shared/domain/selector.ts';
import { boundaries, boundaryId, isOf, newestBoundary, nextBoundary, wishAt } from '../../shared/schedule/calendar.ts';
import { textOf } from '../../shared/schedule/configMap.ts';
import { decide, type Facts } from '../../shared/schedule/decide.ts';
import { due } from '../../shared/schedule/due.ts';
import type { FindText } from '../../shared/schedule/holiday.ts';
import { nextActionFor } from '../../shared/schedule/nextAction.ts';
import { freezeFrom, overrideFor } from '../../shared/schedule/override.ts';
import { problemsText } from '../../shared/schedule/problem.ts';
import { checkSchedule, type Schedule } from '../../shared/schedule/schedule.ts';
import { jitterMs, waves } from '../../shared/schedule/wave.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { growth, onePass } from '../growth.ts';

const at = (text: string) => Date.parse(text);
const selector = { matchLabels: { env: 'dev' } };
const office = { timeZone: 'Europe/Berlin', start: '0 8 * * 1-5', stop: '0 20 * * *', selector };

function schedule(spec: object = {}, name = 'office'): Schedule {
  const { schedule: good, problems } = checkSchedule({
    metadata: { name, namespace: 'dev' },
    spec: { ...office, ...spec },
  });
  if (!good) throw new Error(problemsText(problems));
  return good;
}
const problems = (spec: unknown, findText?: FindText) => {
  const found = checkSchedule({ metadata: { name: 'office', namespace: 'dev' }, spec }, findText).problems ?? [];
  return found.map(({ field, reason, message }) => `${reason} ${field}: ${message}`);
};

describe('a schedule that cannot be understood', () => {
  test.each<[string, object, string]>([
    [
      'four fields',
      { start: '0 8 * *' },
      'InvalidCron spec.start: "0 8 * *" has 4 fields: expected five, such as "0 8 * * 1-5"',
    ],
    [
      'an empty cron',
      { stop: '' },
      'InvalidCron spec.stop: is empty: expected a cron expression such as "0 8 * * 1-5"',
    ],
    [
      'a date that is none',
      { stop: '0 0 31 2 *' },
      'InvalidCron spec.stop: "0 0 31 2 *" never happens: no such month has day 31',
    ],
    [
      'an unknown zone',
      { timeZone: 'Europe/Berln' },
      'InvalidTimeZone spec.timeZone: "Europe/Berln" is no IANA time zone: did you mean Europe/Berlin?',
    ],
    [
      'one minute for both',
      { stop: '0 */4 * * MON' },
      'SameMinute spec.start: "0 8 * * 1-5" and stop "0 */4 * * MON" both happen on 2026-01-05 08:00: expected two different minutes',
    ],
    [
      'a holiday that is no date',
      { holidays: { dates: ['2026-02-30'] } },
      'InvalidHoliday spec.holidays.dates[0]: "2026-02-30" is no date: expected YYYY-MM-DD',
    ],
    [
      'an empty selector',
      { selector: {} },
      'InvalidSelector spec.selector: is empty, which would mean every Wukong: expected at least one label',
    ],
    [
      'no selector',
      { selector: undefined },
      'InvalidSelector spec.selector: expected {matchLabels} or {matchExpressions}',
    ],
    [
      'neither start nor stop',
      { start: undefined, stop: undefined },
      'InvalidSpec spec.start: expected start, stop, or both',
    ],
    ['a key in the wrong case', { timezone: 'UTC' }, 'InvalidSpec spec.timezone: unknown: did you mean timeZone?'],
    ['an unknown key', { waves: { size: 3 } }, 'InvalidSpec spec.waves.size: unknown'],
    [
      'a deadline too short for a tick',
      { startingDeadlineSeconds: 10 },
      'InvalidSpec spec.startingDeadlineSeconds: expected a whole number from 60 to 604800',
    ],
    [
      'jitter beyond the deadline',
      { jitterSeconds: 60, startingDeadlineSeconds: 60 },
      'InvalidSpec spec.jitterSeconds: 60 would reach startingDeadlineSeconds: expected less than 60',
    ],
  ])('says so of %s', (_, spec, expected) => {
    expect(problems({ ...office, ...spec })).toEqual([expected]);
  });

  test('has all its problems told at once', () => {
    expect(problems({ start: 'H 8 * * *', timeZone: '+02:00', selector: {}, policy: 'Hope' })).toHaveLength(4);
    expect(problems(undefined)).toEqual(['InvalidSpec spec: expected the fields of a schedule']);
  });

  test('names the ConfigMap that is missing, and the line in it that is no date', () => {
    const spec = { ...office, holidays: { configMapRef: { name: 'days' } } };
    expect(problems(spec, () => undefined)).toEqual([
      'ConfigMapMissing spec.holidays.configMapRef: there is no ConfigMap days with the key holidays',
    ]);
    expect(problems(spec, () => '# 2026\n2026-12-25 # Christmas\n\n2026-12-32\n')).toEqual([
      'InvalidHoliday spec.holidays.configMapRef: ConfigMap days, holidays, line 4: expected a date, YYYY-MM-DD',
    ]);
  });

  const days = { ...office, holidays: { configMapRef: { name: 'days' } } };
  test.each([
    ['2026-12-25 Christmas', '2026-12-25'],
    ['2026-12-25\tChristmas, all of it', '2026-12-25'],
    ['2026-12-25, Christmas', '2026-12-25'],
    ['2026-12-25: Christmas', '2026-12-25'],
    ['2026-12-25;Christmas', '2026-12-25'],
    ['\uFEFF2026-12-25 # Christmas', '2026-12-25'],
    ['2026-12-25 (1 of 2)', '2026-12-25'],
  ])('takes the date of the line %j', (line, date) => {
    const { schedule: one, problems: wrong } = checkSchedule({ metadata: { name: 'x' }, spec: days }, () => line);
    expect([[...one!.holidays], wrong]).toEqual([[date], undefined]);
  });

  test.each([
    '2026-12-25T00:00:00Z',
    '2026-12-25/2026-12-26',
    '2026-12-25 - 2026-12-27',
    '2026-12-25 to 27',
    '2026-12-25..27',
    '2026-12-255',
    'Christmas',
    '- 2026-12-25',
    '25.12.2026',
    'password: hunter2',
  ])('goes on with the other dates, the stops, and one problem that does not quote %j', (line) => {
    const text = `2026-12-24\n${line}\n2026-12-26`;
    const { schedule: one, problems: wrong } = checkSchedule({ metadata: { name: 'x' }, spec: days }, () => text);
    expect([...one!.holidays]).toEqual(['2026-12-24', '2026-12-26']);
    expect(one!.stop).toBeDefined();
    const message = 'ConfigMap days, holidays, line 2: expected a date, YYYY-MM-DD';
    expect(wrong).toEqual([{ field: 'spec.holidays.configMapRef', reason: 'InvalidHoliday', message }]);
  });

  const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]));
  test.each<[string, (count: number) => object, ((count: number) => string) | undefined]>([
    ['lines of junk', () => days, (count) => 'x\n'.repeat(count)],
    ['one long line', () => days, (count) => '2'.repeat(10 * count)],
    ['dates', () => days, (count) => '2026-12-25\n'.repeat(count)],
    ['bad dates', (count) => ({ ...office, holidays: { dates: Array(count).fill('x') } }), undefined],
    ['unknown keys', keys, undefined],
    ['unknown keys of holidays', (count) => ({ ...office, holidays: keys(count) }), undefined],
  ])('of 130,000 %s says eleven things at the most, in one pass', (_what, specOf, textOf) => {
    const cost = growth((scale) => {
      const count = scale * 16_250;
      const find: FindText | undefined = textOf && (() => textOf(count));
      const object = { metadata: { name: 'x', namespace: 'dev' }, spec: specOf(count) };
      const { problems: wrong } = checkSchedule(object, find);
      expect(wrong!.length).toBeLessThanOrEqual(11);
      expect(problemsText(wrong!).length).toBeLessThan(4_000);
    });
    expect(cost).toBeLessThan(onePass);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('takes the key %s for no key', (key) => {
    expect(textOf({ holidays: '2026-12-25' }, key)).toBeUndefined();
    expect(textOf(undefined, key)).toBeUndefined();
    expect(textOf({ n: 1 } as never, 'n')).toBeUndefined();
  });

  test.each([
    [{ matchLabels: { 'a b': 'c' } }, /"a b" is no label key/],
    [{ matchLabels: { a: 1 } }, /matchLabels.a: expected a string, found 1/],
    [
      { matchExpressions: [{ key: 'a', operator: 'Is' }] },
      /matchExpressions\[0\].operator: expected In, NotIn, Exists, DoesNotExist/,
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'In' }] },
      /matchExpressions\[0\].values: expected at least one for In/,
    ],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] }, /expected none for Exists/],
    [{ matchlabels: { a: 'b' } }, /"matchlabels" is unknown/],
  ])('refuses the selector %j', (given, message) => {
    expect(() => readLabelSelector(given)).toThrow(message);
  });
});

describe('the boundaries of a schedule', () => {
  const told = (spec: object, from: string, to: string) =>
    boundaries(schedule(spec), at(from), at(to)).map((b) => [
      rfc3339(b.at),
      b.action,
      b.note ?? b.skippedBecause ?? '',
    ]);

  test('lie in (from, to], in the order of time', () => {
    expect(told({}, '2026-03-27T07:00:00Z', '2026-03-30T06:00:00Z')).toEqual([
      ['2026-03-27T19:00:00Z', 'stop', ''],
      ['2026-03-28T19:00:00Z', 'stop', ''],
      ['2026-03-29T18:00:00Z', 'stop', ''],
      ['2026-03-30T06:00:00Z', 'start', ''],
    ]);
  });

  test('say what a clock change did to them', () => {
    expect(told({ start: '30 2 * * *', stop: undefined }, '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      ['2026-03-29T01:00:00Z', 'start', 'gap: 02:30 does not exist, happens at 03:00'],
    ]);
    expect(told({ start: '30 2 * * *', stop: undefined }, '2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toEqual([
      ['2026-10-25T00:30:00Z', 'start', 'overlap: 02:30 comes twice, happens the first time'],
    ]);
  });

  test('keep their order where a gap puts start and stop at one instant', () => {
    const both = schedule({ start: '15 2 * * *', stop: '45 2 * * *' });
    expect(
      boundaries(both, at('2026-03-29T00:00:00Z'), at('2026-03-29T12:00:00Z')).map(({ action }) => action),
    ).toEqual(['start', 'stop']);
    expect(newestBoundary(both, at('2026-03-29T01:00:00Z'))?.action).toBe('stop');
  });

  test('have no start on a holiday, which is a local date, but their stop', () => {
    const spec = { timeZone: 'Pacific/Auckland', start: '0 8 * * *', holidays: { dates: ['2026-12-25'] } };
    expect(told(spec, '2026-12-24T12:00:00Z', '2026-12-25T12:00:00Z')).toEqual([
      ['2026-12-24T19:00:00Z', 'start', 'holiday 2026-12-25: start skipped'],
      ['2026-12-25T07:00:00Z', 'stop', ''],
    ]);
    const christmas = schedule(spec);
    expect(newestBoundary(christmas, at('2026-12-24T20:00:00Z'))?.wall).toBe('2026-12-24T20:00');
    expect(nextBoundary(christmas, at('2026-12-24T12:00:00Z'))?.wall).toBe('2026-12-25T20:00');
    expect(nextBoundary(christmas, at('2026-12-24T12:00:00Z'), 'start')?.wall).toBe('2026-12-26T08:00');
  });

  test('have names that every process finds', () => {
    expect(boundaryId(newestBoundary(schedule(), at('2026-03-30T06:00:30Z'))!)).toBe(
      'schedule:dev/office@2026-03-30T06:00:00Z',
    );
  });

  test('are known by their ids, and so is what a schedule enforces', () => {
    const of = (key: string, id: string) => isOf({ key }, id);
    expect(of('dev/office', 'schedule:dev/office@2026-03-30T06:00:00Z')).toBe(true);
    expect(of('dev/office', 'schedule:dev/office@2026-03-30T06:00:00Z/enforced@2026-03-30T06:05:00Z')).toBe(true);
    expect(of('dev/off', 'schedule:dev/office@2026-03-30T06:00:00Z')).toBe(false);
    expect(of('dev/office', 'event:schedule:dev/office@2026-03-30T06:00:00Z')).toBe(false);
    expect(of('dev/office', 'dev/office@2026-03-30T06:00:00Z')).toBe(false);
  });
});

describe('of what is due', () => {
  const evening = at('2026-03-31T18:00:00Z');

  test('the newest boundary counts, once', () => {
    const kind = (now: string, lastHandled?: number) => due(schedule(), { now: at(now), lastHandled }).kind;
    expect(kind('2026-03-31T18:00:00Z')).toBe('due');
    expect(kind('2026-03-31T18:59:00Z')).toBe('due');
    expect(kind('2026-03-31T18:01:00Z', evening)).toBe('nothing');
    expect(kind('2026-03-31T19:00:01Z')).toBe('missed');
  });

  test('nothing is from before the machine was there', () => {
    expect(due(schedule(), { now: evening + 60_000, createdAt: evening + 1 }).kind).toBe('nothing');
  });

  test('a start that a holiday skipped is not done late, and the stop before it still counts', () => {
    const one = schedule({ holidays: { dates: ['2026-04-01'] }, startingDeadlineSeconds: 86_400 });
    const answer = due(one, { now: at('2026-04-01T06:30:00Z') });
    expect(answer).toMatchObject({ kind: 'due', boundary: { action: 'stop', at: evening } });
  });

  test('a suspended schedule has nothing', () => {
    expect(due(schedule({ suspend: true }), { now: evening }).kind).toBe('suspended');
    expect(wishAt([schedule({ suspend: true })], evening)).toBeUndefined();
  });

  test('two schedules at one instant: start wins', () => {
    const night = schedule({ start: '0 20 * * *', stop: '0 6 * * *' }, 'night');
    expect(wishAt([night, schedule()], evening)?.action).toBe('start');
    expect(wishAt([schedule(), night], evening)?.action).toBe('start');
  });
});

const prefix = 'lifecycle.novasphere.dev/';
const facts = (annotations: Record<string, string> = {}, more: Partial<Facts> = {}): Facts => ({
  name: 'dev/db',
  createdAt: 0,
  wukongAnnotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [prefix + key, value])),
  ...more,
});
const decided = (one: Schedule | Schedule[], known: Facts, now: string) => {
  const decision = decide([one].flat(), known, at(now));
  return decision.do === 'skip'
    ? `${decision.reason}${decision.consume ? ' consume' : ''}${decision.told ? ' told' : ''}`
    : decision.do;
};

describe('a decision', () => {
  const stop = '2026-03-31T18:00:00Z';
  const stopAt = at(stop);

  test('does what is due, and remembers it', () => {
    expect(decide([schedule()], facts(), stopAt)).toMatchObject({
      do: 'stop',
      enforced: false,
      remember: { lastHandled: stopAt },
    });
    expect(decided(schedule(), facts({}, { lastHandled: stopAt }), '2026-03-31T18:01:00Z')).toBe('nothing');
    expect(decided(schedule(), facts(), '2026-03-31T19:30:00Z')).toBe('Stale');
    expect(decided([], facts(), stop)).toBe('nothing');
  });

  test('leaves a protected machine running, says so, and starts it', () => {
    expect(decided(schedule(), facts({ protected: 'true' }), stop)).toBe('Protected');
    expect(decided(schedule(), facts({ protected: 'yes' }), stop)).toBe('Protected');
    expect(decided(schedule(), facts({ protected: 'true' }), '2026-03-31T06:00:00Z')).toBe('start');
    const namespaceAnnotations = { [`${prefix}protected`]: 'true' };
    expect(decided(schedule(), facts({}, { namespaceAnnotations }), stop)).toBe('Protected');
    expect(decided(schedule(), facts({ protected: 'false' }, { namespaceAnnotations }), stop)).toBe('stop');
  });

  test('holds a stop back while keep-running-until holds, and does it at its end', () => {
    const known = facts({ 'keep-running-until': '2026-03-31T21:00:00Z' });
    expect(decide([schedule()], known, stopAt)).toMatchObject({
      do: 'skip',
      reason: 'Override',
      told: false,
      remember: { withheld: stopAt },
    });
    const later = { ...known, withheld: stopAt };
    expect(decided(schedule(), later, '2026-03-31T20:59:00Z')).toBe('Override told');
    expect(decide([schedule()], later, at('2026-03-31T21:00:00Z'))).toMatchObject({
      do: 'stop',
      remember: { lastHandled: at('2026-03-31T21:00:00Z') },
    });
    const done = { ...later, lastHandled: at('2026-03-31T21:00:00Z') };
    expect(decided(schedule(), done, '2026-03-31T21:01:00Z')).toBe('nothing');
  });

  test('does a stop that was held back as soon as the override is taken away, however late', () => {
    expect(decided(schedule(), facts({}, { withheld: stopAt }), '2026-03-31T20:30:00Z')).toBe('stop');
  });

  test('stops again at the end of a lease that began after the stop', () => {
    const known = facts({ 'lease-until': '2026-03-31T20:00:00Z' }, { lastHandled: stopAt });
    expect(decided(schedule(), known, '2026-03-31T19:59:00Z')).toBe('nothing');
    expect(decided(schedule(), known, '2026-03-31T20:00:00Z')).toBe('stop');
    expect(decided(schedule(), known, '2026-03-31T21:01:00Z')).toBe('Stale');
  });

  test('leaves it running when a lease ends while the schedule wants it on', () => {
    const known = facts({ 'lease-until': '2026-03-31T08:00:00Z' }, { lastHandled: at('2026-03-31T06:00:00Z') });
    expect(decided(schedule(), known, '2026-03-31T08:00:00Z')).toBe('nothing');
  });

  test('starts at the end of keep-stopped-until', () => {
    const known = facts({ 'keep-stopped-until': '2026-03-31T10:00:00+02:00' });
    expect(decided(schedule(), known, '2026-03-31T06:00:00Z')).toBe('Override');
    expect(decided(schedule(), known, '2026-03-31T08:00:00Z')).toBe('start');
  });

  test('skips the next boundary once, and not even Enforce makes up for it', () => {
    const known = facts({ 'skip-next': 'true' });
    const decision = decide([schedule()], known, stopAt);
    expect(decision).toMatchObject({
      do: 'skip',
      consume: 'Wukong',
      remember: { lastHandled: stopAt, skipped: stopAt },
    });
    const after = facts({}, { lastHandled: stopAt, skipped: stopAt, power: 'on' });
    expect(decided(schedule({ policy: 'Enforce' }), after, '2026-03-31T18:01:00Z')).toBe('nothing');
    expect(decided(schedule({ policy: 'Enforce' }), after, '2026-04-01T18:00:00Z')).toBe('stop');
  });

  test('does not take a missed boundary for the next one', () => {
    expect(decided(schedule(), facts({ 'skip-next': 'true' }), '2026-03-31T19:30:00Z')).toBe('Stale');
  });

  test('does nothing while frozen, then what is due within its deadline', () => {
    const until = (text: string) => facts({}, { freezeUntil: at(text) });
    expect(decided(schedule(), until('2026-03-31T18:30:00Z'), stop)).toBe('nothing');
    expect(decided(schedule(), until('2026-03-31T18:30:00Z'), '2026-03-31T18:30:00Z')).toBe('stop');
    expect(decided(schedule(), until('2026-03-31T19:30:00Z'), '2026-03-31T19:30:00Z')).toBe('Stale');
    expect(freezeFrom({ freezeUntil: 'tomorrow' })).toMatchObject({
      until: Infinity,
      problem: expect.stringContaining('"tomorrow"') as string,
    });
    expect(freezeFrom({})).toEqual({});
  });

  test('Respect leaves a change by hand alone, Enforce undoes it', () => {
    const known = facts({}, { lastHandled: stopAt, power: 'on' });
    expect(decided(schedule(), known, '2026-03-31T22:00:00Z')).toBe('nothing');
    const enforced = schedule({ policy: 'Enforce' });
    expect(decide([enforced], known, at('2026-03-31T22:00:00Z'))).toMatchObject({ do: 'stop', enforced: true });
    expect(decided(enforced, { ...known, power: 'off' }, '2026-03-31T22:00:00Z')).toBe('nothing');
    expect(decided(enforced, { ...known, power: 'between' }, '2026-03-31T22:00:00Z')).toBe('nothing');
    expect(decided(enforced, { ...known, freezeUntil: Infinity }, '2026-03-31T22:00:00Z')).toBe('nothing');
    expect(
      decided(enforced, facts({ protected: 'true' }, { lastHandled: stopAt, power: 'on' }), '2026-03-31T22:00:00Z'),
    ).toBe('nothing');
    const kept = facts({ 'keep-running-until': '2026-04-01T00:00:00Z' }, { lastHandled: stopAt, power: 'off' });
    expect(decided(enforced, kept, '2026-03-31T22:00:00Z')).toBe('start');
  });

  test('spreads starts by jitter, the same at every look', () => {
    const one = schedule({ jitterSeconds: 600 });
    const start = at('2026-03-31T06:00:00Z');
    const wait = jitterMs('dev/db', start, 600);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThan(600_000);
    expect(decide([one], facts(), start)).toMatchObject({ do: 'nothing', until: start + wait });
    expect(decide([one], facts(), start + wait)).toMatchObject({ do: 'start', remember: { lastHandled: start } });
    const spread = new Set(
      Array.from({ length: 100 }, (_, i) => Math.floor(jitterMs(`dev/vm-${i}`, start, 600) / 60_000)),
    );
    expect(spread.size).toBe(10);
  });

  test('an override that cannot be read leaves the machine alone, and is told', () => {
    const override = overrideFor({ wukongAnnotations: { [`${prefix}keep-running-until`]: 'friday' }, now: stopAt });
    expect(override.problems).toEqual([
      {
        field: `${prefix}keep-running-until`,
        message: `${prefix}keep-running-until on the Wukong is "friday": expected an RFC 3339 time such as 2026-03-29T01:00:00Z`,
      },
    ]);
    expect(decided(schedule(), facts({ 'keep-running-until': 'friday' }), stop)).toBe('Override');
  });

  test('an expired override of the Wukong does not hide that of its namespace', () => {
    const namespaceAnnotations = { [`${prefix}keep-running-until`]: '2026-04-01T00:00:00Z' };
    const known = facts({ 'keep-running-until': '2026-03-30T00:00:00Z' }, { namespaceAnnotations });
    expect(decided(schedule(), known, stop)).toBe('Override');
  });
});

describe('what comes next', () => {
  const next = (one: Schedule | Schedule[], known: Facts, now: string) => {
    const found = nextActionFor([one].flat(), known, at(now));
    return found && `${found.action} ${rfc3339(found.at)}`;
  };
  const noon = '2026-03-31T10:00:00Z';

  test('is the next boundary, jitter and overrides counted in', () => {
    expect(next(schedule(), facts(), noon)).toBe('stop 2026-03-31T18:00:00Z');
    expect(next(schedule(), facts({ 'skip-next': 'true' }), noon)).toBe('start 2026-04-01T06:00:00Z');
    expect(next(schedule(), facts({ protected: 'true' }), noon)).toBe('start 2026-04-01T06:00:00Z');
    expect(next(schedule(), facts({ 'keep-running-until': '2026-03-31T21:00:00Z' }), noon)).toBe(
      'stop 2026-03-31T21:00:00Z',
    );
    expect(
      next(
        schedule(),
        facts({ 'lease-until': '2026-03-31T21:00:00Z' }, { lastHandled: at('2026-03-31T18:00:00Z') }),
        '2026-03-31T19:00:00Z',
      ),
    ).toBe('stop 2026-03-31T21:00:00Z');
    expect(next(schedule(), facts({}, { freezeUntil: at('2026-03-31T18:20:00Z') }), noon)).toBe(
      'stop 2026-03-31T18:20:00Z',
    );
    expect(next(schedule(), facts({}, { freezeUntil: at('2026-03-31T23:00:00Z') }), noon)).toBe(
      'start 2026-04-01T06:00:00Z',
    );
    const spread = at('2026-04-01T06:00:00Z') + jitterMs('dev/db', at('2026-04-01T06:00:00Z'), 600);
    expect(next(schedule({ jitterSeconds: 600 }), facts(), '2026-03-31T18:00:00Z')).toBe(`start ${rfc3339(spread)}`);
  });

  test('is nothing when nobody asks, or all are suspended', () => {
    expect(next([], facts(), noon)).toBeUndefined();
    expect(next(schedule({ suspend: true }), facts(), noon)).toBeUndefined();
    expect(next(schedule({ start: undefined }), facts({ protected: 'true' }), noon)).toBeUndefined();
  });
});

test('waves start ascending and stop descending, and an unreadable one is 0', () => {
  const target = (name: string, wave?: string) => ({
    metadata: { name, ...(wave === undefined ? {} : { annotations: { [`${prefix}wave`]: wave } }) },
  });
  const targets = [target('web', '20'), target('db', '-1'), target('app'), target('odd', 'first')];
  const order = (action: 'start' | 'stop') =>
    waves(targets, action).waves.map((one) => one.targets.map((each) => each.metadata.name).join());
  expect(order('start')).toEqual(['db', 'app,odd', 'web']);
  expect(order('stop')).toEqual(['web', 'app,odd', 'db']);
  expect(waves(targets, 'start').problems.map(({ message }) => message)).toEqual([
    `${prefix}wave is "first": expected a whole number; taken as 0`,
  ]);
});
