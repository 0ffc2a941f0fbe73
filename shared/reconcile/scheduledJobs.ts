import { keyOf, placeOf, type Wukong } from '../domain/model.ts';
import { lastOf, type Operation, operationOf } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import { isThere } from '../execute/follow.ts';
import type { Group, Job } from '../execute/job.ts';
import { type Boundary, isOf, newestBoundary } from '../schedule/calendar.ts';
import type { Acting, Decision } from '../schedule/decide.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { commandFor, nextFor, type Timetable } from '../schedule/timetable.ts';
import { jitterMs, knownWaves, rankOf } from '../schedule/wave.ts';
import type { Skipping } from './skips.ts';

/** What schedules want done with one Wukong: a job, or something to write down. */
export type Wanted = { do: 'job'; job: Job } | { do: 'skip'; decision: Skipping } | { do: 'settle'; decision: Acting };

const enforceRestMs = 15 * 60_000;

/** What schedules want, as jobs in the groups and waves of their schedules. Decided without effects. */
export class ScheduledJobs {
  readonly #table: Timetable;
  readonly #machineOf: (wukong: Wukong) => Machine;
  readonly #groups = new Map<string, Group>();
  readonly #newest = new Map<string, Boundary | undefined>();
  readonly #matchedBy: Map<string | undefined, Wukong[]>;

  constructor(table: Timetable, machineOf: (wukong: Wukong) => Machine) {
    this.#table = table;
    this.#machineOf = machineOf;
    this.#matchedBy = new Map(table.selecting.map(({ checked, matched }) => [checked.schedule?.key, matched]));
  }

  wanted(wukong: Wukong): Wanted | undefined {
    const { at, ruled } = this.#table;
    const decision = ruled.get(wukong)?.decision;
    if (decision?.do === 'skip') return { do: 'skip', decision };
    const acting = actingIn(decision);
    if (!acting || isResting(wukong, acting, at)) return undefined;
    const running = operationOf(wukong);
    // As long as something else is being carried out, what is so will not stay so.
    if (isThere(acting.do, this.#machineOf(wukong)) && !running)
      return acting.keep ? { do: 'settle', decision: acting } : undefined;
    if (acting.enforced && running?.action === acting.do) return undefined;
    return { do: 'job', job: this.#jobOf(wukong, acting) };
  }

  /**
   * The group of the schedule that an operation is of, where that is its newest boundary still. Of two schedules whose
   * boundaries are for the same it is the one that the id names; version 0.1.0 named none so.
   */
  groupOf(wukong: Wukong, op: Operation): Group | undefined {
    if (op.trigger !== 'schedule') return undefined;
    const fitting = (this.#table.ruled.get(wukong)?.schedules ?? []).filter((schedule) => {
      const boundary = this.#newestOf(schedule);
      return boundary?.action === op.action && op.requestedAt >= boundary.at;
    });
    const mine = fitting.find((schedule) => isOf(schedule, op.requestId)) ?? fitting[0];
    return mine && this.#groupFor(mine, op.action);
  }

  #jobOf(wukong: Wukong, acting: Acting): Job {
    const { at, ruled } = this.#table;
    const { do: action, boundary, enforced } = acting;
    const { schedule } = boundary;
    const key = keyOf(wukong.metadata);
    const spread = action === 'start' && !enforced ? jitterMs(key, boundary.at, schedule.jitterSeconds) : 0;
    const late = boundary.at - (this.#newestOf(schedule)?.at ?? boundary.at);
    return {
      place: placeOf(wukong),
      wukong,
      action,
      work: { do: 'command', command: commandFor(wukong, acting, at) },
      group: this.#groupFor(schedule, action),
      wave: rankOf(wukong, action),
      jitterMs: late + spread,
      namespaceAnnotations: ruled.get(wukong)?.facts?.namespaceAnnotations ?? {},
      next: nextFor(this.#table, wukong, at),
    };
  }

  #groupFor(schedule: Schedule, action: Action): Group {
    const key = `schedule ${schedule.key} ${action}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const at = this.#newestOf(schedule)?.at ?? this.#table.at;
    const targets = this.#matchedBy.get(schedule.key) ?? [];
    const isOpen = (wukong: Wukong) => this.#isOpen(wukong, schedule, action);
    const group = { key, ...schedule.waves, known: knownWaves(targets, { at, action, schedule }, isOpen) };
    this.#groups.set(key, group);
    return group;
  }

  #newestOf(schedule: Schedule): Boundary | undefined {
    if (!this.#newest.has(schedule.key)) this.#newest.set(schedule.key, newestBoundary(schedule, this.#table.at));
    return this.#newest.get(schedule.key);
  }

  #isOpen(wukong: Wukong, schedule: Schedule, action: Action): boolean {
    if (operationOf(wukong)) return true;
    const acting = actingIn(this.#table.ruled.get(wukong)?.decision);
    if (acting?.do !== action || acting.boundary.schedule.key !== schedule.key) return false;
    try {
      const machine = this.#machineOf(wukong);
      return machine.vm !== undefined && !isThere(action, machine);
    } catch {
      return false; // it is told for itself; its wave waits for no VM that nobody can read
    }
  }
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
