/**
 * npm run test:mutation -- [--only stop,plan] [--sample N]
 * Changes shared/ one operator at a time, in a copy of the tree, and runs the tests that should notice. Prints the score
 * of each file and every mutant that no test noticed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { applied, type Mutant, mutantsOf } from './operators.ts';

/** The tests of each file: the quick ones first, the stories only for what those did not notice. */
const related: Record<string, { quick: string[]; slow: string[] }> = {
  stop: { quick: ['test/unit/stop', 'test/unit/stopped', 'test/unit/stopping'], slow: ['test/flow/stop.test.ts'] },
  start: { quick: ['test/unit/start'], slow: ['test/flow/start.test.ts'] },
  plan: { quick: ['test/unit/admit'], slow: ['test/flow/order.test.ts', 'test/property/found.test.ts'] },
  claim: {
    quick: ['test/flow/order.test.ts', 'test/unit/claim'],
    slow: ['test/flow/stop.test.ts', 'test/flow/reconcile.test.ts', 'test/property/found.test.ts'],
  },
  calendar: { quick: ['test/unit/schedule', 'test/unit/wallclock'], slow: ['test/flow/schedule.test.ts'] },
  decide: { quick: ['test/unit/schedule'], slow: ['test/flow/schedule.test.ts'] },
  schedule: { quick: ['test/unit/schedule'], slow: ['test/flow/schedule.test.ts'] },
};

const { values } = parseArgs({ options: { only: { type: 'string' }, sample: { type: 'string' } } });
const top = join(dirname(fileURLToPath(import.meta.url)), '../..');
const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
const limitMs = 90_000;

function prepare() {
  const wanted = [
    'shared',
    'sim',
    'functions',
    'cli',
    'infra',
    'docs',
    'test',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ];
  for (const name of wanted) {
    const skip = (from: string) => !from.includes('node_modules');
    cpSync(join(top, name), join(copy, name), { recursive: true, filter: skip });
  }
  mkdirSync(copy, { recursive: true });
  symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'));
}

/** Whether these tests pass; one that never ends has noticed too. */
function passes(tests: string[]): boolean {
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--bail=1', '--reporter=dot', '--passWithNoTests', ...tests];
  return spawnSync(process.execPath, args, { cwd: copy, timeout: limitMs, stdio: 'ignore' }).status === 0;
}

/** A part of them, spread evenly. */
const sampled = (all: Mutant[], most: number): Mutant[] =>
  all.length <= most
    ? all
    : all.filter((_, i) => Math.floor((i * most) / all.length) !== Math.floor(((i - 1) * most) / all.length));

function measure(name: string): { all: number; survivors: Mutant[] } {
  const tests = related[name];
  if (!tests) throw new Error(`no tests are named for ${name}`);
  const file = join(copy, 'shared', `${name}.ts`);
  const source = readFileSync(file, 'utf8');
  if (!passes([...tests.quick, ...tests.slow])) throw new Error(`the tests of ${name} do not pass as it is`);
  const mutants = sampled(mutantsOf(source), Number(values.sample ?? Infinity));
  const survivors = mutants.filter((mutant) => {
    writeFileSync(file, applied(source, mutant));
    return passes(tests.quick) && passes(tests.slow);
  });
  writeFileSync(file, source);
  return { all: mutants.length, survivors };
}

prepare();
try {
  for (const name of values.only?.split(',') ?? Object.keys(related)) {
    const began = Date.now();
    const { all, survivors } = measure(name);
    const score = ((100 * (all - survivors.length)) / all).toFixed(1);
    console.log(
      `${name}.ts: ${all} mutants, ${survivors.length} survived, score ${score} %, ${((Date.now() - began) / 1000).toFixed(0)} s`,
    );
    for (const { line, operator, before, after } of survivors)
      console.log(`  line ${line} (${operator})\n    - ${before.trim()}\n    + ${after.trim()}`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
