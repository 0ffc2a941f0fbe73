import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../domain/model.ts';
import type { Job } from '../execute/job.ts';
import { writeStatus } from '../report/status.ts';
import { nextFor, type Timetable } from '../schedule/timetable.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { type Problem, problemOf } from './problems.ts';
import { statusFor } from './reconcileWukong.ts';
import { tellRoom } from './room.ts';
import type { Wanted } from './scheduledJobs.ts';
import { settle, skip, useUp } from './skips.ts';

/** How many statuses are written at once. */
const atOnce = 50;

interface Mending {
  /** Those that this process carries something out on. */
  held?: Set<string> | undefined;
  jobs: Job[];
  table: Timetable;
  wanted: Map<string, Wanted>;
  machines: Machines;
  world: World;
  limits: Limits;
  problems: Problem[];
}

/** Of those that nothing is done with: writes down what is skipped, which fails for those `unsaid`, and mends statuses. */
export async function mend(wukongs: Wukong[], to: Mending): Promise<{ repaired: number; unsaid: Place[] }> {
  const { world, limits, table, machines, problems } = to;
  const busy = new Set(to.jobs.flatMap(({ place, work }) => (work.do === 'await' ? [] : [keyOf(place)])));
  const used = new Set<string>();
  const unsaid = new Map<string, Place>();
  let repaired = 0;
  await each(wukongs, atOnce, async (wukong) => {
    const key = keyOf(wukong.metadata);
    if (busy.has(key) || to.held?.has(key)) return;
    const wanted = to.wanted.get(key);
    if (wanted?.do === 'skip') unsaid.set(key, placeOf(wukong));
    if (world.clock.now() >= limits.deadline) return;
    try {
      if (wanted?.do === 'skip') await skip(world, wukong, wanted.decision, limits);
      unsaid.delete(key);
      if (wanted?.do === 'skip' && wanted.decision.consume === 'namespace') used.add(wukong.metadata.namespace ?? '');
      if (wanted?.do === 'settle') await settle(world, wukong, wanted.decision, limits);
      const machine = machineOf(wukong, machines);
      const status = statusFor(wukong, machine, nextFor(table, wukong, table.at));
      // What has changed meanwhile is looked at anew by the next tick.
      if (await writeStatus(world, wukong, status, limits, () => false)) {
        repaired++;
        await tellRoom(world, wukong, machine, limits);
      }
    } catch (thrown) {
      // A CRD that has no such field keeps no status, and nothing else is undone.
      const problem = problemOf(thrown, wukong);
      problems.push({ ...problem, minor: problem.reason === 'CrdNotExtended' });
    }
  });
  for (const { namespace } of unsaid.values()) used.delete(namespace);
  for (const message of await useUp(world, used, limits)) problems.push({ message, reason: 'Refused' });
  return { repaired, unsaid: [...unsaid.values()] };
}
