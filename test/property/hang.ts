import fc from 'fast-check';
import { histories } from './history.ts';
import { nextGround, leave } from './ground.ts';
import { live } from './life.ts';
const n = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? 1);
let i = 0;
for (const h of fc.sample(histories, { numRuns: n, seed })) {
  const g = await nextGround();
  const t = setTimeout(() => {
    console.log(g.sim.quiet(), process.getActiveResourcesInfo());
    console.log(i, JSON.stringify(h));
    console.log(new Date(g.clock.now()).toISOString(), g.clock.pending, g.sim.requests.length);
    console.log(
      g.sim.requests
        .slice(-12)
        .map(
          (r) => `${new Date(r.at).toISOString()} ${r.method} ${r.path} ${r.query.slice(0, 40)} ${r.status} ${r.watch}`,
        )
        .join('\n'),
    );
    process.exit(1);
  }, 8000);
  await live(g, h);
  clearTimeout(t);
  i++;
}
await leave();
