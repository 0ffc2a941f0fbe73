import type { Clock } from '../time/clock.ts';
import { heard, type Limits } from '../time/wait.ts';
import type { Job } from './job.ts';
import { type Ready, Waves } from './waves.ts';

/**
 * So many of a namespace may be on their way to their power call, each for at most a second: so the calls are made in
 * the order of the turns, however fast claims are answered.
 */
const mostOnTheirWay = 8;
const onTheWayMs = 1_000;

/**
 * A job whose turn it is. `asked` says that its power call is being made, `release` gives its place back, `ended` lets
 * its wave go on; each as often as one likes.
 */
export interface Turn {
  job: Job;
  asked(): void;
  release(): void;
  ended(): void;
}

/** A group of jobs: places and waves are its own. */
interface Lane {
  waves: Waves;
  most: number;
  held: number;
}

interface Space {
  held: number;
  onTheirWay: number;
  servedAt: number;
}

/** The jobs of one group in one namespace that may begin, in order. */
interface Cell {
  lane: Lane;
  space: Space;
  queue: Ready[];
  servedAt: number;
}

/**
 * Whose turn it is among many jobs. Places and waves are of each group. The namespace that holds the fewest places
 * comes first, so that one whose guests go nowhere cannot hold them all; then they go round, and the groups in each.
 */
export class Places {
  readonly #clock: Clock;
  readonly #lanes: Lane[];
  readonly #spaces = new Map<string, Space>();
  readonly #cells = new Map<string, Cell>();
  #turns = 0;
  #onChange = () => {};

  constructor(jobs: Job[], clock: Clock) {
    this.#clock = clock;
    this.#lanes = [...Map.groupBy(jobs, ({ group }) => group.key).values()].map((mine) => ({
      waves: new Waves(mine),
      most: mine[0]!.group.maxInFlight,
      held: 0,
    }));
  }

  /** Waits for the next turn. Undefined: none is left, or the limits were reached. */
  async next(limits: Limits): Promise<Turn | undefined> {
    for (;;) {
      const now = this.#clock.now();
      if (limits.signal?.aborted || now >= limits.deadline) return undefined;
      for (const lane of this.#lanes) this.#enqueue(lane, lane.waves.begin(now));
      const cell = this.#pick(now);
      if (cell) return this.#turnOf(cell);
      const wakeAt = this.#wakeAt(now);
      if (this.#cells.size === 0 && wakeAt === Infinity) return undefined;
      const subscribe = (call: () => void) => ((this.#onChange = call), () => (this.#onChange = () => {}));
      const until = { ...limits, deadline: Math.min(limits.deadline, wakeAt) };
      await heard(this.#clock, subscribe, until).catch(() => false); // aborted: seen above
    }
  }

  /** Those that had no turn. */
  left(): Job[] {
    const queued = [...this.#cells.values()].flatMap(({ queue }) => queue.map(({ job }) => job));
    return [...queued, ...this.#lanes.flatMap(({ waves }) => waves.left())];
  }

  #enqueue(lane: Lane, ready: Ready[]): void {
    const touched = new Set<Cell>();
    for (const one of ready) {
      const { place, group } = one.job;
      const space = this.#spaces.get(place.namespace) ?? { held: 0, onTheirWay: 0, servedAt: 0 };
      this.#spaces.set(place.namespace, space);
      const key = `${place.namespace} ${group.key}`;
      const cell = this.#cells.get(key) ?? { lane, space, queue: [], servedAt: 0 };
      this.#cells.set(key, cell);
      cell.queue.push(one);
      touched.add(cell);
    }
    for (const { queue } of touched) queue.sort((a, b) => a.notBefore - b.notBefore);
  }

  #pick(now: number): Cell | undefined {
    let best: Cell | undefined;
    for (const [key, cell] of this.#cells) {
      if (cell.queue.length === 0) this.#cells.delete(key);
      else if (mayBegin(cell, now) && (!best || isBefore(cell, best))) best = cell;
    }
    return best;
  }

  #turnOf(cell: Cell): Turn {
    const { lane, space } = cell;
    const { job } = cell.queue.shift()!;
    space.servedAt = cell.servedAt = ++this.#turns;
    const hold = (by: 1 | -1) => {
      lane.held += by;
      space.held += by;
    };
    hold(1);
    space.onTheirWay++;
    const arrive = once(() => (space.onTheirWay--, this.#onChange()));
    const cancel = this.#clock.after(onTheWayMs, arrive);
    const asked = () => (cancel(), arrive());
    if (job.urgent) asked();
    const release = once(() => (asked(), hold(-1), this.#onChange()));
    return { job, asked, release, ended: once(() => (lane.waves.ended(job), this.#onChange())) };
  }

  /** When there may be a turn although nobody gives anything back. */
  #wakeAt(now: number): number {
    const starts = this.#cells.values().map(({ queue }) => queue[0]!.notBefore);
    const waves = this.#lanes.values().map(({ waves }) => waves.nextAt());
    return [...starts, ...waves].reduce((first, at) => (at > now ? Math.min(first, at) : first), Infinity);
  }
}

function mayBegin({ queue, lane, space }: Cell, now: number): boolean {
  const first = queue[0]!;
  if (first.notBefore > now) return false;
  return first.job.urgent === true || (lane.held < lane.most && space.onTheirWay < mostOnTheirWay);
}

function isBefore(a: Cell, b: Cell): boolean {
  if (a.space.held !== b.space.held) return a.space.held < b.space.held;
  if (a.space.servedAt !== b.space.servedAt) return a.space.servedAt < b.space.servedAt;
  return a.servedAt < b.servedAt;
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
