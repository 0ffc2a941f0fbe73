import type { World } from '../cluster/world.ts';
import { keyOf, type Place } from '../domain/model.ts';
import type { Executed } from '../execute/sink.ts';
import type { Selecting } from '../schedule/selecting.ts';
import { troublesOf } from '../schedule/timetable.ts';
import type { Limits } from '../time/wait.ts';
import { announce, nearStops } from './announce.ts';
import type { OwnJobs } from './busy.ts';
import type { Decided } from './collectJobs.ts';
import type { Seen } from './look.ts';
import type { Ticking } from './problems.ts';
import { keepRuns, openRuns, type Read } from './runs.ts';
import { mark } from './scheduleStatus.ts';

/** How long the last words of a tick may take. */
export const lastWordsMs = 5_000;

/** What a tick says of schedules themselves, beside the jobs. `unsaid`: those of whom a skip could not be written down. */
export interface ScheduleKeeping {
  /** As soon as everything was asked for: schedules with nothing under way wait for no neighbour's guests. */
  meanwhile(unsaid: Place[]): Promise<void>;
  /** When all jobs are over. */
  atEnd(done: Executed, unsaid: Place[]): Promise<void>;
}

/** A tick of a few Wukongs says nothing of schedules. */
export const unkept: ScheduleKeeping = { meanwhile: async () => {}, atEnd: async () => {} };

interface Kept extends Decided, OwnJobs {
  seen: Seen;
  runs: Read;
}

/** Announces the stops that are near, keeps runs true, and says on each schedule what it is through with. Never throws. */
export function keepSchedules(
  { world, limits, problems }: Ticking,
  { seen: { wukongs }, table, jobs, elsewhere, underWay, undecided, machineOf, runs }: Kept,
): ScheduleKeeping {
  const opened = openRuns(runs, { table, wukongs, machineOf });
  const announcing = announce(world, nearStops(table, machineOf), limits);
  const isIdle = ({ matched }: Selecting) => matched.every(({ metadata }) => !underWay.has(keyOf(metadata)));
  const busy = new Set(
    jobs.flatMap(({ place, work }) => (work.do === 'command' || work.do === 'await' ? [] : [keyOf(place)])),
  );
  /** Those have to come back whose job was not begun, or did not get there. */
  const write = async (idle: boolean, unsaid: Place[], announced: Map<Selecting, number>, done?: Executed) => {
    const { outcomes = [], left: unbegun = [], failures = [] } = done ?? {};
    const unreached = outcomes.filter((one) => one.outcome === 'Failed' && one.reason === 'Unreachable');
    const again = [...unbegun, ...failures.map(({ job }) => job)].map(({ place }) => place);
    const left = new Set([...again, ...unreached, ...unsaid, ...undecided.values(), ...elsewhere].map(keyOf));
    const atEnd = { world, limits: withLastWords(world, limits), table, busy, left, announced };
    const selecting = table.selecting.filter((one) => isIdle(one) === idle);
    for (const problem of await mark(atEnd, selecting)) problems.push(problem);
  };
  return {
    async meanwhile(unsaid) {
      for (const problem of (await announcing).problems) problems.push(problem);
      await write(true, unsaid, (await announcing).stops);
    },
    async atEnd(done, unsaid) {
      const kept = await keepRuns(world, opened, { done, unsaid }, withLastWords(world, limits));
      for (const problem of kept) problems.push(problem);
      await write(false, unsaid, (await announcing).stops, done);
      world.metrics.count('BadSchedules', troublesOf(table).length);
    },
  };
}

/** What is to be said at the end has its own time, and never the signal that may have ended the tick. */
function withLastWords({ clock }: World, { deadline, signal }: Limits): Limits {
  const soon = clock.now() + lastWordsMs;
  return { deadline: signal?.aborted ? soon : Math.max(deadline, soon) };
}
