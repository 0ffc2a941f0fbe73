import type { Command } from './command.ts';
import { machineOf, type Machines, scopeOf, watchMachines } from './machines.ts';
import { inWaves, type Many, performMany, recordLeft, type Target } from './many.ts';
import { type Place, placeOf, type Wukong } from './model.ts';
import { readNamespaces } from './namespaces.ts';
import { type Outcome, type OutcomeName, reasonOf, type SkipReason } from './outcome.ts';
import { newPace, type Pace } from './pace.ts';
import { type Performing, performOne } from './perform.ts';
import { tellFleet } from './report/fleetOutcome.ts';
import { gathered } from './report/gather.ts';
import { isContested, sortOut } from './sortOut.ts';
import { capacity, maySplit, parts, partSize } from './split.ts';
import { findTargets } from './targets.ts';
import type { Limits } from './wait.ts';
import type { World } from './world.ts';

/** What a command came to, for one Wukong or many. */
export interface Report {
  action: Command['action'];
  requestId: string;
  /** Which part of a fleet that was split. */
  part?: string;
  counts: Partial<Record<OutcomeName, number>>;
  /** Why those that were left alone were. */
  skipped: Partial<Record<SkipReason, number>>;
  /** The five that took longest, in milliseconds. */
  slowest: (Place & { outcome: OutcomeName; ms: number })[];
  failed: (Place & { reason: string; message: string })[];
  /** VMs that went on the bus as commands of their own. */
  sent: number;
  /** VMs that were not begun in time and are untouched. */
  left: number;
  outcomes: Outcome[];
}

const mostSlowest = 5;

export function reportOf(
  { action, requestId, part }: Pick<Command, 'action' | 'requestId' | 'part'>,
  outcomes: Outcome[],
  { sent = 0, left = 0 } = {},
): Report {
  const counts: Report['counts'] = {};
  const skipped: Report['skipped'] = {};
  const failed: Report['failed'] = [];
  for (const one of outcomes) {
    const { namespace, name, message } = one;
    counts[one.outcome] = (counts[one.outcome] ?? 0) + 1;
    if (one.outcome === 'Skipped') skipped[one.reason] = (skipped[one.reason] ?? 0) + 1;
    if (one.outcome === 'Failed') failed.push({ namespace, name, reason: reasonOf(one) ?? 'Unknown', message });
  }
  const slowest = outcomes
    .filter(({ outcome }) => outcome === 'Started' || outcome === 'Stopped' || outcome === 'ForcedOff')
    .map(({ namespace, name, outcome, ...at }) => ({ namespace, name, outcome, ms: at.finishedAt - at.startedAt }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, mostSlowest);
  return { action, requestId, ...(part ? { part } : {}), counts, skipped, slowest, failed, sent, left, outcomes };
}

export interface Progress {
  targets: number;
  /** Under way: claimed, and not at their end. */
  inFlight: number;
  outcome?: Outcome;
}

export interface Fleet extends Performing {
  /** Told of each end, and how many are under way: for a progress bar. */
  progress?: (told: Progress) => void;
}

/**
 * Carries out a command on its one Wukong, or on each of a fleet. A fleet that is larger than the time allows goes on
 * over the bus, or, without one, by reconcileState from the records. @throws LifecycleError for the fleet as a whole.
 */
export async function performCommand(command: Command, world: World, options: Fleet): Promise<Report> {
  const { target } = command;
  if ('name' in target) return reportOf(command, [await performOne(command, target, world, options)]);
  const startedAt = world.clock.now();
  const pace = newPace(world, world.config.powerCallsPerSecond);
  const bus = world.bus && gathered(world.bus, world.clock);
  const paced = { ...world, transport: pace.transport, ...(bus ? { bus } : {}) };
  const report = await performFleet(command, paced, pace.turn, options);
  await tellFleet(world, command, report, startedAt);
  return report;
}

async function performFleet(command: Command, world: World, turn: Pace['turn'], options: Fleet): Promise<Report> {
  const { limits } = options;
  const { wukongs, missing, namespaces } = await findTargets(command, world, limits);
  const outcomes: Outcome[] = [];
  const targets = wukongs.length + missing.length;
  const told = (outcome?: Outcome, inFlight = 0) => {
    if (outcome) outcomes.push(outcome);
    options.progress?.({ targets, inFlight, outcome });
  };
  // A name that is not there is told as if it had been asked for alone.
  for (const place of missing) told(await performOne(command, place, world, { limits }));
  if (wukongs.length === 0) return reportOf(command, outcomes);
  const machines = options.machines ?? (await watchMachines(world, scopeOf(wukongs, namespaces), limits));
  try {
    const contested = isContested(command, wukongs, world.clock.now());
    const { todo, done } = await sorted(command, wukongs, machines, world, { limits, contested });
    done.forEach((outcome) => told(outcome));
    const many = { ...options, machines, turn, told, remember: contested };
    return reportOf(command, outcomes, await inTime(command, todo, world, many));
  } finally {
    if (!options.machines) machines.close();
  }
}

/** Those that are left as they are, and those that are to be performed, in the order of their waves. */
async function sorted(
  command: Command,
  wukongs: Wukong[],
  machines: Machines,
  world: World,
  { limits, contested }: { limits: Limits; contested: boolean },
) {
  const { clock, config, log } = world;
  const spaces = new Set(wukongs.map(({ metadata }) => metadata.namespace ?? ''));
  const problems: string[] = [];
  const around = await readNamespaces(world, spaces, limits, problems);
  for (const problem of problems) log.warn('overrides on namespaces are not known', { problem });
  const done: Outcome[] = [];
  const todo: Target[] = [];
  for (const wukong of wukongs) {
    const place = placeOf(wukong);
    const now = clock.now();
    const overrides = around.get(place.namespace);
    const known = { now, requireAgent: config.requireAgent, namespaceAnnotations: overrides, contested };
    const result = sortOut(command, wukong, machineOf(wukong, machines), known);
    const { action, requestId, trigger } = command;
    const plain = { ...place, action, requestId, trigger, startedAt: now, finishedAt: now, forced: false };
    if (result) done.push({ ...plain, ...result, quiet: true });
    else todo.push({ wukong, namespaceAnnotations: overrides });
  }
  return { done, todo: inWaves(command, todo).flat() };
}

/**
 * What can be seen through in the time is performed here. The rest goes over the bus; without one as much is begun as
 * can be, and what was not begun gets its record, from which reconcileState goes on.
 */
async function inTime(
  command: Command,
  todo: Target[],
  world: World,
  options: Many,
): Promise<{ sent: number; left: number }> {
  const { clock, bus } = world;
  const { deadline } = options.limits;
  const wholeMs = deadline - clock.now();
  const size = partSize(command, wholeMs);
  const send = async (targets: Target[], after: number): Promise<number> => {
    const places = targets.map(({ wukong }) => placeOf(wukong));
    const entries = parts(command, places, size, { now: clock.now(), after });
    if (entries.length > 0) await bus?.put(entries);
    return entries.length;
  };
  const splits = bus !== undefined && maySplit(command);
  const mine = splits ? todo.slice(0, capacity(command, wholeMs)) : todo;
  const rest = todo.slice(mine.length);
  const sentBefore = await send(rest, 0);
  const left = await performMany(command, mine, world, options);
  // Only who has got on sends what is left: else it would go round for ever.
  if (splits && left.length < mine.length) {
    await send(left, sentBefore);
    return { sent: rest.length + left.length, left: 0 };
  }
  return { sent: rest.length, left: await recordLeft(command, left, world, options) };
}
