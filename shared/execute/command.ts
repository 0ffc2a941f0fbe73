import type { Unanswered } from '../cluster/namespaces.ts';
import { type Machines, scopeOf, watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Outcome } from '../domain/outcome.ts';
import { performOne } from '../lifecycle/perform.ts';
import { withBatchedBus } from '../report/batchedBus.ts';
import { type Report, reportOf, tellFleet } from '../report/fleetOutcome.ts';
import type { Limits } from '../time/wait.ts';
import { execute } from './execute.ts';
import { FanOut } from './fanOut.ts';
import { openFleetRun } from './fleetRun.ts';
import { groupOf, type Job } from './job.ts';
import { holdToOneTarget, refusedFor } from './oneTarget.ts';
import { paced } from './paced.ts';
import { plainJob, preflight } from './preflight.ts';
import { rateLimiterOf } from './rateLimiter.ts';
import type { Executing, Progress } from './sink.ts';
import { findTargets } from './targets.ts';

export interface Commanding {
  limits: Limits;
  machines?: Machines;
  /** Told of each beginning and each end: for a progress bar. */
  progress?: ((progress: Progress) => void) | undefined;
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
  const { outcomes, unsent, unheld, unread, ...rest } = await executeFleet(command, own, options);
  const report = reportOf(command, outcomes, rest);
  const isTold = await tellFleet(own, command, report, startedAt);
  // Who is left as it is has no record, and no tick will find that it was asked for.
  if (!isTold && unheld?.code === 'Unreachable') throw unheld;
  const [first] = unread;
  if (first && !unsent) throw unreadIn(first, command);
  if (!unsent) return report;
  const message = `${unsent.message}; what could be done was done, the rest is recorded or untouched (${report.left})`;
  throw new LifecycleError('Unreachable', message, { cause: unsent });
}

const unreadIn = ([namespace, { code, message }]: [string, LifecycleError], { action }: Command): LifecycleError =>
  new LifecycleError(code, `${action} was not done in namespace ${namespace}, elsewhere it was: ${message}`);

/** What a fleet came to. */
interface Done {
  outcomes: Outcome[];
  /** Handed to the bus, and neither that nor begun. */
  sent: number;
  left: number;
  /** Why the bus did not take what was to be sent. */
  unsent?: LifecycleError | undefined;
  /** Why those that are left as they are stand in no run. */
  unheld?: LifecycleError | undefined;
  /** Namespaces that could not be read. */
  unread: Unanswered;
}

async function executeFleet(command: Command, world: World, options: Commanding): Promise<Done> {
  const { limits, progress } = options;
  const { wukongs, missing, namespaces, unread } = await findTargets(command, world, limits);
  if (wukongs.length + missing.length === 0) return { outcomes: [], sent: 0, left: 0, unread };
  const machines = options.machines ?? (await watchMachines(world, scopeOf(wukongs, namespaces), limits));
  try {
    const { jobs, done } = await preflight(command, wukongs, { world, machines, limits });
    // A name that is not there is told as if it had been asked for alone.
    const absent = missing.map((place): Job => ({ ...plainJob(command), place, wave: jobs[0]?.wave ?? 0 }));
    for (const outcome of done) progress?.({ targets: wukongs.length, inFlight: 0, outcome });
    const opened = openFleetRun(world, command, { done, jobs, missing }, limits);
    const came = await inTime(command, [...absent, ...jobs], world, { ...limits, machines, progress });
    const unheld = await opened;
    return { ...came, unheld, unread, outcomes: [...done, ...came.outcomes] };
  } finally {
    if (!options.machines) machines.close();
  }
}

/**
 * What can be seen through in the time is carried out here. The rest goes over the bus; without one as much is begun as
 * can be, and what was not begun, as there was no time or its wave has not come, gets its record, from which
 * reconcileState goes on. A fleet with waves stays in one hand: what is left of it goes on as the same command.
 */
async function inTime(command: Command, jobs: Job[], world: World, options: Executing): Promise<Omit<Done, 'unread'>> {
  const wholeMs = options.deadline - world.clock.now();
  const elsewhere = new FanOut(command, jobs, world, wholeMs);
  const mine = (await elsewhere.take(jobs.slice(elsewhere.most))) ? jobs.slice(0, elsewhere.most) : jobs;
  let recorded: Rest = { outcomes: [], left: 0 };
  const recordAll = async (left: Job[]) => void (recorded = await record(command, left, world, options));
  let toSend: Job[] = [];
  const rest = async (unbegun: Job[]) => {
    const left = unbegun.filter(isCommand);
    // Only who has got on sends what is left: else it would go round for ever.
    if (elsewhere.isOpen && left.length < mine.filter(isCommand).length) toSend = left;
    else await recordAll(left);
  };
  // What is not sent is recorded before the time is up, while those that were begun are waited for.
  const beginUntil = options.deadline - Math.min(recordingMs, wholeMs / 10);
  const executed = await execute(mine, world, { ...options, beginUntil, rest });
  if (!(await elsewhere.take(toSend))) await recordAll(toSend);
  const { sent, unsent } = elsewhere;
  return { outcomes: [...executed.outcomes, ...recorded.outcomes], left: recorded.left, sent, unsent };
}

const isCommand = ({ work }: Job): boolean => work.do === 'command';

/** How long what is recorded when the time is nearly up may take. */
const recordingMs = 5_000;

interface Rest {
  outcomes: Outcome[];
  left: number;
}

/** Writes the record of each that was not begun, so that reconcileState begins it. Those it cannot record are untouched. */
async function record(command: Command, rest: Job[], world: World, options: Executing): Promise<Rest> {
  if (command.dryRun) return { outcomes: [], left: rest.length };
  const group = groupOf(`${command.requestId} records`);
  const jobs = rest.map((job) => ({ ...job, group, wave: 0 }));
  const { outcomes, left } = await execute(jobs, world, { ...options, sink: 'record' });
  return { outcomes, left: left.length };
}
