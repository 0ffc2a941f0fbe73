import fc from 'fast-check';

import { wideHistories } from './wideChance.ts';
import type { WideHistory } from './wideHistory.ts';

/**
 * Minutes in which the functions are of version 0.1.0, or some of them: an upgrade, or a way back and forth again.
 * `beside`: ticks of both come every minute, and each takes every second message.
 */
export interface OlderSpan {
  from: number;
  minutes: number;
  how: 'instead' | 'beside';
}

const olderSpan: fc.Arbitrary<OlderSpan> = fc.record({
  from: fc.constantFrom(0, 0, 45, 100),
  minutes: fc.constantFrom(20, 60, 120, 200),
  how: fc.constantFrom('instead', 'beside'),
});

/** Wide histories in which version 0.1.0 acts for some of the time. */
export const mixedHistories: fc.Arbitrary<WideHistory> = fc
  .tuple(wideHistories, olderSpan)
  .map(([history, older]) => ({ ...history, older }));
