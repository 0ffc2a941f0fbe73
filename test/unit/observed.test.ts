import { expect, test } from 'vitest';

import { countsFrom, observedOf } from '../../shared/schedule/observed.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { at } from './schedules.ts';

const created = '2026-11-01T00:00:00Z';
const now = at('2026-11-23T20:00:30.400Z');
const seenNow = '2026-11-23T20:00:31Z';
const ready = (observedGeneration: number) =>
  [{ type: 'Ready', status: 'True', observedGeneration }] as NonNullable<WukongSchedule['status']>['conditions'];
const of = (generation: number | undefined, status?: WukongSchedule['status']): WukongSchedule => ({
  metadata: { name: 'office', creationTimestamp: created, ...(generation === undefined ? {} : { generation }) },
  ...(status ? { status } : {}),
});
const since = '2026-11-20T10:00:00Z';

test.each<[string, WukongSchedule, string]>([
  ['one from a file, from its creation', of(undefined), created],
  ['one that nobody has seen or changed, from its creation', of(1), created],
  ['one that was changed before anybody saw it, from now on', of(2), seenNow],
  ['one that was seen as it is, since then', of(2, { observedGeneration: 2, observedSince: since }), since],
  ['one that was changed since, from now on', of(3, { observedGeneration: 2, observedSince: since }), seenNow],
  [
    'one without a generation, from its creation',
    of(undefined, { observedGeneration: 2, observedSince: since }),
    created,
  ],
  ['one that an older version has seen last', of(4, { conditions: ready(4), observedSince: since }), created],
  ['one that was put back from a copy, from now on', of(1, { observedGeneration: 2, observedSince: since }), seenNow],
  ['one that an older version has seen, from its creation', of(4, { conditions: ready(4) }), created],
  ['one that was changed since an older version saw it, from now on', of(5, { conditions: ready(4) }), seenNow],
  ['one whose moment cannot be read, from its creation', of(2, { observedGeneration: 2, observedSince: 'x' }), created],
  [
    'one with a moment before its creation',
    of(2, { observedGeneration: 2, observedSince: '1999-01-01T00:00:00Z' }),
    created,
  ],
])('%s', (_what, object, expected) => {
  expect(countsFrom(object, now)).toBe(at(expected));
});

test('what is kept is the same at the next look', () => {
  const kept = observedOf(of(3, { observedGeneration: 2 }), now);
  expect(kept).toEqual({ observedGeneration: 3, observedSince: seenNow });
  expect(observedOf(of(3, kept), now + 60_000)).toEqual(kept);
  expect(observedOf(of(undefined), now)).toEqual({ observedGeneration: undefined, observedSince: undefined });
});

test('another default zone is a change too', () => {
  const from = (timeZone: string | undefined, zone?: string, creationTimestamp = created) => {
    const one = of(2, { observedGeneration: 2, observedSince: since, ...(timeZone ? { timeZone } : {}) });
    return countsFrom({ ...one, metadata: { ...one.metadata, creationTimestamp } }, now, zone);
  };
  expect(from('UTC', 'Asia/Tokyo')).toBe(at(seenNow));
  expect([from('UTC', 'UTC'), from('UTC'), from(undefined, 'UTC')]).toEqual(Array(3).fill(at(since)));
  expect(from('UTC', 'Asia/Tokyo', '2026-12-01T00:00:00Z')).toBe(at('2026-12-01T00:00:00Z'));
});

test('one that says nothing of itself counts from the beginning', () => {
  expect([countsFrom({ metadata: { name: 'x' } }, now), countsFrom({} as WukongSchedule, now)]).toEqual([0, 0]);
});
