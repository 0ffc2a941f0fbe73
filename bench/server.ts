// `wukong serve` over a cluster of a process of its own: how soon it acts, and what it costs at rest. Spoken to over IPC.
import { setFlagsFromString } from 'node:v8';

import { readConfig } from '../shared/cluster/config.ts';
import { credentialsOf, parseKubeConfig } from '../shared/cluster/credentials.ts';
import { transportTo } from '../shared/cluster/transport.ts';
import { serve } from '../shared/entry/serve.ts';
import { silentLog } from '../shared/report/log.ts';
import { prometheusMetrics } from '../shared/report/prometheus.ts';
import { systemClock } from '../shared/time/clock.ts';

export interface Cost {
  cpuMs: number;
  rssMb: number;
}

process.once('disconnect', () => process.exit()); // nobody is left who would end it
process.on('message', (order: string) => {
  if (order !== 'cost') return void begin(order);
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 } satisfies Cost);
});

async function begin(kubeconfig: string): Promise<void> {
  setFlagsFromString('--heap-growing-percent=30'); // as cli/commands/serve.ts
  const metrics = prometheusMetrics();
  const clock = systemClock;
  const transport = transportTo(await credentialsOf(parseKubeConfig(kubeconfig)), clock, Math.random);
  const config = { ...readConfig({}), lifecycleNamespace: 'fleet' };
  const world = { config, clock, random: Math.random, log: silentLog, metrics, transport };
  let port = 0;
  const { signal } = new AbortController();
  const listening = (found: number) => (port = found);
  void serve(world, { port: 0, host: '127.0.0.1', audience: 'bench', metrics, signal, listening });
  for (;;) {
    await new Promise((next) => setTimeout(next, 200));
    if (port === 0) continue;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    if (/^wukong_ticks_done_total [1-9]/m.test(text)) return void process.send?.('ready');
  }
}
