import { listPages } from '../cluster/list.ts';
import { readNamespaces } from '../cluster/namespaces.ts';
import { slim, wukongPath } from '../cluster/objects.ts';
import { machineOf, type Machines, scopeOf, watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { type Annotations, keyOf, type Place, placeOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { execute, type Executed } from '../execute/execute.ts';
import type { Job } from '../execute/job.ts';
import { rateLimiterOf } from '../execute/rateLimiter.ts';
import { writeStatus } from '../report/status.ts';
import {
  nextFor,
  type Surroundings,
  type Timetable,
  timetable,
  troubleLines,
  troublesOf,
} from '../schedule/timetable.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { ownJob, withoutIdle } from './ownJobs.ts';
import { lineOf, type Problem, problemOf, reportProblems } from './problems.ts';
import { statusFor } from './reconcileWukong.ts';
import { type Scheduled, scheduledJobs, type Wanted } from './scheduledJobs.ts';
import { readSurroundings } from './scheduleInputs.ts';
import { mark } from './scheduleStatus.ts';
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

/** How many statuses are written at once, and how long the last words of a tick may take. */
const atOnce = 50;
const lastWordsMs = 5_000;

/** All that one tick has read. */
interface Seen {
  wukongs: Wukong[];
  machines: Machines;
  around: Surroundings;
  /** The annotations of the namespaces where an action is declared, or why nobody knows them. */
  declaring: Map<string, Annotations> | LifecycleError;
  /** Why what schedules depend on could not be read: none of them has a say in this tick. */
  blind?: LifecycleError;
}

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
    const { jobs, table, wanted } = decideAll(seen, world, problems);
    const sink = world.bus ? 'bus' : 'here';
    const executing = execute(jobs, world, { ...limits, machines, sink });
    const { repaired, unsaid } = await mend(wukongs, { jobs, table, wanted, machines, world, limits, problems });
    const done = await executing;
    for (const { job, error } of done.failures) problems.push(problemOf(error, job.wukong ?? { metadata: job.place }));
    for (const problem of await markSchedules(world, limits, { table, jobs, done, unsaid })) problems.push(problem);
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

/** Where there are no Wukongs. */
const none: Machines = { get: () => ({}), changed: () => Promise.resolve(false), close() {} };

/** Lists each kind once. */
async function look(world: World, limits: Limits, problems: Problem[]): Promise<Seen> {
  const wukongs: Wukong[] = [];
  for (const namespace of world.config.watchNamespaces ?? [undefined])
    for await (const { items } of listPages<Wukong>(world.transport, wukongPath(namespace), limits))
      for (const item of items) wukongs.push(slim(item));
  const lines: string[] = [];
  const isDeclaring = ({ spec }: Wukong) => spec?.lifecycleAction !== undefined && spec.lifecycleAction !== null;
  const spaces = new Set(wukongs.filter(isDeclaring).map(({ metadata }) => metadata.namespace ?? ''));
  const failure = (thrown: unknown) => {
    limits.signal?.throwIfAborted();
    return asLifecycleError(thrown);
  };
  const [machines, around, declaring] = await Promise.allSettled([
    wukongs.length === 0 ? none : watchMachines(world, scopeOf(wukongs, world.config.watchNamespaces ?? 'all'), limits),
    readSurroundings(world, limits, lines, { cluster: !world.config.watchNamespaces }).catch(failure),
    readNamespaces(world, spaces, limits, lines).catch(failure),
  ]);
  if (machines.status === 'rejected') throw machines.reason;
  if (around.status === 'rejected') throw around.reason;
  if (declaring.status === 'rejected') throw declaring.reason;
  for (const message of new Set(lines)) problems.push({ message, reason: 'Denied', minor: true });
  const blind = around.value instanceof LifecycleError ? around.value : undefined;
  const unknown: Surroundings = { schedules: [], findText: () => undefined, namespaces: new Map() };
  return {
    wukongs,
    machines: machines.value,
    around: around.value instanceof LifecycleError ? unknown : around.value,
    declaring: declaring.value,
    ...(blind ? { blind } : {}),
  };
}

interface Decided {
  jobs: Job[];
  table: Timetable;
  wanted: Map<string, Wanted>;
}

/** What is to be done with each Wukong, without effects: what it asks for itself comes before what schedules want. */
function decideAll({ wukongs, machines, around, declaring }: Seen, world: World, problems: Problem[]): Decided {
  const see = (wukong: Wukong) => machineOf(wukong, machines);
  const wrong = (wukong: Wukong, thrown: unknown) => void problems.push(problemOf(thrown, wukong));
  const table = timetable(wukongs, see, around, world.clock.now(), wrong);
  const scheduled: Scheduled = scheduledJobs(table, see);
  const annotations = (namespace: string) => {
    if (declaring instanceof LifecycleError) throw declaring;
    return declaring.get(namespace);
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
      problems.push(problemOf(thrown, wukong));
    }
  return { jobs: withoutIdle(jobs), table, wanted };
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

/** Says on each schedule what it is through with; those have to come back whose job was not begun, or did not get there. */
function markSchedules(
  world: World,
  limits: Limits,
  { table, jobs, done, unsaid }: { table: Timetable; jobs: Job[]; done: Executed; unsaid: Place[] },
): Promise<Problem[]> {
  const unreached = done.outcomes.filter((one) => one.outcome === 'Failed' && one.reason === 'Unreachable');
  const again = [...done.left, ...done.failures.map(({ job }) => job)].map(({ place }) => place);
  const left = new Set([...again, ...unreached, ...unsaid].map(keyOf));
  const busy = new Set(
    jobs.flatMap(({ place, work }) => (work.do === 'command' || work.do === 'await' ? [] : [keyOf(place)])),
  );
  const deadline = Math.max(limits.deadline, world.clock.now() + lastWordsMs);
  return mark({ world, limits: { ...limits, deadline }, table, busy, left });
}
