import type { Clock } from '../time/clock.ts';
import { heard, type Limits } from '../time/wait.ts';
import type { Job } from './job.ts';

/** A wave that is not over by then does not hold back the next one. */
export const longestWaveMs = 10 * 60_000;

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

export interface Places {
  /** Waits for the next turn. Undefined: none is left, or the limits were reached. */
  next(limits: Limits): Promise<Turn | undefined>;
  /** Those that had no turn. */
  left(): Job[];
}

interface Lane {
  waves: { rank: number; jobs: Job[] }[];
  /** How many have not ended, by rank. */
  open: Map<number, number>;
  rank: number;
  overAt: number;
  held: number;
}

/** The jobs of one lane in one namespace that may begin, in order. */
interface Cell {
  lane: Lane;
  namespace: string;
  most: number;
  queue: { job: Job; notBefore: number }[];
  servedAt: number;
}

/**
 * Whose turn it is among many jobs. Places and waves are of each group. The namespace that holds the fewest places
 * comes first, so that one whose guests go nowhere cannot hold them all; then they go round, and the groups in each.
 */
export function newPlaces(jobs: Job[], clock: Clock): Places {
  const held = new Map<string, number>();
  const onTheirWay = new Map<string, number>();
  const servedAt = new Map<string, number>();
  const cells = new Map<string, Cell>();
  let turns = 0;
  let onChange = () => {};
  const lanes = [...Map.groupBy(jobs, ({ group }) => group.key).values()].map((mine) => newLane(mine));

  function newLane(mine: Job[]): Lane {
    const open = new Map<number, number>();
    for (const { wave } of mine) open.set(wave, (open.get(wave) ?? 0) + 1);
    const byRank = Map.groupBy(mine, ({ wave }) => wave);
    const waves = [...byRank].sort(([a], [b]) => a - b).map(([rank, all]) => ({ rank, jobs: all }));
    const lane: Lane = { waves, open, rank: -Infinity, overAt: -Infinity, held: 0 };
    for (const job of mine) if (job.urgent) enqueue(lane, job, -Infinity);
    return lane;
  }

  function enqueue(lane: Lane, job: Job, notBefore: number) {
    const key = `${job.place.namespace} ${job.group.key}`;
    const cell = cells.get(key) ?? {
      lane,
      namespace: job.place.namespace,
      most: job.group.maxInFlight,
      queue: [],
      servedAt: 0,
    };
    cells.set(key, cell);
    cell.queue.push({ job, notBefore });
  }

  /** Begins each lane's next wave when the one before has ended, or its time is over. */
  function advance(now: number) {
    for (const lane of lanes)
      for (let wave = lane.waves[0]; wave; wave = lane.waves[0]) {
        if ((lane.open.get(lane.rank) ?? 0) > 0 && now < lane.overAt) break;
        lane.waves.shift();
        begin(lane, wave, now);
      }
  }

  function begin(lane: Lane, { rank, jobs: mine }: Lane['waves'][number], now: number) {
    const { known, delayMs } = mine[0]!.group;
    const { dueAt, begunAt } = known?.get(rank) ?? {};
    const from = dueAt ?? begunAt ?? (lane.rank === -Infinity ? now : now + delayMs);
    const spread = mine.reduce((most, { jitterMs }) => Math.max(most, jitterMs), 0);
    lane.rank = rank;
    lane.overAt = (begunAt ?? Math.max(now, from)) + spread + longestWaveMs;
    for (const job of mine) if (!job.urgent) enqueue(lane, job, from + job.jitterMs);
    for (const cell of cells.values())
      if (cell.lane === lane && spread > 0) cell.queue.sort((a, b) => a.notBefore - b.notBefore);
  }

  const mayBegin = ({ queue: [first], lane, most, namespace }: Cell, now: number): boolean => {
    if (!first || first.notBefore > now) return false;
    return first.job.urgent === true || (lane.held < most && (onTheirWay.get(namespace) ?? 0) < mostOnTheirWay);
  };

  const before = (a: Cell, b: Cell): boolean => {
    const [mine, theirs] = [held.get(a.namespace) ?? 0, held.get(b.namespace) ?? 0];
    if (mine !== theirs) return mine < theirs;
    const [last, other] = [servedAt.get(a.namespace) ?? 0, servedAt.get(b.namespace) ?? 0];
    return last === other ? a.servedAt < b.servedAt : last < other;
  };

  function pick(now: number): Cell | undefined {
    let best: Cell | undefined;
    for (const [key, cell] of cells) {
      if (cell.queue.length === 0) cells.delete(key);
      else if (mayBegin(cell, now) && (!best || before(cell, best))) best = cell;
    }
    return best;
  }

  function turnOf(cell: Cell): Turn {
    const { lane, namespace } = cell;
    const { job } = cell.queue.shift()!;
    const { wave } = job;
    servedAt.set(namespace, (cell.servedAt = ++turns));
    const count = (counts: Map<string, number>, by: number) => counts.set(namespace, (counts.get(namespace) ?? 0) + by);
    const hold = (by: number) => {
      lane.held += by;
      count(held, by);
    };
    hold(1);
    count(onTheirWay, 1);
    const arrive = once(() => (count(onTheirWay, -1), onChange()));
    const cancel = clock.after(onTheWayMs, arrive);
    const asked = () => (cancel(), arrive());
    if (job.urgent) asked();
    const release = once(() => (asked(), hold(-1), onChange()));
    return { job, asked, release, ended: once(() => (lane.open.set(wave, lane.open.get(wave)! - 1), onChange())) };
  }

  /** When there may be a turn although nobody gives anything back. */
  function wakeAt(now: number): number {
    const starts = cells.values().map(({ queue: [first] }) => first?.notBefore ?? Infinity);
    const waves = lanes.values().map(({ waves: [next], overAt }) => (next ? overAt : Infinity));
    return [...starts, ...waves].reduce((first, at) => (at > now ? Math.min(first, at) : first), Infinity);
  }

  return {
    async next(limits) {
      for (;;) {
        const now = clock.now();
        if (limits.signal?.aborted || now >= limits.deadline) return undefined;
        advance(now);
        const cell = pick(now);
        if (cell) return turnOf(cell);
        if (cells.size === 0 && lanes.every(({ waves }) => waves.length === 0)) return undefined;
        const subscribe = (call: () => void) => ((onChange = call), () => (onChange = () => {}));
        const until = { ...limits, deadline: Math.min(limits.deadline, wakeAt(now)) };
        await heard(clock, subscribe, until).catch(() => false); // aborted: seen above
      }
    },
    left: () => [
      ...[...cells.values()].flatMap(({ queue }) => queue.map(({ job }) => job)),
      ...lanes.flatMap(({ waves }) => waves.flatMap(({ jobs: mine }) => mine.filter(({ urgent }) => !urgent))),
    ],
  };
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
