/**
 * npm run test:property -- [--runs N] [--seed S [--path P]] [--workers W]
 * Random histories against the model; one process for each worker. Without a seed, others every time.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { explore, tellOf } from './explore.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    workers: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const runs = Number(values.runs);
const workers = values.path ? 1 : Math.min(Number(values.workers ?? availableParallelism()), runs);

const began = Date.now();
const tellEvery = 5_000;
function tellProgress(histories: number) {
  if (histories % tellEvery > 0 || histories >= runs) return;
  const minutes = ((Date.now() - began) / 60_000).toFixed(0);
  process.stderr.write(`seed ${seed}: ${histories} of ${runs} histories, ${minutes} min\n`);
}

if (workers === 1) {
  const finding = await explore({ runs, seed, path: values.path, lived: tellProgress });
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  console.log(
    finding ? tellOf(finding) : `${runs} histories from seed ${seed}: nothing contradicts the model, ${seconds} s`,
  );
  process.exitCode = finding ? 1 : 0;
} else {
  const codes = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const share = Math.floor(((i + 1) * runs) / workers) - Math.floor((i * runs) / workers);
      const given = ['--runs', `${share}`, '--seed', `${seed + i}`, '--workers', '1'];
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...given], { stdio: 'inherit' });
      return new Promise<number | null>((resolve) => child.on('exit', resolve));
    }),
  );
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
}
