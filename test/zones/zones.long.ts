import { expect, test } from 'vitest';
import { compareAround, nothing } from './compare.ts';
import { changesOf } from './oracle.ts';

const zones = Intl.supportedValuesOf('timeZone');
const total = { changes: 0, evaluations: 0, runsTwiceInOverlap: 0, skipsTheGap: 0 };

test.each(zones)('around every clock change of %s from 2024 to 2030, schedules happen as the oracle says', (zone) => {
  const seen = nothing();
  const changes = changesOf(zone);
  for (const change of changes) compareAround(zone, change, seen);
  total.changes += changes.length;
  total.evaluations += seen.evaluations;
  total.runsTwiceInOverlap += seen.croner.runsTwiceInOverlap;
  total.skipsTheGap += seen.croner.skipsTheGap;
  expect(seen.wrong).toEqual([]);
  expect(seen.unexplained).toEqual([]);
});

test('there was something to compare', () => {
  console.log(`${zones.length} zones`, total);
  expect(total.changes).toBeGreaterThan(1_000);
});
