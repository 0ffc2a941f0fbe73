/**
 * npm run test:property -- [--histories | --noninterference] [--runs N] [--seed S [--path P]] [--workers W]
 * Random histories against the model (2,000), and of one tenant beside a hostile one (20,000); one process for each
 * worker. Without a seed, others every time. What is found is made small, and told with how to live through it again.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { explore, tellOf } from './explore.ts';
import { interference, interferenceText } from './noninterference.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'boolean', default: false },
    noninterference: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    workers: { type: 'string' },
  },
});
type Kind = 'histories' | 'noninterference';
const named = (['histories', 'noninterference'] as const).filter((kind) => values[kind]);
const all: Kind[] = values.path ? ['histories'] : ['histories', 'noninterference'];
const kinds = named.length > 0 ? named : all;
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const runsOf = (kind: Kind) => Number(values.runs ?? (kind === 'histories' ? 2_000 : 20_000));
const workersFor = (kind: Kind) =>
  values.path ? 1 : Math.min(Number(values.workers ?? availableParallelism()), runsOf(kind));

const began = Date.now();
const tellEvery = 5_000;

/** All of one kind in this process; whether nothing was found. */
async function liveHere(kind: Kind): Promise<boolean> {
  const runs = runsOf(kind);
  const lived = (histories: number) => {
    if (histories % tellEvery > 0 || histories >= runs) return;
    const minutes = ((Date.now() - began) / 60_000).toFixed(0);
    process.stderr.write(`seed ${seed}: ${histories} of ${runs} histories, ${minutes} min\n`);
  };
  const given = { runs, seed, path: values.path };
  const found =
    kind === 'histories'
      ? await explore({ ...given, lived }).then((one) => one && tellOf(one))
      : await interference({ ...given, onLived: lived }).then((one) => one && interferenceText(one));
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  const well = kind === 'histories' ? 'nothing contradicts the model' : 'no tenant notices its neighbour';
  console.log(found ?? `${runs} histories from seed ${seed}: ${well}, ${seconds} s`);
  return found === undefined;
}

/** The same, shared among processes; each with a seed of its own. */
async function liveApart(kind: Kind, workers: number): Promise<boolean> {
  const runs = runsOf(kind);
  const codes = Array.from({ length: workers }, (_, i) => {
    const share = Math.floor(((i + 1) * runs) / workers) - Math.floor((i * runs) / workers);
    const given = [`--${kind}`, '--runs', `${share}`, '--seed', `${seed + i}`, '--workers', '1'];
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...given], { stdio: 'inherit' });
    return new Promise<number | null>((resolve) => child.on('exit', resolve));
  });
  return (await Promise.all(codes)).every((code) => code === 0);
}

let well = true;
for (const kind of kinds) {
  const workers = workersFor(kind);
  well = (workers === 1 ? await liveHere(kind) : await liveApart(kind, workers)) && well;
}
process.exitCode = well ? 0 : 1;
