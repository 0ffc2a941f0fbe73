import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
import { timetable, type Trouble, troublesOf } from '../../shared/schedule/timetable.ts';

export interface ScheduleLook {
  count: number;
  troubles: Trouble[];
  /** What could not be read. */
  problems: string[];
}

/**
 * What is wrong with the schedules of a namespace, or of all, as the next tick will find it.
 * @throws LifecycleError when schedules or Wukongs cannot be read.
 */
export async function lookAtSchedules(whole: World, namespace: string | undefined): Promise<ScheduleLook> {
  const world = {
    ...whole,
    config: { ...whole.config, watchNamespaces: namespace === undefined ? undefined : [namespace] },
  };
  const limits = { deadline: world.clock.now() + 30_000 };
  const problems: string[] = [];
  const around = await readSurroundings(world, limits, problems);
  if (around.schedules.length === 0) return { count: 0, troubles: [], problems };
  const wukongs = await listAll<Wukong>(world.transport, wukongPath(namespace), limits);
  const table = timetable(wukongs, () => ({}), around, world.clock.now());
  return { count: around.schedules.length, troubles: troublesOf(table), problems };
}
