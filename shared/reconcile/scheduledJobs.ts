import { keyOf, placeOf, type Wukong } from '../domain/model.ts';
import { lastOf, type Operation, operationOf } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import { isThere } from '../execute/follow.ts';
import type { Group, Job } from '../execute/job.ts';
import { type Boundary, newestBoundary } from '../schedule/calendar.ts';
import type { Acting, Decision } from '../schedule/decide.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { commandFor, nextFor, type Timetable } from '../schedule/timetable.ts';
import { jitterMs, knownWaves, rankOf } from '../schedule/wave.ts';
import type { Skipping } from './skips.ts';

/** What schedules want done with one Wukong: a job, or something to write down. */
export type Wanted = { do: 'job'; job: Job } | { do: 'skip'; decision: Skipping } | { do: 'settle'; decision: Acting };

const enforceRestMs = 15 * 60_000;

export interface Scheduled {
  wanted(wukong: Wukong): Wanted | undefined;
  /** The group of the schedule that an operation is of, where that is its newest boundary still. */
  groupOf(wukong: Wukong, op: Operation): Group | undefined;
}

/** What schedules want, as jobs in the groups and waves of their schedules. Decided without effects. */
export function scheduledJobs(table: Timetable, machineOf: (wukong: Wukong) => Machine): Scheduled {
  const groups = new Map<string, Group>();
  const newest = new Map<string, Boundary | undefined>();
  const matchedBy = new Map(table.selecting.map(({ checked, matched }) => [checked.schedule?.key, matched]));

  const newestOf = (schedule: Schedule): Boundary | undefined => {
    if (!newest.has(schedule.key)) newest.set(schedule.key, newestBoundary(schedule, table.at));
    return newest.get(schedule.key);
  };
  const isOpen = (wukong: Wukong, schedule: Schedule, action: Action): boolean => {
    if (operationOf(wukong)) return true;
    const acting = actingIn(table.decisions.get(keyOf(wukong.metadata)));
    if (acting?.do !== action || acting.boundary.schedule.key !== schedule.key) return false;
    try {
      const machine = machineOf(wukong);
      return machine.vm !== undefined && !isThere(action, machine);
    } catch {
      return false; // it is told for itself; its wave waits for no VM that nobody can read
    }
  };
  const groupFor = (schedule: Schedule, action: Action): Group => {
    const key = `schedule ${schedule.key} ${action}`;
    const { maxInFlight, delayMs } = schedule.waves;
    const at = newestOf(schedule)?.at ?? table.at;
    const targets = matchedBy.get(schedule.key) ?? [];
    const known = () => knownWaves(targets, { at, action, schedule }, (wukong) => isOpen(wukong, schedule, action));
    const group = groups.get(key) ?? { key, maxInFlight, delayMs, known: known() };
    groups.set(key, group);
    return group;
  };

  return {
    wanted(wukong) {
      const decision = table.decisions.get(keyOf(wukong.metadata));
      if (decision?.do === 'skip') return { do: 'skip', decision };
      const acting = actingIn(decision);
      if (!acting || isResting(wukong, acting, table.at)) return undefined;
      const { do: action, boundary, keep } = acting;
      const running = operationOf(wukong);
      // As long as something else is being carried out, what is so will not stay so.
      if (isThere(action, machineOf(wukong)) && !running) return keep ? { do: 'settle', decision: acting } : undefined;
      if (acting.enforced && running?.action === action) return undefined;
      const { schedule } = boundary;
      const spread =
        action === 'start' && !acting.enforced
          ? jitterMs(keyOf(wukong.metadata), boundary.at, schedule.jitterSeconds)
          : 0;
      const late = acting.enforced ? 0 : boundary.at - (newestOf(schedule)?.at ?? boundary.at);
      return {
        do: 'job',
        job: {
          place: placeOf(wukong),
          wukong,
          action,
          work: { do: 'command', command: commandFor(wukong, acting, table.at) },
          group: groupFor(schedule, action),
          wave: rankOf(wukong, action),
          jitterMs: late + spread,
          namespaceAnnotations: table.facts.get(keyOf(wukong.metadata))?.namespaceAnnotations ?? {},
          next: nextFor(table, wukong, table.at),
        },
      };
    },
    groupOf(wukong, op) {
      if (op.trigger !== 'schedule') return undefined;
      const mine = table.schedulesOf.get(keyOf(wukong.metadata))?.find((schedule) => {
        const boundary = newestOf(schedule);
        return boundary?.action === op.action && op.requestedAt >= boundary.at;
      });
      return mine && groupFor(mine, op.action);
    },
  };
}

/** What a schedule wants done now, or at a moment that is known already. */
function actingIn(decision: Decision | undefined): Acting | undefined {
  if (decision?.do === 'nothing') return decision.then;
  return decision?.do === 'skip' ? undefined : decision;
}

/** Enforce wants it at every tick; what has just failed is left in peace for a while. */
function isResting(wukong: Wukong, { enforced }: Acting, now: number): boolean {
  const last = lastOf(wukong);
  return enforced && last?.outcome === 'Failed' && now < last.finishedAt + enforceRestMs;
}
