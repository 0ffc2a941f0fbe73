import { readNamespaces } from '../cluster/namespaces.ts';
import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import { claimDeadline, type Last, lastOf, type Operation, operationOf, outcomeOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { stateOf } from '../domain/vm.ts';
import { advance, newHolder } from '../lifecycle/claim.ts';
import { finish, tellEnd } from '../lifecycle/finish.ts';
import { carryOn, performOne } from '../lifecycle/perform.ts';
import { tell } from '../report/report.ts';
import { stateAfter, writeStatus } from '../report/status.ts';
import type { Limits } from '../time/wait.ts';
import { parseDeclared, removeDeclared } from './declared.ts';
import { taskFor } from './tick.ts';

/** What a tick has at hand for all its Wukongs. */
export interface Ticking {
  world: World;
  machines: Machines;
  limits: Limits;
  /** Sentences for the log. */
  problems: string[];
}

/** What the Wukong itself asks for; undefined when that is nothing. */
export async function ownTask(wukong: Wukong, ticking: Ticking): Promise<Outcome | undefined> {
  const { world, machines } = ticking;
  const machine = machineOf(wukong, machines);
  const task = taskFor(wukong, machine, world.clock.now(), world.config.requireAgent);
  switch (task.do) {
    case 'resume':
      return resume(task.op, wukong, ticking);
    case 'giveUp':
      return finish(world, wukong, { op: task.op, result: gaveUp(task.op) }, machine);
    case 'declared':
      return declared(wukong, ticking);
    case 'tell':
      return retell(task.last, wukong, ticking);
    case 'nothing':
      return undefined;
    default:
      return task satisfies never;
  }
}

/** Takes a record over, with a new deadline where the old one has passed, and carries it on. */
async function resume(op: Operation, wukong: Wukong, ticking: Ticking): Promise<Outcome | undefined> {
  const { world, machines, limits } = ticking;
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

async function declared(wukong: Wukong, ticking: Ticking): Promise<Outcome> {
  const { world, machines, limits, problems } = ticking;
  const value = wukong.spec?.lifecycleAction;
  const now = world.clock.now();
  let command: Command;
  try {
    command = parseDeclared(wukong, now);
  } catch (thrown) {
    const refused = await refuse(wukong, asLifecycleError(thrown).message, ticking);
    await removeDeclared(world, wukong, value, limits);
    return refused;
  }
  const place = placeOf(wukong);
  const around = await readNamespaces(world, [place.namespace], limits, problems);
  const namespaceAnnotations = around.get(place.namespace);
  const options = { limits, wukong, machines, namespaceAnnotations, declared: value };
  const outcome = await performOne(command, place, world, options);
  if (isThrough(outcome, wukong)) await removeDeclared(world, wukong, value, limits);
  return outcome;
}

/** Not so: what goes on, what never reached the cluster, and the duplicate of what is under way, which waits for its end. */
function isThrough(outcome: Outcome, wukong: Wukong): boolean {
  if (outcome.outcome === 'Skipped' && outcome.reason === 'Duplicate') return operationOf(wukong) === undefined;
  if (outcome.outcome === 'Failed') return outcome.reason !== 'Unreachable';
  return outcome.outcome !== 'InProgress';
}

/** An action that nobody knows is told and removed; nobody else is disturbed. */
async function refuse(wukong: Wukong, message: string, ticking: Ticking): Promise<Outcome> {
  const { world, machines, limits } = ticking;
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
    ...stateAfter(outcome, stateOf(machineOf(wukong, machines)), before),
    lastAction: before?.lastAction,
    lastActionTime: before?.lastActionTime,
  };
  await writeStatus(world, wukong, state, limits);
  return outcome;
}

/** An end that its process recorded and did not live to tell. */
async function retell(last: Last, wukong: Wukong, ticking: Ticking): Promise<Outcome> {
  const { world, machines, limits } = ticking;
  const outcome = outcomeOf(wukong, last);
  await tellEnd(world, wukong, outcome, last.superseded ?? [], { teller: newHolder(world), limits, insist: true });
  await writeStatus(
    world,
    wukong,
    stateAfter(outcome, stateOf(machineOf(wukong, machines)), wukong.status?.lifecycleState),
    limits,
    (now) => lastOf(now)?.requestId === last.requestId,
  );
  return outcome;
}
