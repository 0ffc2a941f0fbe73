import { expect, it } from 'vitest';

import { explore, tellOf } from './explore.ts';

it('a thousand random histories contradict nothing that must be true', async () => {
  const finding = await explore({ runs: 1_000, seed: 1 });
  expect(finding && tellOf(finding)).toBeUndefined();
}, 600_000);
