import { expect, it } from 'vitest';

import type { Problem } from '../../shared/schedule/problem.ts';
import { readinessOf } from '../../shared/schedule/trouble.ts';
import { schedule } from './schedules.ts';

const good = schedule();

it('a schedule that cannot be evaluated says why, in 4000 characters at the most, with what goes on', () => {
  expect(readinessOf({ problems: [] }, 1)).toEqual({ reason: 'InvalidSpec', message: '' });
  const problems: Problem[] = Array.from({ length: 9 }, () => ({
    ...{ field: 'spec.holidays', reason: 'InvalidHoliday' },
    message: 'm'.repeat(1_000),
  }));
  const [without, withIt] = [readinessOf({ problems }, 1), readinessOf({ schedule: good, problems }, 1)];
  expect([without.message.length, withIt.message.length]).toEqual([4_000, 4_000]);
  expect(withIt.message).toMatch(/m; stops go on, and so do starts on all days but the holidays that could be read$/);
});

it('a schedule that selects nothing says where to look', () => {
  const cluster = { ...good, cluster: { namespaces: [], overNamespaces: false } };
  expect([good, cluster].map((one) => readinessOf({ schedule: one }, 0).message)).toEqual([
    'spec.selector: no Wukong in this namespace has these labels',
    'spec.selector, spec.namespaceSelector: no Wukong is selected by them',
  ]);
});

it('a schedule whose zone is another’s word says whose', () => {
  expect(readinessOf({ schedule: { ...good, zoneFrom: 'DEFAULT_TIME_ZONE' } }, 1).message).toBe(
    '1 Wukongs are selected; in Europe/Berlin, by DEFAULT_TIME_ZONE',
  );
});

it('a schedule in whose place others rule names five of them', () => {
  const by = (...keys: string[]) => readinessOf({ schedule: good }, 7, new Map(keys.map((key, i) => [i, key]))).message;
  const said = (count: number, names: string) =>
    `7 Wukongs are selected; ${count} of them are ruled by ${names} in its place`;
  expect(by()).toBe('7 Wukongs are selected');
  expect(by('b', 'a', 'b')).toBe(said(3, 'a, b'));
  expect(by('e', 'd', 'c', 'b', 'a')).toBe(said(5, 'a, b, c, d, e'));
  expect(by('f', 'e', 'd', 'c', 'b', 'a')).toBe(said(6, 'a, b, c, d, e and 1 more'));
  expect(by('g', 'f', 'e', 'd', 'c', 'b', 'a')).toBe(said(7, 'a, b, c, d, e and 2 more'));
});
