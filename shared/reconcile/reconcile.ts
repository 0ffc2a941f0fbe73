import { listAll } from '../cluster/list.ts';
import { wukongPath } from '../cluster/objects.ts';
import { machineOf, type Machines, watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { writeStatus } from '../report/status.ts';
import { nextFor, type Timetable, timetable, troubleLines, troublesOf } from '../schedule/timetable.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { readSurroundings } from './scheduleInputs.ts';
import { mark } from './scheduleStatus.ts';
import { execute } from './scheduling.ts';
import { ownTask } from './task.ts';
import { statusFor } from './tick.ts';

/** What one tick did. */
export interface Tick {
  wukongs: number;
  outcomes: Outcome[];
  /** Statuses that did not say what was so. */
  repaired: number;
  /** Commands that were put on the event bus. */
  sent: number;
  problems: string[];
  /** Schedules that do not do all that they say: their owners' mistakes, and no failure of the tick. */
  schedules: string[];
}

/** How many Wukongs are worked on at once. */
const atOnce = 50;

/**
 * One tick: goes on with what was interrupted, carries out what is declared and what schedules say is due, and makes the
 * status true. Lists each kind once; writes nothing where nothing changed. One Wukong's trouble is its own.
 * @throws LifecycleError when the Wukongs, or what schedules depend on, cannot be read at all.
 */
export async function reconcile(world: World, limits: Limits): Promise<Tick> {
  const tick: Tick = { wukongs: 0, outcomes: [], repaired: 0, sent: 0, problems: [], schedules: [] };
  const wukongs = await readAll(world, limits);
  tick.wukongs = wukongs.length;
  if (wukongs.length === 0) return withoutWukongs(tick, world, limits);
  const machines = await watchMachines(world, { namespaces: world.config.watchNamespaces ?? 'all' }, limits);
  try {
    const outcomes = new Map<string, Outcome>();
    await each(wukongs, atOnce, async (wukong) => {
      const outcome = await attempt(tick, wukong, () =>
        ownTask(wukong, { world, machines, limits, problems: tick.problems }),
      );
      if (outcome) outcomes.set(keyOf(wukong.metadata), outcome);
    });
    const around = await readSurroundings(world, limits, tick.problems);
    const table = timetable(wukongs, (wukong) => machineOf(wukong, machines), around, world.clock.now());
    tick.schedules = troubleLines(troublesOf(table));
    const done = await execute({ world, machines, limits, table, busy: new Set(outcomes.keys()) });
    for (const problem of done.problems) tick.problems.push(problem);
    tick.sent = done.sent;
    await each(wukongs, atOnce, async (wukong) => {
      if (outcomes.has(keyOf(wukong.metadata)) || done.touched.has(keyOf(wukong.metadata))) return;
      await attempt(tick, wukong, () => repair(wukong, machines, table, world, limits, tick));
    });
    tick.outcomes = [...outcomes.values(), ...done.outcomes].filter((outcome) => !outcome.quiet);
    return tick;
  } finally {
    machines.close();
  }
}

/** Schedules are there all the same, and say that they select nothing, or what else is wrong with them. */
async function withoutWukongs(tick: Tick, world: World, limits: Limits): Promise<Tick> {
  const around = await readSurroundings(world, limits, tick.problems);
  const table = timetable([], () => ({}), around, world.clock.now());
  tick.schedules = troubleLines(troublesOf(table));
  const marked = await mark({ world, limits, table, busy: new Set(), left: new Set() });
  for (const problem of marked) tick.problems.push(problem);
  return tick;
}

async function readAll({ transport, config }: World, limits: Limits): Promise<Wukong[]> {
  const all: Wukong[] = [];
  for (const namespace of config.watchNamespaces ?? [undefined])
    for (const wukong of await listAll<Wukong>(transport, wukongPath(namespace), limits)) all.push(wukong);
  return all;
}

async function attempt<T>(tick: Tick, wukong: Wukong, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    tick.problems.push(`${keyOf(wukong.metadata)}: ${asLifecycleError(thrown).message}`);
    return undefined;
  }
}

async function repair(
  wukong: Wukong,
  machines: Machines,
  table: Timetable,
  world: World,
  limits: Limits,
  tick: Tick,
): Promise<void> {
  const wanted = statusFor(wukong, machineOf(wukong, machines), nextFor(table, wukong, world.clock.now()));
  // What has changed meanwhile is looked at anew by the next tick.
  if (await writeStatus(world, wukong, wanted, limits, () => false)) tick.repaired++;
}
