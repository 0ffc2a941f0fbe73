import { expect, it } from 'vitest';

import { interference, interferenceText } from './noninterference.ts';

it('no tenant notices what its neighbour writes, in 100 random histories', async () => {
  const searched = await interference({ runs: 100, seed: 2 });
  expect(interferenceText(searched)).toBeUndefined();
}, 600_000);
