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
