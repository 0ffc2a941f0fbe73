import { expect, it } from 'vitest';

import { exploreWide, wideText } from './wide.ts';

it('eight wide histories, of several Wukongs for some hours, contradict nothing that must be true', async () => {
  const finding = await exploreWide({ runs: 8, seed: 1 });
  expect(finding && wideText(finding)).toBeUndefined();
}, 300_000);
