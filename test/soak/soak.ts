import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { readConfig } from '../../shared/cluster/config.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import { Retry } from '../../shared/entry/entry.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { type Fault, type Sim, startSim } from '../../sim/sim.ts';
import { dice } from '../dice.ts';

const minuteMs = 60_000;
const dayMinutes = 1_440;
const namespace = 'fleet';

export interface Measure {
  heapMb: number;
  rssMb: number;
  sockets: number;
  timers: number;
  ticks: number;
  requests: number;
  faults: number;
  outcomes: number;
  failed: number;
}

/** One in so many minutes brings a fault; each kind in turn. */
const faultEveryMinutes = 20;
const commandEveryMinutes = 15;
const faults: Fault['does'][] = [
  { kind: 'dropBefore' },
  { kind: 'dropAfter' },
  { kind: 'status', status: 429, retryAfterSeconds: 1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'delay', ms: 12_000 },
  { kind: 'cutBody' },
  { kind: 'stale' },
];
const watchFaults: Fault['does'][] = [{ kind: 'cutWatch', afterEvents: 3 }, { kind: 'expireWatch' }];

/** A fleet on an embedded cluster, and one process that serves it for days. */
export class Soak {
  readonly #sim: Sim;
  readonly #clock: VirtualClock;
  readonly #world: World;
  readonly #vms: number;
  readonly #tickMinutes: number;
  readonly #random = dice(7);
  #counts = { ticks: 0, faults: 0, outcomes: 0, failed: 0, requests: 0 };

  constructor(sim: Sim, clock: VirtualClock, world: World, { vms, tickMinutes }: { vms: number; tickMinutes: number }) {
    this.#sim = sim;
    this.#clock = clock;
    this.#world = world;
    this.#vms = vms;
    this.#tickMinutes = tickMinutes;
  }

  static async open(vms: number, tickMinutes: number): Promise<Soak> {
    const clock = new VirtualClock('2026-03-02T00:00:00Z');
    const sim = await startSim({ clock });
    const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()), sim.dispatcher());
    const random = dice();
    const soak = new Soak(
      sim,
      clock,
      {
        config: readConfig({}),
        clock,
        random,
        log: silentLog,
        metrics: silentMetrics,
        transport: transportTo(credentials, clock, random),
      },
      { vms, tickMinutes },
    );
    soak.#furnish();
    return soak;
  }

  #furnish() {
    const strategies = ['Always', 'Always', 'Once', 'RerunOnFailure', 'Halted'] as const;
    for (let i = 0; i < this.#vms; i++)
      this.#sim.createWukong({
        namespace,
        name: `vm-${i}`,
        runStrategy: strategies[i % strategies.length]!,
        labels: { group: `${i % 6}` },
        ...(i % 25 === 0 ? { guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 20 } : {}),
      });
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo'];
    for (let group = 0; group < 4; group++)
      this.#sim.create({
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'WukongSchedule',
        metadata: { namespace, name: `office-${group}` },
        spec: {
          timeZone: zones[group],
          start: `${group * 7} 8 * * *`,
          stop: `${group * 7} 20 * * *`,
          selector: { matchLabels: { group: `${group}` } },
          jitterSeconds: 120,
        },
      });
  }

  /** One day, minute by minute; what is measured at its end. */
  async day(): Promise<Measure> {
    const before = { ...this.#counts };
    await this.#clock.run(() => this.#minutes(), { sims: [this.#sim], limitMs: 2 * dayMinutes * minuteMs });
    this.#sim.faults.clear();
    globalThis.gc?.();
    await new Promise((next) => setTimeout(next, 50));
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    const since = (key: keyof typeof before) => this.#counts[key] - before[key];
    return {
      heapMb: heapUsed / 2 ** 20,
      rssMb: rss / 2 ** 20,
      sockets: process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length,
      timers: this.#clock.pending,
      ticks: since('ticks'),
      requests: since('requests'),
      faults: since('faults'),
      outcomes: since('outcomes'),
      failed: since('failed'),
    };
  }

  async #minutes() {
    const under = new Set<Promise<void>>();
    for (let minute = 0; minute < dayMinutes; minute++) {
      if (minute % faultEveryMinutes === 3) this.#harm();
      const work = [];
      if (minute % this.#tickMinutes === 0) work.push(this.#tick());
      if (minute % commandEveryMinutes === 5) work.push(this.#command());
      for (const one of work) {
        const kept = one.finally(() => under.delete(kept));
        under.add(kept);
      }
      await new Promise<void>((next) => this.#clock.after(minuteMs, next));
      this.#counts.requests += this.#sim.requests.length;
      this.#sim.requests.length = 0;
    }
    await Promise.all(under);
  }

  async #tick() {
    this.#counts.ticks++;
    try {
      this.#count((await reconcileState({}, this.#invocation(50_000))).outcomes);
    } catch {
      return; // the cluster was away; the next tick tries again
    }
  }

  /** On-demand work: one VM of the groups without a schedule. */
  async #command() {
    const action: Action = this.#random() < 0.5 ? 'start' : 'stop';
    const vm = Math.floor(this.#random() * this.#vms);
    const event = { target: { namespace, name: `vm-${vm}` } };
    try {
      const handle = action === 'start' ? startVm : stopVm;
      this.#count((await handle(event, this.#invocation(120_000))).outcomes);
    } catch (thrown) {
      if (!(thrown instanceof Retry)) throw thrown;
    }
  }

  #invocation(leftMs: number) {
    const now = this.#clock.now();
    return { world: this.#world, limits: { deadline: now + leftMs }, id: `soak-${now}-${this.#random()}`, now };
  }

  #count(outcomes: Outcome[]) {
    this.#counts.outcomes += outcomes.length;
    this.#counts.failed += outcomes.filter(({ outcome }) => outcome === 'Failed').length;
  }

  #harm() {
    const watch = this.#random() < 0.3;
    const kinds = watch ? watchFaults : faults;
    const does = kinds[Math.floor(this.#random() * kinds.length)] ?? { kind: 'dropBefore' };
    this.#sim.faults.clear();
    this.#sim.faults.add({ when: { watch, from: 1 + Math.floor(this.#random() * 8) }, times: 2, does });
    this.#counts.faults++;
  }

  /** What grew from the first quarter of the days to the last. */
  judge(measures: Measure[]): string[] {
    if (measures.length < 3) return [];
    const part = Math.max(1, Math.floor(measures.length / 4));
    const most = (from: Measure[], key: keyof Measure) => Math.max(...from.map((one) => one[key]));
    const early = measures.slice(1, 1 + part);
    const late = measures.slice(-part);
    const wrong: string[] = [];
    const allow = { heapMb: 1.15, sockets: 1.5, timers: 1.5 } as const;
    for (const key of ['heapMb', 'sockets', 'timers'] as const) {
      const [was, is] = [most(early, key), most(late, key)];
      if (is > was * allow[key] + 5) wrong.push(`${key} grew from ${was.toFixed(1)} to ${is.toFixed(1)}`);
    }
    const left = this.#sim
      .list<Wukong>('wukongs', namespace)
      .filter(({ metadata }) => metadata.annotations?.['lifecycle.novasphere.dev/operation']);
    if (left.length > this.#vms / 20) wrong.push(`${left.length} operation records are left behind`);
    return wrong;
  }

  /** Ends it all; what is still there afterwards. */
  async close(): Promise<string[]> {
    await this.#sim.close();
    await new Promise((next) => setTimeout(next, 200));
    const resources = process
      .getActiveResourcesInfo()
      .filter((name) => !/^(TTYWrap|PipeWrap|FSReq|Immediate)/.test(name));
    const sockets = resources.filter((name) => name.startsWith('TCP')).length;
    const wrong = sockets > 0 ? [`${sockets} sockets are left`] : [];
    if (this.#clock.pending > 0) wrong.push(`${this.#clock.pending} timers are left`);
    return wrong;
  }
}
