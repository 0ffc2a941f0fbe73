import type { Action } from '../shared/domain/outcome.ts';
import type { Figures } from './cluster.ts';
import type { Finish, Race } from './contender.ts';
import { type ClusterProcess, race, startCluster } from './processes.ts';
import { type Row, row } from './row.ts';

type Measured = Finish & Figures;

/** A fleet that did not come to its end is no figure. */
async function measured(cluster: ClusterProcess, vms: number, what: Omit<Race, 'kubeconfig'>): Promise<Measured> {
  const kubeconfig = cluster.kubeconfigs[what.contender] ?? cluster.kubeconfig;
  await cluster.begin();
  const finish = await race({ ...what, kubeconfig });
  const done = { ...finish, ...(await cluster.figures(what.contender)) };
  const expected = what.action === 'stop' ? 'Stopped' : 'Started';
  if (what.contender === 'ours' && done.counts[expected] !== vms)
    throw new Error(`${what.action} of ${vms} came to ${JSON.stringify(done.counts)}`);
  return done;
}

const percentile = (sorted: number[], part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? NaN;

/** As the real control plane was measured, against each rival; guests that take two seconds to go. */
export async function limited(vms: number): Promise<Row[]> {
  const cluster = await startCluster('limited');
  const guest = { 'shutdown-seconds': '2' };
  await cluster.furnish({ namespace: 'fleet', count: vms, wukong: { guest } });
  await cluster.furnish({ namespace: 'manual', count: vms, wukong: { guest, runStrategy: 'Manual' } });
  const done = new Map<string, Measured>();
  for (const contender of ['ours', 'bare', 'virtctl', 'original'] as const)
    for (const action of ['start', 'stop'] as const) {
      const namespace = contender === 'original' ? 'manual' : 'fleet';
      done.set(`${contender} ${action}`, await measured(cluster, vms, { contender, namespace, action }));
      await cluster.awaitOn(namespace, action === 'start' ? vms : 0);
    }
  await cluster.end();
  const of = (contender: string, action: Action) => done.get(`${contender} ${action}`) as Measured;
  const rows: Row[] = [];
  for (const action of ['stop', 'start'] as const) {
    const { ms, recordMs } = of('ours', action);
    for (const rival of ['original', 'virtctl', 'bare'])
      rows.push(row(`${action}/limited/time`, ms / 1000, 's', { vms, rival, rivalValue: of(rival, action).ms / 1000 }));
    rows.push(row(`${action}/record-p50-ms`, percentile(recordMs, 0.5), 'ms', { vms }));
    rows.push(row(`${action}/record-p99-ms`, percentile(recordMs, 0.99), 'ms', { vms }));
  }
  return rows;
}

/** A control plane without limits and guests without patience: what remains is our own cost. */
export async function unlimited(sizes: number[]): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  const guest = { 'shutdown-seconds': '0.1', 'boot-seconds': '0.1' };
  const env = { POWER_CALLS_PER_SECOND: '1000' };
  const largest = Math.max(...sizes);
  const rows: Row[] = [];
  for (const vms of sizes) {
    const namespace = `fleet-${vms}`;
    await cluster.furnish({ namespace, count: vms, wukong: { guest } });
    for (const action of ['start', 'stop'] as const) {
      const command = { maxInFlight: 200 };
      const done = await measured(cluster, vms, { contender: 'ours', namespace, action, env, command });
      await cluster.awaitOn(namespace, action === 'start' ? vms : 0);
      rows.push(row(`${action}/unlimited/time`, done.ms / 1000, 's', { vms }));
      if (vms !== largest) continue;
      rows.push(
        row(`${action}/requests-per-vm`, done.requests / vms, 'requests', { vms }),
        row(`${action}/bytes-per-vm`, done.bytes / vms, 'bytes', { vms }),
        row(`${action}/cpu-ms-per-vm`, done.cpuMs / vms, 'ms', { vms }),
        row(`${action}/rss-mb`, done.rssMb, 'MB', { vms }),
      );
    }
  }
  await cluster.end();
  return rows;
}

/** Guests that take thirty seconds to go: what polling costs. */
export async function patient(vms: number): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  const guest = { 'shutdown-seconds': '30', 'boot-seconds': '30' };
  const wukong = { guest, runStrategy: 'Manual', terminationGracePeriodSeconds: 60 } as const;
  const contenders = ['ours', 'original'] as const;
  for (const namespace of contenders) await cluster.furnish({ namespace, count: vms, wukong });
  const rows: Row[] = [];
  for (const action of ['start', 'stop'] as const) {
    await cluster.begin();
    const racing = contenders.map((contender) =>
      race({ contender, namespace: contender, action, kubeconfig: cluster.kubeconfigs[contender] ?? '' }),
    );
    await Promise.all(racing);
    const [mine, theirs] = [await cluster.figures('ours'), await cluster.figures('original')];
    rows.push(
      row(`${action}/requests-per-vm`, mine.requests / vms, 'requests', {
        vms,
        rival: 'original',
        rivalValue: theirs.requests / vms,
      }),
    );
  }
  await cluster.end();
  return rows;
}
