import { expect, it } from 'vitest';

import { explore, tellOf } from './explore.ts';

it('750 random histories contradict nothing that must be true', async () => {
  const finding = await explore({ runs: 750, seed: 1 });
  expect(finding && tellOf(finding)).toBeUndefined();
}, 600_000);
