/**
 * npm run test:property -- [--wide | --noninterference] [--runs N] [--seed S [--path P]] [--workers W]
 * Random histories against the model: of one Wukong, of several for some hours (--wide), or of one tenant beside a hostile
 * one; one process for each worker. Without a seed, others every time.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { explore, tellOf } from './explore.ts';
import { interference, interferenceText } from './noninterference.ts';
import { exploreWide, wideText } from './wide.ts';

const { values } = parseArgs({
  options: {
    noninterference: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    workers: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const beside = values.noninterference;
const { wide } = values;
const runs = Number(values.runs ?? (beside ? 20_000 : wide ? 500 : 2_000));
const workers = values.path ? 1 : Math.min(Number(values.workers ?? availableParallelism()), runs);

const interferenceTold = async (given: Parameters<typeof interference>[0]) => {
  const found = await interference(given);
  return found && interferenceText(found);
};

const began = Date.now();
const tellEvery = wide ? 100 : 5_000;
function tellProgress(histories: number) {
  if (histories % tellEvery > 0 || histories >= runs) return;
  const minutes = ((Date.now() - began) / 60_000).toFixed(0);
  process.stderr.write(`seed ${seed}: ${histories} of ${runs} histories, ${minutes} min\n`);
}

if (workers === 1) {
  const given = { runs, seed, path: values.path, lived: tellProgress };
  const told = beside
    ? await interferenceTold({ ...given, onLived: tellProgress })
    : wide
      ? await exploreWide(given).then((found) => found && wideText(found))
      : await explore(given).then((found) => found && tellOf(found));
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  console.log(
    told ??
      `${runs} histories from seed ${seed}: ${beside ? 'no tenant notices its neighbour' : 'nothing contradicts the model'}, ${seconds} s`,
  );
  process.exitCode = told ? 1 : 0;
} else {
  const codes = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const share = Math.floor(((i + 1) * runs) / workers) - Math.floor((i * runs) / workers);
      const given = [
        ...(beside ? ['--noninterference'] : wide ? ['--wide'] : []),
        '--runs',
        `${share}`,
        '--seed',
        `${seed + i}`,
        '--workers',
        '1',
      ];
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...given], { stdio: 'inherit' });
      return new Promise<number | null>((resolve) => child.on('exit', resolve));
    }),
  );
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
}
