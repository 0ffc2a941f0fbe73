import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { Call, Transport } from '../../shared/cluster/transport.ts';
import type { BusEntry, World } from '../../shared/cluster/world.ts';
import { requestedType } from '../../shared/domain/command.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import { type Invocation, Retry } from '../../shared/entry/entry.ts';
import { source } from '../../shared/report/bus.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { dice } from '../dice.ts';
import { type Ground, worldOf } from './ground.ts';
import { type CommandStep, type History, type Step, targets } from './history.ts';
import type { Older } from './older.ts';
import { bear, type Death } from './process.ts';

export type Raw = KubeObject & { spec: Record<string, unknown>; status?: Record<string, unknown> };

/** A call to KubeVirt, with what was so when it was sent. */
export interface PowerCall {
  at: number;
  /** Of version 0.1.0, whose own doing is not judged. */
  older: boolean;
  verb: string;
  grace: number | undefined;
  vmi: { uid: string; deletion: number | undefined; grace: number } | undefined;
}

/** Somebody wants the VM on or off. */
export interface Wish {
  kind: 'command' | 'declared' | 'hand' | 'guest';
  action: Action;
  id: string;
  /** When it was asked for. */
  at: number;
  /** When it was first delivered, and when the last delivery was over. */
  from: number;
  to: number;
  step: Step;
  /** Another took its place, perhaps before anybody saw it. */
  replaced?: boolean;
  /** Something was being carried out, or asked for, at that moment. */
  busy: boolean;
}

/** All that was seen of one history. */
export interface Story {
  begin: number;
  /** Since then every new process is of the present version. */
  upgradedAt: number;
  end: number;
  name: string;
  wishes: Wish[];
  returned: Outcome[];
  told: BusEntry[];
  events: { reason: string; message: string }[];
  power: PowerCall[];
  podsDeleted: number;
  /** When each tick began that came to its end and had no problem. */
  ticks: number[];
  before: { wukong: Wukong; vm: Raw };
  after: { wukong: Wukong; vm: Raw; vmi: Raw | undefined };
  /** Ticks until nothing changed any more; undefined when it never came to rest. */
  quietAfter: number | undefined;
  problems: string[];
}

const mostTicks = 45;
const redeliveries = 3;
const guests = {
  plain: {},
  slow: { 'shutdown-seconds': '20' },
  deaf: { 'ignore-acpi': 'true' },
  hangs: { hang: 'true' },
  slowBoot: { 'boot-seconds': '40' },
} as const;

/** Lets one history happen, and waits until quiet has returned. */
export async function live(ground: Ground, history: History, version?: Older): Promise<Story> {
  const connect = await version?.transportOn(ground.sim, dice());
  const life = new Life(ground, history, version && connect && { version, connect });
  return ground.clock.run(() => life.run(), { sims: [ground.sim], limitMs: 20 * 3_600_000 });
}

/** A process that is made for one invocation. */
interface Being {
  leftMs: number;
  skewMs: number;
  dies: Death | undefined;
  bus?: boolean;
  older?: OlderHere | undefined;
}

interface OlderHere {
  version: Older;
  connect: (clock: Clock) => Transport;
}

class Life {
  readonly #ground: Ground;
  readonly #history: History;
  readonly #namespace: string;
  readonly #name: string;
  readonly #bus: BusEntry[] = [];
  readonly #world: World;
  readonly #underway = new Set<Promise<void>>();
  readonly #story: Omit<Story, 'before' | 'after' | 'end' | 'events'>;
  readonly #older: OlderHere | undefined;
  #requests = 0;
  #steps = 0;

  constructor(ground: Ground, history: History, older: OlderHere | undefined) {
    this.#older = older;
    this.#ground = ground;
    this.#history = history;
    this.#namespace = `day-${ground.day}`;
    this.#name = history.operator ? 'operated' : 'web';
    const put = async (entries: BusEntry[]) => {
      this.#bus.push(...entries);
      for (const entry of entries) this.#route(entry);
    };
    this.#world = { ...worldOf(ground, this.#namespace), bus: { put } };
    this.#story = {
      begin: 0,
      upgradedAt: -Infinity,
      name: this.#name,
      wishes: [],
      returned: [],
      told: this.#bus,
      power: [],
      podsDeleted: 0,
      ticks: [],
      quietAfter: undefined,
      problems: [],
    };
  }

  async run(): Promise<Story> {
    const { sim, clock } = this.#ground;
    this.#furnish();
    await this.#sleep(5_000);
    this.#story.begin = clock.now();
    const before = { wukong: this.#wukong(), vm: this.#vm() };
    for (const step of this.#history.steps) {
      await this.#do(step);
      if (++this.#steps === this.#history.upgradeAfter) this.#story.upgradedAt = clock.now();
      this.#lookAtDeclared();
    }
    this.#steps = Infinity;
    if ((this.#history.upgradeAfter ?? 0) > this.#history.steps.length) this.#story.upgradedAt = clock.now();
    sim.faults.clear();
    sim.faults.virtApiDown(false);
    await this.#untilQuiet();
    const told = sim.list<{ reason: string; message: string; source?: { component?: string } }>(
      'events',
      this.#namespace,
    );
    return {
      ...this.#story,
      end: clock.now(),
      before,
      after: { wukong: this.#wukong(), vm: this.#vm(), vmi: this.#vmi() },
      events: told.filter(({ source }) => source?.component === 'wukong-lifecycle'),
    };
  }

  #furnish() {
    const { sim, clock } = this.#ground;
    const { strategy, guest, grace, schedule, keepRunningSeconds } = this.#history;
    const prefix = 'lifecycle.novasphere.dev';
    const until = new Date(clock.now() + (keepRunningSeconds ?? 0) * 1000).toISOString();
    const legacy = strategy === 'running' || strategy === 'notRunning' || this.#history.operator;
    const on = strategy !== 'Halted' && strategy !== 'Manual' && strategy !== 'notRunning';
    sim.createWukong({
      namespace: this.#namespace,
      name: this.#name,
      ...(legacy ? { running: on } : { runStrategy: strategy as 'Always' }),
      guest: guests[guest],
      ...(grace === undefined ? {} : { terminationGracePeriodSeconds: grace }),
      labels: { env: 'dev', team: 'a' },
      annotations: {
        'owner.example/note': 'mine',
        ...(this.#history.protected ? { [`${prefix}/protected`]: 'true' } : {}),
        ...(keepRunningSeconds === undefined ? {} : { [`${prefix}/keep-running-until`]: until }),
      },
    });
    if (!schedule) return;
    const cron = (minute: number | undefined) => (minute === undefined ? {} : `${minute} 20 * * *`);
    sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace: this.#namespace, name: 'daily' },
      spec: {
        policy: schedule.policy,
        selector: { matchLabels: { env: 'dev' } },
        ...(schedule.startMinute === undefined ? {} : { start: cron(schedule.startMinute) }),
        ...(schedule.stopMinute === undefined ? {} : { stop: cron(schedule.stopMinute) }),
      },
    });
  }

  async #do(step: Step): Promise<void> {
    const { sim, clock } = this.#ground;
    switch (step.do) {
      case 'command':
        return this.#command(step);
      case 'declare':
        return this.#declare(step);
      case 'tick':
        return this.#launch(this.#tick(step));
      case 'pass':
        return this.#sleep(step.seconds * 1000);
      case 'hand':
        return this.#hand(step);
      case 'guest':
        return this.#endGuest(step);
      case 'wipeStatus':
        sim.change('wukongs', this.#namespace, this.#name, (o: Wukong) => delete o.status?.lifecycleState);
        return;
      case 'touch':
        sim.change('wukongs', this.#namespace, this.#name, (o: Wukong) => {
          o.metadata.annotations = { ...o.metadata.annotations, 'owner.example/touched': String(clock.now()) };
        });
        return;
      case 'virtApi':
        return sim.faults.virtApiDown(step.down);
      case 'fault': {
        const { harm } = step;
        const watch = harm.kind === 'expireWatch' || harm.kind === 'cutWatch';
        const when = { path: targets[step.target], from: step.nth, ...(watch ? { watch } : {}) };
        sim.faults.add({ when, times: step.times, does: step.harm });
        return;
      }
      default:
        throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`);
    }
  }

  #command(step: CommandStep) {
    const { clock } = this.#ground;
    const { action, force, graceSeconds, leaseSeconds, deletePod, notAfterSeconds } = step;
    const id = `request-${++this.#requests}`;
    const at = clock.now() - step.ageSeconds * 1000;
    const detail = {
      target: { namespace: this.#namespace, name: this.#name },
      ...(action === 'stop'
        ? {
            force,
            deletePodWhenStuck: deletePod,
            ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
          }
        : leaseSeconds === undefined
          ? {}
          : { leaseSeconds }),
      ...(notAfterSeconds === undefined ? {} : { notAfter: new Date(at + notAfterSeconds * 1000).toISOString() }),
    };
    const event = { id, 'detail-type': requestedType[action], time: new Date(at).toISOString(), detail };
    const wish: Wish = {
      kind: 'command',
      action,
      id: `event:${id}`,
      at,
      from: clock.now(),
      to: Infinity,
      step,
      busy: this.#busy(),
    };
    this.#story.wishes.push(wish);
    const deliveries = Array.from({ length: step.times }, async (_, i) => {
      await this.#sleep(i * 700);
      await this.#deliver(action, event, {
        leftMs: step.leftMs,
        skewMs: step.skewMs,
        dies: i === 0 ? step.dies : undefined,
      });
    });
    this.#launch(Promise.all(deliveries).then(() => void (wish.to = clock.now())));
  }

  /** As an asynchronous trigger does: again when the function threw, or never came back. */
  async #deliver(
    action: Action,
    event: object,
    { leftMs, skewMs, dies }: { leftMs: number; skewMs: number; dies: Death | undefined },
  ): Promise<void> {
    for (let attempt = 1; attempt <= redeliveries; attempt++) {
      const older = this.#olderNow;
      const handle = older?.version.handle[action] ?? (action === 'start' ? startVm : stopVm);
      const done = await this.#process(
        async (at) => {
          try {
            const report = await handle(event, at);
            this.#story.returned.push(...report.outcomes);
            return true;
          } catch (thrown) {
            if (!(thrown instanceof Retry) && !older) throw thrown;
            return false;
          }
        },
        { leftMs, skewMs, dies: attempt === 1 ? dies : undefined, older },
      );
      if (done) return;
      await this.#sleep(30_000);
    }
  }

  async #process<T>(
    work: (at: Invocation) => Promise<T>,
    { leftMs, skewMs, dies, bus = true, older }: Being,
  ): Promise<T | undefined> {
    const { credentials } = this.#ground;
    const own = older
      ? { ...this.#world, config: { ...older.version.config, watchNamespaces: [this.#namespace] } }
      : this.#world;
    const base = bus ? own : { ...own, bus: undefined };
    const onCall = (call: Call) => this.#watch(call, older !== undefined);
    const { world, death } = bear({ base, credentials, connect: older?.connect, skewMs, dies, onCall });
    const now = world.clock.now();
    const invocation = { world, limits: { deadline: now + leftMs }, id: `invocation-${++this.#requests}`, now };
    return Promise.race([work(invocation), death.then(() => undefined)]);
  }

  async #tick({ leftMs, skewMs, dies }: { leftMs: number; skewMs: number; dies?: Death | undefined }) {
    const older = this.#olderNow;
    const begin = this.#ground.clock.now();
    const tick = async (at: Invocation) => {
      try {
        return await (older?.version.reconcileState ?? reconcileState)({}, at);
      } catch {
        return undefined; // a cluster that is away: the next tick tries again
      }
    };
    const done = await this.#process(tick, { leftMs, skewMs, dies, bus: this.#history.bus, older });
    this.#story.returned.push(...(done?.outcomes ?? []));
    if (done?.problems.length === 0) this.#story.ticks.push(begin);
    return done;
  }

  #declare(step: Extract<Step, { do: 'declare' }>) {
    const { sim, clock } = this.#ground;
    const busy = this.#busy();
    const value = step.action === 'stop' ? { action: 'stop', force: step.force } : { action: 'start' };
    const standing = sim.get<Wukong>('wukongs', this.#namespace, this.#name)?.spec?.lifecycleAction;
    // Writing what stands there changes nothing, and nobody hears of it.
    if (JSON.stringify(standing) === JSON.stringify(value)) return;
    const changed = sim.change('wukongs', this.#namespace, this.#name, (o: Wukong) => {
      o.spec = { ...o.spec, lifecycleAction: value };
    });
    const now = clock.now();
    for (const old of this.#story.wishes)
      if (old.kind === 'declared' && old.to === Infinity) Object.assign(old, { to: now, replaced: true });
    const { uid, generation } = (changed as Wukong).metadata;
    const id = `declared:${uid}.${generation}`;
    this.#story.wishes.push({
      kind: 'declared',
      action: step.action,
      id,
      at: now,
      from: now,
      to: Infinity,
      step,
      busy,
    });
  }

  #hand(step: Extract<Step, { do: 'hand' }>) {
    const now = this.#ground.clock.now();
    this.#ground.sim.change('virtualmachines', this.#namespace, `${this.#name}-vm`, (vm: Raw) => {
      if ('running' in vm.spec) vm.spec['running'] = step.strategy === 'Always';
      else vm.spec['runStrategy'] = step.strategy;
    });
    const action = step.strategy === 'Always' ? 'start' : 'stop';
    this.#story.wishes.push({ kind: 'hand', action, id: '', at: now, from: now, to: now, step, busy: this.#busy() });
  }

  #endGuest(step: Extract<Step, { do: 'guest' }>) {
    const phase = this.#vmi()?.status?.['phase'];
    if (phase !== 'Running') return;
    const now = this.#ground.clock.now();
    this.#ground.sim.change('virtualmachineinstances', this.#namespace, `${this.#name}-vm`, (vmi: Raw) => {
      vmi.status = { ...vmi.status, phase: step.phase };
    });
    this.#story.wishes.push({
      kind: 'guest',
      action: 'stop',
      id: '',
      at: now,
      from: now,
      to: now,
      step,
      busy: this.#busy(),
    });
  }

  /** What schedules put on the bus is delivered, as EventBridge does. */
  #route({ type, detail, time }: BusEntry) {
    const action = (['start', 'stop'] as const).find((one) => requestedType[one] === type);
    if (!action) return;
    const event = {
      id: `bus-${++this.#requests}`,
      source,
      'detail-type': type,
      time: new Date(time).toISOString(),
      detail,
    };
    this.#launch(
      this.#sleep(300).then(() => this.#deliver(action, event, { leftMs: 600_000, skewMs: 0, dies: undefined })),
    );
  }

  get #olderNow(): OlderHere | undefined {
    return this.#steps < (this.#history.upgradeAfter ?? 0) ? this.#older : undefined;
  }

  #watch({ path, method, body }: Call, older: boolean) {
    if (method === 'DELETE' && /\/pods\//.test(path)) this.#story.podsDeleted++;
    if (!path.startsWith('/apis/subresources.')) return;
    const vmi = this.#vmi();
    const deletion = vmi?.metadata.deletionTimestamp;
    this.#story.power.push({
      at: this.#ground.clock.now(),
      older,
      verb: path.split('/').at(-1) ?? '',
      grace: (body as { gracePeriod?: number } | undefined)?.gracePeriod,
      vmi: vmi && {
        uid: vmi.metadata.uid ?? '',
        deletion: deletion === undefined ? undefined : Date.parse(deletion),
        grace: (vmi.spec['terminationGracePeriodSeconds'] as number | undefined) ?? 30,
      },
    });
  }

  async #untilQuiet() {
    const { clock } = this.#ground;
    const horizon = this.#story.begin + 240_000 + (this.#history.schedule ? 180_000 : 0);
    let calm = 0;
    let pauseMs = 60_000;
    for (let ticks = 1; ticks <= mostTicks; ticks++) {
      await this.#sleep(pauseMs);
      const tick = await this.#tick({ leftMs: 50_000, skewMs: 0 });
      this.#lookAtDeclared();
      const wukong = this.#wukong();
      const early = this.#history.schedule !== undefined && clock.now() < horizon;
      const busy =
        this.#underway.size > 0 ||
        wukong.metadata.annotations?.['lifecycle.novasphere.dev/operation'] !== undefined ||
        wukong.spec?.lifecycleAction !== undefined;
      const changed = !tick || tick.outcomes.length > 0 || tick.repaired > 0 || tick.sent > 0;
      calm = early || busy || changed ? 0 : calm + 1;
      if (tick?.problems.length) this.#story.problems = tick.problems;
      if (calm === (this.#history.operator ? 2 : 1)) {
        this.#story.quietAfter = ticks;
        return;
      }
      pauseMs = early && !busy && !changed ? 150_000 : 60_000;
    }
  }

  #busy(): boolean {
    const { metadata, spec } = this.#wukong();
    return (
      this.#underway.size > 0 ||
      metadata.annotations?.['lifecycle.novasphere.dev/operation'] !== undefined ||
      spec?.lifecycleAction !== undefined
    );
  }

  /** A declared action is over when it is not there any more. */
  #lookAtDeclared() {
    if (this.#wukong().spec?.lifecycleAction !== undefined) return;
    for (const wish of this.#story.wishes)
      if (wish.kind === 'declared' && wish.to === Infinity) wish.to = this.#ground.clock.now();
  }

  #launch(work: Promise<unknown>) {
    const running = work.then(
      () => void this.#underway.delete(running),
      (thrown: Error) => {
        this.#underway.delete(running);
        this.#story.problems.push(`thrown: ${thrown.stack ?? thrown.message}`);
      },
    );
    this.#underway.add(running);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#ground.clock.after(ms, resolve));
  }

  #wukong = (): Wukong => this.#ground.sim.get<Wukong>('wukongs', this.#namespace, this.#name) as Wukong;
  #vm = (): Raw => this.#ground.sim.get<Raw>('virtualmachines', this.#namespace, `${this.#name}-vm`) as Raw;
  #vmi = (): Raw | undefined =>
    this.#ground.sim.get<Raw>('virtualmachineinstances', this.#namespace, `${this.#name}-vm`);
}
