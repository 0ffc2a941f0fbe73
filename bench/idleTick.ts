import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { heapOfAFunction, startCluster } from './processes.ts';
import { type Row, row } from './row.ts';
import type { Ticked } from './tick.ts';

/** One tick of reconcileState that finds nothing to do, after one that has set everything right. */
export async function idleTick(vms: number): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  await cluster.furnish({ namespace: 'fleet', count: vms, wukong: { labels: { env: 'dev', bench: 'yes' } } });
  await cluster.schedule('fleet', { start: '0 8 * * 1-5', stop: '0 20 * * 1-5' });
  await new Promise((next) => setTimeout(next, 2_000));
  const execArgv = ['--expose-gc', ...heapOfAFunction];
  const child = fork(fileURLToPath(new URL('tick.ts', import.meta.url)), [], { execArgv });
  const { ms, cpuMs, rssMb } = await new Promise<Ticked>((resolve, reject) => {
    child.once('message', resolve as (answer: unknown) => void);
    child.once('exit', (code) => reject(new Error(`the tick ended (${code})`)));
    child.send(cluster.kubeconfigs['ours'] as string);
  });
  await cluster.end();
  return [
    row('reconcile/idle-tick', ms, 'ms', { vms }),
    row('reconcile/idle-tick/cpu', cpuMs, 'ms', { vms }),
    row('reconcile/idle-tick/rss-mb', rssMb, 'MB', { vms }),
  ];
}
