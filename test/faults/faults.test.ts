import { describe, expect, it } from 'vitest';

import { playDeaths, playMatrix, playOne, wordsOf } from './matrix.ts';

it('each fault at each call of a story comes to the same end, or to one that is explained: a sample', async () => {
  const wrong = (await playMatrix(37)).filter((one) => one.wrong.length > 0);
  expect(wrong.map(wordsOf)).toEqual([]);
}, 240_000);

it('a process of many that dies at one of its calls leaves nothing undone or told twice: a sample', async () => {
  expect((await playDeaths(17)).wrong).toEqual([]);
}, 240_000);

describe('was wrong once', () => {
  it.each([
    ['a step was not recorded because other writers were faster', 'a guest that hangs, its pod deleted', 7, '409'],
    ['an end was told as Failed because other writers were faster', 'stop of Always', 7, '409'],
    ['an outcome was told to nobody when its Event was refused', 'stop of Always', 8, '409'],
  ])('%s', async (_what, story, nth, fault) => {
    expect((await playOne(story, nth, fault)).wrong).toEqual([]);
  });
});
