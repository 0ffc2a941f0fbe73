// npm run test:fuzz -- --runs N [--seed N]: hostile input at every way in; prints what it was like.
import { parseArgs } from 'node:util';

import { rights } from './apiSurfaces.ts';
import { fuzz, tableOf } from './fuzz.ts';
import { feedLarge, type Large } from './large.ts';
import { newerRights } from './newerSurfaces.ts';
import { surfaces } from './surfaces.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string' } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
const done = await fuzz(Number(values.runs), seed);
console.log(tableOf(done));
console.log(`${done.reduce((sum, { runs }) => sum + runs, 0)} inputs: no unhandled error, no call`);

// The promise: median under 5 ms, and nothing of a megabyte above 200 ms.
const slow = done
  .filter(({ median }) => median >= 5)
  .map(({ name, median }) => `${name}: median ${median.toFixed(1)} ms`);
const large: Large[] = [];
const all = { ...rights, ...newerRights };
for (const surface of surfaces.filter(({ name }) => name in all))
  large.push(await feedLarge(surface, all[surface.name]));
for (const { name, inputs, slowest, with: what } of large) {
  console.log(`${name.padEnd(28)}${String(inputs).padStart(8)} megabytes, slowest ${slowest.toFixed(1)} ms: ${what}`);
  if (slowest >= 200) slow.push(`${name}: ${slowest.toFixed(1)} ms for ${what}`);
}
for (const one of slow) console.error(`too slow: ${one}`);
process.exitCode = slow.length > 0 ? 1 : 0;
