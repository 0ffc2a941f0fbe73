import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import type { World } from '../../shared/cluster/world.ts';
import { keyOf, placeOf, type Wukong } from '../../shared/domain/model.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
import { isClusterSchedule } from '../../shared/schedule/ruling.ts';
import { type Timetable, timetable, type Trouble, troublesOf } from '../../shared/schedule/timetable.ts';

export interface ScheduleLook {
  count: number;
  troubles: Trouble[];
  /** What could not be read. */
  problems: string[];
  /** Which schedule rules, and why, where several ranks select the same Wukongs. */
  rulings: string[];
}

/**
 * What is wrong with the schedules of a namespace, or of all, as the next tick will find it.
 * @throws LifecycleError when schedules or Wukongs cannot be read.
 */
export async function lookAtSchedules(
  whole: World,
  namespace: string | undefined,
  only?: string,
): Promise<ScheduleLook> {
  const world = {
    ...whole,
    config: { ...whole.config, watchNamespaces: namespace === undefined ? undefined : [namespace] },
  };
  const limits = { deadline: world.clock.now() + 30_000 };
  const problems: string[] = [];
  const around = await readSurroundings({ world, limits, problems });
  if (around.schedules.length === 0) return { count: 0, troubles: [], problems, rulings: [] };
  const wukongs = await listAll<Wukong>(world.transport, wukongPath(namespace), limits);
  const table = timetable(wukongs, () => ({}), around, world.clock.now());
  const troubles = troublesOf(table);
  return { count: around.schedules.length, troubles, problems, rulings: rulingsOf(table, only) };
}

const mostRulings = 20;

/** Of the Wukong of this name, or of all: a line for each pair of schedules. */
function rulingsOf({ selecting }: Timetable, only: string | undefined): string[] {
  const lines = new Set<string>();
  for (const { object, overruled = new Map<Wukong, string>() } of selecting)
    for (const [{ metadata }, by] of overruled) {
      if (only !== undefined && metadata.name !== only) continue;
      const where = only === undefined ? `in ${metadata.namespace}` : `${metadata.namespace}/${only}`;
      const why = by.includes('/') ? "the namespace's own" : 'enforceOverNamespaces';
      const other = isClusterSchedule(object) ? object.metadata.name : keyOf(placeOf(object));
      lines.add(`schedule ${by} rules ${where}: ${why}, in the place of ${other}`);
    }
  return [...lines].slice(0, mostRulings);
}
