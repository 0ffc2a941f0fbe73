import { type Invocation, lambda, worldOf } from '../../shared/entry/entry.ts';
import { reconcile, type Tick } from '../../shared/reconcile/reconcile.ts';
import { tickEach } from '../../shared/reconcile/reconcileClusters.ts';

/** One tick: goes on with what was interrupted, carries out what is declared or due, makes the status true. */
export async function reconcileState(_event: unknown, invocation: Invocation): Promise<Tick> {
  const { world, limits } = invocation;
  const clusters = [...(world.config.clusters?.keys() ?? [])];
  if (clusters.length < 2) return reconcile(world, limits);
  return tickEach(clusters, async (cluster) => reconcile(await worldOf(invocation, cluster), limits));
}

export const handler = lambda('reconcileState', reconcileState);
