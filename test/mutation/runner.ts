import { readFileSync, writeFileSync } from 'node:fs';

import { type RunnerTestCase, TestRunner } from 'vitest';

/** Which mutants nobody has noticed yet, and which never ended; handed from test file to test file. */
export interface Standing {
  alive: number[];
  endless: number[];
}

/** A test with a mutant may take this long, or some times as long as without it. */
const limitMs = 1_000;
const timesAsLong = 5;
const at = process.env['MUTATION_STANDING']!;
const standing = JSON.parse(readFileSync(at, 'utf8')) as Standing;
const alive = new Set(standing.alive);
const endless = new Set(standing.endless);

let on: number | undefined;
let [turns, until] = [0, Infinity];
let reached = new Set<number>();
class Endless extends Error {}

Object.assign(globalThis, {
  mutant(index: number): boolean {
    if (on === undefined) reached.add(index);
    return on === index;
  },
  turn() {
    if (on !== undefined && ++turns % 1_000 === 0 && performance.now() > until) throw new Endless('a loop without end');
  },
});

async function within(ms: number, work: Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Endless('a wait without end')), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Runs each test as it is, then once with each living mutant that it came by, then as it is: nothing may stay behind. */
export default class MutationRunner extends TestRunner {
  runTask = async (test: RunnerTestCase): Promise<void> => {
    const run = TestRunner.getTestFn(test);
    reached = new Set();
    const began = performance.now();
    await run();
    const allowed = Math.max(limitMs, timesAsLong * (performance.now() - began));
    for (const index of [...reached].filter((each) => alive.has(each))) {
      [on, turns, until] = [index, 0, performance.now() + allowed];
      try {
        await within(allowed, run() as Promise<void> | void);
      } catch (thrown) {
        alive.delete(index);
        if (thrown instanceof Endless) endless.add(index);
      } finally {
        on = undefined;
      }
    }
    await run();
  };

  override onAfterRunFiles(files: never[]): void {
    writeFileSync(at, JSON.stringify({ alive: [...alive], endless: [...endless] } satisfies Standing));
    super.onAfterRunFiles(files);
  }
}
