import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import type { WukongRun } from '../../shared/domain/run.ts';
import type { Older } from './older.ts';
import { type Asked, nameOf, WideActs } from './wideActs.ts';
import type { WideHistory } from './wideHistory.ts';
import { minuteMs, WideLife } from './wideLife.ts';
import { beginOf, boundariesOf, type Due, type Span, type Version } from './wideModel.ts';
import type { Sight, Witness } from './wideWitness.ts';

/** Minutes around anything that happens in which a tick comes every minute; else every quarter of an hour. */
const before = 2;
const after = 7;
/** Minutes that a history lasts before quiet is waited for. */
const lastingMinutes = 300;
const mostTicks = 60;
const servedMinutes = 30;

/** All that was seen of one history. */
export interface WideTale {
  begin: number;
  end: number;
  asked: Asked[];
  versions: Version[];
  spans: Span[];
  sights: Map<number, Sight>;
  witness: Witness;
  accepted: { at: number; key: string; verb: string }[];
  runs: WukongRun[];
  wukongs: Wukong[];
  events: (KubeObject & { reason: string; message: string; involvedObject: { namespace?: string; name: string } })[];
  last: Sight;
  /** Whatever was written after a quiet hour. */
  written: string[];
  quiet: boolean;
  problems: string[];
  thrown: string[];
}

export const keyOfWide = ({ wukongs }: WideHistory, index: number): string =>
  `${wukongs[index]!.space}/${nameOf(index)}`;

/** Lets one wide history happen, and looks at what came of it. */
export async function liveWide(history: WideHistory, older?: Older): Promise<WideTale> {
  const begin = beginOf(history);
  const life = await WideLife.open(history, begin, older);
  const told = new WideStory(history, life, begin);
  try {
    return await life.clock.run(() => told.run(), { sims: [life.sim], limitMs: 40 * 3_600_000 });
  } finally {
    await life.sim.close();
  }
}

class WideStory {
  readonly #history: WideHistory;
  readonly #life: WideLife;
  readonly #begin: number;
  readonly #acts: WideActs;
  readonly #sights = new Map<number, Sight>();
  #busyUntil = 0;
  #ticks = 0;

  constructor(history: WideHistory, life: WideLife, begin: number) {
    this.#history = history;
    this.#life = life;
    this.#begin = begin;
    this.#acts = new WideActs(history, life, begin);
  }

  async run(): Promise<WideTale> {
    const life = this.#life;
    this.#acts.furnish();
    await this.#until(0);
    const served = this.#servedFrom();
    for (let minute = 0; minute < lastingMinutes && !this.#isOver(minute); minute++) {
      await this.#until(minute);
      if (minute === served) life.serve();
      if (minute === served + servedMinutes) await life.endServer();
      this.#lookAhead();
      for (const step of this.#history.steps) if (step.minute === minute) this.#acts.act(step);
      if (this.#isBusy(minute) || minute % 15 === 3) this.#tick();
    }
    life.busIsWell = true;
    life.sim.faults.clear();
    life.sim.faults.virtApiDown(false);
    return this.#rest();
  }

  async #rest(): Promise<WideTale> {
    const life = this.#life;
    const { sim, clock, witness } = life;
    const { asked, versions, spans } = this.#acts;
    await life.settled();
    const calmed = await this.#calmed();
    for (let i = 0; i < 4; i++) await life.sleep(15 * minuteMs).then(() => life.tick());
    // An override that ends so late has begun something meanwhile.
    const quiet = (await this.#calmed()) && calmed;
    const restsSince = sim.requests.length;
    for (let i = 0; i < 3; i++) await life.sleep(2 * minuteMs).then(() => life.tick());
    await life.endServer();
    const isWrite = ({ method, path }: { method: string; path: string }) =>
      method !== 'GET' && !/\/leases|reviews$/.test(path);
    return {
      begin: this.#begin,
      end: clock.now(),
      ...{ asked, versions, spans, sights: this.#sights, witness },
      accepted: acceptedIn(sim.requests),
      runs: sim.list('wukongruns'),
      wukongs: sim.list('wukongs'),
      events: sim.list('events'),
      last: witness.look(),
      written: sim.requests
        .slice(restsSince)
        .filter(isWrite)
        .map(({ method, path }) => `${method} ${path}`),
      quiet,
      problems: life.problems,
      thrown: life.thrown,
    };
  }

  /** Ticks until two in a row have had nothing to do. Whether that came. */
  async #calmed(): Promise<boolean> {
    const life = this.#life;
    let calm = 0;
    for (let ticks = 0; ticks < mostTicks && calm < 2; ticks++) {
      await life.sleep(minuteMs);
      const idle = await life.tick();
      calm = idle && !life.busy && life.problems.length === 0 ? calm + 1 : 0;
    }
    return calm >= 2;
  }

  #tick() {
    const life = this.#life;
    const { older } = life;
    const isAlone = older && this.#history.older?.how === 'instead';
    // Whoever comes first does what is due.
    const isFirst = isAlone || ++this.#ticks % 2 === 0;
    if (older) life.launch(life.sleep(isFirst ? 0 : 7_000).then(() => life.tick({ older })));
    if (isAlone) return;
    life.launch(life.sleep(older && isFirst ? 7_000 : 0).then(() => life.tick()));
    if (this.#history.tickers === 'two') life.launch(life.sleep(13_000).then(() => life.tick()));
  }

  #isBusy(minute: number): boolean {
    const at = this.#begin + minute * minuteMs;
    const near = (when: number) => at >= when - before * minuteMs && at <= when + after * minuteMs;
    return (
      at < this.#busyUntil ||
      this.#history.steps.some((step) => near(this.#begin + step.minute * minuteMs)) ||
      this.#due().some((due) => near(due.at))
    );
  }

  /** Nothing is to come any more, and what came last has had its time. */
  #isOver(minute: number): boolean {
    const steps = this.#history.steps.map((step) => step.minute + (step.do === 'keep' ? step.minutes : 0));
    const dues = this.#due().map(({ at }) => (at - this.#begin) / minuteMs);
    return !this.#life.busy && minute > Math.max(0, ...steps, ...dues) + 15;
  }

  /** Shortly before the first thing happens; it renews its Lease every two seconds, which costs too much for a night. */
  #servedFrom(): number {
    if (this.#history.tickers !== 'served') return Infinity;
    const dues = this.#due().map(({ at }) => (at - this.#begin) / minuteMs);
    return Math.max(0, Math.min(...dues, ...this.#history.steps.map(({ minute }) => minute), lastingMinutes) - 3);
  }

  readonly #due = (): Due[] =>
    this.#acts.versions.flatMap((version) => boundariesOf(this.#begin, { ...version, from: -Infinity }));

  /** How the VMs are at each boundary, just before anybody acts on it. */
  #lookAhead() {
    const now = this.#life.clock.now();
    for (const { at } of this.#due())
      if (at >= now && at < now + minuteMs && !this.#sights.has(at)) this.#sights.set(at, this.#life.witness.look());
    if (this.#life.busy) this.#busyUntil = Math.max(this.#busyUntil, now + 5 * minuteMs);
  }

  #until(minute: number): Promise<void> {
    return this.#life.sleep(this.#begin + minute * minuteMs - this.#life.clock.now());
  }
}

/** Power calls that KubeVirt accepted. */
function acceptedIn(requests: { path: string; at: number; status: number }[]): WideTale['accepted'] {
  const shape = /^\/apis\/subresources.+\/namespaces\/([^/]+)\/virtualmachines\/(.+)-vm\/(start|stop)$/;
  return requests.flatMap(({ path, at, status }) => {
    const [, namespace, name, verb] = shape.exec(path) ?? [];
    return status === 202 && verb ? [{ at, verb, key: `${namespace}/${name}` }] : [];
  });
}
