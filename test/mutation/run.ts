/**
 * npm run test:mutation -- [--only stop,plan] [--quick] [--out file.md] [--left file.json] [--tests a.test.ts,b.test.ts]
 * Changes the decisions in shared/ one expression at a time, in a copy of the tree, and looks whether a test notices.
 * Prints what became of the mutants of each file, each survivor, and a table. `--quick` leaves the stories out.
 * `--left` keeps the survivors of each file; while that stays as it is, the next run tries these alone. With `--tests`
 * a new test is asked what it notices.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { type Explained, explained } from './explained.ts';
import { measure, type Measured } from './measure.ts';
import { type Related, related } from './related.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    left: { type: 'string' },
    tests: { type: 'string' },
  },
});
const names = values.only?.split(',') ?? Object.keys(related);
const top = join(dirname(fileURLToPath(import.meta.url)), '../..');
const copied = 'shared sim functions cli infra docs test package.json tsconfig.json vitest.config.ts'.split(' ');

function copyOf(tree: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'mutation-'));
  const filter = (from: string) => !from.includes('node_modules');
  for (const name of copied) cpSync(join(tree, name), join(copy, name), { recursive: true, filter });
  symlinkSync(join(tree, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** By the name of a file: its text, and which of its mutants are left. */
type Left = Record<string, { source: string; left: number[] }>;
const known = values.left && existsSync(values.left) ? (JSON.parse(readFileSync(values.left, 'utf8')) as Left) : {};
const sourceOf = (name: string) => readFileSync(join(top, 'shared', `${name}.ts`), 'utf8');
const leftOf = (name: string) => (known[name]?.source === sourceOf(name) ? known[name].left : undefined);
function keepLeft(name: string, left: number[]): void {
  known[name] = { source: sourceOf(name), left };
  if (values.left) writeFileSync(values.left, JSON.stringify(known));
}

function testsOf(name: string): Related {
  const tests = values.tests ? { quick: values.tests.split(','), stories: [] } : related[name];
  if (!tests) throw new Error(`no tests are named for ${name} in test/mutation/related.ts`);
  return values.quick ? { ...tests, stories: [] } : tests;
}

const explains =
  (name: string, { before, after }: { before: string; after: string }) =>
  (one: Explained) =>
    one.file === name && one.before === before && one.after === after;

interface Row {
  name: string;
  all: number;
  killed: number;
  timedOut: number;
  explained: number;
  survived: number;
}
const score = ({ all, explained, survived }: Row): string =>
  `${((100 * (all - explained - survived)) / Math.max(1, all - explained)).toFixed(1)} %`;

function report(name: string, { all, timedOut, survivors }: Measured, seconds: number): Row {
  const reasoned = survivors.filter((mutant) => explained.some(explains(name, mutant)));
  const open = survivors.filter((mutant) => !reasoned.includes(mutant));
  const killed = all - timedOut - survivors.length;
  const row = { name, all, killed, timedOut, explained: reasoned.length, survived: open.length };
  console.log(
    `${name}.ts: ${all} mutants, ${killed} killed, ${timedOut} timed out, ${reasoned.length} explained, ` +
      `${open.length} survived, score ${score(row)}, ${seconds.toFixed(0)} s`,
  );
  for (const { line, operator, before, after } of open)
    console.log(`  shared/${name}.ts:${line} ${operator}\n    - ${before}\n    + ${after}`);
  return row;
}

const cells = (row: Row) => [row.all, row.killed, row.timedOut, row.explained, row.survived, score(row)].join(' | ');
function tableOf(rows: Row[]): string {
  const keys = ['all', 'killed', 'timedOut', 'explained', 'survived'] as const;
  const sum = Object.fromEntries(keys.map((key) => [key, rows.reduce((total, row) => total + row[key], 0)]));
  return [
    '| file | mutants | killed | timed out | explained | survived | score |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map((row) => `| shared/${row.name}.ts | ${cells(row)} |`),
    `| all | ${cells(sum as unknown as Row)} |`,
  ].join('\n');
}

// Whoever else works on this machine comes first.
setPriority(10);
const copy = copyOf(top);
try {
  const rows: Row[] = [];
  const seen: Explained[] = [];
  for (const name of names) {
    const began = Date.now();
    const measured = await measure(copy, name, testsOf(name), leftOf(name));
    keepLeft(name, measured.left);
    rows.push(report(name, measured, (Date.now() - began) / 1000));
    seen.push(...explained.filter((one) => measured.survivors.some((mutant) => explains(name, mutant)(one))));
  }
  const table = tableOf(rows);
  console.log(`\n${table}`);
  if (values.out) writeFileSync(values.out, `${table}\n`);
  const idle = explained.filter((one) => names.includes(one.file) && !seen.includes(one));
  for (const { file, before, after } of idle)
    console.log(`explained.ts: no survivor of ${file}.ts is\n    - ${before}\n    + ${after}`);
  process.exitCode = idle.length > 0 ? 1 : 0;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
