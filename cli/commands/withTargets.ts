import type { Wukong } from '../../shared/domain/model.ts';
import { openCluster, type Session } from '../cluster.ts';
import { exitCodes, type Io, UsageError, type Values } from '../command.ts';
import { countOf, usualTargets } from './asked.ts';
import { findTargets, tellTargets } from './targets.ts';

interface Asking {
  values: Values;
  io: Io;
  names: string[];
  /** What is asked before many: `stop 80 VMs?` */
  verb: string;
  dryRun: boolean;
}

/**
 * Does something with the Wukongs that are meant, once somebody has agreed where they are many. Names that are none are
 * said, fail the command, and keep none of the others from being done.
 */
export async function withTargets(
  { values, io, names, verb, dryRun }: Asking,
  work: (wukongs: Wukong[], session: Session) => Promise<number>,
): Promise<number> {
  const most = countOf(values, 'max-targets') ?? usualTargets;
  const session = await openCluster(values, io);
  const { wukongs, problems } = await findTargets(session, values, names);
  tellTargets({ problems }, io);
  const failed = problems.length > 0 ? exitCodes.failed : exitCodes.done;
  if (wukongs.length === 0) {
    if (problems.length === 0) io.err('No Wukong matches; nothing was called.\n');
    return failed;
  }
  if (!dryRun && wukongs.length > most && values.yes !== true && !(await agreed(verb, wukongs, most, io)))
    return exitCodes.failed;
  const code = await work(wukongs, session);
  return failed || code;
}

async function agreed(verb: string, wukongs: Wukong[], most: number, io: Io): Promise<boolean> {
  const spaces = new Set(wukongs.map(({ metadata }) => metadata.namespace)).size;
  const many = `${wukongs.length} VMs in ${spaces} namespace${spaces === 1 ? '' : 's'}`;
  if (!io.ask)
    throw new UsageError(`would ${verb} ${many}, more than --max-targets ${most}: expected --yes; nothing was called`);
  if (await io.ask(`${verb} ${many}?`)) return true;
  io.err('Nothing was called.\n');
  return false;
}
