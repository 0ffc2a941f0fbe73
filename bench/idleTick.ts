import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { startCluster } from './processes.ts';
import { type Row, row } from './row.ts';

/** One tick of reconcileState that finds nothing to do, after one that has set everything right. */
export async function idleTick(vms: number): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  await cluster.furnish({ namespace: 'fleet', count: vms, wukong: { labels: { env: 'dev' } } });
  await new Promise((next) => setTimeout(next, 2_000));
  const child = fork(fileURLToPath(new URL('tick.ts', import.meta.url)));
  const ms = await new Promise<number>((resolve, reject) => {
    child.once('message', (answer: { ms: number }) => resolve(answer.ms));
    child.once('exit', (code) => reject(new Error(`the tick ended (${code})`)));
    child.send(cluster.kubeconfigs['ours'] as string);
  });
  await cluster.end();
  return [row('reconcile/idle-tick', ms, 'ms', { vms })];
}
