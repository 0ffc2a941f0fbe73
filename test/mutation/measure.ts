import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { applied, type Mutant, mutantsOf, together } from './operators.ts';
import type { Related } from './related.ts';
import type { Standing } from './runner.ts';

export interface Measured {
  all: number;
  /** Killed because a test with it did not come to an end. */
  timedOut: number;
  survivors: Mutant[];
  /** Their numbers, for a run of these alone. */
  left: number[];
}

const quickLimitMs = 30_000;
const storyLimitMs = 60_000;
/** One test with one mutant has its limit in runner.ts; so long without a new one it is a loop that nothing ends. */
const silentLimitMs = 90_000;

const fixed = ['run', '--pool=threads', '--maxWorkers=1', '--reporter=dot', '--dangerouslyIgnoreUnhandledErrors'];
const vitestOf = (copy: string) => join(copy, 'node_modules/vitest/vitest.mjs');

/** How tests end on the copy as it stands, in a process of their own. */
function run(copy: string, tests: string[], timeout: number): 'pass' | 'fail' | 'late' {
  const { status, signal } = spawnSync(process.execPath, [vitestOf(copy), ...fixed, '--bail=1', ...tests], {
    cwd: copy,
    timeout,
    killSignal: 'SIGKILL',
    stdio: 'ignore',
  });
  return signal === 'SIGKILL' ? 'late' : status === 0 ? 'pass' : 'fail';
}

/**
 * What becomes of a file's mutants: first all of them in one process, each asleep until its turn; then those that nobody
 * noticed, each in a process of its own: with the quick tests where one process could not tell, and with the stories.
 */
export async function measure(
  copy: string,
  name: string,
  { quick, stories }: Related,
  only?: number[],
): Promise<Measured> {
  const file = join(copy, 'shared', `${name}.ts`);
  const source = readFileSync(file, 'utf8');
  if (stories.length > 0 && run(copy, stories, 5 * storyLimitMs) !== 'pass')
    throw new Error(`the stories of ${name} do not pass as it is`);
  const found = mutantsOf(source);
  const began = Date.now();
  const { alive, endless, elsewhere } = await awake(copy, file, source, quick, only);
  const unsure = new Set(elsewhere);
  console.log(
    `${name}.ts: ${alive.length} of ${only?.length ?? found.mutants.length} left after ${seconds(began)} in one process`,
  );
  let timedOut = endless.length;
  const left = alive.filter((index) => {
    const mutant = found.mutants[index]!;
    writeFileSync(file, applied(source, mutant));
    const alone = quick.length > 0 && (mutant.atLoad || unsure.has(index));
    let end = alone ? run(copy, quick, quickLimitMs) : 'pass';
    if (end === 'pass' && stories.length > 0) end = run(copy, stories, storyLimitMs);
    if (end === 'late') timedOut++;
    return end === 'pass';
  });
  writeFileSync(file, source);
  const survivors = left.map((index) => found.mutants[index]!);
  return { all: only?.length ?? found.mutants.length, timedOut, survivors, left };
}

const seconds = (began: number): string => `${((Date.now() - began) / 1000).toFixed(0)} s`;

/** The mutants that nobody noticed in one process. Where one leaves something behind for the next, that is all of them. */
async function awake(copy: string, file: string, source: string, quick: string[], only?: number[]): Promise<Standing> {
  const found = mutantsOf(source);
  const all = only ?? found.mutants.map((_, index) => index);
  if (quick.length === 0) return { alive: all, endless: [], elsewhere: all };
  const standing = join(copy, 'standing.json');
  const now = () => JSON.parse(readFileSync(standing, 'utf8')) as Standing;
  writeFileSync(standing, JSON.stringify({ alive: all, endless: [], elsewhere: [] } satisfies Standing));
  // A mutant may make a loop endless in another file than its own; and most of them turn the virtual clock.
  const turning = [...globSync(join(copy, 'shared/**/*.ts')), join(copy, 'sim/clock.ts')];
  const others = turning.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  for (const { path, text } of others)
    writeFileSync(path, together(text, path === file ? found : { mutants: [], loops: mutantsOf(text).loops }));
  try {
    for (;;) {
      const end = await untilSilent(copy, quick, standing);
      if (end === 'pass') return now();
      const { trying, alive, endless, elsewhere } = now();
      if (end === 'fail' || trying === undefined) throw new Error(`the tests of ${file} do not pass as it is`);
      const rest = alive.filter((index) => index !== trying);
      writeFileSync(standing, JSON.stringify({ alive: rest, endless: [...endless, trying], elsewhere }));
    }
  } finally {
    for (const { path, text } of others) writeFileSync(path, text);
  }
}

/** The tests with the runner of mutants, ended where it does not come to the next mutant any more. */
async function untilSilent(copy: string, tests: string[], standing: string): Promise<'pass' | 'fail' | 'silent'> {
  const args = [vitestOf(copy), ...fixed, '--config', 'test/mutation/vitest.config.ts', '--root', '.', ...tests];
  const env = { ...process.env, MUTATION_STANDING: standing };
  const child = spawn(process.execPath, args, { cwd: copy, stdio: 'ignore', env });
  let silent = false;
  const watch = setInterval(() => {
    silent = Date.now() - statSync(standing).mtimeMs > silentLimitMs;
    if (silent) child.kill('SIGKILL');
  }, 1_000);
  const [status] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  return silent ? 'silent' : status === 0 ? 'pass' : 'fail';
}
