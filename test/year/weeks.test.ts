import { describe, expect, it } from 'vitest';

import { live, weeksOfChange } from './year.ts';

/** A gap and an overlap, in ten of the zones; `npm run test:year` has the whole year. */
const days = [Date.UTC(2026, 2, 8, 12), Date.UTC(2026, 9, 25, 1)];
const weeks = weeksOfChange().filter(({ from, to }) => days.some((day) => from <= day && day <= to));

it('has two weeks', () => expect(weeks).toHaveLength(2));

describe('schedules through the weeks in which clocks change', () => {
  it.each(weeks.map((span) => ({ ...span, week: new Date(span.from).toISOString().slice(0, 10) })))(
    'from $week: every due boundary is done exactly once, none early, none later than the first tick',
    async (span) => {
      const figures = await live(span);
      expect(figures.undone).toEqual([]);
      expect(figures).toMatchObject({ doubly: 0, early: 0 });
      expect(figures.boundaries).toBeGreaterThan(40);
      expect(figures.latestTicks).toBeLessThanOrEqual(1);
    },
    120_000,
  );
});
