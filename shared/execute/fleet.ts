import { readNamespaces } from '../cluster/namespaces.ts';
import { machineOf, type Machines, scopeOf, watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { type Performing, performOne } from '../lifecycle/perform.ts';
import { gathered } from '../report/batchedBus.ts';
import { type Report, reportOf, tellFleet } from '../report/fleetOutcome.ts';
import type { Limits } from '../time/wait.ts';
import { capacity, maySplit, parts, partSize } from './fanOut.ts';
import { inWaves, type Many, performMany, recordLeft, type Target } from './many.ts';
import { isContested, sortOut } from './preflight.ts';
import { newPace, type Pace } from './rateLimiter.ts';
import { findTargets } from './targets.ts';

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
