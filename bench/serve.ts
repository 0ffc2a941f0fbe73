import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { bundle } from '../infra/aws/bundle/bundle.ts';
import { type ClusterProcess, startCluster } from './processes.ts';
import { type Row, row, table } from './row.ts';
import type { Cost } from './server.ts';

const restMs = 60_000;
const declared = 200;

/** The server, once its first whole tick is over and has written what statuses did not say. */
async function started(cluster: ClusterProcess): Promise<ChildProcess> {
  const child = fork(await bundle({ file: 'bench/server.ts' }), [], { execArgv: ['--max-semi-space-size=2'] });
  const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended (${code})`)));
  failed.catch(() => {});
  child.send(cluster.kubeconfigs['ours'] as string);
  await Promise.race([once(child, 'message'), failed]);
  await new Promise((next) => setTimeout(next, 5_000));
  return child;
}

async function costOf(child: ChildProcess): Promise<Cost> {
  const answer = once(child, 'message');
  child.send('cost');
  return (await answer)[0] as Cost;
}

/** From a declared action to its power call, with so many Wukongs beside it. */
export async function declaring(vms: number): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  await cluster.furnish({ namespace: 'fleet', count: vms, wukong: { runStrategy: 'Halted' } });
  const child = await started(cluster);
  // The first tick of an installation writes every status, as fast as the API server takes it: that is not measured.
  await cluster.awaitStates('fleet', vms);
  const waits = await cluster.declare('fleet', declared);
  child.kill();
  await cluster.end();
  const at = (share: number) => waits[Math.ceil(share * waits.length) - 1]!;
  return [
    row('serve/declared-to-call-p50', at(0.5), 'ms', { vms }),
    row('serve/declared-to-call-p99', at(0.99), 'ms', { vms }),
  ];
}

/** A minute in which nothing happens. */
export async function resting(vms: number): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  await cluster.furnish({ namespace: 'fleet', count: vms, wukong: { runStrategy: 'Halted' } });
  const child = await started(cluster);
  // The first ticks write what no status says yet; the one after them finds nothing to do.
  await cluster.awaitStates('fleet', vms);
  await new Promise((next) => setTimeout(next, restMs));
  await cluster.begin();
  const before = await costOf(child);
  await new Promise((next) => setTimeout(next, restMs));
  const after = await costOf(child);
  const { kinds } = await cluster.figures('ours');
  child.kill();
  await cluster.end();
  return [
    row('serve/rest-cpu', (100 * (after.cpuMs - before.cpuMs)) / restMs, '% of a core', { vms }),
    row('serve/rest-rss', after.rssMb, 'MB', { vms }),
    row('serve/rest-lists', kinds.lists, 'requests', { vms }),
    row('serve/rest-writes', kinds.writes, 'requests', { vms }),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , what = 'declaring', vms = '5000'] = process.argv;
  console.log(table(what === 'resting' ? await resting(Number(vms)) : await declaring(Number(vms))));
}
