import type { World } from '../cluster/world.ts';
import { keyOf, type Place } from '../domain/model.ts';
import type { Executed } from '../execute/execute.ts';
import type { Job } from '../execute/job.ts';
import type { Selecting, Timetable } from '../schedule/timetable.ts';
import type { Limits } from '../time/wait.ts';
import type { Announced } from './announce.ts';
import type { Problem } from './problems.ts';
import { mark } from './scheduleStatus.ts';

interface Marked {
  table: Timetable;
  jobs: Job[];
  done: Executed;
  unsaid: Place[];
  selecting: Selecting[];
  announced: Announced['stops'];
}

/** Says on each schedule what it is through with; those have to come back whose job was not begun, or did not get there. */
export function markSchedules(
  world: World,
  limits: Limits,
  { table, jobs, done, unsaid, selecting, announced }: Marked,
): Promise<Problem[]> {
  const unreached = done.outcomes.filter((one) => one.outcome === 'Failed' && one.reason === 'Unreachable');
  const again = [...done.left, ...done.failures.map(({ job }) => job)].map(({ place }) => place);
  const left = new Set([...again, ...unreached, ...unsaid].map(keyOf));
  const busy = new Set(
    jobs.flatMap(({ place, work }) => (work.do === 'command' || work.do === 'await' ? [] : [keyOf(place)])),
  );
  return mark({ world, limits, table, busy, left, announced }, selecting);
}
