// npm run test:fuzz -- --runs N [--seed N]: hostile input at every way in; prints what it was like.
import { parseArgs } from 'node:util';

import { fuzz, tableOf } from './fuzz.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string' } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
const done = await fuzz(Number(values.runs), seed);
console.log(tableOf(done));
console.log(`${done.reduce((sum, { runs }) => sum + runs, 0)} inputs: no unhandled error, no call`);
