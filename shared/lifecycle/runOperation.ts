import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { type Wukong } from '../domain/model.ts';
import { type Operation } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { drive } from './drive.ts';
import { finish } from './finish.ts';
import { type Begun, type Performing } from './perform.ts';
import { asRestart, isHalfWay, turnToStart } from './restart.ts';
import { untilSharpenedEnds } from './sharpen.ts';

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
    const half = driven.result;
    const second = await turnToStart(world, wukong, driven.op, half, limits).catch((thrown: unknown) => thrown);
    if (second instanceof Error) {
      const why = limits.signal?.aborted ? 'The start comes next' : second.message;
      const message = `${half.message} ${why}; reconcileState goes on.`;
      driven = { op: driven.op, result: { outcome: 'InProgress', message } };
    } else if (!second) driven = { op: driven.op, result: 'superseded' };
    else {
      const { op: next, wukong: now } = second as Begun;
      return runOperation(next, now, world, options);
    }
  }
  const machine = machineOf(wukong, machines);
  if (driven.result !== 'superseded') driven = { op: driven.op, result: asRestart(driven.op, driven.result, machine) };
  const follow = () => untilSharpenedEnds(driven.op, { world, wukong, machines, limits });
  return finish(world, wukong, driven, machine, { next: options.next, until: limits.deadline, follow });
}
