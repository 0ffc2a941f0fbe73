import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { claimDeadline } from '../domain/claimTimes.ts';
import { lifecycleStateOf } from '../domain/lifecycleState.ts';
import type { Wukong } from '../domain/model.ts';
import { type Last, type Operation } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { stateOf } from '../domain/vm.ts';
import { lacksEndOf, stateAfter, writeStatus } from '../report/status.ts';
import { advance, newHolder } from './claim.ts';
import { finish } from './finish.ts';
import { heldBack } from './plan.ts';
import { type Performing, runOperation } from './runOperation.ts';
import { tellUntold } from './tellUntold.ts';

type Resuming = Performing & { machines: Machines };

/**
 * Takes a record over, with a new deadline where the old one has passed, and carries it on, unless protection or an
 * override holds it back by now: then it ends there. Undefined: it is gone.
 */
export async function resume(
  op: Operation,
  wukong: Wukong,
  world: World,
  options: Resuming,
): Promise<Outcome | undefined> {
  const now = world.clock.now();
  const expired = now >= op.deadline;
  const mine: Operation = { ...op, holder: newHolder(world), ...(expired ? renewed(op, now) : {}) };
  const taken = await advance(world, wukong, op, mine, options.limits);
  if (!taken) return undefined;
  const result = heldBack(taken, wukong, now, options.namespaceAnnotations);
  if (result) return finish(world, wukong, { op: taken, result }, machineOf(wukong, options.machines));
  return runOperation(taken, wukong, world, options);
}

const renewed = (op: Operation, now: number): Partial<Operation> => ({
  attempts: op.attempts + 1,
  startedAt: now,
  stepAt: now,
  deadline: claimDeadline(op, now, op.graceSeconds ?? 30),
});

/** Ends an operation whose claim has expired again and again, or a start of a Wukong that is being deleted. */
export function giveUp(op: Operation, wukong: Wukong, world: World, machines: Machines): Promise<Outcome> {
  return finish(world, wukong, { op, result: gaveUp(op, wukong) }, machineOf(wukong, machines));
}

function gaveUp(op: Operation, { metadata }: Wukong): Result {
  if (op.action === 'start' && metadata.deletionTimestamp)
    return { outcome: 'Failed', reason: 'NotFound', message: 'The Wukong is being deleted, so it is not started.' };
  const reason = op.action === 'stop' && op.step !== 'Claimed' ? 'Stuck' : 'TimedOut';
  const message = `Given up after ${op.attempts} attempts, the last one at step ${op.step}.`;
  return { outcome: 'Failed', reason, message };
}

/** Reports an end that its process recorded and did not live to report (`tellUntold`). */
export async function reportAgain(
  last: Last,
  wukong: Wukong,
  world: World,
  { machines, limits }: Resuming,
): Promise<Outcome> {
  const state = stateOf(machineOf(wukong, machines));
  const outcome = await tellUntold(world, wukong, last, state, limits);
  const said = stateAfter(outcome, state, lifecycleStateOf(wukong));
  await writeStatus(world, wukong, said, limits, (now) => lacksEndOf(now, last.requestId));
  return outcome;
}
