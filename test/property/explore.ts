import fc from 'fast-check';

import { leave, nextGround } from './ground.ts';
import { histories, type History } from './history.ts';
import { live } from './life.ts';
import { verdict } from './verdict.ts';

export interface Exploration {
  runs: number;
  seed: number;
  /** As it was printed of a history that failed: begins there. */
  path?: string | undefined;
  /** Told after each history how many were lived through. */
  lived?: (histories: number) => void;
}

export interface Finding extends Exploration {
  history: History;
  /** What is not as it must be. */
  wrong: string[];
}

/** How long a history that failed may be made smaller, on the machine's clock. */
const shrinkMs = 90_000;

/** What is wrong with one history, lived through on a day of its own. */
export async function wrongWith(history: History): Promise<string[]> {
  return verdict(history, await live(await nextGround(), history));
}

/** Lives through random histories until one contradicts the model, and makes that one small. */
export async function explore({ runs, seed, path, lived }: Exploration): Promise<Finding | undefined> {
  let failedAt: number | undefined;
  let count = 0;
  const property = fc.asyncProperty(histories, async (history) => {
    if (failedAt !== undefined && Date.now() > failedAt + shrinkMs) return;
    const wrong = await wrongWith(history);
    lived?.(++count);
    if (wrong.length === 0) return;
    failedAt ??= Date.now();
    throw new Error(wrong.join('\n'));
  });
  try {
    const done = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
    if (!done.failed) return undefined;
    const [history] = done.counterexample as [History];
    const { message } = done.errorInstance as Error;
    return { seed, path: done.counterexamplePath ?? '', runs: done.numRuns, history, wrong: message.split('\n') };
  } finally {
    await leave();
  }
}

/** A finding for people: what is wrong, with which history, and how to live through it again. */
export const tellOf = ({ seed, path, history, wrong }: Finding): string =>
  [
    ...wrong.map((sentence) => `not as it must be: ${sentence}`),
    `the history: ${JSON.stringify(history)}`,
    `again: npm run test:property -- --seed ${seed} --path ${path}`,
  ].join('\n');
