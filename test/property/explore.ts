import { nextGround } from './ground.ts';
import { histories, type History } from './history.ts';
import { live } from './life.ts';
import { type Exploration, search } from './search.ts';
import { verdict } from './verdict.ts';

export interface Finding extends Exploration {
  history: History;
  /** What is not as it must be. */
  wrong: string[];
}

/** What is wrong with one history, lived through on a day of its own. */
export async function wrongWith(history: History): Promise<string[]> {
  return verdict(history, await live(await nextGround(), history));
}

/** Lives through random histories until one contradicts the model, and makes that one small. */
export async function explore(options: Exploration): Promise<Finding | undefined> {
  const one = await search(histories, wrongWith, options);
  if (!one) return undefined;
  const { found: history, ...rest } = one;
  return { ...rest, history };
}

/** A finding for people: what is wrong, with which history, and how to live through it again. */
export const tellOf = ({ seed, path, history, wrong }: Finding): string =>
  [
    ...wrong.map((sentence) => `not as it must be: ${sentence}`),
    `the history: ${JSON.stringify(history)}`,
    `again: npm run test:property -- --histories --seed ${seed} --path ${path}`,
  ].join('\n');
