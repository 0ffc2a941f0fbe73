import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { readConfig } from '../../shared/cluster/config.ts';
import { type Call, type Transport, transportTo } from '../../shared/cluster/transport.ts';
import type { BusEntry, World } from '../../shared/cluster/world.ts';
import { requestedType } from '../../shared/domain/command.ts';
import type { Condition, KubeObject, Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { currentKey, scheduleUidKey } from '../../shared/domain/run.ts';
import { source } from '../../shared/report/bus.ts';
import { outcomeType } from '../../shared/report/report.ts';
import { holidaysLabel } from '../../shared/schedule/configMap.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { type Limits, sleep } from '../../shared/time/wait.ts';
import type { RequestRecord } from '../../sim/sim.ts';
import { dice } from '../dice.ts';
import { type Ground, worldOf } from './ground.ts';
import type { HostileWrite, Tenants } from './tenants.ts';

const minutes = 4;
/** So long the bus takes. */
const busMs = 300;
const guests = {
  plain: {},
  slow: { 'shutdown-seconds': '20' },
  deaf: { 'ignore-acpi': 'true' },
  hangs: { hang: 'true' },
  crashes: { 'crash-after-seconds': '1' },
  unschedulable: { unschedulable: 'true' },
} as const;

/** Something that was seen of tenant Y, and when. */
export interface Sight {
  what: string;
  at: number;
}

/** All that can be seen of tenant Y. */
export interface Seen {
  requests: Sight[];
  outcomes: Sight[];
  events: Sight[];
  statuses: Sight[];
}

export interface Lived {
  seen: Seen;
  /** For each tick, how long after its beginning it had read what it decides by. */
  lookedMs: number[];
}

type Raw = KubeObject & { spec: Record<string, unknown>; status?: Record<string, unknown> };

/** With tenant X, or without; without it, ticks may be made to decide as late as they did in another life. */
export interface Company {
  withX: boolean;
  lookedMs?: number[];
  /** What stands between the ticks and the cluster, and does as a mistake of ours would: shows that harm is seen. */
  harm?: (near: Transport, clock: Clock, x: string, y: string) => Transport;
}

/** Lets tenant Y live through its history, with tenant X beside it or without. */
export function liveBeside(ground: Ground, tenants: Tenants, company: Company): Promise<Lived> {
  const life = new Life(ground, tenants, company);
  return ground.clock.run(() => life.run(), { sims: [ground.sim], limitMs: 3_600_000 });
}

/** The mark on a schedule and its runs are written at the end of a tick, which waits for guests until its time is up. */
const isMark = (path: string): boolean => path.includes('/wukongruns') || path.endsWith('/status');

/**
 * Ticks are farther away than functions, and never at the instant of a wish: of two processes that hear of the same thing
 * at once the same one is first in both lives, however many calls a tick makes for X.
 */
const tickAwayMs = 5;
const distant = ({ call, stream }: Transport, clock: Clock, answered: Answered): Transport => ({
  stream,
  async call<T>(sent: Call, limits?: Partial<Limits>) {
    await sleep(clock, tickAwayMs, limits?.signal);
    const answer = await call<T>(sent, limits);
    await answered(sent);
    return answer;
  },
});

type Answered = (sent: Call) => Promise<void>;
/** What a tick reads of one namespace before it decides: nothing else of a neighbour can hold up its decisions. */
const isOfOneNamespace = ({ method, path }: Call): boolean =>
  method === 'GET' && /^\/api\/v1\/namespaces\/[^/?]+(\/configmaps\/[^/?]+)?$/.test(path);
/** What every tick reads before that. */
const isBefore = ({ method, path }: Call): boolean => method === 'GET' && path.includes('/clusterwukongschedules');

/** The end of a run is told where it is written. */
const isOfRun = (reason: string): boolean => /^Run[A-Z]/.test(reason);

/** What the API server refuses is not written. */
function attempt(write: () => void) {
  try {
    write();
  } catch {
    // refused
  }
}

class Life {
  readonly #ground: Ground;
  readonly #tenants: Tenants;
  readonly #withX: boolean;
  readonly #late: number[];
  readonly #harm: Company['harm'];
  readonly #lookedMs: number[] = [];
  readonly #begin: number;
  /** Namespaces of this life alone: a guest that hangs outlives it. */
  readonly #y: string;
  readonly #x: string;
  readonly #world: World;
  readonly #told: BusEntry[] = [];
  /** Of what Y itself asked for. */
  readonly #returned: Outcome[] = [];
  readonly #open = new Set<Promise<unknown>>();
  #requests = 0;

  constructor(ground: Ground, tenants: Tenants, { withX, lookedMs = [], harm }: Company) {
    this.#ground = ground;
    this.#tenants = tenants;
    this.#withX = withX;
    this.#late = lookedMs;
    this.#harm = harm;
    this.#begin = ground.clock.now();
    this.#y = `team-y-${ground.day}`;
    this.#x = `team-x-${ground.day}`;
    const put = (entries: BusEntry[]) => {
      for (const entry of entries) this.#route(entry);
      return Promise.resolve();
    };
    this.#world = { ...worldOf(ground, 'unused'), config: readConfig({}), ...(tenants.bus ? { bus: { put } } : {}) };
  }

  async run(): Promise<Lived> {
    const { sim, clock } = this.#ground;
    this.#makeY();
    if (this.#withX) this.#makeX();
    const begun = sim.requests.length;
    await this.#until(5);
    this.#later();
    for (let minute = 0; minute < minutes; minute++) {
      await this.#until(60 * minute + 10.5);
      this.#launch(this.#tick());
    }
    await this.#until(60 * minutes + 60);
    await this.#allOver();
    await this.#tick();
    await this.#allOver();
    const seen = this.#look(begun);
    sim.faults.clear();
    for (const plural of ['wukongruns', 'wukongschedules', 'wukongs', 'virtualmachines', 'configmaps', 'events'])
      for (const { metadata } of sim.list<KubeObject>(plural)) {
        if (metadata.finalizers)
          sim.change<KubeObject>(
            plural,
            metadata.namespace ?? '',
            metadata.name,
            (one) => void delete one.metadata.finalizers,
          );
        if (sim.get(plural, metadata.namespace ?? '', metadata.name))
          sim.remove(plural, metadata.namespace ?? '', metadata.name);
      }
    await new Promise<void>((resolve) => clock.after(600_000, resolve));
    return { seen, lookedMs: this.#lookedMs };
  }

  #makeY() {
    const { sim } = this.#ground;
    const { wukongs, schedule } = this.#tenants.y;
    wukongs.forEach(({ on, guest, annotations }, i) =>
      sim.createWukong({
        ...{ namespace: this.#y, name: `vm-${i}`, labels: { env: 'dev' }, annotations: { ...annotations } },
        ...{ runStrategy: on ? 'Always' : 'Halted', guest: guests[guest], terminationGracePeriodSeconds: 10 },
      }),
    );
    if (!schedule) return;
    const at = (minute: number) => `${minute} 20 * * *`;
    this.#makeSchedule(this.#y, 'office', {
      ...{ timeZone: 'UTC', policy: schedule.policy, selector: { matchLabels: { env: 'dev' } } },
      ...(schedule.stopMinute === undefined ? {} : { stop: at(schedule.stopMinute) }),
      ...(schedule.startMinute === undefined ? {} : { start: at(schedule.startMinute) }),
    });
  }

  #makeX() {
    const { sim } = this.#ground;
    const { wukongs, schedules, configMaps, runs, faults } = this.#tenants.x;
    const named = new Map(wukongs.map((wukong) => [wukong.name, wukong]));
    for (const { on, guest, name, annotations, lifecycleAction, status } of named.values())
      attempt(() => {
        sim.createWukong({
          ...{ namespace: this.#x, name, labels: { env: 'dev' }, annotations: { ...annotations } },
          ...{ runStrategy: on ? 'Always' : 'Halted', guest: guests[guest] },
        });
        const change = (edit: (wukong: Raw) => void) => attempt(() => sim.change<Raw>('wukongs', this.#x, name, edit));
        if (lifecycleAction !== undefined) change(({ spec }) => void (spec['lifecycleAction'] = lifecycleAction));
        for (const [field, value] of Object.entries(status ?? {}))
          change((wukong) => void (wukong.status = { ...wukong.status, [field]: value }));
      });
    schedules.forEach(({ spec, status }, i) =>
      attempt(() => this.#makeSchedule(this.#x, `s-${i}.${'n'.repeat(200)}`, spec, status)),
    );
    configMaps.forEach(({ labelled, data }, i) => {
      const metadata = {
        namespace: this.#x,
        name: `days-${i}`,
        ...(labelled ? { labels: { [holidaysLabel]: 'true' } } : {}),
      };
      attempt(() => sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }));
    });
    runs.forEach((run, i) => attempt(() => this.#makeRun(run, `run-${i}`)));
    for (const { path, status, times } of faults) {
      const of = {
        namespaces: `/namespaces/${this.#x}$`,
        userlist: `/namespaces/${this.#x}/virtualmachineinstances/.*/userlist`,
      };
      const struck = path in of ? of[path as keyof typeof of] : `/namespaces/${this.#x}/${path}`;
      sim.faults.add({ when: { path: new RegExp(struck), from: 1 }, times, does: { kind: 'status', status } });
    }
  }

  #makeRun({ ofY, spec, status }: Tenants['x']['runs'][number], name: string) {
    const { sim } = this.#ground;
    const [schedule] = sim.list<KubeObject>('wukongschedules', ofY ? this.#y : this.#x);
    const uid = schedule?.metadata.uid ?? '';
    const reference = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongSchedule', name: 'office', uid };
    sim.create({
      ...{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongRun', spec, status },
      metadata: {
        ...{ namespace: this.#x, name, labels: { [currentKey]: 'true', [scheduleUidKey]: uid } },
        ownerReferences: [reference],
      },
    });
  }

  #makeSchedule(namespace: string, name: string, spec: unknown, status?: unknown) {
    this.#ground.sim.create({
      ...{ apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongSchedule', metadata: { namespace, name }, spec },
      ...(status === undefined ? {} : { status }),
    });
  }

  /** What both tenants do later. */
  #later() {
    const { clock, sim } = this.#ground;
    const at = (seconds: number, run: () => void) => clock.after(this.#begin + seconds * 1000 - clock.now(), run);
    for (const { atSeconds, of, action, force, ...wish } of this.#tenants.y.wishes) {
      const name = `vm-${of % this.#tenants.y.wukongs.length}`;
      const hard = action === 'stop' && force ? { force } : {};
      at(5 + atSeconds, () => {
        if (wish.do === 'declare')
          sim.change<Raw>('wukongs', this.#y, name, ({ spec }) => void (spec['lifecycleAction'] = { action, ...hard }));
        else this.#command(action, { target: { namespace: this.#y, name }, ...hard });
      });
    }
    if (!this.#withX) return;
    for (const write of this.#tenants.x.writes) at(5 + write.atSeconds, () => attempt(() => this.#write(write)));
  }

  #write(write: HostileWrite) {
    const { sim } = this.#ground;
    if (write.do === 'namespace') {
      sim.change<KubeObject>('namespaces', '', this.#x, ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, [write.key]: write.value };
      });
      return;
    }
    const all = sim.list<Wukong>('wukongs', this.#x);
    if (all.length === 0) return;
    const { name } = all[write.of % all.length]!.metadata;
    sim.change<Raw>('wukongs', this.#x, name, (wukong) => {
      const { metadata } = wukong;
      if (write.do === 'annotate') metadata.annotations = { ...metadata.annotations, [write.key]: write.value };
      else if (write.do === 'status') wukong.status = { ...wukong.status, [write.field]: write.value };
      else wukong.spec['lifecycleAction'] = write.value;
    });
  }

  #command(action: 'start' | 'stop', detail: object) {
    const id = `request-${++this.#requests}`;
    const time = new Date(this.#ground.clock.now()).toISOString();
    this.#deliver(action, { id, time, source: 'a.team', 'detail-type': requestedType[action], detail });
  }

  #deliver(action: 'start' | 'stop', event: object) {
    const handler = action === 'start' ? startVm : stopVm;
    this.#launch(
      handler(event, this.#invocation(600_000)).then(({ outcomes }) => void this.#returned.push(...outcomes)),
    );
  }

  /** A process of its own, with the same luck in every life. */
  #invocation(leftMs: number, answered?: Answered) {
    const { clock, credentials } = this.#ground;
    const now = clock.now();
    const random = dice();
    const near = transportTo(credentials, clock, random);
    const far = () => distant(this.#harm?.(near, clock, this.#x, this.#y) ?? near, clock, answered!);
    const world = { ...this.#world, random, transport: answered ? far() : near };
    return { world, limits: { deadline: now + leftMs }, id: `invocation-${++this.#requests}`, now };
  }

  #route({ type, detail, time }: BusEntry) {
    this.#told.push({ type, detail, time });
    const action = (['start', 'stop'] as const).find((one) => requestedType[one] === type);
    if (!action) return;
    const event = { id: `bus-${++this.#requests}`, source, 'detail-type': type, time: new Date(time).toISOString() };
    const sent = { ...event, detail: JSON.parse(JSON.stringify(detail)) as unknown };
    this.#ground.clock.after(busMs, () => this.#deliver(action, sent));
  }

  /** A tick may leave work of X undone, and throws then; what it did for Y is seen on Y's objects. */
  async #tick(): Promise<void> {
    await reconcileState({}, this.#invocation(50_000, this.#looking())).catch(() => {});
  }

  /** Notes how long a tick looks around, or lets it look around for as long as it did in another life. */
  #looking(): Answered {
    const { clock } = this.#ground;
    const begun = clock.now();
    const tick = this.#lookedMs.push(0) - 1;
    // Where Y has a schedule, one round of its own is read after what is held up here.
    const until = begun + (this.#late[tick] ?? 0) - (this.#tenants.y.schedule ? tickAwayMs : 0);
    return async (sent) => {
      if (isOfOneNamespace(sent)) this.#lookedMs[tick] = clock.now() - begun;
      else if (isBefore(sent)) await sleep(clock, Math.max(0, until - clock.now()));
    };
  }

  #launch(work: Promise<unknown>) {
    const settled = work.catch(() => {}).finally(() => this.#open.delete(settled));
    this.#open.add(settled);
  }

  /** What was put on the bus is delivered, and what was begun has come to its end. */
  async #allOver(): Promise<void> {
    do {
      await sleep(this.#ground.clock, 2 * busMs);
      await Promise.all(this.#open);
    } while (this.#open.size > 0);
  }

  #until(seconds: number): Promise<void> {
    const { clock } = this.#ground;
    return new Promise((resolve) => clock.after(Math.max(0, this.#begin + seconds * 1000 - clock.now()), resolve));
  }

  #look(begun: number): Seen {
    const { sim } = this.#ground;
    const since = (at: number) => at - this.#begin;
    const own = sim.requests
      .slice(begun)
      .filter(({ path, method }) => method !== 'GET' && path.includes(`/namespaces/${this.#y}/`));
    const events = sim.list<KubeObject & { reason: string; message: string; firstTimestamp: string }>(
      'events',
      this.#y,
    );
    const told = this.#told
      .filter(({ type }) => type === outcomeType)
      .map(({ detail, time }) => ({ ...(detail as object), at: time }));
    const returned = this.#returned.map((outcome) => ({ ...outcome, at: outcome.finishedAt }));
    return {
      requests: this.#requestsIn(own),
      outcomes: this.#outcomesIn([...told, ...returned]),
      events: events
        .filter(({ reason }) => !reason.startsWith('Successful'))
        .map(({ reason, message, firstTimestamp }) => ({
          what: `${reason} ${message.split(':')[0]?.replace(/[0-9a-f-]{36}|request-\d+|\d+/g, '#')}`,
          at: isOfRun(reason) ? 0 : since(Date.parse(firstTimestamp)),
        })),
      statuses: [...this.#statuses(), ...this.#marks()],
    };
  }

  /** A skip is told by each tick until its boundary is over for all that the schedule selects; the first one counts. */
  #outcomesIn(all: { at: number }[]): Sight[] {
    const skipped = new Set<string>();
    return all.flatMap(({ at, ...detail }) => {
      const { namespace, name, action, outcome, reason = '', trigger, requestId } = detail as Record<string, string>;
      const what = `${name} ${action} ${outcome} ${reason} ${trigger}`;
      const again = outcome === 'Skipped' && skipped.has(`${what} ${requestId}`);
      if (outcome === 'Skipped') skipped.add(`${what} ${requestId}`);
      return namespace === this.#y && !again ? [{ what, at: at - this.#begin }] : [];
    });
  }

  /**
   * How often a mark, a run or a status is written depends on how long ticks wait, which is when they write it: what it says at
   * the end counts. What a process of Y's lost to another one of Y's (409, 422) changed nothing.
   */
  #requestsIn(own: RequestRecord[]): Sight[] {
    const marked = new Set<string>();
    return own.flatMap(({ method, path, status, at }) => {
      if (status === 409 || status === 422 || (method === 'PATCH' && path.includes('/wukongruns'))) return [];
      const known = path.replace(this.#y, 'y').replace(/-\d{8}-(\d{4}-\w+?)-[0-9a-f]+/, '-$1');
      const what = `${method} ${known} ${status}`;
      // When an Event was told is known from the Event.
      if (path.endsWith('/events')) return [{ what, at: 0 }];
      if (!isMark(path)) return [{ what, at: at - this.#begin }];
      if (marked.has(what)) return [];
      marked.add(what);
      return [{ what, at: 0 }];
    });
  }

  #statuses(): Sight[] {
    return this.#ground.sim.list<Wukong>('wukongs', this.#y).map(({ metadata, status }) => {
      const { state, outcome, reason, forced, trigger, lastActionTime } = status?.lifecycleState ?? {};
      const what = JSON.stringify([metadata.name, state, outcome, reason, forced, trigger]);
      return { what, at: lastActionTime ? Date.parse(lastActionTime) - this.#begin : 0 };
    });
  }

  #marks(): Sight[] {
    const { sim } = this.#ground;
    const since = (instant: unknown) => instant && Date.parse(String(instant)) - this.#begin;
    const schedules = sim.list<Raw>('wukongschedules', this.#y).map(({ metadata, status = {} }) => {
      const conditions = status['conditions'] as Condition[] | undefined;
      const ready = conditions?.map(({ type, status: is, reason }) => [type, is, reason]);
      return [metadata.name, since(status['lastHandled']), status['matched'], ready];
    });
    const runs = sim.list<Raw>('wukongruns', this.#y).map(({ spec, status = {} }) => {
      const { phase, targets, done, already, forced, failed, skipped } = status;
      return [spec['action'], since(spec['dueAt']), phase, targets, done, already, forced, failed, skipped];
    });
    return [...schedules, ...runs].map((one) => ({ what: JSON.stringify(one), at: 0 }));
  }
}
