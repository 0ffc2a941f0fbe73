import { expect, it } from 'vitest';

import { interference, interferenceText } from './noninterference.ts';

it('no tenant notices what its neighbour writes, in 250 random histories', async () => {
  const found = await interference({ runs: 250, seed: 1 });
  expect(found && interferenceText(found)).toBeUndefined();
}, 600_000);
