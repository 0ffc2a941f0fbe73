// Ticks of reconcileState in a process of its own: one to set everything right, then the median of three that find nothing.
import { credentialsOf, parseKubeConfig } from '../shared/cluster/credentials.ts';
import { connect } from '../shared/entry/connect.ts';
import { growHeapForTicks } from '../shared/reconcile/heap.ts';
import { reconcile } from '../shared/reconcile/reconcile.ts';
import { silentLog } from '../shared/report/log.ts';
import { silentMetrics } from '../shared/report/metrics.ts';

export interface Ticked {
  ms: number;
  cpuMs: number;
  /** The highest above the idle process. */
  rssMb: number;
}

process.once('message', (kubeconfig: string) => {
  void (async () => {
    growHeapForTicks(); // as functions/reconcileState/handler.ts
    const credentials = await credentialsOf(parseKubeConfig(kubeconfig));
    const world = await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials });
    const tick = () => reconcile(world, { deadline: Date.now() + 300_000 });
    global.gc?.();
    const idle = process.memoryUsage.rss();
    const { problems } = await tick();
    if (problems.length > 0) throw new Error(problems[0]);
    const ticks: { ms: number; cpuMs: number }[] = [];
    for (let i = 0; i < 3; i++) {
      const [began, cpu] = [performance.now(), process.cpuUsage()];
      const { repaired, outcomes } = await tick();
      if (repaired > 0 || outcomes.length > 0) throw new Error('the tick was not idle');
      const used = process.cpuUsage(cpu);
      ticks.push({ ms: performance.now() - began, cpuMs: (used.user + used.system) / 1000 });
    }
    const middle = ticks.sort((a, b) => a.cpuMs - b.cpuMs)[1]!;
    process.send?.({ ...middle, rssMb: (process.resourceUsage().maxRSS * 1024 - idle) / 2 ** 20 } satisfies Ticked);
    setTimeout(() => process.exit(0), 50);
  })();
});
