import fc from 'fast-check';
import { histories } from './history.ts';
import { nextGround, leave } from './ground.ts';
import { live } from './life.ts';
import { Traffic } from '../../sim/traffic.ts';
const orig = Traffic.prototype.served;
const log: string[] = [];
const q = (Traffic.prototype as any).quiet;
let last: any;
(Traffic.prototype as any).quiet = function () {
  last = this;
  return q.call(this);
};
Traffic.prototype.served = function (id: string | undefined) {
  const life = orig.call(this, id);
  log.push(`served ${id}`);
  return Object.fromEntries(
    Object.entries(life).map(([k, f]) => [
      k,
      (...a: []) => {
        if (k !== 'sent') log.push(`${k} ${id}`);
        return (f as any)(...a);
      },
    ]),
  ) as any;
};
const h = fc.sample(histories, { numRuns: 150, seed: 9 })[14]!;
const g = await nextGround();
setTimeout(() => {
  console.log(log.slice(-25).join('\n'), g.sim.requests.length, q.call(last), (last as any).dump?.());
  process.exit(1);
}, 5000);
await live(g, h);
console.log('ok');
await leave();
process.exit(0);
