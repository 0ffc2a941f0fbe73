import { machineOf } from '../cluster/vmInformer.ts';
import { LifecycleError } from '../domain/errors.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../domain/model.ts';
import type { Machine } from '../domain/vm.ts';
import type { Job } from '../execute/job.ts';
import { type Timetable, timetable } from '../schedule/timetable.ts';
import { unhurried } from '../time/wait.ts';
import type { Seen } from './look.ts';
import { ownJob, withoutIdle } from './ownJobs.ts';
import { problemOf, type Ticking } from './problems.ts';
import { ScheduledJobs, type Wanted } from './scheduledJobs.ts';

export interface Decided {
  jobs: Job[];
  table: Timetable;
  wanted: Map<string, Wanted>;
  /** Whose decision threw: their schedules have to come back to them. */
  undecided: Map<string, Place>;
  /** Each VM as it was when all this was decided. */
  machineOf: (wukong: Wukong) => Machine;
}

/**
 * What is to be done with each Wukong, without effects: what it asks for itself comes before what schedules want. Of
 * `few` only the former counts.
 */
export async function collectJobs(seen: Seen, { world, problems }: Ticking, few: boolean): Promise<Decided> {
  const { wukongs, around, unanswered } = seen;
  const machineOf = viewer(seen);
  const undecided = new Map<string, Place>();
  const wrong = (wukong: Wukong, thrown: unknown) => {
    const isTold = undecided.has(keyOf(wukong.metadata)) || thrown === unanswered.get(wukong.metadata.namespace ?? '');
    if (!isTold) problems.push(problemOf(thrown, wukong));
    undecided.set(keyOf(wukong.metadata), placeOf(wukong));
  };
  /** No schedule has a say, those of the cluster neither, where it is not known which of them rule. */
  const ruledMachineOf = (wukong: Wukong) => {
    const why = unanswered.get(wukong.metadata.namespace ?? '');
    if (why) throw why;
    return machineOf(wukong);
  };
  const table = timetable(wukongs, ruledMachineOf, around, world.clock.now(), wrong);
  const scheduled = new ScheduledJobs(table, machineOf);
  const own = { world, machineOf, around: annotationsFrom(seen), scheduled };
  const jobs: Job[] = [];
  const wanted = new Map<string, Wanted>();
  await unhurried(wukongs, world.clock, (wukong) => {
    try {
      const mine = ownJob(wukong, own);
      const wish = few || (mine && mine.work.do !== 'await') ? undefined : scheduled.wanted(wukong);
      if (wish) wanted.set(keyOf(wukong.metadata), wish);
      const job = wish?.do === 'job' ? wish.job : mine;
      // A record whose power call was not made has its turn among all, which few are not.
      if (job && (!few || job.urgent || job.work.do === 'declared')) jobs.push(job);
    } catch (thrown) {
      wrong(wukong, thrown);
    }
  });
  return { jobs: withoutIdle(jobs), table, wanted, undecided, machineOf };
}

/** Each VM as it was at the first look, however often one asks: all that is decided agrees. */
function viewer({ machines }: Seen): (wukong: Wukong) => Machine {
  const views = new Map<Wukong, Machine>();
  return (wukong) => {
    const view = views.get(wukong) ?? machineOf(wukong, machines);
    views.set(wukong, view);
    return view;
  };
}

const annotationsFrom =
  ({ declaring, unanswered }: Seen) =>
  (namespace: string) => {
    if (declaring instanceof LifecycleError) throw declaring;
    const why = unanswered.get(namespace);
    if (why) throw why;
    return declaring.get(namespace) ?? {};
  };
