import { expect, test } from 'vitest';

import { compareAround, nothing } from './compare.ts';
import { changesOf } from './oracle.ts';

const zones = Intl.supportedValuesOf('timeZone');
const total = { changes: 0, ...nothing() };

test.each(zones)('around every clock change of %s from 2024 to 2030, schedules happen as the oracle says', (zone) => {
  const seen = nothing();
  const changes = changesOf(zone);
  for (const change of changes) compareAround(zone, change, seen);
  total.changes += changes.length;
  for (const zone of seen.newerThanNode) total.newerThanNode.add(zone);
  total.evaluations += seen.evaluations;
  for (const reason of Object.keys(seen.croner) as (keyof typeof seen.croner)[])
    total.croner[reason] += seen.croner[reason];
  expect(seen.wrong).toEqual([]);
  expect(seen.unexplained).toEqual([]);
});

test('there was something to compare', () => {
  const { changes, evaluations, croner } = total;
  console.log(`${zones.length} zones`, { changes, evaluations, croner });
  expect(changes).toBeGreaterThan(1_000);
  // More than a few, and it is not the data of Node that is wrong.
  expect([...total.newerThanNode].length).toBeLessThan(10);
});
