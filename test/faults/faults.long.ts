import { expect, it } from 'vitest';

import { countsOf, playMatrix, tableOf, wordsOf } from './matrix.ts';

it('each fault at each call of each story comes to the same end, or to one that is explained', async () => {
  const all = await playMatrix();
  process.stdout.write(`${tableOf(all)}\n\n${countsOf(all)}\n`);
  expect(all.filter((one) => one.wrong.length > 0).map(wordsOf)).toEqual([]);
}, 1_800_000);
