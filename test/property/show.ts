import { nextGround, leave } from './ground.ts';
import { live } from './life.ts';
import { verdict } from './verdict.ts';
const h = JSON.parse(process.argv[2]!);
const g = await nextGround();
const s = await live(g, h);
const t = (n: number | string) => ((typeof n === 'number' ? n : Date.parse(n)) - s.begin) / 1000;
console.log(verdict(h, s));
console.log('end', t(s.end), 'quiet', s.quietAfter, s.problems);
for (const w of s.wishes) console.log('wish', w.id, w.kind, w.action, t(w.at), t(w.from), t(w.to));
for (const r of g.sim.requests)
  if (!(r.method === 'GET' && !r.watch && process.argv[3] !== 'all'))
    console.log(t(r.at), r.method, r.path.split('/').slice(4).join('/'), r.status, r.watch ? 'W' : '');
for (const r of s.returned)
  console.log(
    'returned',
    t(r.finishedAt),
    r.requestId,
    r.action,
    r.outcome,
    'reason' in r ? r.reason : '',
    r.message,
    r.quiet ?? '',
  );
for (const e of s.told) console.log('bus', t(e.time), e.type, JSON.stringify(e.detail).slice(0, 300));
for (const e of s.events) console.log('event', e.reason, e.message);
console.log(
  JSON.stringify(s.after.wukong.metadata.annotations, null, 1),
  JSON.stringify(s.after.wukong.status?.lifecycleState),
  JSON.stringify(s.after.wukong.spec),
);
console.log(JSON.stringify(s.after.vm.spec).slice(0, 60), s.after.vmi?.status?.phase);
await leave();
