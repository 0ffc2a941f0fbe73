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
  /** By their groups; the one that was served last is the last. */
  cells: Map<string, Cell>;
  /** How many wait for no place. */
  urgent: number;
}

/** The jobs of one group in one namespace that may begin, in order. */
interface Cell {
  lane: Lane;
  space: Space;
  queue: Ready[];
}

/**
 * Whose turn it is among many jobs. Places and waves are of each group. The namespace that holds the fewest places
 * comes first, so that one whose guests go nowhere cannot hold them all; then they go round, and the groups in each.
 */
export class Places {
  readonly #clock: Clock;
  /** Those that have waves to come. */
  #lanes: Lane[];
  /** Those that have cells. */
  readonly #spaces = new Set<Space>();
  readonly #known = new Map<string, Space>();
  /** Cells with jobs that are to begin later. */
  readonly #delayed = new Set<Cell>();
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
      for (const lane of this.#lanes) this.#enqueue(lane, lane.waves.begin(now), now);
      this.#lanes = this.#lanes.filter(({ waves }) => waves.nextAt() < Infinity);
      const cell = this.#pick(now);
      if (cell) return this.#turnOf(cell);
      const wakeAt = this.#wakeAt(now);
      if (this.#spaces.size === 0 && wakeAt === Infinity) return undefined;
      const subscribe = (call: () => void) => ((this.#onChange = call), () => (this.#onChange = () => {}));
      const until = { ...limits, deadline: Math.min(limits.deadline, wakeAt) };
      await heard(this.#clock, subscribe, until).catch(() => false); // aborted: seen above
    }
  }

  /** Those that had no turn. */
  left(): Job[] {
    const cells = [...this.#spaces].flatMap(({ cells }) => [...cells.values()]);
    const queued = cells.flatMap(({ queue }) => queue.map(({ job }) => job));
    return [...queued, ...this.#lanes.flatMap(({ waves }) => waves.left())];
  }

  #enqueue(lane: Lane, ready: Ready[], now: number): void {
    const touched = new Set<Cell>();
    for (const one of ready) {
      const { place, group, urgent } = one.job;
      const none = { held: 0, onTheirWay: 0, servedAt: 0, cells: new Map<string, Cell>(), urgent: 0 };
      const space = this.#known.get(place.namespace) ?? none;
      this.#known.set(place.namespace, space);
      this.#spaces.add(space);
      const cell = space.cells.get(group.key) ?? { lane, space, queue: [] };
      space.cells.set(group.key, cell);
      cell.queue.push(one);
      if (urgent) space.urgent++;
      if (one.notBefore > now) this.#delayed.add(cell);
      touched.add(cell);
    }
    for (const { queue } of touched) queue.sort((a, b) => a.notBefore - b.notBefore);
  }

  #pick(now: number): Cell | undefined {
    let best: Cell | undefined;
    for (const space of this.#spaces) {
      if (best && !isBefore(space, best.space)) continue;
      best = firstOf(space, now) ?? best;
    }
    return best;
  }

  #turnOf(cell: Cell): Turn {
    const { lane, space, queue } = cell;
    const { job } = queue.shift()!;
    space.servedAt = ++this.#turns;
    space.cells.delete(job.group.key);
    if (queue.length > 0) space.cells.set(job.group.key, cell);
    else this.#delayed.delete(cell);
    if (space.cells.size === 0) this.#spaces.delete(space);
    if (job.urgent) space.urgent--;
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
    const starts = this.#delayed.values().map(({ queue }) => queue[0]!.notBefore);
    const waves = this.#lanes.values().map(({ waves }) => waves.nextAt());
    return [...starts, ...waves].reduce((first, at) => (at > now ? Math.min(first, at) : first), Infinity);
  }
}

/** The first that may begin of those in a namespace. */
function firstOf(space: Space, now: number): Cell | undefined {
  const isFull = space.onTheirWay >= mostOnTheirWay;
  if (isFull && space.urgent === 0) return undefined;
  for (const cell of space.cells.values()) {
    const { job, notBefore } = cell.queue[0]!;
    if (notBefore <= now && (job.urgent || (!isFull && cell.lane.held < cell.lane.most))) return cell;
  }
  return undefined;
}

function isBefore(a: Space, b: Space): boolean {
  return a.held === b.held ? a.servedAt < b.servedAt : a.held < b.held;
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
