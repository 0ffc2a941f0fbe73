import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { LifecycleState, Wukong } from '../domain/model.ts';
import type { Operation } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import type { Begun, Extras } from './claim.ts';
import { type Drive, drive } from './drive.ts';
import { finish, leaveUnseen } from './finish.ts';
import { asRestart, isHalfWay, turnToStart } from './restart.ts';
import { untilSharpenedEnds } from './sharpen.ts';

export interface Performing extends Extras, Pick<Drive, 'watching' | 'turn' | 'begun'> {
  limits: Limits;
  /** Already read, so that it need not be read again. */
  wukong?: Wukong;
  /** A watch that serves more than this one; else one is opened for this VM alone. */
  machines?: Machines;
  /** What schedules will do next, for the status. */
  next?: Pick<LifecycleState, 'nextAction' | 'nextActionTime'>;
  /** Remember the request even where nothing is to be done: an older wish for the other action is about. */
  remember?: boolean;
  /** Overrides may stand on the namespace too; absent: they are read. */
  namespaceAnnotations?: Record<string, string>;
}

/** From a claimed record to the end, or to InProgress; also for a record that another process left behind. */
export async function runOperation(
  op: Operation,
  wukong: Wukong,
  world: World,
  options: Performing & { machines: Machines },
): Promise<Outcome> {
  const { machines, limits, watching, turn, begun } = options;
  let driven: Awaited<ReturnType<typeof drive>>;
  try {
    driven = await drive(op, { world, wukong, machines, limits, watching, turn, begun });
  } catch (thrown) {
    const error = asLifecycleError(thrown);
    // A cluster that is away ends nothing: the record stays, and reconcileState goes on from it.
    const result: Result =
      error.code === 'Unreachable'
        ? { outcome: 'InProgress', message: `${error.message}; reconcileState goes on.` }
        : { outcome: 'Failed', reason: error.code, message: error.message };
    driven = { op, result };
  }
  if (isHalfWay(driven.op, driven.result)) {
    const half = { op: driven.op, result: driven.result };
    const second = await turnToStart(world, wukong, half, limits).catch((thrown: unknown) => thrown);
    if (second instanceof Error) {
      const why = limits.signal?.aborted ? 'The start comes next' : second.message;
      const message = `${half.result.message} ${why}; reconcileState goes on.`;
      driven = { op: driven.op, result: { outcome: 'InProgress', message } };
    } else if (!second) driven = { op: driven.op, result: 'superseded' };
    else {
      const { op: next, wukong: now } = second as Begun;
      return runOperation(next, now, world, options);
    }
  }
  const machine = seenNow(wukong, machines);
  if (machine instanceof LifecycleError) return leaveUnseen(world, wukong, driven.op, machine);
  if (driven.result !== 'superseded') driven = { op: driven.op, result: asRestart(driven.op, driven.result, machine) };
  const follow = async () => {
    await untilSharpenedEnds(driven.op, { world, wukong, machines, limits });
    return machineOf(wukong, machines);
  };
  return finish(world, wukong, driven, machine, { next: options.next, until: limits.deadline, follow });
}

/** The VM as its watch shows it, or why that has failed for good: that is no end of what was begun. */
function seenNow(wukong: Wukong, machines: Machines): Machine | LifecycleError {
  try {
    return machineOf(wukong, machines);
  } catch (thrown) {
    if (thrown instanceof LifecycleError) return thrown;
    throw thrown;
  }
}
