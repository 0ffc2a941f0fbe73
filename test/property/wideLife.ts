import { executeHere } from '../../cli/commands/executeHere.ts';
import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { readConfig } from '../../shared/cluster/config.ts';
import { type Credentials, credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { type Call, transportTo } from '../../shared/cluster/transport.ts';
import type { BusEntry, World } from '../../shared/cluster/world.ts';
import { parseCommand, requestedType } from '../../shared/domain/command.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import type { Invocation } from '../../shared/entry/entry.ts';
import { serve } from '../../shared/entry/serve.ts';
import { source } from '../../shared/report/bus.ts';
import { silentLog } from '../../shared/report/log.ts';
import { prometheusMetrics } from '../../shared/report/prometheus.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { dice } from '../dice.ts';
import { type Acting, actingIn, type Older } from './older.ts';
import { bear, type Death } from './process.ts';
import type { WideHistory } from './wideHistory.ts';
import { Witness } from './wideWitness.ts';

export const minuteMs = 60_000;
const redeliveries = 4;
const prompt = { times: 1, afterSeconds: 1 };

/** How a cluster is reached: by the present version, and by version 0.1.0. */
interface Reached {
  credentials: Credentials;
  older: Acting | undefined;
}

/** A process that is made for one invocation. */
interface Bearing {
  dies?: Death | undefined;
  bus?: boolean;
  older?: boolean;
}

/** A cluster with everybody who asks it for something, for one history. */
export class WideLife {
  readonly clock: VirtualClock;
  readonly sim: Sim;
  readonly witness: Witness;
  /** Whatever was thrown that nobody expects. */
  readonly thrown: string[] = [];
  /** Nothing is lost or late any more: what Enforce wants is sent until it arrives. */
  busIsWell = false;
  /** What the last tick could not do. */
  problems: string[] = [];
  readonly #history: WideHistory;
  readonly #reached: Reached;
  readonly #underway = new Set<Promise<void>>();
  #requests = 0;
  #messages = 0;
  #deliveries = 0;
  #server: { kill(): void; end(): Promise<void> } | undefined;

  /** Opens five minutes before it begins. */
  static async open(history: WideHistory, begin: number, version?: Older): Promise<WideLife> {
    const clock = new VirtualClock(begin - 5 * minuteMs);
    const sim = await startSim({ clock });
    const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()), sim.inProcess());
    const older = history.older && version && (await actingIn(version, history.older, { sim, begin }));
    return new WideLife(history, sim, clock, { credentials, older });
  }

  private constructor(history: WideHistory, sim: Sim, clock: VirtualClock, reached: Reached) {
    this.#history = history;
    this.#reached = reached;
    this.clock = clock;
    this.sim = sim;
    this.witness = new Witness(sim, clock);
  }

  get busy(): boolean {
    return this.#underway.size > 0;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(Math.max(0, ms), resolve));
  }

  launch(work: Promise<unknown>): void {
    const running = work
      .catch((thrown: Error) => void this.thrown.push(`thrown: ${thrown.stack ?? thrown.message}`))
      .then(() => void this.#underway.delete(running));
    this.#underway.add(running);
  }

  async settled(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  /** Version 0.1.0, while it acts. */
  get older(): Older | undefined {
    const now = this.clock.now();
    const { older } = this.#reached;
    return older && now >= older.from && now < older.until ? older.version : undefined;
  }

  /** Whether it changed nothing and left nothing undone. */
  async tick({ dies, older }: { dies?: Death; older?: Older } = {}): Promise<boolean> {
    const done = await this.#process(
      { leftMs: 50_000, dies, bus: this.#history.bus, older: older !== undefined },
      (at) =>
        (older?.reconcileState ?? reconcileState)({}, at).catch(
          (thrown: Error) => void (this.problems = [thrown.message]),
        ), // the next one tries again
    );
    if (done) this.problems = done.problems;
    return done !== undefined && done.outcomes.length === 0 && done.repaired === 0 && done.sent === 0;
  }

  /** As an asynchronous trigger does: again when the function threw. Answers the id of the request. */
  event(action: Action, detail: object): string {
    const id = `event-${++this.#requests}`;
    const time = new Date(this.clock.now()).toISOString();
    this.launch(this.#deliver(action, { id, source: 'a.team', 'detail-type': requestedType[action], time, detail }));
    return `event:${id}`;
  }

  /** Somebody with a kubeconfig, who waits for the end. */
  cli(action: Action, detail: object, wukongs: Wukong[]): string {
    const requestId = `cli:${++this.#requests}`;
    const command = parseCommand(detail, { action, trigger: 'cli', requestId, requestedAt: this.clock.now() });
    const work = this.#process(
      { leftMs: 600_000 },
      ({ world, limits }) =>
        executeHere(command, wukongs, world, {
          ...{ deadline: limits.deadline, interrupted: new AbortController().signal, wait: true },
          waiting() {},
          ended() {},
        }).catch(() => {}), // said to who asked
    );
    this.launch(work);
    return requestId;
  }

  /** A server that stays until it is killed or ended. */
  serve(): void {
    const draining = new AbortController();
    const metrics = prometheusMetrics();
    const { world, kill } = this.#born({ bus: false });
    const both = { ...world, metrics: { ...metrics, outcome: this.witness.metrics.outcome } };
    const identity = `server-${++this.#requests}`;
    const options = { port: 0, host: '127.0.0.1', audience: 'wukong-lifecycle', metrics, identity };
    const over = serve(both, { ...options, signal: draining.signal }).catch(() => {}); // Kubernetes starts it again
    this.#server = { kill: () => (kill(), draining.abort()), end: () => (draining.abort(), over) };
  }

  killServer(): void {
    if (!this.#server) return;
    this.#server.kill();
    this.serve();
  }

  async endServer(): Promise<void> {
    await this.#server?.end();
    this.#server = undefined;
  }

  async #deliver(action: Action, event: object): Promise<void> {
    for (let attempt = 1; attempt <= redeliveries; attempt++) {
      const isTheirs = this.#history.older?.how === 'instead' || ++this.#deliveries % 2 === 0;
      const older = isTheirs ? this.older : undefined;
      const handle = older?.handle[action] ?? (action === 'start' ? startVm : stopVm);
      const work = (at: Invocation) =>
        handle(event, at).then(
          () => true,
          () => false,
        );
      if (await this.#process({ leftMs: 290_000, older: older !== undefined }, work)) return;
      await this.sleep(30_000);
    }
  }

  #born({ dies, bus = true, older = false }: Bearing) {
    const random = dice();
    const { witness } = this;
    const { credentials, older: other } = this.#reached;
    const theirs = older ? other : undefined;
    const base: World = {
      ...{ config: theirs?.version.config ?? readConfig({}), clock: this.clock, random, log: silentLog },
      metrics: older ? witness.metricsOfOlder : witness.metrics,
      transport: transportTo(credentials, this.clock, random),
      ...(bus ? { bus: { put: (entries: BusEntry[]) => this.#put(entries, older) } } : {}),
    };
    const onCall = (call: Call) => witness.call(call, older);
    return bear({ base, credentials, connect: theirs?.connect, dies, onCall });
  }

  async #process<T>(
    { leftMs, ...bearing }: Bearing & { leftMs: number },
    work: (at: Invocation) => Promise<T>,
  ): Promise<T | undefined> {
    const { world, death } = this.#born(bearing);
    const now = this.clock.now();
    const invocation = { world, limits: { deadline: now + leftMs }, id: `invocation-${++this.#requests}`, now };
    return Promise.race([work(invocation), death.then(() => undefined)]);
  }

  async #put(entries: BusEntry[], older: boolean): Promise<void> {
    this.witness.put(entries, older);
    for (const { type, detail, time } of entries) {
      const action = (['start', 'stop'] as const).find((one) => requestedType[one] === type);
      if (!action) continue;
      const { fates } = this.#history;
      const { times, afterSeconds } = this.busIsWell ? prompt : fates[this.#messages % fates.length]!;
      this.#messages++;
      const event = { id: `bus-${this.#messages}`, source, 'detail-type': type, time: new Date(time).toISOString() };
      const sent = { ...event, detail: JSON.parse(JSON.stringify(detail)) as unknown };
      for (let copy = 0; copy < times; copy++)
        this.launch(this.sleep((afterSeconds + 7 * copy) * 1000).then(() => this.#deliver(action, sent)));
    }
  }
}
