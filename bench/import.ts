// The cold start's own part: importing the stopVm bundle in a fresh process, beside client-node alone, bundled in the
// same way but whole. What the bundle leaves out is in infra/aws/bundle.
import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { bundle } from '../infra/aws/bundle/bundle.ts';
import { type Row, row } from './row.ts';

const runs = 25;

/** What a program that talks to a cluster uses of client-node. */
const alone = "export { CustomObjectsApi, KubeConfig, Watch } from '@kubernetes/client-node';";

/** Milliseconds, in a process of its own that has imported nothing else. */
function importOnce(file: string): number {
  const code = `const began = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); process.stdout.write(String(performance.now() - began)); process.exit(0);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The two in turn, so that a slow moment of the machine meets both. */
export async function importTime(): Promise<Row[]> {
  const ours = await bundle({ file: 'functions/stopVm/handler.ts' });
  const rival = await bundle({ code: alone }, { whole: true });
  const times = { ours: [] as number[], rival: [] as number[] };
  for (let i = 0; i < runs; i++) {
    times.ours.push(importOnce(ours));
    times.rival.push(importOnce(rival));
  }
  // With what is imported later.
  const kb = (file: string) =>
    globSync(join(dirname(file), '*.mjs')).reduce((sum, one) => sum + statSync(one).size, 0) / 1000;
  const beside = { rival: 'client-node alone' };
  return [
    row('import/stopVm', median(times.ours), 'ms', { ...beside, rivalValue: median(times.rival) }),
    row('import/stopVm', kb(ours), 'kB', { ...beside, rivalValue: kb(rival) }),
  ];
}
