import fc from 'fast-check';

import { leave } from './ground.ts';

export interface Exploration {
  runs: number;
  seed: number;
  /** As it was printed of one that failed: begins there. */
  path?: string | undefined;
  /** Told after each how many were lived through. */
  lived?: (histories: number) => void;
}

export interface Found<T> {
  seed: number;
  path: string;
  runs: number;
  found: T;
  /** What is not as it must be. */
  wrong: string[];
}

/** How long one that failed may be made smaller, on the machine's clock. */
const shrinkMs = 90_000;

/** Lives through random ones until something is wrong with one, and makes that one small. */
export async function search<T>(
  random: fc.Arbitrary<T>,
  wrongWith: (one: T) => Promise<string[]>,
  { runs, seed, path, lived }: Exploration,
): Promise<Found<T> | undefined> {
  let failedAt: number | undefined;
  let count = 0;
  const property = fc.asyncProperty(random, async (one) => {
    if (failedAt !== undefined && Date.now() > failedAt + shrinkMs) return;
    const wrong = await wrongWith(one);
    lived?.(++count);
    if (wrong.length === 0) return;
    failedAt ??= Date.now();
    throw new Error(wrong.join('\n'));
  });
  try {
    const done = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
    if (!done.failed) return undefined;
    const [found] = done.counterexample as [T];
    const { message } = done.errorInstance as Error;
    return { seed, path: done.counterexamplePath ?? '', runs: done.numRuns, found, wrong: message.split('\n') };
  } finally {
    await leave();
  }
}
