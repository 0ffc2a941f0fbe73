import { readFileSync, writeFileSync } from 'node:fs';

import fc from 'fast-check';
import { type RunnerTestCase, type RunnerTestSuite, TestRunner } from 'vitest';

/** Which mutants nobody has noticed yet, and which never ended; handed from test file to test file. */
export interface Standing {
  alive: number[];
  endless: number[];
  /** Reached by hooks, while a file was loaded, or by a test that cannot be repeated: for a process of their own. */
  elsewhere: number[];
  /** The one whose turn it is: where it never gives the process back, it is ended from outside. */
  trying?: number | undefined;
}

/**
 * With a mutant a test may go through so many more turns of loops, those of the virtual clock among them, than without;
 * and, as a wait outside of that clock turns nothing, take so long by the machine's own.
 */
const [moreTurns, timesAsMany] = [5_000, 5];
const [limitMs, timesAsLong] = [2_000, 10];
const at = process.env['MUTATION_STANDING']!;
const standing = JSON.parse(readFileSync(at, 'utf8')) as Standing;
// That a property does not hold is enough: nobody reads how small the history can be made.
fc.configureGlobal({ endOnFailure: true });
let alive = new Set(standing.alive);
let endless = new Set(standing.endless);
const elsewhere = new Set(standing.elsewhere);

let on: number | undefined;
/** What the files of the library keep for later. */
const memories: Map<unknown, unknown>[] = [];
function forget(): void {
  for (const memory of memories) memory.clear();
}
let turns = 0;
/** Ends a test that turns for ever; between tests nobody. */
let tooMany: { after: number; end: (error: Endless) => void } | undefined;
/** What a test comes by; outside of tests there is none. */
let reached: Set<number> | undefined;
class Endless extends Error {}

Object.assign(globalThis, {
  __mutant(index: number): boolean {
    if (on === undefined) (reached ?? elsewhere).add(index);
    return on === index;
  },
  __kept(): Map<unknown, unknown> {
    const memory = new Map<unknown, unknown>();
    memories.push(memory);
    return memory;
  },
  __turn() {
    if (++turns <= (tooMany?.after ?? Infinity)) return;
    const error = new Endless('a loop without end');
    tooMany?.end(error);
    throw error;
  },
});

async function within(limits: { ms: number; turns: number }, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Endless('a wait without end')), limits.ms);
    tooMany = { after: limits.turns, end: reject };
  });
  turns = 0;
  await Promise.race([work(), late]).finally(() => {
    clearTimeout(timer);
    tooMany = undefined;
  });
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
    forget();
    await each(before);
    await run();
  };
}

/** What is known so far; `trying` is for whoever has to end this process because of it. */
function keep(trying?: number): void {
  const now: Standing = { alive: [...alive], endless: [...endless], elsewhere: [...elsewhere], trying };
  writeFileSync(at, JSON.stringify(now));
}

/**
 * Runs each test as it is, then once with each living mutant that it came by, and as it is before and after these: where
 * something has stayed behind, what it said of mutants is not believed.
 */
export default class MutationRunner extends TestRunner {
  runTask = async (test: RunnerTestCase): Promise<void> => {
    const repeat = again(test);
    const mine = (reached = new Set());
    try {
      forget();
      await TestRunner.getTestFn(test)();
      await this.withEach(repeat, mine);
    } finally {
      reached = undefined;
    }
  };

  private async withEach(repeat: () => Promise<void>, mine: Set<number>): Promise<void> {
    const living = () => [...mine].filter((each) => alive.has(each));
    if (living().length === 0) return;
    const before = { alive: new Set(alive), endless: new Set(endless) };
    try {
      const began = performance.now();
      turns = 0;
      await repeat();
      const ms = limitMs + timesAsLong * (performance.now() - began);
      const limits = { ms, turns: moreTurns + timesAsMany * turns };
      for (const index of living()) await noticed(index, repeat, limits);
      await repeat();
    } catch {
      ({ alive, endless } = before);
      for (const index of mine) elsewhere.add(index);
    }
  }

  override onAfterRunFiles(files: never[]): void {
    keep();
    super.onAfterRunFiles(files);
  }
}

async function noticed(index: number, run: () => Promise<void>, limits: { ms: number; turns: number }): Promise<void> {
  keep(index);
  on = index;
  try {
    await within(limits, run);
  } catch (thrown) {
    alive.delete(index);
    if (thrown instanceof Endless) endless.add(index);
  } finally {
    on = undefined;
    forget();
  }
}
