import fc from 'fast-check';

import { LifecycleError } from '../../shared/domain/errors.ts';
import { outside, type Surface, surfaces } from './surfaces.ts';

export interface Fuzzed {
  name: string;
  runs: number;
  /** How many were refused; the rest were taken. */
  refused: number;
  /** Milliseconds. */
  median: number;
  slowest: number;
}

/** Throws something at every surface: `runs` in all. @throws Error with the seed and the smallest input that fails. */
export async function fuzz(runs: number, seed: number): Promise<Fuzzed[]> {
  const done: Fuzzed[] = [];
  for (const [index, surface] of surfaces.entries()) {
    const share = Math.ceil(runs / surfaces.length);
    done.push(await fuzzOne(surface, share, seed + index));
  }
  return done;
}

async function fuzzOne({ name, input, feed }: Surface, runs: number, seed: number): Promise<Fuzzed> {
  const took: number[] = [];
  let refused = 0;
  const property = fc.asyncProperty(input, async (value) => {
    const out = outside();
    const begun = performance.now();
    try {
      await feed(value, out);
    } catch (thrown) {
      if (!(thrown instanceof LifecycleError)) throw thrown;
      refused++;
    }
    took.push(performance.now() - begun);
    if (out.calls > 0) throw new Error(`${name} made a call`);
    if (Object.keys(Object.prototype).length > 0) throw new Error('the prototype of all objects was changed');
  });
  const result = await fc.check(property, { numRuns: runs, seed, verbose: 0 });
  if (result.failed) {
    const { seed: again, counterexamplePath: path, errorInstance: cause } = result;
    const input = written(result.counterexample?.[0]);
    throw new Error(`${name}: seed ${again}, path ${path}, fails with ${input}`, { cause });
  }
  took.sort((a, b) => a - b);
  return { name, runs: took.length, refused, median: took[took.length >> 1] ?? 0, slowest: took.at(-1) ?? 0 };
}

function written(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 2_000) ?? String(value);
  } catch {
    return 'something too deep to be written';
  }
}

export function tableOf(done: Fuzzed[]): string {
  const ms = (value: number) => value.toFixed(3).padStart(10);
  const line = ({ name, runs, refused, median, slowest }: Fuzzed) =>
    `${name.padEnd(28)}${String(runs).padStart(8)}${String(refused).padStart(9)}${ms(median)}${ms(slowest)}`;
  return [`${''.padEnd(28)}    runs  refused    median   slowest  (ms)`, ...done.map(line)].join('\n');
}
