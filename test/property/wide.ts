import { type Exploration, type Found, search } from './search.ts';
import { wideHistories, type WideHistory } from './wideHistory.ts';
import { liveWide } from './wideStory.ts';
import { wideVerdict } from './wideVerdict.ts';

/** What is wrong with one wide history. */
export async function wrongWithWide(history: WideHistory): Promise<string[]> {
  return wideVerdict(history, await liveWide(history));
}

/** Lives through wide histories until one contradicts the model, and makes that one small. */
export const exploreWide = (options: Exploration): Promise<Found<WideHistory> | undefined> =>
  search(wideHistories, wrongWithWide, options);

/** A finding for people: what is wrong, with which history, and how to live through it again. */
export const wideText = ({ seed, path, found, wrong }: Found<WideHistory>): string =>
  [
    ...wrong.map((sentence) => `not as it must be: ${sentence}`),
    `the wide history: ${JSON.stringify(found)}`,
    `again: npm run test:property -- --wide --seed ${seed} --path ${path}`,
  ].join('\n');
