import { bodyOf } from '../../shared/cluster/failure.ts';
import { mergePatch, wukongPath } from '../../shared/cluster/objects.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { openCluster } from '../cluster.ts';
import { exitCodes, type Io, type Values } from '../command.ts';
import { findTargets } from './targets.ts';

/**
 * Writes annotations on the Wukongs that names or a selector mean, and says so of each. `null` takes one away.
 * @throws LifecycleError of the first that could not be written.
 */
export async function annotate(
  values: Values,
  io: Io,
  names: string[],
  annotations: Record<string, string | null>,
  say: string,
): Promise<number> {
  const session = await openCluster(values, io);
  const wukongs = await findTargets(session, values, names);
  if (wukongs.length === 0) io.err('No Wukong matches; nothing was changed.\n');
  for (const { metadata } of wukongs) {
    const path = wukongPath(metadata.namespace, metadata.name);
    const answer = await mergePatch<Wukong>(session.world, path, { metadata: { annotations } }, {});
    bodyOf(answer, `Wukong ${metadata.namespace}/${metadata.name}`);
    io.out(`${metadata.namespace}/${metadata.name}: ${say}\n`);
  }
  return exitCodes.done;
}
