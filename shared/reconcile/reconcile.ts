import type { World } from '../cluster/world.ts';
import { keyOf, placeOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { execute } from '../execute/execute.ts';
import { paced } from '../execute/paced.ts';
import type { Progress } from '../execute/sink.ts';
import { withBatchedBus } from '../report/batchedBus.ts';
import { nextOfAll } from '../schedule/calendar.ts';
import { type Timetable, troubleLines, troublesOf } from '../schedule/timetable.ts';
import { Interrupted, type Limits } from '../time/wait.ts';
import { claimOwn } from './busy.ts';
import { collectJobs, type Decided } from './collectJobs.ts';
import { withoutThoseInUse } from './inUse.ts';
import { keepSchedules, unkept } from './keepSchedules.ts';
import { look, type Seen } from './look.ts';
import { mend } from './mend.ts';
import { lineOf, problemOf, reportProblems, type Ticking } from './problems.ts';
import { type Read, readRuns } from './runs.ts';

/** What one tick did. */
export interface Tick {
  wukongs: number;
  outcomes: Outcome[];
  /** Statuses that did not say what was so. */
  repaired: number;
  /** Commands that were put on the event bus. */
  sent: number;
  problems: string[];
  /** Schedules that do not do all that they say: their owners' mistakes, and no failure of the tick. */
  schedules: string[];
  /** How many of the problems left some of its work undone. */
  undone: number;
}

/** A process that stays: what it sees without reading, and what it carries out already. */
export interface Standing {
  look: (to: Ticking) => Promise<Seen>;
  /** Keys of the Wukongs that this process is carrying something out on, in another tick or for a caller. */
  busy: Set<string>;
  /** Only a few Wukongs are looked at: what they ask for themselves. What schedules want is for a whole tick. */
  few?: boolean;
  /** Told when the next boundary of any schedule is due. Instant; Infinity: none is. */
  foresee?: (at: number) => void;
  /** The runs that ticks look at, where they are watched. */
  runs?: () => Read;
}

/**
 * One tick: reads everything once, decides everything, asks for everything, mends what statuses say, and spends the time
 * that is left waiting for all together. Writes nothing where nothing changed. One Wukong's trouble is its own.
 * @throws LifecycleError when the Wukongs cannot be read at all; or, after the rest was done, what schedules depend on.
 */
export async function reconcile(
  given: World,
  limits: Limits,
  standing: Standing = { look, busy: new Set() },
): Promise<Tick> {
  const world = paced(withBatchedBus(given), limits);
  const to: Ticking = { world, limits, problems: [] };
  const runs = standing.few ? undefined : standing.runs ? standing.runs() : readRuns(world, limits);
  const seen = await standing.look(to);
  try {
    const tick = await tickOver(seen, to, { ...standing, runs });
    if (seen.blind) throw seen.blind;
    return tick;
  } finally {
    seen.machines.close();
    const now = world.clock.now();
    const end = limits.signal?.reason instanceof Interrupted ? now : limits.deadline;
    await world.webhook?.flush(Math.min(now + noticesMs, Math.max(now, end + 1_000)));
  }
}

type Ground = Pick<Standing, 'busy' | 'few' | 'foresee'> & { runs: Read | Promise<Read> | undefined };

/** All that a tick does once everything was read. */
async function tickOver(seen: Seen, to: Ticking, { busy, few = false, foresee, runs }: Ground): Promise<Tick> {
  const { world, limits, problems } = to;
  const { wukongs, machines, blind } = seen;
  const decided = await collectJobs(seen, to, few);
  const { table, wanted, machineOf } = decided;
  if (!few) foresee?.(nextOfAll(schedulesOf(table), table.at));
  const unused = await withoutThoseInUse(decided, to);
  if (!few) world.metrics.count('StopsWaitingForUsers', unused.waiting);
  const own = claimOwn(unused.jobs, busy);
  const schedules = few ? unkept : keepSchedules(to, { ...decided, ...own, seen, runs: ofSeen(seen, await runs) });
  const sink = world.bus ? 'bus' : 'here';
  const progress = ({ outcome }: Progress) => outcome && own.release([keyOf(outcome)]);
  const executing = execute(own.jobs, world, { ...limits, machines, sink, progress }).finally(() => own.release());
  const telling = unused.tellWaiting();
  const known = knownOf(seen, decided);
  const { repaired, unsaid } = await mend(known, { ...to, table, wanted, machineOf, machines, busy });
  await schedules.meanwhile(unsaid);
  await telling;
  const done = await executing;
  for (const { job, error } of done.failures) problems.push(problemOf(error, job.wukong!));
  await schedules.atEnd(done, unsaid);
  if (blind) problems.push({ message: blind.message, reason: blind.code });
  const changed = new Set([...own.underWay, ...busy]); // what was read of these is not so any more
  const quiet = few ? [] : known.filter(({ metadata }) => !changed.has(keyOf(metadata)));
  await reportProblems(world, problems, quiet);
  return {
    wukongs: wukongs.length,
    outcomes: done.outcomes.filter(({ quiet }) => !quiet),
    repaired,
    sent: done.sent.length,
    problems: problems.map(lineOf),
    schedules: troubleLines(troublesOf(table)),
    undone: problems.filter(({ minor }) => !minor).length,
  };
}

/** The runs of whose Wukongs something is known. */
function ofSeen({ blind, unanswered }: Seen, read: Read = {}): Read {
  if (blind) return {};
  const unread = new Set([...(read.unread ?? []), ...unanswered.keys()]);
  return { ...read, unread, runs: read.runs?.filter((run) => !unread.has(placeOf(run).namespace)) };
}

const schedulesOf = ({ selecting }: Timetable) => selecting.flatMap(({ checked }) => checked.schedule ?? []);

/** Those of which everything is known that their status depends on. */
const knownOf = ({ wukongs, unanswered }: Seen, { undecided }: Decided): Wukong[] =>
  wukongs.filter((one) => !unanswered.has(placeOf(one).namespace) && !undecided.has(keyOf(one.metadata)));

/** How long it may take until notices have gone out, where there is time. */
const noticesMs = 5_000;
