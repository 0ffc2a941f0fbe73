import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { applied, type Mutant, mutantsOf, together } from './operators.ts';
import type { Related } from './related.ts';
import type { Standing } from './runner.ts';

export interface Measured {
  all: number;
  /** Killed because a test with it did not come to an end. */
  timedOut: number;
  survivors: Mutant[];
}

const quickLimitMs = 30_000;
const storyLimitMs = 60_000;
const togetherLimitMs = 600_000;

/** How tests end on the copy as it stands, in a process of their own. */
function run(copy: string, tests: string[], timeout: number, more: string[] = [], env = {}): 'pass' | 'fail' | 'late' {
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const fixed = ['run', '--pool=threads', '--maxWorkers=1', '--reporter=dot', '--dangerouslyIgnoreUnhandledErrors'];
  const { status, signal } = spawnSync(process.execPath, [vitest, ...fixed, ...more, ...tests], {
    cwd: copy,
    timeout,
    killSignal: 'SIGKILL',
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  return signal === 'SIGKILL' ? 'late' : status === 0 ? 'pass' : 'fail';
}

/**
 * What becomes of a file's mutants: first all of them in one process, each asleep until its turn; then those that nobody
 * noticed, each in a process of its own: with the quick tests where one process could not tell, and with the stories.
 */
export function measure(copy: string, name: string, { quick, stories }: Related): Measured {
  const file = join(copy, 'shared', `${name}.ts`);
  const source = readFileSync(file, 'utf8');
  if (run(copy, [...quick, ...stories], togetherLimitMs) !== 'pass')
    throw new Error(`the tests of ${name} do not pass as it is`);
  const found = mutantsOf(source);
  const began = Date.now();
  const { alive, endless, elsewhere } = awake(copy, file, source, quick);
  const unsure = new Set(elsewhere);
  console.log(`${name}.ts: ${alive.length} of ${found.mutants.length} left after ${seconds(began)} in one process`);
  let timedOut = endless.length;
  const survivors = alive
    .filter((index) => {
      const mutant = found.mutants[index]!;
      writeFileSync(file, applied(source, mutant));
      const alone = quick.length > 0 && (mutant.atLoad || unsure.has(index));
      let end = alone ? run(copy, quick, quickLimitMs, ['--bail=1']) : 'pass';
      if (end === 'pass' && stories.length > 0) end = run(copy, stories, storyLimitMs, ['--bail=1']);
      if (end === 'late') timedOut++;
      return end === 'pass';
    })
    .map((index) => found.mutants[index]!);
  writeFileSync(file, source);
  return { all: found.mutants.length, timedOut, survivors };
}

const seconds = (began: number): string => `${((Date.now() - began) / 1000).toFixed(0)} s`;

/** The mutants that nobody noticed in one process. Where one leaves something behind for the next, that is all of them. */
function awake(copy: string, file: string, source: string, quick: string[]): Standing {
  const found = mutantsOf(source);
  const all = found.mutants.map((_, index) => index);
  const everybody: Standing = { alive: all, endless: [], elsewhere: all };
  if (quick.length === 0) return everybody;
  const standing = join(copy, 'standing.json');
  writeFileSync(standing, JSON.stringify({ ...everybody, elsewhere: [] }));
  // A mutant may make a loop endless in another file than its own.
  const others = globSync(join(copy, 'shared/**/*.ts')).map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  for (const { path, text } of others)
    writeFileSync(path, together(text, path === file ? found : { mutants: [], loops: mutantsOf(text).loops }));
  const runner = ['--config', 'test/mutation/vitest.config.ts', '--root', '.'];
  const end = run(copy, quick, togetherLimitMs, runner, { MUTATION_STANDING: standing });
  for (const { path, text } of others) writeFileSync(path, text);
  return end === 'pass' ? (JSON.parse(readFileSync(standing, 'utf8')) as Standing) : everybody;
}
