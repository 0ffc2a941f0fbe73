// `npm run bench [-- --only NAME]`: prints a table and writes bench/results.json. docs/bench.md says what is measured.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { commandLine, wrongUsage } from '../sim/commandLine.ts';
import { limited, patient, platform, unlimited } from './fleets.ts';
import { idleTick } from './idleTick.ts';
import { importTime } from './import.ts';
import { markdown, type Row, table } from './row.ts';
import { evaluations } from './schedule.ts';
import { declaring, resting } from './serve.ts';

const each = (names: string[]) => names.flatMap((name) => [`stop/${name}`, `start/${name}`]);
const sections: { names: string[]; run: () => Promise<Row[]> }[] = [
  { names: ['import/stopVm'], run: importTime },
  { names: ['schedule/evaluations'], run: evaluations },
  {
    names: ['reconcile/idle-tick', 'reconcile/idle-tick/cpu', 'reconcile/idle-tick/rss-mb'],
    run: () => idleTick(20_000),
  },
  { names: ['serve/declared-to-call-p50', 'serve/declared-to-call-p99'], run: () => declaring(5_000) },
  { names: ['cpu', 'rss', 'lists', 'writes'].map((what) => `serve/rest-${what}`), run: () => resting(10_000) },
  {
    names: each(['unlimited/time', 'requests-per-vm', 'bytes-per-vm', 'cpu-ms-per-vm', 'rss-mb']),
    run: () => unlimited([1, 1_000, 10_000]),
  },
  { names: each(['requests-per-vm']), run: () => patient(50) },
  {
    names: each(['limited/time', 'limited/time/schedule', 'limited/time/cli', 'record-p50-ms', 'record-p99-ms']),
    run: () => limited(300),
  },
  { names: each(['limited/time', 'limited/time/schedule', 'limited/time/cli']), run: () => limited(60) },
  { names: ['stop/platform'], run: () => platform(200, 10_000) },
  { names: ['stop/platform'], run: () => platform(200, 50_000) },
];

const name = 'npm run bench --';
const help = `Usage: npm run bench -- [--only NAME]
       npm run bench -- --table

Measures time, requests and memory beside named rivals, prints a table and writes bench/results.json.

  --only NAME  one row, or those that begin with it: unlimited/time, stop
  --table      measures nothing: prints bench/results.json as the table of docs/bench.md
  --help       shows this

Exit code: 0 measured, 1 some were not, 2 wrong usage.
`;
const values = commandLine(name, help, { only: { type: 'string' }, table: { type: 'boolean' } });
const results = fileURLToPath(new URL('results.json', import.meta.url));
if (values.table) {
  console.log(markdown(JSON.parse(readFileSync(results, 'utf8')) as Row[]));
  process.exit();
}
const wanted = (row: string) => values.only === undefined || row === values.only || row.startsWith(`${values.only}/`);
const chosen = sections.filter(({ names }) => names.some(wanted));
if (chosen.length === 0) {
  const names = [...new Set(sections.flatMap((section) => section.names))].sort();
  wrongUsage(name, `--only ${values.only}: expected one of ${names.join(', ')}`);
}
const inOrder = (a: Row, b: Row) => (a.name < b.name ? -1 : a.name > b.name ? 1 : (a.vms ?? 0) - (b.vms ?? 0));
const rows: Row[] = [];
for (const { names, run } of chosen) {
  try {
    const mine = (await run()).filter((row) => wanted(row.name));
    rows.push(...mine);
    process.stderr.write(`${table(mine)}\n`);
  } catch (thrown) {
    // The others are measured all the same: the whole takes half an hour.
    process.exitCode = 1;
    process.stderr.write(`${names.join(', ')}: not measured: ${(thrown as Error).message}\n`);
  }
  writeFileSync(results, `${JSON.stringify(rows.toSorted(inOrder), null, 2)}\n`);
}
process.stdout.write(`${table(rows.toSorted(inOrder))}\n`);
