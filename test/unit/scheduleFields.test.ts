import { describe, expect, test } from 'vitest';

import { type FindText } from '../../shared/schedule/holiday.ts';
import { checkSchedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { selector } from './schedules.ts';

const start = '0 8 * * *';
const metadata = { name: 'office', namespace: 'dev' };
const check = (spec: unknown, more: object = {}, find?: FindText) =>
  checkSchedule({ metadata: { ...metadata, ...more }, spec } as WukongSchedule, find);
const problems = (spec: unknown, more: object = {}) =>
  check(spec, more).problems?.map(({ field, reason, message }) => `${reason} ${field}: ${message}`);

describe('a schedule that says only what it must', () => {
  test('has these defaults', () => {
    const { schedule } = check({ start, selector });
    expect(schedule).toMatchObject({
      key: 'dev/office',
      namespace: 'dev',
      name: 'office',
      createdAt: 0,
      zone: { name: 'UTC' },
      suspended: false,
      policy: 'Respect',
      startingDeadlineMs: 3_600_000,
      waves: { maxInFlight: 50, delayMs: 0 },
      jitterSeconds: 0,
    });
    expect([schedule?.holidays.size, schedule?.stop, schedule?.gracePeriodSeconds]).toEqual([0, undefined, undefined]);
  });
  test('has its name alone for a key where no namespace is given', () => {
    expect(check({ start, selector }, { namespace: undefined }).schedule?.key).toBe('office');
  });
});

test('waves that say one thing have the default of the other', () => {
  const wavesOf = (waves: object) => check({ start, selector, waves }).schedule?.waves;
  expect(wavesOf({ maxInFlight: 3 })).toEqual({ maxInFlight: 3, delayMs: 0 });
  expect(wavesOf({ delaySeconds: 3 })).toEqual({ maxInFlight: 50, delayMs: 3_000 });
});

test('what a schedule says is taken over', () => {
  const spec = {
    stop: '0 20 * * *',
    timeZone: 'Asia/Kathmandu',
    selector,
    suspend: true,
    holidays: { dates: ['2026-12-24'], configMapRef: { name: 'd', key: 'k' } },
    policy: 'Enforce',
    startingDeadlineSeconds: 60,
    gracePeriodSeconds: 7,
    waves: { maxInFlight: 3, delaySeconds: 4 },
    jitterSeconds: 59,
  };
  const asked: unknown[] = [];
  const find: FindText = (ref) => {
    asked.push(ref);
    return '2026-12-25\r\n';
  };
  const { schedule } = check(spec, { creationTimestamp: '2026-01-01T00:00:00Z' }, find);
  expect(schedule).toMatchObject({
    createdAt: Date.UTC(2026, 0, 1),
    zone: { name: 'Asia/Kathmandu' },
    suspended: true,
    policy: 'Enforce',
    startingDeadlineMs: 60_000,
    gracePeriodSeconds: 7,
    waves: { maxInFlight: 3, delayMs: 4_000 },
    jitterSeconds: 59,
  });
  expect([...schedule!.holidays]).toEqual(['2026-12-24', '2026-12-25']);
  expect(asked).toEqual([{ namespace: 'dev', name: 'd', key: 'k' }]);
  expect([...check(spec).schedule!.holidays]).toEqual(['2026-12-24']);
  check({ ...spec, holidays: { dates: [] } }, {}, find);
  expect(asked).toHaveLength(1);
});

test.each([
  ['startingDeadlineSeconds', 60, 604_800],
  ['gracePeriodSeconds', 0, 86_400],
  ['jitterSeconds', 0, 3_600],
  ['maxInFlight', 1, 1_000],
  ['delaySeconds', 0, 3_600],
])('%s is a whole number from %d to %d', (field, low, high) => {
  const inWaves = field === 'maxInFlight' || field === 'delaySeconds';
  const given = (value: number) => ({
    start,
    selector,
    startingDeadlineSeconds: 7_200,
    ...(inWaves ? { waves: { [field]: value } } : { [field]: value }),
  });
  expect([problems(given(low)), problems(given(high))]).toEqual([undefined, undefined]);
  const wrong = [`InvalidSpec spec.${inWaves ? 'waves.' : ''}${field}: expected a whole number from ${low} to ${high}`];
  for (const value of [low - 1, high + 1, low + 0.5]) expect(problems(given(value))).toEqual(wrong);
});

test.each<[string, object, string]>([
  ['a holiday list', { holidays: { dates: 'x' } }, 'InvalidHoliday spec.holidays.dates: expected a list of dates'],
  ['holidays', { holidays: 'x' }, 'InvalidHoliday spec.holidays: expected {dates, configMapRef}'],
  [
    'a ConfigMap',
    { holidays: { configMapRef: 'x' } },
    'InvalidHoliday spec.holidays.configMapRef: expected {name, key}',
  ],
  [
    'a ConfigMap without a name',
    { holidays: { configMapRef: { name: '' } } },
    'InvalidHoliday spec.holidays.configMapRef.name: expected the name of a ConfigMap',
  ],
  [
    'an empty key',
    { holidays: { configMapRef: { name: 'x', key: '' } } },
    'InvalidHoliday spec.holidays.configMapRef.key: expected a key of the ConfigMap',
  ],
  ['waves', { waves: 3 }, 'InvalidSpec spec.waves: expected {maxInFlight, delaySeconds}'],
  ['a policy', { policy: '' }, 'InvalidSpec spec.policy: expected Respect or Enforce'],
  ['suspend', { suspend: 'no' }, 'InvalidSpec spec.suspend: expected true or false'],
  ['a zone', { timeZone: '' }, 'InvalidTimeZone spec.timeZone: expected an IANA time zone such as Europe/Berlin'],
  [
    'a minute for both',
    { start: '0 8 1 1 *', stop: '0 8 * * *' },
    'SameMinute spec.start: "0 8 1 1 *" and stop "0 8 * * *" both happen on 2026-01-01 08:00: expected two different minutes',
  ],
  ['a key shouted', { TIMEZONE: 'UTC' }, 'InvalidSpec spec.TIMEZONE: unknown: did you mean timeZone?'],
  ['a long key', { ['k'.repeat(65)]: 1 }, `InvalidSpec spec.${'k'.repeat(64)}: unknown`],
])('%s that is wrong is told', (_, spec, expected) => {
  expect(problems({ start, selector, ...spec })).toEqual([expected]);
});

test('a schedule without a name, or with nothing to do, is told', () => {
  const named = 'InvalidSpec metadata.name: expected a name';
  expect(problems({ start, selector }, { name: '' })).toEqual([named]);
  expect(problems({ start, selector }, { name: 3 })).toEqual([named]);
  expect(checkSchedule({ spec: { start, selector } } as WukongSchedule).problems).toHaveLength(1);
  const both = 'InvalidSpec spec.start: expected start, stop, or both';
  expect(problems({ selector, policy: 'x' })).toContain(both);
  expect(problems({ selector, policy: 'x', start })).not.toContain(both);
  expect(problems({ selector, policy: 'x', stop: start })).not.toContain(both);
  expect(problems('x')).toEqual(['InvalidSpec spec: expected the fields of a schedule']);
});
