import { expect, it } from 'vitest';

import { countsOf, playMatrix, tableOf, wordsOf } from './matrix.ts';
import { storiesOfOne } from './stories.ts';

it('each fault at each call of each story of one VM comes to the same end, or to one that is explained', async () => {
  const all = await playMatrix(1, storiesOfOne);
  process.stdout.write(`${tableOf(all)}\n\n${countsOf(all)}\n`);
  expect(all.filter((one) => one.wrong.length > 0).map(wordsOf)).toEqual([]);
}, 3_600_000);
