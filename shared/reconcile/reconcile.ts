import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { execute, type Executed } from '../execute/execute.ts';
import type { Job } from '../execute/job.ts';
import { rateLimiterOf } from '../execute/rateLimiter.ts';
import { writeStatus } from '../report/status.ts';
import { nextFor, type Selecting, type Timetable, timetable, troubleLines, troublesOf } from '../schedule/timetable.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { look, type Seen } from './look.ts';
import { markSchedules } from './markSchedules.ts';
import { ownJob, withoutIdle } from './ownJobs.ts';
import { lineOf, type Problem, problemOf, reportProblems } from './problems.ts';
import { statusFor } from './reconcileWukong.ts';
import { type Scheduled, scheduledJobs, type Wanted } from './scheduledJobs.ts';
import { settle, skip, useUp } from './skips.ts';

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

/** How many statuses are written at once. */
const atOnce = 50;

/**
 * One tick: reads everything once, decides everything, asks for everything, mends what statuses say, and spends the time
 * that is left waiting for all together. Writes nothing where nothing changed. One Wukong's trouble is its own.
 * @throws LifecycleError when the Wukongs cannot be read at all; or, after the rest was done, what schedules depend on.
 */
export async function reconcile(given: World, limits: Limits): Promise<Tick> {
  const world = { ...given, transport: rateLimiterOf(given).transport };
  const problems: Problem[] = [];
  const seen = await look(world, limits, problems);
  const { wukongs, machines, blind } = seen;
  try {
    const { jobs, table, wanted, undecided } = decideAll(seen, world, problems);
    const sink = world.bus ? 'bus' : 'here';
    const executing = execute(jobs, world, { ...limits, machines, sink });
    const known = wukongs.filter(({ metadata }) => !seen.unanswered.has(metadata.namespace ?? ''));
    const { repaired, unsaid } = await mend(known, {
      jobs,
      table,
      wanted,
      undecided,
      machines,
      world,
      limits,
      problems,
    });
    // Schedules with nothing under way wait for no neighbour's guests.
    const waiting = new Set(jobs.map(({ place }) => keyOf(place)));
    const isIdle = ({ matched }: Selecting) => matched.every(({ metadata }) => !waiting.has(keyOf(metadata)));
    const [idle, rest] = [true, false].map((one) => table.selecting.filter((each) => isIdle(each) === one));
    const marking = { table, jobs, unsaid: [...unsaid, ...undecided] };
    problems.push(...(await markSchedules(world, limits, { ...marking, done: nothingExecuted, selecting: idle! })));
    const done = await executing;
    for (const { job, error } of done.failures) problems.push(problemOf(error, job.wukong ?? { metadata: job.place }));
    problems.push(...(await markSchedules(world, limits, { ...marking, done, selecting: rest! })));
    world.metrics.count('BadSchedules', troublesOf(table).length);
    if (blind) problems.push({ message: blind.message, reason: blind.code });
    await reportProblems(world, problems);
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
  }
}

const nothingExecuted: Executed = { outcomes: [], sent: [], left: [], failures: [] };

interface Decided {
  jobs: Job[];
  table: Timetable;
  wanted: Map<string, Wanted>;
  /** Whose decision threw: their schedules have to come back to them. */
  undecided: Place[];
}

/** What is to be done with each Wukong, without effects: what it asks for itself comes before what schedules want. */
function decideAll(
  { wukongs, machines, around, declaring, unanswered }: Seen,
  world: World,
  problems: Problem[],
): Decided {
  const see = (wukong: Wukong) => machineOf(wukong, machines);
  const undecided: Place[] = [];
  const wrong = (wukong: Wukong, thrown: unknown) => {
    problems.push(problemOf(thrown, wukong));
    undecided.push(placeOf(wukong));
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
      const wish = mine && mine.work.do !== 'await' ? undefined : scheduled.wanted(wukong);
      if (wish) wanted.set(keyOf(wukong.metadata), wish);
      const job = wish?.do === 'job' ? wish.job : mine;
      if (job) jobs.push(job);
    } catch (thrown) {
      wrong(wukong, thrown);
    }
  return { jobs: withoutIdle(jobs), table, wanted, undecided };
}

interface Mending extends Decided {
  machines: Machines;
  world: World;
  limits: Limits;
  problems: Problem[];
}

/** Of those that nothing is done with: writes down what is skipped, which fails for those `unsaid`, and mends statuses. */
async function mend(wukongs: Wukong[], to: Mending): Promise<{ repaired: number; unsaid: Place[] }> {
  const { world, limits, table, machines, problems } = to;
  const busy = new Set(to.jobs.flatMap(({ place, work }) => (work.do === 'await' ? [] : [keyOf(place)])));
  const used = new Set<string>();
  const unsaid = new Map<string, Place>();
  let repaired = 0;
  await each(wukongs, atOnce, async (wukong) => {
    const key = keyOf(wukong.metadata);
    if (busy.has(key)) return;
    const wanted = to.wanted.get(key);
    if (wanted?.do === 'skip') unsaid.set(key, placeOf(wukong));
    if (world.clock.now() >= limits.deadline) return;
    try {
      if (wanted?.do === 'skip') await skip(world, wukong, wanted.decision, limits);
      unsaid.delete(key);
      if (wanted?.do === 'skip' && wanted.decision.consume === 'namespace') used.add(wukong.metadata.namespace ?? '');
      if (wanted?.do === 'settle') await settle(world, wukong, wanted.decision, limits);
      const status = statusFor(wukong, machineOf(wukong, machines), nextFor(table, wukong, world.clock.now()));
      // What has changed meanwhile is looked at anew by the next tick.
      if (await writeStatus(world, wukong, status, limits, () => false)) repaired++;
    } catch (thrown) {
      problems.push(problemOf(thrown, wukong));
    }
  });
  for (const { namespace } of unsaid.values()) used.delete(namespace);
  for (const message of await useUp(world, used, limits)) problems.push({ message, reason: 'Refused' });
  return { repaired, unsaid: [...unsaid.values()] };
}
