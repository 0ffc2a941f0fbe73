import { describe, expect, test } from 'vitest';

import { readLabelSelector } from '../../shared/domain/selector.ts';
import type { DefaultZone } from '../../shared/schedule/defaultZone.ts';
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
      runsHistoryLimit: 60,
      announceBeforeSeconds: 0,
      exceptions: [],
      holidayAction: 'skipStart',
    });
    expect(schedule).not.toHaveProperty('cluster');
    expect([schedule?.holidays.size, schedule?.stop, schedule?.gracePeriodSeconds]).toEqual([0, undefined, undefined]);
  });
  test('has its name alone for a key where no namespace is given', () => {
    expect(check({ start, selector }, { namespace: undefined }).schedule?.key).toBe('office');
  });
});

test('exceptions are read with the zone of the schedule', () => {
  const exceptions = [{ from: '2026-12-24', to: '2026-12-24', state: 'Stopped' }];
  const { schedule } = check({ start, selector, timeZone: 'Asia/Tokyo', exceptions });
  const from = Date.parse('2026-12-23T15:00:00Z');
  expect(schedule?.exceptions).toEqual([{ from, to: from + 24 * 3_600_000, action: 'stop' }]);
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
  ['runsHistoryLimit', 1, 10_000],
  ['announceBeforeSeconds', 0, 86_400],
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

describe('a schedule of the whole cluster', () => {
  const check = (spec: object) =>
    checkSchedule({ kind: 'ClusterWukongSchedule', metadata: { name: 'night' }, spec: { start, ...spec } });
  const chosen = readLabelSelector(selector);
  test.each([
    ['namespaces by their labels', { namespaceSelector: selector }, [], { namespaces: chosen, overNamespaces: false }],
    ['VMs by theirs', { selector }, chosen, { namespaces: [], overNamespaces: false }],
    [
      'both, and comes before those of the namespaces',
      { selector, namespaceSelector: selector, enforceOverNamespaces: true },
      chosen,
      { namespaces: chosen, overNamespaces: true },
    ],
  ])('chooses %s', (_, spec, own, cluster) => {
    const { schedule, problems: wrong } = check(spec);
    expect([schedule?.key, schedule?.selector, schedule?.cluster, wrong]).toEqual(['night', own, cluster, undefined]);
    expect(schedule).not.toHaveProperty('namespaceSelector');
  });
  test('that chooses nothing is told, as it would mean every VM', () => {
    const message = 'expected it, selector, or both: without them it means every VM';
    const wrong = [{ field: 'spec.namespaceSelector', reason: 'InvalidSpec', message }];
    expect([check({}), check({ selector: {}, namespaceSelector: {} })]).toEqual(Array(2).fill({ problems: wrong }));
  });
  test('has fields that no other has', () => {
    expect(problems({ start, selector, namespaceSelector: selector })).toEqual([
      'InvalidSpec spec.namespaceSelector: unknown',
    ]);
    expect(check({ selector, namespaceSelector: 3, enforceOverNamespaces: 'no' }).problems).toMatchObject([
      { field: 'spec.namespaceSelector', reason: 'InvalidSelector' },
      { field: 'spec.enforceOverNamespaces', reason: 'InvalidSpec', message: 'expected true or false' },
    ]);
    expect(check({ namespaceSelector: selector }).schedule).not.toHaveProperty('enforceOverNamespaces');
  });
});

describe('a schedule that names no zone', () => {
  const given = (timeZone: string | undefined, zone?: DefaultZone) =>
    checkSchedule({ metadata, spec: { start, selector, timeZone } }, undefined, zone);
  const from = 'DEFAULT_TIME_ZONE';
  test('has the default, and says whose word it is', () => {
    const one = given(undefined, { name: 'asia/tokyo', from }).schedule;
    expect([one?.zone.name, one?.zoneFrom]).toEqual(['Asia/Tokyo', from]);
    const own = given('Asia/Seoul', { name: 'Asia/Tokyo', from }).schedule;
    expect([own?.zone.name, own && 'zoneFrom' in own]).toEqual(['Asia/Seoul', false]);
    const none = given(undefined).schedule;
    expect([none?.zone.name, none && 'zoneFrom' in none]).toEqual(['UTC', false]);
  });
  test('is told where the default is none, and does nothing', () => {
    const message = `not given, and ${from}: expected an IANA time zone such as Europe/Berlin`;
    const wrong = { field: 'spec.timeZone', reason: 'InvalidTimeZone', message };
    const bad = { name: '', from };
    expect(given(undefined, bad)).toEqual({ problems: [wrong] });
    expect(given('Asia/Seoul', bad).problems).toBeUndefined();
    // Its holidays are read all the same: all that is wrong is told at once.
    const spec = { start, selector, holidays: { configMapRef: { name: 'days' } } };
    const zones: string[] = [];
    const find: FindText = () => (zone) => ({ dates: [zones.push(zone.name)].map(String), problems: [] });
    expect(checkSchedule({ metadata, spec }, find, bad).problems).toEqual([wrong]);
    expect(zones).toEqual(['UTC']);
  });
});

describe('a schedule that waits for users', () => {
  const usersOf = (skipWhileInUse: unknown, more: object = {}) => {
    const { schedule, problems: wrong } = check({ start, selector, skipWhileInUse, ...more });
    return schedule?.skipWhileInUse ?? wrong?.map(({ field, reason, message }) => `${reason} ${field}: ${message}`);
  };
  test('has half an hour for them, where it does not say more', () => {
    expect(usersOf({ loggedIn: true })).toMatchObject({ loggedIn: true, maxDelayMs: 1_800_000 });
    const annotation = 'example.com/in-use';
    expect(usersOf({ annotation, maxDelaySeconds: 60 })).toMatchObject({
      loggedIn: false,
      annotation,
      maxDelayMs: 60_000,
    });
    expect(usersOf(undefined)).toBeUndefined();
    expect(check({ start, selector }).schedule).not.toHaveProperty('skipWhileInUse');
  });
  test.each<[unknown, object, string]>([
    [{}, {}, 'skipWhileInUse: expected loggedIn: true, annotation, or both'],
    [3, {}, 'skipWhileInUse: expected {loggedIn, annotation, maxDelaySeconds}'],
    [{ loggedIn: 'x' }, {}, 'skipWhileInUse.loggedIn: expected true or false'],
    [{ annotation: 3 }, {}, 'skipWhileInUse.annotation: expected the key of an annotation'],
    [
      { loggedIn: true, maxDelaySeconds: 604_801 },
      {},
      'skipWhileInUse.maxDelaySeconds: expected a whole number from 60 to 604800',
    ],
    [{ annotation: 'a b' }, {}, 'skipWhileInUse.annotation: expected the key of an annotation'],
    [
      { loggedIn: true },
      { startingDeadlineSeconds: 1_800 },
      'skipWhileInUse.maxDelaySeconds: expected less than startingDeadlineSeconds, 1800',
    ],
  ])('and says of %j what is wrong', (users, more, message) => {
    expect(usersOf(users, more)).toEqual([`InvalidSpec spec.${message}`]);
  });
  test('and begins to do so within its deadline', () => {
    expect(usersOf({ loggedIn: true }, { startingDeadlineSeconds: 1_801 })).toHaveProperty('maxDelayMs');
  });
});
