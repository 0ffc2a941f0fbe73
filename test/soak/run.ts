/**
 * npm run test:soak -- [--days N] [--vms N] [--tick-minutes N]
 * Days of virtual time in one process: a fleet with schedules, one-off commands and all faults at a low rate. At the end
 * of each day memory, connections and timers are measured; they must not grow. Needs --expose-gc, which the script gives.
 */
import { parseArgs } from 'node:util';

import { Soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    vms: { type: 'string', default: '300' },
    'tick-minutes': { type: 'string', default: '1' },
  },
});
const days = Number(values.days);
const began = Date.now();
const soak = await Soak.open(Number(values.vms), Number(values['tick-minutes']));
console.log(
  [
    'day',
    'heap MB',
    'RSS MB',
    'sockets',
    'timers',
    'ticks',
    'requests',
    'faults',
    'outcomes',
    'failed',
    'minutes',
  ].join('\t'),
);
const measures = [];
for (let day = 1; day <= days; day++) {
  const measure = await soak.day();
  measures.push(measure);
  const { heapMb, rssMb, sockets, timers, ticks, requests, faults, outcomes, failed } = measure;
  const minutes = ((Date.now() - began) / 60_000).toFixed(1);
  console.log(
    [
      day,
      heapMb.toFixed(1),
      rssMb.toFixed(0),
      sockets,
      timers,
      ticks,
      requests,
      faults,
      outcomes,
      failed,
      minutes,
    ].join('\t'),
  );
}
const left = await soak.close();
const wrong = [...soak.judge(measures), ...left];
console.log(wrong.length === 0 ? 'memory flat, connections flat, nothing left' : wrong.join('\n'));
process.exitCode = wrong.length === 0 ? 0 : 1;
