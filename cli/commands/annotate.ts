import { bodyOf } from '../../shared/cluster/failure.ts';
import { mergePatch, wukongPath } from '../../shared/cluster/objects.ts';
import { asLifecycleError } from '../../shared/domain/errors.ts';
import { keyOf, type Wukong } from '../../shared/domain/model.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { openCluster, type Session } from '../cluster.ts';
import { exitCodes, type Io, type Values } from '../command.ts';
import { some } from './guests.ts';
import { schedulesFor } from './schedulesFor.ts';
import { findTargets, tellTargets } from './targets.ts';

/** What is written on one Wukong, and what is said of it. */
export interface Change {
  annotations: Record<string, string | null>;
  say: string;
  /** Said besides, where no schedule selects it. */
  unselected?: string;
}

/**
 * Writes annotations on the Wukongs that are meant, and says so of each; `null` takes one away. One that cannot be
 * written, or does not exist, keeps none of the others from being written.
 */
export async function annotate(
  values: Values,
  io: Io,
  names: string[],
  changeOf: (wukong: Wukong, schedules: Schedule[]) => Change,
): Promise<number> {
  const session = await openCluster(values, io);
  const { wukongs, problems } = await findTargets(session, values, names);
  if (wukongs.length === 0 && problems.length === 0) io.err('No Wukong matches; nothing was changed.\n');
  const selecting = wukongs.length > 0 ? await schedulesFor(session.world, wukongs) : undefined;
  const unselected = new Map<string, string[]>();
  for (const wukong of wukongs) {
    const key = keyOf(wukong.metadata);
    const schedules = selecting?.get(key) ?? [];
    try {
      const change = changeOf(wukong, schedules);
      await write(session, wukong, change);
      io.out(`${key}: ${change.say}\n`);
      if (selecting && schedules.length === 0 && change.unselected !== undefined)
        unselected.set(change.unselected, [...(unselected.get(change.unselected) ?? []), key]);
    } catch (thrown) {
      problems.push(`${key}: ${asLifecycleError(thrown).message}`);
    }
  }
  for (const [so, keys] of unselected) io.err(`note: no schedule selects ${some(keys)}${so}\n`);
  tellTargets({ problems }, io);
  return problems.length > 0 ? exitCodes.failed : exitCodes.done;
}

async function write({ world }: Session, { metadata }: Wukong, { annotations }: Change): Promise<void> {
  const path = wukongPath(metadata.namespace, metadata.name);
  bodyOf(await mergePatch<Wukong>(world, path, { metadata: { annotations } }, {}), `Wukong ${keyOf(metadata)}`);
}
