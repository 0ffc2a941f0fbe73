import { expect, it } from 'vitest';

import { manyStories } from './manyStories.ts';
import { countsOf, playDeaths, playMatrix, tableOf, wordsOf } from './matrix.ts';

it('each fault at each call of each story of many comes to the same end, or to one that is explained', async () => {
  const all = await playMatrix(1, manyStories);
  process.stdout.write(`${tableOf(all)}\n\n${countsOf(all)}\n`);
  expect(all.filter((one) => one.wrong.length > 0).map(wordsOf)).toEqual([]);
}, 3_600_000);

it('a process of the executor, the bus, the server, runs, adoption or a restart dies at any call: the same end', async () => {
  const { deaths, wrong } = await playDeaths();
  process.stdout.write(`${deaths} deaths: ${wrong.length} wrong\n`);
  expect(wrong).toEqual([]);
}, 3_600_000);
