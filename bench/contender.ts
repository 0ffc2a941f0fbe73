// One contender on one fleet, once, in a process of its own: how long, how much CPU, how much memory above being idle.
import { credentialsOf, parseKubeConfig } from '../shared/cluster/credentials.ts';
import { listPages } from '../shared/cluster/list.ts';
import { wukongPath } from '../shared/cluster/objects.ts';
import type { World } from '../shared/cluster/world.ts';
import { parseCommand } from '../shared/domain/command.ts';
import { vmNameOf, type Wukong } from '../shared/domain/model.ts';
import type { Action } from '../shared/domain/outcome.ts';
import { connect } from '../shared/entry/connect.ts';
import { executeCommand } from '../shared/execute/command.ts';
import { reconcile } from '../shared/reconcile/reconcile.ts';
import { reportOf } from '../shared/report/fleetOutcome.ts';
import { silentLog } from '../shared/report/log.ts';
import { silentMetrics } from '../shared/report/metrics.ts';
import { systemClock } from '../shared/time/clock.ts';
import { rivals } from './rivals.ts';

export interface Race {
  /** `fleet` is a function's command, `schedule` a tick that finds a boundary, `cli` the command line. */
  contender: 'fleet' | 'schedule' | 'cli' | keyof typeof rivals;
  kubeconfig: string;
  namespace: string;
  action: Action;
  /** All namespaces, instead of that one. */
  everywhere?: boolean;
  env?: Record<string, string>;
  command?: object;
  /** Of a schedule: the instant of its boundary. */
  boundary?: number;
}
export interface Finish {
  ms: number;
  cpuMs: number;
  /** The highest above the idle process. */
  rssMb: number;
  /** Of our own: outcomes by name. */
  counts: Record<string, number>;
}

const selector = 'bench=yes';

async function fleet({ namespace, everywhere, action, command }: Race, world: World): Promise<Finish['counts']> {
  const namespaces = everywhere ? {} : { namespaces: [namespace] };
  const input = { target: { ...namespaces, selector }, maxTargets: 100_000, ...command };
  const origin = { action, trigger: 'direct', requestId: `bench-${Date.now()}`, requestedAt: Date.now() };
  const limits = { deadline: Date.now() + 840_000 };
  return (await executeCommand(parseCommand(input, origin), world, { limits })).counts;
}

/** One tick at the boundary, as long as it takes. */
async function schedule(world: World): Promise<Finish['counts']> {
  const { outcomes } = await reconcile(world, { deadline: Date.now() + 840_000 });
  return reportOf({ action: 'stop', requestId: '' }, outcomes).counts as Finish['counts'];
}

/** A boundary counts once a tick has seen its schedule. */
async function awaitBoundary({ contender, boundary = 0, namespace }: Race, world: World): Promise<void> {
  if (contender !== 'schedule') return;
  world.config.watchNamespaces = [namespace];
  await reconcile(world, { deadline: Date.now() + 50_000 });
  await new Promise((next) => setTimeout(next, boundary - Date.now() + 50));
}

async function names({ namespace }: Race, { transport }: World): Promise<string[]> {
  const found: string[] = [];
  const path = `${wukongPath(namespace)}?labelSelector=${selector}`;
  for await (const { items } of listPages<Wukong>(transport, path, {})) found.push(...items.map(vmNameOf));
  return found;
}

async function run(race: Race): Promise<Finish> {
  const credentials = await credentialsOf(parseKubeConfig(race.kubeconfig));
  const world = await connect({
    env: race.env ?? {},
    log: silentLog,
    metrics: silentMetrics,
    credentials,
    clock: systemClock,
  });
  await world.transport.call({ method: 'GET', path: '/version', safe: true });
  await awaitBoundary(race, world);
  global.gc?.();
  const idle = process.memoryUsage.rss();
  let highest = idle;
  const sampling = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 20);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const { contender, namespace, action } = race;
  const counted = async (): Promise<Finish['counts']> => {
    if (contender === 'fleet') return fleet(race, world);
    if (contender === 'schedule') return schedule(world);
    if (contender === 'cli') throw new Error('a process of its own');
    await rivals[contender]({ world, namespace, action, vms: await names(race, world) });
    return {};
  };
  const counts = await counted();
  const ms = performance.now() - began;
  const used = process.cpuUsage(cpu);
  clearInterval(sampling);
  return { ms, cpuMs: (used.user + used.system) / 1000, rssMb: (highest - idle) / 2 ** 20, counts };
}

process.once('message', (race: Race) => {
  void run(race)
    .then((finish) => process.send?.(finish))
    .then(() => setTimeout(() => process.exit(0), 50));
});
