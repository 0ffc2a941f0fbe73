import { expect, it } from 'vitest';

import { live } from './year.ts';

it('a year: every due boundary is done exactly once, none early', async () => {
  const figures = await live({
    from: Date.UTC(2026, 0, 1),
    to: Date.UTC(2027, 0, 1),
    missedPercent: 5,
    vms: 51,
    near: 2,
  });
  console.log({ ...figures, undone: figures.undone.length });
  expect(figures.undone).toEqual([]);
  expect(figures).toMatchObject({ doubly: 0, early: 0 });
  expect(figures.latestTicks).toBeLessThanOrEqual(1);
});
