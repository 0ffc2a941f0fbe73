// `npm run sim -- --kubeconfig-out FILE [--port N]`: the embedded cluster alone, empty, until it is stopped.
import { chmodSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startSim } from './sim.ts';

const { values } = parseArgs({
  options: {
    'kubeconfig-out': { type: 'string' },
    port: { type: 'string', default: '0' },
    operator: { type: 'boolean', default: false },
    limits: { type: 'string', default: 'unlimited' },
    crd: { type: 'string', default: 'extended' },
  },
});
const file = values['kubeconfig-out'];
if (!file) {
  console.error(
    'usage: npm run sim -- --kubeconfig-out FILE [--port N] [--operator] [--limits limited] [--crd original]',
  );
  process.exit(2);
}

const sim = await startSim({
  port: Number(values.port),
  operator: values.operator,
  limits: values.limits === 'limited' ? 'limited' : 'unlimited',
  crd: values.crd === 'original' ? 'original' : 'extended',
});
// A cluster that runs for days must not remember every request.
setInterval(() => sim.requests.splice(0, Math.max(0, sim.requests.length - 10_000)), 60_000).unref();
writeFileSync(file, sim.kubeconfig(), { mode: 0o600 });
chmodSync(file, 0o600); // it may have been there before, open to all
console.log(`the embedded cluster is at ${sim.url}, its kubeconfig in ${file}`);

const stop = () => void sim.close().then(() => process.exit(0));
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
