import fc from 'fast-check';
import { histories } from './history.ts';
import { nextGround, leave } from './ground.ts';
import { live } from './life.ts';
import { verdict } from './verdict.ts';
const n = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? 1);
const t0 = Date.now();
const seen = new Map<string, number>();
let i = 0;
for (const h of fc.sample(histories, { numRuns: n, seed })) {
  const g = await nextGround();
  const s = await live(g, h);
  const v = verdict(h, s);
  for (const x of new Set(v.map((y) => y.replace(/request-\d+|\d+/g, 'N').slice(0, 90)))) {
    seen.set(x, (seen.get(x) ?? 0) + 1);
    if ((seen.get(x) ?? 0) <= 1) console.log(i, x, '\n', JSON.stringify(h), '\n', v.join('\n'));
  }
  i++;
}
console.log((Date.now() - t0) / n, 'ms');
console.log([...seen].sort((a, b) => b[1] - a[1]));
await leave();
