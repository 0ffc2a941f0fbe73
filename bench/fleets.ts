import type { Action } from '../shared/domain/outcome.ts';
import type { Figures } from './cluster.ts';
import type { Finish, Race } from './contender.ts';
import { type ClusterProcess, race, startCluster } from './processes.ts';
import { type Row, row } from './row.ts';

type Measured = Finish & Figures;

/** A fleet that did not come to its end is no figure. */
async function measured(cluster: ClusterProcess, vms: number, what: Omit<Race, 'kubeconfig'>): Promise<Measured> {
  const user = userOf(what.contender);
  const kubeconfig = cluster.kubeconfigs[user] ?? cluster.kubeconfig;
  const boundary = what.contender === 'schedule' ? await scheduled(cluster, what) : 0;
  await cluster.begin();
  const finish = await race({ ...what, kubeconfig, boundary });
  const done = { ...finish, ...(await cluster.figures(user)) };
  const expected = what.action === 'stop' ? 'Stopped' : 'Started';
  if (isOurs(what.contender) && done.counts[expected] !== vms)
    throw new Error(`${what.action} of ${vms} came to ${JSON.stringify(done.counts)}`);
  return done;
}

const ways = ['fleet', 'schedule', 'cli'] as const;
const userOf = (contender: Race['contender']): string => (isOurs(contender) ? 'ours' : contender);
const isOurs = (contender: Race['contender']): boolean => (ways as readonly string[]).includes(contender);

/** A schedule whose boundary is the next full minute that leaves a tick the time to see it before. */
async function scheduled(cluster: ClusterProcess, { namespace, action }: Omit<Race, 'kubeconfig'>): Promise<number> {
  const boundary = Math.ceil((Date.now() + 15_000) / 60_000) * 60_000;
  const at = new Date(boundary);
  await cluster.schedule(namespace, { [action]: `${at.getUTCMinutes()} ${at.getUTCHours()} * * *` });
  return boundary;
}

const percentile = (sorted: number[], part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? NaN;

/** As the real control plane was measured, against each rival; guests that take two seconds to go. */
export async function limited(vms: number): Promise<Row[]> {
  const cluster = await startCluster('limited');
  const guest = { 'shutdown-seconds': '2' };
  await cluster.furnish({ namespace: 'fleet', count: vms, wukong: { guest } });
  await cluster.furnish({ namespace: 'manual', count: vms, wukong: { guest, runStrategy: 'Manual' } });
  const done = new Map<string, Measured>();
  for (const contender of [...ways, 'bare', 'virtctl', 'original'] as const)
    for (const action of ['start', 'stop'] as const) {
      const namespace = contender === 'original' ? 'manual' : 'fleet';
      done.set(`${contender} ${action}`, await measured(cluster, vms, { contender, namespace, action }));
      await cluster.awaitOn(namespace, action === 'start' ? vms : 0);
    }
  await cluster.end();
  const of = (contender: string, action: Action) => done.get(`${contender} ${action}`) as Measured;
  const rows: Row[] = [];
  for (const action of ['stop', 'start'] as const) {
    const { recordMs } = of('fleet', action);
    for (const rival of ['original', 'virtctl', 'bare'])
      for (const way of rival === 'bare' ? ways : (['fleet'] as const)) {
        const name = `${action}/limited/time${way === 'fleet' ? '' : `/${way}`}`;
        const [mine, theirs] = [of(way, action).ms, of(rival, action).ms];
        rows.push(row(name, mine / 1000, 's', { vms, rival, rivalValue: theirs / 1000 }));
      }
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
      const done = await measured(cluster, vms, { contender: 'fleet', namespace, action, env, command });
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
  const contenders = ['fleet', 'original'] as const;
  for (const namespace of contenders) await cluster.furnish({ namespace, count: vms, wukong });
  const rows: Row[] = [];
  for (const action of ['start', 'stop'] as const) {
    await cluster.begin();
    const racing = contenders.map((contender) =>
      race({ contender, namespace: contender, action, kubeconfig: cluster.kubeconfigs[userOf(contender)] ?? '' }),
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

/** A platform: so many VMs in so many namespaces, stopped by one process. */
export async function platform(namespaces: number, vms: number): Promise<Row[]> {
  const cluster = await startCluster('unlimited');
  const guest = { 'shutdown-seconds': '0.1', 'boot-seconds': '0.1' };
  const wukong = { guest, runStrategy: 'Always' } as const;
  for (let i = 0; i < namespaces; i++)
    await cluster.furnish({ namespace: `team-${i}`, count: vms / namespaces, wukong });
  for (let i = 0; i < namespaces; i++) await cluster.awaitOn(`team-${i}`, vms / namespaces);
  const what = { contender: 'fleet', namespace: '', everywhere: true, action: 'stop' } as const;
  const more = { env: { POWER_CALLS_PER_SECOND: '1000' }, command: { maxInFlight: 200 } };
  const done = await measured(cluster, vms, { ...what, ...more });
  await cluster.end();
  return [
    row('stop/platform/rss-mb', done.rssMb, 'MB', { vms }),
    row('stop/platform/time', done.ms / 1000, 's', { vms }),
  ];
}
