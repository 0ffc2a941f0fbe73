import { mixedHistories } from './mixedHistory.ts';
import { type Older, olderVersion } from './older.ts';
import { type Exploration, type Found, search } from './search.ts';
import { wideHistories } from './wideChance.ts';
import type { WideHistory } from './wideHistory.ts';
import { liveWide } from './wideStory.ts';
import { wideVerdict } from './wideVerdict.ts';

/** What is wrong with one wide history. */
export async function wrongWithWide(history: WideHistory, older?: Older): Promise<string[]> {
  return wideVerdict(history, await liveWide(history, older));
}

/** Lives through wide histories until one contradicts the model, and makes that one small. */
export const exploreWide = (options: Exploration): Promise<Found<WideHistory> | undefined> =>
  search(wideHistories, (history) => wrongWithWide(history), options);

/** The same with version 0.1.0 in each, which is taken out of the history of this repository. */
export async function exploreMixed(options: Exploration): Promise<Found<WideHistory> | undefined> {
  const older = await olderVersion();
  return search(mixedHistories, (history) => wrongWithWide(history, older), options);
}

/** A finding for people: what is wrong, with which history, and how to live through it again. */
export const wideText = ({ seed, path, found, wrong }: Found<WideHistory>, kind = 'wide'): string =>
  [
    ...wrong.map((sentence) => `not as it must be: ${sentence}`),
    `the wide history: ${JSON.stringify(found)}`,
    `again: npm run test:property -- --${kind} --seed ${seed} --path ${path}`,
  ].join('\n');
