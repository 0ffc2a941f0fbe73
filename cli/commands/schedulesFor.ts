import type { World } from '../../shared/cluster/world.ts';
import { keyOf, placeOf, type Wukong } from '../../shared/domain/model.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { timetable } from '../../shared/schedule/timetable.ts';

/**
 * The schedules that select each Wukong and are not suspended, by its key, as the next tick will find it. Undefined where
 * they cannot be read, which is nobody's reason not to do what was asked.
 */
export async function schedulesFor(whole: World, wukongs: Wukong[]): Promise<Map<string, Schedule[]> | undefined> {
  const watchNamespaces = [...new Set(wukongs.map((wukong) => placeOf(wukong).namespace))];
  const world = { ...whole, config: { ...whole.config, watchNamespaces } };
  try {
    const around = await readSurroundings({ world, limits: { deadline: world.clock.now() + 30_000 }, problems: [] });
    const { ruled } = timetable(wukongs, () => ({}), around, world.clock.now());
    const active = (all: Schedule[]) => all.filter(({ suspended }) => !suspended);
    return new Map([...ruled].map(([{ metadata }, { schedules }]) => [keyOf(metadata), active(schedules)]));
  } catch (thrown) {
    world.log.warn('schedules cannot be read', { problem: (thrown as Error).message });
    return undefined;
  }
}
