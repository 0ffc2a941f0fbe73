import { asLifecycleError } from '../../shared/domain/errors.ts';
import { type Invocation, lambda, Retry, worldOf } from '../../shared/entry/entry.ts';
import { growHeapForTicks } from '../../shared/reconcile/heap.ts';
import { reconcile, type Tick } from '../../shared/reconcile/reconcile.ts';
import { tickEach } from '../../shared/reconcile/reconcileClusters.ts';
import { shortened } from '../../shared/report/shortened.ts';

/** The rest is in the log. */
const mostProblems = 10;

/**
 * One tick: goes on with what was interrupted, carries out what is declared or due, makes the status true.
 * @throws Retry when some of its work is left undone: the invocation has failed, and an alarm may say so.
 */
export async function reconcileState(_event: unknown, invocation: Invocation): Promise<Tick> {
  const { world, limits } = invocation;
  const clusters = [...(world.config.clusters?.keys() ?? [])];
  const ticked =
    clusters.length < 2
      ? reconcile(world, limits)
      : tickEach(clusters, async (cluster) => reconcile(await worldOf(invocation, cluster), limits));
  const tick = await ticked.catch((thrown: unknown) => {
    throw new Retry(asLifecycleError(thrown).message, { cause: thrown });
  });
  if (tick.undone > 0)
    throw new Retry(`${tick.undone} things are left undone: ${tick.problems.slice(0, mostProblems).join('; ')}`);
  return shortened(tick);
}

growHeapForTicks();
export const handler = lambda('reconcileState', reconcileState);
