import { readFileSync, writeFileSync } from 'node:fs';

import fc from 'fast-check';
import { type RunnerTestCase, type RunnerTestSuite, TestRunner } from 'vitest';

/** Which mutants nobody has noticed yet, and which never ended; handed from test file to test file. */
export interface Standing {
  alive: number[];
  endless: number[];
  /** Reached by hooks, while a file was loaded, or by a test that cannot be repeated: for a process of their own. */
  elsewhere: number[];
}

/** A test with a mutant may take this long, or some times as long as without it. */
const limitMs = 1_000;
const timesAsLong = 5;
const at = process.env['MUTATION_STANDING']!;
const standing = JSON.parse(readFileSync(at, 'utf8')) as Standing;
// That a property does not hold is enough: nobody reads how small the history can be made.
fc.configureGlobal({ endOnFailure: true });
let alive = new Set(standing.alive);
let endless = new Set(standing.endless);
const elsewhere = new Set(standing.elsewhere);

let on: number | undefined;
let [turns, until] = [0, Infinity];
/** What a test comes by; outside of tests there is none. */
let reached: Set<number> | undefined;
class Endless extends Error {}

Object.assign(globalThis, {
  __mutant(index: number): boolean {
    if (on === undefined) (reached ?? elsewhere).add(index);
    return on === index;
  },
  __turn() {
    if (on !== undefined && ++turns % 1_000 === 0 && performance.now() > until) throw new Endless('a loop without end');
  },
});

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Endless('a wait without end')), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

type Hook = (context: unknown, suite: unknown) => unknown;

/** A test once more, as if for the first time: what was made for it before goes, and is made anew. */
function again(test: RunnerTestCase): () => Promise<void> {
  const suites: (RunnerTestSuite | undefined)[] = [];
  for (let one = test.suite as RunnerTestSuite | undefined; one; one = one.suite) suites.unshift(one);
  suites.unshift(test.file);
  const hooks = [...new Set(suites)].map((suite) => TestRunner.getSuiteHooks(suite!));
  const each = async (list: Hook[]) => {
    for (const hook of list) await hook(test.context, test.suite);
  };
  const before = hooks.flatMap(({ beforeEach }) => beforeEach as Hook[]);
  const after = hooks.toReversed().flatMap(({ afterEach }) => afterEach.toReversed() as Hook[]);
  const run = TestRunner.getTestFn(test);
  return async () => {
    await each(after);
    await each(before);
    await run();
  };
}

/**
 * Runs each test as it is, twice, then once with each living mutant that it came by, then as it is: where something has
 * stayed behind, what it said of mutants is not believed.
 */
export default class MutationRunner extends TestRunner {
  runTask = async (test: RunnerTestCase): Promise<void> => {
    const repeat = again(test);
    const mine = (reached = new Set());
    const began = performance.now();
    const before = { alive: new Set(alive), endless: new Set(endless) };
    try {
      await TestRunner.getTestFn(test)();
      await repeat();
      const allowed = Math.max(limitMs, timesAsLong * (performance.now() - began));
      for (const index of [...mine].filter((each) => alive.has(each))) await noticed(index, repeat, allowed);
      await repeat();
    } catch {
      ({ alive, endless } = before);
      for (const index of mine) elsewhere.add(index);
    } finally {
      reached = undefined;
    }
  };

  override onAfterRunFiles(files: never[]): void {
    const now: Standing = { alive: [...alive], endless: [...endless], elsewhere: [...elsewhere] };
    writeFileSync(at, JSON.stringify(now));
    super.onAfterRunFiles(files);
  }
}

async function noticed(index: number, run: () => Promise<void>, allowed: number): Promise<void> {
  [on, turns, until] = [index, 0, performance.now() + allowed];
  try {
    await within(allowed, run());
  } catch (thrown) {
    alive.delete(index);
    if (thrown instanceof Endless) endless.add(index);
  } finally {
    on = undefined;
  }
}
