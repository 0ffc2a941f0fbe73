import { type Invocation, lambda } from '../../shared/entry.ts';
import { reconcile, type Tick } from '../../shared/reconcile.ts';

/** One tick: goes on with what was interrupted, carries out what is declared or due, makes the status true. */
export function reconcileState(_event: unknown, { world, limits }: Invocation): Promise<Tick> {
  return reconcile(world, limits);
}

export const handler = lambda('reconcileState', reconcileState);
