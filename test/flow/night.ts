import { fromRun } from '../../cli/page/fromRun.ts';
import { pageModel } from '../../cli/page/model.ts';
import { sourcesOf } from '../../cli/page/sources.ts';
import { verdictCounts } from '../../cli/page/summary.ts';
import type { BusEntry } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { detailOf } from '../../shared/report/report.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import type { WukongOptions } from '../../sim/sim.ts';
import { manifestsOf } from '../page/fleet.ts';
import { mortal } from './mortal.ts';
import { type Scene, scene } from './scene.ts';
import { boundary, deliver, minuteMs, sleep, ticks } from './ways.ts';

const prefix = 'lifecycle.novasphere.dev/';
const annotated = (key: string, value: string) => ({ annotations: { [prefix + key]: value } });

/** How one VM in so many goes, and what its stop comes to. Most guests just shut down. */
const fates: { each: number; vm: Partial<WukongOptions>; comesTo: string; whenMissed?: string }[] = [
  { each: 11, vm: { guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 5 }, comesTo: 'ForcedOff' },
  { each: 13, vm: { guest: { hang: 'true' }, terminationGracePeriodSeconds: 5 }, comesTo: 'Failed Stuck' },
  { each: 7, vm: annotated('protected', 'true'), comesTo: 'Skipped Protected', whenMissed: 'Skipped Protected' },
  {
    each: 8,
    vm: annotated('keep-running-until', '2026-11-24T06:00:00Z'),
    comesTo: 'Skipped Override',
    whenMissed: 'Skipped Override',
  },
  { each: 9, vm: annotated('skip-next', 'true'), comesTo: 'Skipped Override' },
  { each: 10, vm: { runStrategy: 'Halted' }, comesTo: 'Already' },
];
const fateOf = (i: number) => fates.find(({ each }) => i % each === each - 1);

/** One whose ticks come too late, and two that are due half an hour and forty minutes after the scene begins. */
export const schedules = [
  { name: 'early', spec: { stop: '10 20 * * *', startingDeadlineSeconds: 300 }, missed: true },
  { name: 'office', spec: { stop: '30 20 * * *', waves: { maxInFlight: 20 } }, missed: false },
  { name: 'late', spec: { stop: '40 20 * * *' }, missed: false },
];
const spaceOf = (name: string) => `team-${name}`;

/** What the VMs of a schedule come to, counted: by the model alone. */
export function expectedOf({ missed }: { missed: boolean }, vms: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < vms; i++) {
    const { comesTo = 'Stopped', whenMissed = 'Skipped Stale' } = fateOf(i) ?? {};
    const key = missed ? whenMissed : comesTo;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** A run in the words of the model. */
export function countsOf({ status }: WukongRun): Record<string, number> {
  const { done = 0, already = 0, forced = 0, skipped = {}, failures = [] } = status ?? {};
  const counts: Record<string, number> = { Stopped: done, Already: already, ForcedOff: forced };
  for (const [reason, count] of Object.entries(skipped)) counts[`Skipped ${reason}`] = count;
  for (const { reason } of failures) counts[`Failed ${reason}`] = (counts[`Failed ${reason}`] ?? 0) + 1;
  return withoutNone(counts);
}
const withoutNone = (counts: Record<string, number>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

/** Ends that were told, once each, in the words of the model; that nothing was to do is told to nobody. */
function toldOf(told: { outcome: string; reason?: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, reason } of told) {
    const key = outcome === 'Skipped' || outcome === 'Failed' ? `${outcome} ${reason}` : outcome;
    if (!outcome.startsWith('Already') && outcome !== 'InProgress') counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Where processes died nobody may have seen how a guest ended: those that were forced count with those that were not. */
export function merged({ Stopped = 0, ForcedOff = 0, ...counts }: Record<string, number>): Record<string, number> {
  return { ...counts, Off: Stopped + ForcedOff };
}

export interface Night {
  at: Scene;
  runs: Map<string, WukongRun>;
  /** By schedule. */
  onBus: Map<string, Record<string, number>>;
  metrics: Record<string, number>;
  /** Writes to a run, the most in one tick. */
  mostWrites: number;
  report: Record<string, number>;
}

export interface Nightly {
  vms: number;
  over: 'bus' | 'here';
  /** The processes of the first ticks die at these calls. */
  deaths?: number[];
}

/** A night in which everything goes wrong that can. */
export async function night({ vms, over, deaths = [] }: Nightly): Promise<Night> {
  const at = await scene();
  const metrics: Record<string, number> = {};
  const seen = new Set<string>();
  at.world.metrics = {
    outcome: ({ outcome, requestId, namespace, name, ...rest }: Outcome) => {
      const id = `${namespace}/${name}/${requestId}/${outcome}`;
      if (seen.has(id)) return;
      seen.add(id);
      for (const [key, count] of Object.entries(toldOf([{ outcome, ...rest } as never])))
        metrics[key] = (metrics[key] ?? 0) + count;
    },
    count() {},
    flush() {},
  };
  if (over === 'here') delete at.world.bus;
  const bus = over === 'bus' ? deliver(at) : undefined;
  for (const { name, spec } of schedules) {
    const namespace = spaceOf(name);
    for (let i = 0; i < vms; i++) {
      const labels = { env: 'dev' };
      at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Always', labels, ...fateOf(i)?.vm });
    }
    at.sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name },
      spec: { selector: { matchLabels: { env: 'dev' } }, ...spec },
    });
  }
  await at.pass(boundary - at.clock.now());
  await at.run(async () => {
    for (const nth of deaths) {
      const dying = mortal(at.world, nth, nth % 2 ? 'before' : 'after');
      await Promise.race([reconcile(dying.world, { deadline: at.clock.now() + 50_000 }).catch(() => {}), dying.death]);
      await sleep(at, 5_000);
    }
    await ticks(at, 25);
    await bus?.settled();
    await ticks(at, 2);
  }, 3 * 3_600_000);
  const runs = at.sim.list<WukongRun>('wukongruns');
  return {
    at,
    runs: new Map(runs.map((run) => [run.spec.schedule ?? '', run])),
    onBus: onBus(at.bus),
    metrics,
    mostWrites: mostWrites(at),
    report: reportOf(at, runs),
  };
}

function onBus(entries: BusEntry[]): Night['onBus'] {
  const details = entries
    .filter(({ type }) => type === 'Wukong VM Lifecycle Outcome')
    .map(({ detail }) => detail as ReturnType<typeof detailOf>);
  const once = [...new Map(details.map((detail) => [detail.id, detail])).values()];
  const bySchedule = Map.groupBy(once, ({ namespace }) => namespace.replace('team-', ''));
  return new Map([...bySchedule].map(([name, told]) => [name, toldOf(told)]));
}

/** Of what a page shows, from the runs alone. */
function reportOf(at: Scene, runs: WukongRun[]): Record<string, number> {
  const day = Date.parse('2026-11-23T00:00:00Z');
  const wukongs = at.sim.list<Wukong>('wukongs').map(({ metadata, ...rest }): Wukong => {
    const { namespace = '', name, labels } = metadata;
    return { ...rest, status: {}, metadata: { namespace, name, labels } };
  });
  const manifests = manifestsOf(at.sim.list<WukongSchedule>('wukongschedules'), wukongs);
  const happenings = runs.flatMap(fromRun);
  const asked = { from: day, to: day + 86_400_000, now: at.clock.now(), zone: undefined };
  const { groups } = pageModel('report', { ...sourcesOf(manifests), happenings }, asked);
  return Object.fromEntries(verdictCounts(groups.flatMap(({ rows }) => rows)));
}

/** Between two ticks, which are a minute apart. */
function mostWrites(at: Scene): number {
  const counts = new Map<string, number>();
  for (const { method, path, at: when } of at.sim.requests)
    if (method !== 'GET' && path.includes('/wukongruns')) {
      const key = `${Math.floor(when / minuteMs)} ${path.split('/')[5]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  return Math.max(...counts.values());
}
