import { readNamespaces, type Unanswered } from '../cluster/namespaces.ts';
import { machineOf, type Machines, scopeOf, watchMachines } from '../cluster/vmInformer.ts';
import type { BusEntry, World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import { runningOf } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { performOne } from '../lifecycle/perform.ts';
import { withBatchedBus } from '../report/batchedBus.ts';
import { type Report, reportOf, tellFleet } from '../report/fleetOutcome.ts';
import { rankOf } from '../schedule/wave.ts';
import type { Limits } from '../time/wait.ts';
import { execute, type Executing, type Progress } from './execute.ts';
import { capacity, continuation, maySplit, parts, partSize } from './fanOut.ts';
import { openFleetRun } from './fleetRun.ts';
import { groupOf, type Job } from './job.ts';
import { holdToOneTarget, refusedFor } from './oneTarget.ts';
import { paced } from './paced.ts';
import { isContested, type Known, sortOut } from './preflight.ts';
import { rateLimiterOf } from './rateLimiter.ts';
import { findTargets } from './targets.ts';

export interface Commanding {
  limits: Limits;
  machines?: Machines;
  /** Told of each beginning and each end: for a progress bar. */
  progress?: (progress: Progress) => void;
}

/**
 * Carries out a command on its one Wukong, or on each of a fleet. A fleet that is larger than the time allows goes on
 * over the bus, or, without one, by reconcileState from the records.
 * @throws LifecycleError for the fleet as a whole; Unreachable where some could neither be begun nor handed over.
 */
export async function executeCommand(command: Command, world: World, options: Commanding): Promise<Report> {
  const { target } = command;
  if ('name' in target) {
    const limiter = rateLimiterOf(world);
    const turn = (limits = options.limits) => limiter.turn(command.action, limits, target.namespace, command.requestId);
    const own = paced(world, options.limits);
    const refused = await refusedFor(command, target, own, options.limits);
    return reportOf(command, [refused ?? (await performOne(command, target, own, { ...options, turn }))]);
  }
  await holdToOneTarget(command, world, options.limits);
  const startedAt = world.clock.now();
  const own = paced(withBatchedBus(world), options.limits);
  const { report, unsent, unheld } = await executeFleet(command, own, options);
  const isTold = await tellFleet(own, command, report, startedAt);
  // Who is left as it is has no record, and no tick will find that it was asked for.
  if (!isTold && unheld?.code === 'Unreachable') throw unheld;
  if (!unsent) return report;
  const message = `${unsent.message}; what could be done was done, the rest is recorded or untouched (${report.left})`;
  throw new LifecycleError('Unreachable', message, { cause: unsent });
}

/** `unsent`: why the bus did not take what was to be sent. */
interface Done {
  report: Report;
  unsent?: LifecycleError | undefined;
  /** Why those that are left as they are stand in no run. */
  unheld?: LifecycleError | undefined;
}

async function executeFleet(command: Command, world: World, options: Commanding): Promise<Done> {
  const { limits } = options;
  const { wukongs, missing, namespaces } = await findTargets(command, world, limits);
  if (wukongs.length + missing.length === 0) return { report: reportOf(command, []) };
  const machines = options.machines ?? (await watchMachines(world, scopeOf(wukongs, namespaces), limits));
  try {
    const { jobs, done } = await jobsOf(command, wukongs, machines, world, limits);
    // A name that is not there is told as if it had been asked for alone.
    const absent = missing.map((place): Job => ({ ...plainJob(command), place, wave: jobs[0]?.wave ?? 0 }));
    for (const outcome of done) options.progress?.({ targets: wukongs.length, inFlight: 0, outcome });
    const begun = jobs.flatMap(({ place, work }) => (work.do === 'command' ? [place] : []));
    const opened = openFleetRun(world, command, { done, begun, missing }, limits);
    const { outcomes, ...rest } = await inTime(command, [...absent, ...jobs], world, { ...options, machines });
    const unheld = await opened;
    return { report: reportOf(command, [...done, ...outcomes], rest), unsent: rest.unsent, unheld };
  } finally {
    if (!options.machines) machines.close();
  }
}

const plainJob = (command: Command) => ({
  action: command.action,
  work: { do: 'command' as const, command },
  group: groupOf(command.requestId, command.maxInFlight),
  jitterMs: 0,
});

/** Those that are left as they are, and the jobs of those that are not. */
export async function jobsOf(
  command: Command,
  wukongs: Wukong[],
  machines: Machines,
  world: World,
  limits: Limits,
): Promise<{ jobs: Job[]; done: Outcome[] }> {
  const { clock, config, log } = world;
  const problems: string[] = [];
  const spaces = new Set(wukongs.map((one) => placeOf(one).namespace));
  const unanswered: Unanswered = new Map();
  const around = await readNamespaces(world, spaces, limits, problems, unanswered);
  for (const problem of problems) log.warn('overrides on namespaces are not known', { problem });
  const now = clock.now();
  const contested = isContested(command, wukongs, now);
  const { action, requestId, trigger } = command;
  const told = { action, requestId, trigger, startedAt: now, finishedAt: now, forced: false, quiet: true };
  const plain = { ...plainJob(command), work: { do: 'command' as const, command, remember: contested } };
  const done: Outcome[] = [];
  const jobs = wukongs.flatMap((wukong): Job[] => {
    const place = placeOf(wukong);
    const namespaceAnnotations = around.get(place.namespace) ?? {};
    const why = unanswered.get(place.namespace);
    if (why) {
      done.push({ ...told, ...place, outcome: 'Failed', reason: why.code, message: why.message });
      return [];
    }
    const known = { now, requireAgent: config.requireAgent, namespaceAnnotations, contested };
    // A request for single names is remembered by each, also where nothing is to be done.
    const result = 'name' in command.target ? undefined : sorted(command, wukong, machines, known);
    const job: Job = { ...plain, place, wukong, namespaceAnnotations, wave: rankOf(wukong, action) };
    if (!result) return [job];
    done.push({ ...told, ...place, ...result });
    // It is being carried out: its wave is not over. For another request it takes no place of this one.
    const running = runningOf(wukong, now);
    const placeless = running?.requestId !== requestId;
    return running?.action === action ? [{ ...job, work: { do: 'await', placeless }, urgent: true }] : [];
  });
  return { jobs: jobs.some(({ work }) => work.do === 'command') ? jobs : [], done };
}

/** One that cannot be read is worked on like any other, and fails alone. */
function sorted(command: Command, wukong: Wukong, machines: Machines, known: Known): Result | undefined {
  try {
    return sortOut(command, wukong, machineOf(wukong, machines), known);
  } catch {
    return undefined;
  }
}

interface InTime {
  outcomes: Outcome[];
  sent: number;
  left: number;
  unsent?: LifecycleError | undefined;
}

/**
 * What can be seen through in the time is carried out here. The rest goes over the bus; without one as much is begun as
 * can be, and what was not begun gets its record, from which reconcileState goes on. A fleet with waves stays in one
 * hand: what is left of it goes on as the same command.
 */
async function inTime(
  command: Command,
  jobs: Job[],
  world: World,
  { limits, machines, progress }: Commanding & { machines: Machines },
): Promise<InTime> {
  const { clock, bus } = world;
  const wholeMs = limits.deadline - clock.now();
  const size = partSize(command, wholeMs);
  const inWaves = new Set(jobs.map(({ wave }) => wave)).size > 1;
  const splits = bus !== undefined && maySplit(command);
  const most = splits && !inWaves ? capacity(command, wholeMs) : Infinity;
  let sent = 0;
  const send = async (some: Job[]) => {
    const numbering = { now: clock.now(), after: Math.ceil(sent / size) };
    const places = some.map(({ place }) => place);
    const entries = inWaves ? [continuation(command, numbering.now)] : parts(command, places, size, numbering);
    const unsent = await handOver(some.length > 0 ? entries : [], world);
    if (!unsent) sent += some.length;
    return unsent;
  };
  let unsent = await send(jobs.slice(most));
  const mine = unsent ? jobs : jobs.slice(0, most);
  const executing = { ...limits, machines, progress };
  // Of more than can be begun the rest is recorded before the time is up.
  const recordingFor = mine.length > capacity(command, wholeMs) ? Math.min(recordingMs, wholeMs / 10) : 0;
  const { outcomes, left } = await execute(mine, world, { ...executing, deadline: limits.deadline - recordingFor });
  const rest = left.filter(({ work }) => work.do === 'command');
  if (rest.length === 0) return { outcomes, sent, left: 0 };
  // Only who has got on sends what is left: else it would go round for ever.
  const goesOn = splits && !unsent && rest.length < mine.filter(({ work }) => work.do === 'command').length;
  if (goesOn) unsent = await send(rest);
  if (goesOn && !unsent) return { outcomes, sent, left: 0 };
  const recorded = await record(command, rest, world, executing);
  return { outcomes: [...outcomes, ...recorded.outcomes], sent, left: recorded.left, unsent };
}

async function handOver(entries: BusEntry[], { bus, log }: World): Promise<LifecycleError | undefined> {
  try {
    if (entries.length > 0) await bus?.put(entries);
    return undefined;
  } catch (thrown) {
    const error = asLifecycleError(thrown);
    log.error('the rest of a fleet could not be handed over', { problem: error.message });
    return error;
  }
}

/** How many are recorded at once when the time is nearly up, and how long that may take. */
const recordingAtOnce = 32;
const recordingMs = 5_000;

/** Writes the record of each that was not begun, so that reconcileState begins it. Those it cannot record are untouched. */
async function record(
  command: Command,
  rest: Job[],
  world: World,
  executing: Executing,
): Promise<{ outcomes: Outcome[]; left: number }> {
  if (command.dryRun) return { outcomes: [], left: rest.length };
  const group = groupOf(`${command.requestId} records`, recordingAtOnce);
  const jobs = rest.map((job) => ({ ...job, group, wave: 0 }));
  const { outcomes, left } = await execute(jobs, world, { ...executing, sink: 'record' });
  return { outcomes, left: left.length };
}
