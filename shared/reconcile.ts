import { advance, newHolder } from './claim.ts';
import type { Command } from './command.ts';
import { parseDeclared, removeDeclared } from './declared.ts';
import { each } from './each.ts';
import { asLifecycleError } from './errors.ts';
import { finish, tellEnd } from './finish.ts';
import { listAll } from './kube/list.ts';
import { wukongPath } from './kube/objects.ts';
import { type Machine, stateOf } from './machine.ts';
import { machineOf, type Machines, watchMachines } from './machines.ts';
import { keyOf, placeOf, type Wukong } from './model.ts';
import { readNamespaces } from './namespaces.ts';
import { claimDeadline, type Last, lastOf, type Operation, operationOf, outcomeOf } from './operation.ts';
import type { Outcome } from './outcome.ts';
import { carryOn, performOne } from './perform.ts';
import { stateAfter, writeStatus } from './report/status.ts';
import { tell } from './report/tell.ts';
import { nextFor, type Timetable, timetable } from './scheduled.ts';
import { execute } from './scheduling.ts';
import { readSurroundings } from './surroundings.ts';
import { statusFor, taskFor } from './tick.ts';
import type { Limits } from './wait.ts';
import type { World } from './world.ts';

/** What one tick did. */
export interface Tick {
  wukongs: number;
  outcomes: Outcome[];
  /** Statuses that did not say what was so. */
  repaired: number;
  /** Commands that were put on the event bus. */
  sent: number;
  problems: string[];
}

/** How many Wukongs are worked on at once. */
const atOnce = 50;

/**
 * One tick: goes on with what was interrupted, carries out what is declared and what schedules say is due, and makes the
 * status true. Lists each kind once; writes nothing where nothing changed. One Wukong's trouble is its own.
 * @throws LifecycleError when the Wukongs cannot be read at all.
 */
export async function reconcile(world: World, limits: Limits): Promise<Tick> {
  const tick: Tick = { wukongs: 0, outcomes: [], repaired: 0, sent: 0, problems: [] };
  const wukongs = await readAll(world, limits);
  tick.wukongs = wukongs.length;
  if (wukongs.length === 0) return tick;
  const machines = await watchMachines(world, { namespaces: world.config.watchNamespaces ?? 'all' }, limits);
  try {
    const outcomes = new Map<string, Outcome>();
    await each(wukongs, atOnce, async (wukong) => {
      const outcome = await attempt(tick, wukong, () => ownTask(wukong, machines, world, limits, tick.problems));
      if (outcome) outcomes.set(keyOf(wukong.metadata), outcome);
    });
    const around = await readSurroundings(world, limits, tick.problems);
    const table = timetable(wukongs, (wukong) => machineOf(wukong, machines), around, world.clock.now());
    const done = await execute({ world, machines, limits, table, busy: new Set(outcomes.keys()) });
    tick.problems.push(...done.problems);
    tick.sent = done.sent;
    await each(wukongs, atOnce, async (wukong) => {
      if (outcomes.has(keyOf(wukong.metadata)) || done.touched.has(keyOf(wukong.metadata))) return;
      await attempt(tick, wukong, () => repair(wukong, machines, table, world, limits, tick));
    });
    tick.outcomes = [...outcomes.values(), ...done.outcomes].filter((outcome) => !outcome.quiet);
    return tick;
  } finally {
    machines.close();
  }
}

async function readAll({ transport, config }: World, limits: Limits): Promise<Wukong[]> {
  const all: Wukong[] = [];
  for (const namespace of config.watchNamespaces ?? [undefined])
    all.push(...(await listAll<Wukong>(transport, wukongPath(namespace), limits)));
  return all;
}

async function attempt<T>(tick: Tick, wukong: Wukong, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    tick.problems.push(`${keyOf(wukong.metadata)}: ${asLifecycleError(thrown).message}`);
    return undefined;
  }
}

/** What the Wukong itself asks for; undefined when that is nothing. */
async function ownTask(
  wukong: Wukong,
  machines: Machines,
  world: World,
  limits: Limits,
  problems: string[],
): Promise<Outcome | undefined> {
  const machine = machineOf(wukong, machines);
  const task = taskFor(wukong, machine, world.clock.now(), world.config.requireAgent);
  switch (task.do) {
    case 'resume':
      return resume(task.op, wukong, machines, world, limits);
    case 'giveUp':
      return finish(world, wukong, { op: task.op, result: gaveUp(task.op) }, machine);
    case 'declared':
      return declared(wukong, machines, world, limits, problems);
    case 'tell':
      return retell(task.last, wukong, machine, world, limits);
    case 'nothing':
      return undefined;
    default:
      return task satisfies never;
  }
}

/** Takes a record over, with a new deadline where the old one has passed, and carries it on. */
async function resume(
  op: Operation,
  wukong: Wukong,
  machines: Machines,
  world: World,
  limits: Limits,
): Promise<Outcome | undefined> {
  const now = world.clock.now();
  const expired = now >= op.deadline;
  const mine: Operation = { ...op, holder: newHolder(world), ...(expired ? renewed(op, now) : {}) };
  const taken = await advance(world, wukong, op, mine, limits);
  return taken && carryOn(taken, wukong, world, { limits, machines });
}

const renewed = (op: Operation, now: number): Partial<Operation> => ({
  attempts: op.attempts + 1,
  startedAt: now,
  stepAt: now,
  deadline: claimDeadline(op, now, op.graceSeconds ?? 30),
});

const gaveUp = (op: Operation) => ({
  outcome: 'Failed' as const,
  reason: op.action === 'stop' && op.step !== 'Claimed' ? ('Stuck' as const) : ('TimedOut' as const),
  message: `Given up after ${op.attempts} attempts, the last one at step ${op.step}.`,
});

async function declared(
  wukong: Wukong,
  machines: Machines,
  world: World,
  limits: Limits,
  problems: string[],
): Promise<Outcome | undefined> {
  const value = wukong.spec?.lifecycleAction;
  const now = world.clock.now();
  let command: Command;
  try {
    command = parseDeclared(wukong, now);
  } catch (thrown) {
    const refused = await refuse(wukong, machineOf(wukong, machines), asLifecycleError(thrown).message, world, limits);
    await removeDeclared(world, wukong, value, limits);
    return refused;
  }
  const place = placeOf(wukong);
  const around = await readNamespaces(world, [place.namespace], limits, problems);
  const namespaceAnnotations = around.get(place.namespace);
  const options = { limits, wukong, machines, namespaceAnnotations, declared: value };
  const outcome = await performOne(command, place, world, options);
  // A duplicate of what is under way waits for its end; one of what is over has nothing to wait for.
  const waits = outcome.outcome === 'Skipped' && outcome.reason === 'Duplicate' && operationOf(wukong) !== undefined;
  if (!waits && outcome.outcome !== 'InProgress') await removeDeclared(world, wukong, value, limits);
  return outcome;
}

/** An action that nobody knows is told and removed; nobody else is disturbed. */
async function refuse(
  wukong: Wukong,
  machine: Machine,
  message: string,
  world: World,
  limits: Limits,
): Promise<Outcome> {
  const now = world.clock.now();
  const requestId = `declared-${wukong.metadata.generation ?? 0}`;
  const told = {
    ...placeOf(wukong),
    action: 'stop' as const,
    forced: false,
    requestId,
    trigger: 'declared',
    startedAt: now,
    finishedAt: now,
  };
  const outcome: Outcome = { ...told, outcome: 'Failed', reason: 'InvalidAction', message };
  await tell(world, wukong, outcome, { teller: newHolder(world), limits });
  const before = wukong.status?.lifecycleState;
  const state = {
    ...stateAfter(outcome, stateOf(machine), before),
    lastAction: before?.lastAction,
    lastActionTime: before?.lastActionTime,
  };
  await writeStatus(world, wukong, state, limits);
  return outcome;
}

/** An end that its process recorded and did not live to tell. */
async function retell(last: Last, wukong: Wukong, machine: Machine, world: World, limits: Limits): Promise<Outcome> {
  const outcome = outcomeOf(wukong, last);
  await tellEnd(world, wukong, outcome, last.superseded ?? [], { teller: newHolder(world), limits, insist: true });
  await writeStatus(
    world,
    wukong,
    stateAfter(outcome, stateOf(machine), wukong.status?.lifecycleState),
    limits,
    (now) => lastOf(now)?.requestId === last.requestId,
  );
  return outcome;
}

async function repair(
  wukong: Wukong,
  machines: Machines,
  table: Timetable,
  world: World,
  limits: Limits,
  tick: Tick,
): Promise<void> {
  const wanted = statusFor(wukong, machineOf(wukong, machines), nextFor(table, wukong, world.clock.now()));
  // What has changed meanwhile is looked at anew by the next tick.
  if (await writeStatus(world, wukong, wanted, limits, () => false)) tick.repaired++;
}
