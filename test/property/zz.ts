import { readFileSync } from 'node:fs';

import { liveWide } from './wideStory.ts';
const lines = readFileSync('/tmp/long/w13.log', 'utf8')
  .split('\n')
  .filter((l) => l.startsWith('the wide history: '))
  .map((l) => JSON.parse(l.slice(18)));
const which = Number(process.argv[2]);
const t = await liveWide(lines[which]);
const d = (x: number) => new Date(x).toISOString();
for (const c of t.witness.counted) console.log(d(c.at), c.key, c.requestId, c.action, c.outcome, c.reason);
for (const c of t.accepted) console.log('acc', d(c.at), c.key, c.verb);
for (const [at, s] of t.sights) console.log('sight', d(at), JSON.stringify([...s].map(([k, v]) => [k, v.power])));
console.log(t.written);
for (const w of t.wukongs)
  console.log(w.metadata.name, JSON.stringify(w.metadata.annotations), JSON.stringify(w.status?.lifecycleState));
for (const r of t.runs) console.log(JSON.stringify(r.status));
console.log(d(t.end));
process.exit(0);
