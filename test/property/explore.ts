import fc from 'fast-check';

import { leave, nextGround } from './ground.ts';
import { histories, type History } from './history.ts';
import { live } from './life.ts';
import { verdict } from './verdict.ts';

export interface Exploration {
  runs: number;
  seed: number;
  /** As fast-check prints it: begins with the history that failed. */
  path?: string | undefined;
  /** Only what is wrong in these words counts. */
  only?: RegExp | undefined;
  /** Machine time after which it ends with what it has. */
  limitMs?: number | undefined;
}

export interface Finding {
  seed: number;
  path: string;
  /** Histories until the first that failed. */
  runs: number;
  history: History;
  wrong: string[];
}

/** What is wrong with one history, lived through on a cluster of its own day. */
export async function wrongWith(history: History): Promise<string[]> {
  return verdict(history, await live(await nextGround(), history));
}

/** Lives through random histories until one contradicts the model, and shrinks that one. */
export async function explore({ runs, seed, path, only = /./, limitMs }: Exploration): Promise<Finding | undefined> {
  const property = fc.asyncProperty(histories, async (history) => {
    const wrong = (await wrongWith(history)).filter((sentence) => only.test(sentence));
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  });
  try {
    const done = await fc.check(property, {
      numRuns: runs,
      seed,
      ...(path === undefined ? {} : { path }),
      ...(limitMs === undefined ? {} : { interruptAfterTimeLimit: limitMs }),
    });
    if (!done.failed) return undefined;
    const [history] = done.counterexample as [History];
    const wrong = ((done.errorInstance as Error | undefined)?.message ?? 'it failed').split('\n');
    return { seed, path: done.counterexamplePath ?? '', runs: done.numRuns, history, wrong };
  } finally {
    await leave();
  }
}
