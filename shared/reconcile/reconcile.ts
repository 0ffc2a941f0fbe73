import { machineOf } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import { execute, type Executed, type Progress } from '../execute/execute.ts';
import type { Job } from '../execute/job.ts';
import { rateLimiterOf } from '../execute/rateLimiter.ts';
import { type Selecting, type Timetable, timetable, troubleLines, troublesOf } from '../schedule/timetable.ts';
import type { Limits } from '../time/wait.ts';
import { announce, nearStops } from './announce.ts';
import { withoutThoseInUse } from './inUse.ts';
import { look, type Seen } from './look.ts';
import { markSchedules } from './markSchedules.ts';
import { mend } from './mend.ts';
import { ownJob, withoutIdle } from './ownJobs.ts';
import { lineOf, type Problem, problemOf, reportProblems } from './problems.ts';
import { keepRuns, openRuns, readRuns } from './runs.ts';
import { type Scheduled, scheduledJobs, type Wanted } from './scheduledJobs.ts';

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

export const nothingDone = (): Tick => ({
  ...{ wukongs: 0, repaired: 0, sent: 0, undone: 0 },
  ...{ outcomes: [], problems: [], schedules: [] },
});

/** How long the last words of a tick may take. */
const lastWordsMs = 5_000;

/** A process that stays: what it sees without reading, and what it carries out already. */
export interface Standing {
  look: (world: World, limits: Limits, problems: Problem[]) => Promise<Seen>;
  /** Keys of the Wukongs that this process is carrying something out on, in another tick or for a caller. */
  busy: Set<string>;
  /** Only a few Wukongs are looked at: what they ask for themselves. What schedules want is for a whole tick. */
  few?: boolean;
}

/**
 * One tick: reads everything once, decides everything, asks for everything, mends what statuses say, and spends the time
 * that is left waiting for all together. Writes nothing where nothing changed. One Wukong's trouble is its own.
 * @throws LifecycleError when the Wukongs cannot be read at all; or, after the rest was done, what schedules depend on.
 */
export async function reconcile(given: World, limits: Limits, standing?: Standing): Promise<Tick> {
  const world = { ...given, transport: rateLimiterOf(given).transport };
  const problems: Problem[] = [];
  const reading = standing?.few ? undefined : readRuns(world, limits);
  const seen = await (standing?.look ?? look)(world, limits, problems);
  const { wukongs, machines, blind } = seen;
  try {
    const decided = decideAll(seen, world, problems, standing?.few);
    const { table, wanted, undecided } = decided;
    const wishes = await withoutThoseInUse({ ...decided, problems }, world, limits);
    const { jobs, busy, release } = withoutBusy(wishes, standing);
    const sink = world.bus ? 'bus' : 'here';
    const see = (wukong: Wukong) => machineOf(wukong, machines);
    const whole = !blind && !standing?.few;
    const opened = openRuns((whole && (await reading)) || {}, { table, wukongs, machineOf: see });
    const announcing = announce(world, whole ? nearStops(table, see) : new Map(), limits);
    const progress = ({ outcome }: Progress) => outcome && release([keyOf(outcome)]);
    const executing = execute(jobs, world, { ...limits, machines, sink, progress }).finally(() => release());
    const isKnown = ({ metadata }: Wukong) =>
      !seen.unanswered.has(metadata.namespace ?? '') && !undecided.has(keyOf(metadata));
    const known = wukongs.filter(isKnown);
    const mending = { jobs, table, wanted, machines, world, limits, problems, held: standing?.busy };
    const { repaired, unsaid } = await mend(known, mending);
    // Schedules with nothing under way wait for no neighbour's guests.
    const waiting = new Set([...jobs.map(({ place }) => place), ...busy].map(keyOf));
    const isIdle = ({ matched }: Selecting) => matched.every(({ metadata }) => !waiting.has(keyOf(metadata)));
    const [idle = [], rest = []] = [true, false].map((one) => table.selecting.filter((each) => isIdle(each) === one));
    const announced = await announcing;
    for (const problem of announced.problems) problems.push(problem);
    const marking = { table, jobs, unsaid: [...unsaid, ...undecided.values(), ...busy], announced: announced.stops };
    const marked = async (selecting: Selecting[], done: Executed) => {
      if (standing?.few) return;
      const atEnd = withLastWords(world, limits);
      for (const problem of await markSchedules(world, atEnd, { ...marking, done, selecting })) problems.push(problem);
    };
    await marked(idle, nothingExecuted);
    const done = await executing;
    for (const { job, error } of done.failures) problems.push(problemOf(error, job.wukong ?? { metadata: job.place }));
    const atEnd = withLastWords(world, limits);
    for (const problem of await keepRuns(world, opened, { done, unsaid }, atEnd)) problems.push(problem);
    await marked(rest, done);
    if (!standing?.few) world.metrics.count('BadSchedules', troublesOf(table).length);
    if (blind) problems.push({ message: blind.message, reason: blind.code });
    const held = new Set([...waiting, ...(standing?.busy ?? [])]); // what was read of these is not so any more
    const quiet = standing?.few ? [] : known.filter(({ metadata }) => !held.has(keyOf(metadata)));
    await reportProblems(world, problems, quiet);
    if (blind) throw blind;
    return {
      wukongs: wukongs.length,
      outcomes: done.outcomes.filter(({ quiet }) => !quiet),
      repaired,
      sent: done.sent.length,
      problems: problems.map(lineOf),
      schedules: troubleLines(troublesOf(table)),
      undone: problems.filter(({ minor }) => !minor).length,
    };
  } finally {
    machines.close();
    await world.webhook?.flush(world.clock.now() + lastWordsMs);
  }
}

/** What is to be said at the end has its own time, and never the signal that may have ended the tick. */
function withLastWords({ clock }: World, { deadline, signal }: Limits): Limits {
  const soon = clock.now() + lastWordsMs;
  return { deadline: signal?.aborted ? soon : Math.max(deadline, soon) };
}

const nothingExecuted: Executed = { outcomes: [], sent: [], left: [], failures: [] };

interface Decided {
  jobs: Job[];
  table: Timetable;
  wanted: Map<string, Wanted>;
  /** Whose decision threw: their schedules have to come back to them. */
  undecided: Map<string, Place>;
}

/** What is to be done with each Wukong, without effects: what it asks for itself comes before what schedules want. */
function decideAll(seen: Seen, world: World, problems: Problem[], few = false): Decided {
  const { wukongs, machines, around, declaring, unanswered } = seen;
  const views = new Map<Wukong, Machine>();
  const see = (wukong: Wukong) => {
    const view = views.get(wukong) ?? machineOf(wukong, machines);
    views.set(wukong, view);
    return view;
  };
  const undecided = new Map<string, Place>();
  const wrong = (wukong: Wukong, thrown: unknown) => {
    const isTold = undecided.has(keyOf(wukong.metadata)) || thrown === unanswered.get(wukong.metadata.namespace ?? '');
    if (!isTold) problems.push(problemOf(thrown, wukong));
    undecided.set(keyOf(wukong.metadata), placeOf(wukong));
  };
  const table = timetable(wukongs, see, around, world.clock.now(), wrong);
  const scheduled: Scheduled = scheduledJobs(table, see);
  const annotations = (namespace: string) => {
    if (declaring instanceof LifecycleError) throw declaring;
    const why = unanswered.get(namespace);
    if (why) throw why;
    return declaring.get(namespace) ?? {};
  };
  const own = { world, machineOf: see, around: annotations, scheduled: scheduled.groupOf };
  const jobs: Job[] = [];
  const wanted = new Map<string, Wanted>();
  for (const wukong of wukongs)
    try {
      const mine = ownJob(wukong, own);
      const wish = few || (mine && mine.work.do !== 'await') ? undefined : scheduled.wanted(wukong);
      if (wish) wanted.set(keyOf(wukong.metadata), wish);
      const job = wish?.do === 'job' ? wish.job : mine;
      // A record whose power call was not made has its turn among all, which few are not.
      if (job && (!few || job.urgent || job.work.do === 'declared')) jobs.push(job);
    } catch (thrown) {
      wrong(wukong, thrown);
    }
  return { jobs: withoutIdle(jobs), table, wanted, undecided };
}

/**
 * The jobs of this tick, and whom others of this process see to. Each is marked as this tick's own until its `release`;
 * without keys that releases all that are left.
 */
function withoutBusy(all: Job[], standing: Standing | undefined) {
  if (!standing) return { jobs: all, busy: [], release: () => {} };
  const isBusy = ({ place }: Job) => standing.busy.has(keyOf(place));
  const jobs = all.filter((job) => !isBusy(job));
  const busy = all.filter(({ work, place }) => work.do === 'command' && standing.busy.has(keyOf(place)));
  const own = new Set(jobs.flatMap(({ place, work }) => (work.do === 'await' ? [] : [keyOf(place)])));
  for (const key of own) standing.busy.add(key);
  const release = (keys: Iterable<string> = [...own]) => {
    for (const key of keys) if (own.delete(key)) standing.busy.delete(key);
  };
  return { jobs, busy: busy.map(({ place }) => place), release };
}
