/**
 * npm run test:property -- [--histories | --upgrades | --wide | --versions | --noninterference] [--runs N]
 *   [--seed S [--path P]] [--workers W]
 * Random histories against the model: of one Wukong (2,000), the same with an upgrade from version 0.1.0 in the middle
 * (1,000), of several for some hours (500), the same while version 0.1.0 acts too (200), and of one tenant beside a
 * hostile one (20,000); one process for each worker. Those with version 0.1.0 take it out of the history of this
 * repository, and are lived through only when they are asked for. Without a seed, others every time. What is found is
 * made small, and told with how to live through it again.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { explore, exploreUpgrades, tellOf } from './explore.ts';
import { interference, interferenceText, tiesText } from './noninterference.ts';
import { exploreMixed, exploreWide, wideText } from './wide.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'boolean', default: false },
    noninterference: { type: 'boolean', default: false },
    upgrades: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    versions: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    workers: { type: 'string' },
  },
});

interface Given {
  runs: number;
  seed: number;
  path: string | undefined;
  lived: (histories: number) => void;
}
/** How often, how often that is told, what is so when nothing is found; what was found. */
const kinds = {
  histories: {
    ...{ runs: 2_000, every: 5_000, well: 'nothing contradicts the model' },
    live: async (given: Given) => explore(given).then((found) => found && tellOf(found)),
  },
  upgrades: {
    ...{ runs: 1_000, every: 1_000, well: 'nothing contradicts the model' },
    live: async (given: Given) => exploreUpgrades(given).then((found) => found && tellOf(found, 'upgrades')),
  },
  wide: {
    ...{ runs: 500, every: 100, well: 'nothing contradicts the model' },
    live: async (given: Given) => exploreWide(given).then((found) => found && wideText(found)),
  },
  versions: {
    ...{ runs: 200, every: 100, well: 'nothing contradicts the model' },
    live: async (given: Given) => exploreMixed(given).then((found) => found && wideText(found, 'versions')),
  },
  noninterference: {
    ...{ runs: 20_000, every: 5_000, well: 'no tenant notices its neighbour' },
    live: async ({ lived, ...given }: Given) =>
      interference({ ...given, onLived: lived }).then((searched) => {
        console.log(tiesText(searched));
        return interferenceText(searched);
      }),
  },
};
type Kind = keyof typeof kinds;

const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const began = Date.now();
const runsOf = (kind: Kind) => Number(values.runs ?? kinds[kind].runs);

/** All of one kind in this process; whether nothing was found. */
async function liveHere(kind: Kind): Promise<boolean> {
  const runs = runsOf(kind);
  const { every, well, live } = kinds[kind];
  const lived = (histories: number) => {
    if (histories % every > 0 || histories >= runs) return;
    const minutes = ((Date.now() - began) / 60_000).toFixed(0);
    process.stderr.write(`seed ${seed}: ${histories} of ${runs} histories, ${minutes} min\n`);
  };
  const found = await live({ runs, seed, path: values.path, lived });
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
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

const all = Object.keys(kinds) as Kind[];
const named = all.filter((kind) => values[kind]);
const usual: Kind[] = values.path ? ['histories'] : all.filter((kind) => kind !== 'versions' && kind !== 'upgrades');
let well = true;
for (const kind of named.length > 0 ? named : usual) {
  const workers = values.path ? 1 : Math.min(Number(values.workers ?? availableParallelism()), runsOf(kind));
  well = (workers === 1 ? await liveHere(kind) : await liveApart(kind, workers)) && well;
}
process.exitCode = well ? 0 : 1;
