import { describe, expect, test } from 'vitest';

import { foreseeCourse } from '../../cli/page/course.ts';
import { byMachine, fromDetail, fromEvent, fromWukong, type Happening } from '../../cli/page/happening.ts';
import { nothingSaved, savedBy, sum } from '../../cli/page/saved.ts';
import { judge, type Judging } from '../../cli/page/verdict.ts';
import { lastKey, write } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { eventOf } from '../../shared/report/events.ts';
import { detailOf } from '../../shared/report/report.ts';
import { checkSchedule } from '../../shared/schedule/schedule.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { scheduleOf, wukongOf } from './fleet.ts';

const at = (text: string) => Date.parse(text);
const minute = 60_000;
const schedule = checkSchedule(scheduleOf('office', 'dev', { start: '0 8 * * *', stop: '0 20 * * *' })).schedule!;
const period = { from: at('2026-05-04T00:00:00Z'), to: at('2026-05-05T12:00:00Z') };
const course = foreseeCourse([schedule], { name: 'dev/web', createdAt: 0 }, period);
const judging: Judging = { ...period, now: at('2026-05-05T12:00:00Z'), lateAfterMs: 5 * minute };

const outcome = (action: 'start' | 'stop', when: string, more: object = {}): Outcome =>
  ({
    namespace: 'dev',
    name: 'web',
    action,
    outcome: action === 'start' ? 'Started' : 'Stopped',
    message: 'Seen.',
    forced: false,
    requestId: `dev/office@${when}`,
    trigger: 'schedule',
    startedAt: at(when) + 20_000,
    finishedAt: at(when) + 50_000,
    ...more,
  }) as Outcome;
const record = (...given: Parameters<typeof outcome>): Happening => fromDetail(detailOf(outcome(...given)))!;

/** The plan: start at 8, stop at 20, start at 8. */
const verdictsOf = (records: Happening[], more: Partial<Judging> = {}) =>
  judge(course, records, { ...judging, ...more }).judged.map(({ verdict }) => verdict);
const start = record('start', '2026-05-04T08:00:00Z');
const stop = record('stop', '2026-05-04T20:00:00Z');
const again = record('start', '2026-05-05T08:00:00Z');

describe('a planned switch', () => {
  test('is on time', () => expect(verdictsOf([start, stop, again])).toEqual(['onTime', 'onTime', 'onTime']));

  test.each([
    ['late', { startedAt: at('2026-05-04T20:05:01Z') }],
    ['onTime', { startedAt: at('2026-05-04T20:05:00Z'), finishedAt: at('2026-05-04T20:40:00Z') }],
    ['forced', { outcome: 'ForcedOff', forceReason: 'GracePeriodExceeded', forced: true }],
    ['failed', { outcome: 'Failed', reason: 'Stuck' }],
    ['missed', { outcome: 'Skipped', reason: 'Stale' }],
    ['skipped', { outcome: 'Skipped', reason: 'Override' }],
    ['skipped', { outcome: 'Superseded' }],
    ['pending', { outcome: 'InProgress' }],
    ['onTime', { outcome: 'AlreadyOff' }],
  ])('is %s after %o', (verdict, more) =>
    expect(verdictsOf([start, record('stop', '2026-05-04T20:00:00Z', more), again])[1]).toBe(verdict),
  );

  test('is missed where it left no record, and records say that it was not so', () =>
    expect(verdictsOf([start, again])).toEqual(['onTime', 'missed', 'onTime']));

  test('is on time without a record where it was so already', () => {
    const byHand = record('stop', '2026-05-04T15:00:00Z', { requestId: 'by-hand', trigger: 'direct' });
    const happened = judge(course, [start, byHand, again], judging);
    expect(happened.judged.map(({ verdict }) => verdict)).toEqual(['onTime', 'onTime', 'onTime']);
    expect(happened.extra).toEqual([byHand]);
  });

  test('is no verdict where nothing is known before it', () =>
    expect(verdictsOf([stop])).toEqual(['unrecorded', 'onTime', 'missed']));

  test('is pending while it can still be done', () =>
    expect(verdictsOf([start, stop], { now: at('2026-05-05T08:20:00Z') })).toEqual(['onTime', 'onTime', 'pending']));

  test('is skipped without a record where the VM is protected', () =>
    expect(verdictsOf([start], { kept: true })[1]).toBe('skipped'));

  test('is done by any command for the same action that came in time', () => {
    const event = record('stop', '2026-05-04T20:00:30Z', { requestId: 'evening-event', trigger: 'event' });
    const happened = judge(course, [start, event, again], judging);
    expect(happened.judged[1]).toMatchObject({ verdict: 'onTime', happening: event });
    expect(happened.extra).toEqual([]);
  });
});

describe('how it really was', () => {
  const was = (records: Happening[], more: Partial<Judging> = {}) =>
    judge(course, records, { ...judging, ...more }).stretches.map(
      ({ from, power }) => `${rfc3339(from).slice(5, 16)} ${power}`,
    );

  test('goes from record to record', () =>
    expect(was([start, stop, again])).toEqual([
      '05-04T00:00 unknown',
      '05-04T08:00 on',
      '05-04T20:00 off',
      '05-05T08:00 on',
    ]));

  test('is known from a record before the period', () =>
    expect(was([record('stop', '2026-05-03T20:00:00Z'), start])).toEqual(['05-04T00:00 off', '05-04T08:00 on']));

  test('is unknown after a failure, and where the status says otherwise', () => {
    expect(was([start, record('stop', '2026-05-04T20:00:00Z', { outcome: 'Failed', reason: 'Stuck' })]).at(-1)).toBe(
      '05-04T20:00 unknown',
    );
    expect(was([start, stop], { state: 'Running' }).at(-1)).toBe('05-04T20:00 unknown');
    expect(was([start, stop], { state: 'Stopped' }).at(-1)).toBe('05-04T20:00 off');
  });

  test('saves what it would have taken', () => {
    const { stretches } = judge(course, [record('stop', '2026-05-03T20:00:00Z'), start, stop], judging);
    const saved = savedBy(stretches, { vcpus: 4, gib: 8 });
    expect(saved.offMs / 3_600_000).toBeCloseTo(24, 1);
    expect([saved.vcpuHours, saved.gibHours].map(Math.round)).toEqual([96, 192]);
    expect(sum([saved, saved]).machines).toBe(2);
    expect(savedBy(stretches, { vcpus: 4 })).toMatchObject({ gibHours: 0, sizeless: 1 });
    expect(nothingSaved().offMs).toBe(0);
  });
});

describe('records', () => {
  const forced = outcome('stop', '2026-05-04T20:00:00Z', {
    outcome: 'ForcedOff',
    forceReason: 'Requested',
    forced: true,
  });
  const failed = outcome('start', '2026-05-04T08:00:00Z', {
    outcome: 'Failed',
    reason: 'Unschedulable',
    message: 'a (b): c',
  });

  test('are read from the Events that the functions write', () => {
    const { reason, message } = eventOf(failed);
    const event = {
      metadata: { name: 'web.1', namespace: 'dev' },
      involvedObject: { kind: 'Wukong', name: 'web', namespace: 'dev' },
      source: { component: 'wukong-lifecycle' },
      lastTimestamp: '2026-05-04T08:00:50Z',
      reason,
      message,
    };
    const { startedAt: _unknown, ...rest } = fromDetail(detailOf(failed))!;
    expect(fromEvent(event)).toEqual(rest);
    expect(fromEvent({ ...event, source: { component: 'kubelet' } } as typeof event)).toBeUndefined();
    expect(fromEvent({ ...event, message: 'something else' } as typeof event)).toBeUndefined();
  });

  test('are read from outcome events, in their envelope and without', () => {
    expect(fromDetail({ 'detail-type': 'Wukong VM Lifecycle Outcome', detail: detailOf(forced) })).toEqual(
      fromDetail(detailOf(forced)),
    );
    expect(fromDetail(detailOf(forced))).toMatchObject({
      outcome: 'ForcedOff',
      reason: 'Requested',
      startedAt: forced.startedAt,
    });
    for (const wrong of [
      null,
      7,
      'x',
      {},
      { ...detailOf(forced), outcome: 'Exploded' },
      { ...detailOf(forced), finishedAt: 'soon' },
    ])
      expect(fromDetail(wrong)).toBeUndefined();
  });

  test('are read from the Wukong, and counted once', () => {
    const { requestId, action, message, trigger, startedAt, finishedAt } = forced;
    const last = {
      requestId,
      action,
      outcome: 'ForcedOff' as const,
      message,
      trigger,
      startedAt,
      finishedAt,
      requestedAt: startedAt,
    };
    const wukong = wukongOf('web', 'dev');
    wukong.metadata.annotations = { [lastKey]: write({ ...last, forceReason: 'Requested' }) };
    const found = byMachine([...fromWukong(wukong), fromDetail(detailOf(forced))!, fromDetail(detailOf(failed))!]).get(
      'dev/web',
    )!;
    expect(found.map((one) => `${one.action} ${one.outcome}`)).toEqual(['start Failed', 'stop ForcedOff']);
    expect(fromWukong(wukongOf('web', 'dev'))).toEqual([]);
  });
});
