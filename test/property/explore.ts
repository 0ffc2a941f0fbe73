import { nextGround } from './ground.ts';
import { histories, type History, upgrades } from './history.ts';
import { live } from './life.ts';
import { type Older, olderVersion } from './older.ts';
import { type Exploration, type Found, search } from './search.ts';
import { verdict } from './verdict.ts';

export interface Finding extends Exploration {
  history: History;
  /** What is not as it must be. */
  wrong: string[];
}

/** What is wrong with one history, lived through on a day of its own. */
export async function wrongWith(history: History, older?: Older): Promise<string[]> {
  return verdict(history, await live(await nextGround(), history, older));
}

/** Lives through random histories until one contradicts the model, and makes that one small. */
export async function explore(options: Exploration): Promise<Finding | undefined> {
  return findingOf(await search(histories, (history) => wrongWith(history), options));
}

/** The same, where version 0.1.0, out of the history of this repository, has begun what the present one goes on with. */
export async function exploreUpgrades(options: Exploration): Promise<Finding | undefined> {
  const older = await olderVersion();
  return findingOf(await search(upgrades, (history) => wrongWith(history, older), options));
}

function findingOf(one: Found<History> | undefined): Finding | undefined {
  if (!one) return undefined;
  const { found: history, ...rest } = one;
  return { ...rest, history };
}

/** A finding for people: what is wrong, with which history, and how to live through it again. */
export const tellOf = ({ seed, path, history, wrong }: Finding, kind = 'histories'): string =>
  [
    ...wrong.map((sentence) => `not as it must be: ${sentence}`),
    `the history: ${JSON.stringify(history)}`,
    `again: npm run test:property -- --${kind} --seed ${seed} --path ${path}`,
  ].join('\n');
