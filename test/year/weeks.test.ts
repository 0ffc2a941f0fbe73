import { describe, expect, it } from 'vitest';

import { live, weeksOfChange } from './year.ts';

/** Every third; `npm run test:year` has all of them. */
const weeks = weeksOfChange().filter((_, at) => at % 3 === 0);

describe('schedules through the weeks in which clocks change', () => {
  it.each(weeks.map((span) => ({ ...span, week: new Date(span.from).toISOString().slice(0, 10) })))(
    'from $week: every due boundary is done exactly once, none early, none later than the first tick',
    async (span) => {
      const figures = await live(span);
      expect(figures.undone).toEqual([]);
      expect(figures).toMatchObject({ doubly: 0, early: 0 });
      expect(figures.boundaries).toBeGreaterThan(100);
      expect(figures.latestTicks).toBeLessThanOrEqual(1);
    },
    120_000,
  );
});
