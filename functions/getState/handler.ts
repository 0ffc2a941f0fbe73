import { type Invocation, lambda } from '../../shared/entry.ts';
import { parseStateQuery, readStates, type WukongState } from '../../shared/state.ts';

/** Answers state, last outcome and next action of one Wukong or a fleet, from the live objects. */
export async function getState(event: unknown, { world, limits }: Invocation): Promise<{ states: WukongState[] }> {
  return { states: await readStates(world, parseStateQuery(event), limits) };
}

export const handler = lambda('getState', getState);
