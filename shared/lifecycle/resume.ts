import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Wukong } from '../domain/model.ts';
import { claimDeadline, type Last, lastOf, type Operation, outcomeOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { stateOf } from '../domain/vm.ts';
import { stateAfter, writeStatus } from '../report/status.ts';
import { advance, newHolder } from './claim.ts';
import { finish, tellEnd } from './finish.ts';
import { carryOn, type Performing } from './perform.ts';

type Resuming = Performing & { machines: Machines };

/** Takes a record over, with a new deadline where the old one has passed, and carries it on. Undefined: it is gone. */
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
  return taken && carryOn(taken, wukong, world, options);
}

const renewed = (op: Operation, now: number): Partial<Operation> => ({
  attempts: op.attempts + 1,
  startedAt: now,
  stepAt: now,
  deadline: claimDeadline(op, now, op.graceSeconds ?? 30),
});

/** Ends an operation whose claim has expired again and again. */
export function giveUp(op: Operation, wukong: Wukong, world: World, machines: Machines): Promise<Outcome> {
  const reason = op.action === 'stop' && op.step !== 'Claimed' ? 'Stuck' : 'TimedOut';
  const message = `Given up after ${op.attempts} attempts, the last one at step ${op.step}.`;
  return finish(world, wukong, { op, result: { outcome: 'Failed', reason, message } }, machineOf(wukong, machines));
}

/** Reports an end that its process recorded and did not live to report. */
export async function reportAgain(
  last: Last,
  wukong: Wukong,
  world: World,
  { machines, limits }: Resuming,
): Promise<Outcome> {
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
