import { type Invocation, lambda, worldOf } from '../../shared/entry/entry.ts';
import { parseStateQuery, readStates, type WukongState } from '../../shared/entry/state.ts';
import { shortened } from '../../shared/report/shortened.ts';

/** Answers state, last outcome and next action of one Wukong or a fleet, from the live objects. */
export async function getState(event: unknown, invocation: Invocation): Promise<{ states: WukongState[] }> {
  const query = parseStateQuery(event);
  const world = await worldOf(invocation, query.cluster);
  return shortened({ states: await readStates(world, query, invocation.limits) });
}

export const handler = lambda('getState', getState);
