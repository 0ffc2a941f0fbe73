// The cold start's own part: importing the stopVm bundle in a fresh process, beside client-node alone, bundled in the
// same way but whole. What the bundle leaves out is in infra/aws/bundle.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';

import { options } from '../infra/aws/bundle/options.mjs';
import { lean } from '../infra/aws/bundle/plugin.mjs';
import { type Row, row } from './row.ts';

const top = fileURLToPath(new URL('..', import.meta.url));
const runs = 25;

/** What a program that talks to a cluster uses of client-node. */
const alone = "export { CustomObjectsApi, KubeConfig, Watch } from '@kubernetes/client-node';";

async function bundleBoth(folder: string): Promise<Record<'ours' | 'rival', string>> {
  const [ours, rival] = [join(folder, 'stopVm.mjs'), join(folder, 'clientNode.mjs')];
  const entryPoints = [join(top, 'functions/stopVm/handler.ts')];
  await build({ ...options, entryPoints, outfile: ours, plugins: [lean], logLevel: 'error' });
  const stdin = { contents: alone, resolveDir: top };
  await build({ ...options, stdin, outfile: rival, logLevel: 'error' });
  return { ours, rival };
}

/** Milliseconds, in a process of its own that has imported nothing else. */
function importOnce(file: string): number {
  const code = `const began = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); process.stdout.write(String(performance.now() - began)); process.exit(0);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }));
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** The two in turn, so that a slow moment of the machine meets both. */
export async function importTime(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wukong-bench-'));
  try {
    const { ours, rival } = await bundleBoth(folder);
    const times = { ours: [] as number[], rival: [] as number[] };
    for (let i = 0; i < runs; i++) {
      times.ours.push(importOnce(ours));
      times.rival.push(importOnce(rival));
    }
    const kb = (file: string) => statSync(file).size / 1000;
    const beside = { rival: 'client-node alone' };
    return [
      row('import/stopVm', median(times.ours), 'ms', { ...beside, rivalValue: median(times.rival) }),
      row('import/stopVm', kb(ours), 'kB', { ...beside, rivalValue: kb(rival) }),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
