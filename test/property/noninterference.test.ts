import { expect, it } from 'vitest';

import { interference, interferenceText } from './noninterference.ts';

it('no tenant notices what its neighbour writes, in forty random histories', async () => {
  const found = await interference({ runs: 40, seed: 1 });
  expect(found && interferenceText(found)).toBeUndefined();
}, 300_000);
