import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../domain/model.ts';
import type { Machine } from '../domain/vm.ts';
import { says, writeStatus } from '../report/status.ts';
import { nextFor, type Timetable } from '../schedule/timetable.ts';
import { eachApart } from '../time/forEachLimited.ts';
import { unhurried } from '../time/wait.ts';
import { problemOf, type Ticking } from './problems.ts';
import { statusFor } from './reconcileWukong.ts';
import { tellRoom } from './room.ts';
import type { Wanted } from './scheduledJobs.ts';
import { settle, skip, useUp } from './skips.ts';

/** How many statuses of a namespace are written at once. */
const atOnce = 50;

interface Mending extends Ticking {
  /** Keys of those that this process carries something out on. */
  busy: Set<string>;
  table: Timetable;
  wanted: Map<string, Wanted>;
  /** Each VM as it was when the tick decided; what is written comes from `machines`, as it is by then. */
  machineOf: (wukong: Wukong) => Machine;
  machines: Machines;
}

/** Of those that nothing is done with: writes down what is skipped, which fails for those `unsaid`, and mends statuses. */
export async function mend(wukongs: Wukong[], to: Mending): Promise<{ repaired: number; unsaid: Place[] }> {
  const { world, limits, problems } = to;
  const done: Mended = { repaired: 0, used: new Set(), unsaid: new Map() };
  const all: Wukong[] = [];
  await unhurried(wukongs, world.clock, (wukong) => {
    if (!isWell(wukong, to)) all.push(wukong);
  });
  await eachApart(
    all,
    ({ metadata }) => metadata.namespace,
    atOnce,
    (wukong) => mendOne(wukong, to, done),
  );
  const { repaired, used, unsaid } = done;
  for (const { namespace } of unsaid.values()) used.delete(namespace);
  for (const message of await useUp(world, used, limits)) problems.push({ message, reason: 'Refused' });
  return { repaired, unsaid: [...unsaid.values()] };
}

interface Mended {
  repaired: number;
  /** Namespaces whose skip-next is used up. */
  used: Set<string>;
  unsaid: Map<string, Place>;
}

async function mendOne(wukong: Wukong, to: Mending, done: Mended): Promise<void> {
  const { world, limits, problems } = to;
  const key = keyOf(wukong.metadata);
  if (to.busy.has(key)) return; // perhaps begun only meanwhile
  const wanted = to.wanted.get(key);
  if (wanted?.do === 'skip') done.unsaid.set(key, placeOf(wukong));
  if (world.clock.now() >= limits.deadline) return;
  try {
    if (wanted?.do === 'skip') await skip(world, wukong, wanted.decision, limits);
    done.unsaid.delete(key);
    if (wanted?.do === 'skip' && wanted.decision.consume === 'namespace') done.used.add(placeOf(wukong).namespace);
    if (wanted?.do === 'settle') await settle(world, wukong, wanted.decision, limits);
    // What has changed meanwhile is looked at anew by the next tick.
    const machine = machineOf(wukong, to.machines);
    if (await writeStatus(world, wukong, statusOf(wukong, machine, to), limits, () => false)) {
      done.repaired++;
      await tellRoom(world, wukong, machine, limits);
    }
  } catch (thrown) {
    // A CRD that has no such field keeps no status, and nothing else is undone.
    const problem = problemOf(thrown, wukong);
    problems.push({ ...problem, minor: problem.reason === 'CrdNotExtended' });
  }
}

const statusOf = (wukong: Wukong, machine: Machine, { table }: Mending) =>
  statusFor(wukong, machine, nextFor(table, wukong, table.at));

/** Nothing is to be written there: nearly all of them in nearly all ticks. One that cannot be read is not well. */
function isWell(wukong: Wukong, to: Mending): boolean {
  try {
    return !to.wanted.has(keyOf(wukong.metadata)) && says(wukong, statusOf(wukong, to.machineOf(wukong), to));
  } catch {
    return false;
  }
}
