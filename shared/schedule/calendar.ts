import type { Action } from '../domain/outcome.ts';
import { remember } from '../domain/remember.ts';
import { requestIdOf } from '../domain/requestId.ts';
import { rfc3339 } from '../time/clock.ts';
import { type Cron, lastWall, nextWall } from '../time/cron.ts';
import { type Occurrence, occurrenceAfter, occurrenceAtOrBefore, wallDate, wallTime } from '../time/wallclock.ts';
import { dayMs, instantToWall, wallToInstant } from '../time/zone.ts';
import type { Schedule } from './schedule.ts';
import { edgesIn, isHoliday, mayShift, midnight, type Standing, standingAt } from './shifts.ts';

/** An instant at which a schedule wants its machines on or off. */
export interface Boundary {
  schedule: Schedule;
  /** Instant. */
  at: number;
  action: Action;
  /** The local time that the cron expression named: `2026-03-29T02:30`. */
  wall: string;
  /** What a clock change did to it. */
  note?: string;
  /** Why it is so, where no cron says it: an exception begins or ends. */
  reason?: string;
  /** Set on one that does not happen: a start on a holiday, or what an exception stands against. */
  skippedBecause?: string;
}

/** `namespace/name@2026-03-29T01:00:00Z`: one boundary of one schedule, the same in every process. */
export const boundaryId = ({ schedule, at }: Boundary): string => boundaryIdOf(schedule, at);

/** The same, where the schedule itself is not at hand. */
export const boundaryIdOf = ({ key }: Pick<Schedule, 'key'>, at: number): string =>
  requestIdOf('schedule', `${key}@${rfc3339(at)}`);

/** Whether an id is of a boundary of this schedule, or of what it enforces. */
export const isOf = ({ key }: Pick<Schedule, 'key'>, requestId: string): boolean =>
  requestId.startsWith(requestIdOf('schedule', `${key}@`));

const cronsOf = ({ start, stop }: Schedule): [Action, Cron][] =>
  [['start', start] as const, ['stop', stop] as const].flatMap(([action, cron]) => (cron ? [[action, cron]] : []));

/** On a holiday, a local date, start does not happen; stop does. */
const onHoliday = (schedule: Schedule, action: Action, wall: number): boolean =>
  action === 'start' && isHoliday(schedule, wallDate(wall));

/** What stands against a boundary of the crons: an exception that wants the other. */
function against(schedule: Schedule, action: Action, at: number): Standing | undefined {
  const standing = mayShift(schedule) ? standingAt(schedule, at) : undefined;
  return standing && standing.action !== action ? standing : undefined;
}

function boundary(schedule: Schedule, action: Action, { at, wall, kind }: Occurrence): Boundary {
  const named = wallTime(wall);
  const note =
    kind === 'gap'
      ? `gap: ${named} does not exist, happens at ${wallTime(instantToWall(schedule.zone, at))}`
      : kind === 'overlap'
        ? `overlap: ${named} comes twice, happens the first time`
        : undefined;
  return {
    schedule,
    at,
    action,
    wall: `${wallDate(wall)}T${named}`,
    note,
    ...skipping(schedule, action, { at, wall }),
  };
}

function skipping(schedule: Schedule, action: Action, { at, wall }: { at: number; wall: number }) {
  if (onHoliday(schedule, action, wall)) return { skippedBecause: `holiday ${wallDate(wall)}: start skipped` };
  const standing = against(schedule, action, at);
  return standing ? { skippedBecause: `${standing.reason}: ${action} skipped` } : {};
}

/**
 * Which of two comes later. At one instant: two times of one schedule that a gap has put together keep their order on
 * the wall; of two schedules the start counts as the later one, so that nothing is switched off that another wants on.
 */
export function compare(a: Boundary, b: Boundary): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.schedule.key === b.schedule.key && a.wall !== b.wall) return a.wall < b.wall ? -1 : 1;
  if (a.action !== b.action) return a.action === 'start' ? 1 : -1;
  return a.schedule.key < b.schedule.key ? -1 : a.schedule.key > b.schedule.key ? 1 : 0;
}

/** All boundaries in (from, to], in the order of time; those that are skipped are among them and say so. */
export function boundaries(schedule: Schedule, from: number, to: number): Boundary[] {
  const found: Boundary[] = [];
  for (const [action, cron] of cronsOf(schedule)) {
    let one = occurrenceAfter(cron, schedule.zone, from);
    for (; one && one.at <= to; one = occurrenceAfter(cron, schedule.zone, one.at))
      found.push(boundary(schedule, action, one));
  }
  return [...found, ...shiftsIn(schedule, from, to)].sort(compare);
}

/** Where exceptions begin and end; at their end what the crons want by then is put back. */
function shiftsIn(schedule: Schedule, from: number, to: number): Boundary[] {
  return mayShift(schedule) ? edgesIn(schedule, from, to).flatMap((at) => shiftAt(schedule, at) ?? []) : [];
}

function shiftAt(schedule: Schedule, at: number): Boundary | undefined {
  const before = standingAt(schedule, at - 1);
  const after = standingAt(schedule, at);
  const wall = instantToWall(schedule.zone, at);
  const shift = (action: Action, reason: string): Boundary => ({
    ...{ schedule, at, action, reason },
    wall: `${wallDate(wall)}T${wallTime(wall)}`,
    note: reason,
  });
  if (after) return before?.action === after.action ? undefined : shift(after.action, after.reason);
  const wish = before && newestOfCrons(schedule, at, false);
  if (!wish || wish.at === at || wish.action === before.action) return undefined;
  return shift(wish.action, `${before.reason} ends`);
}

/** So many times of a cron may be skipped before it counts as one that never happens. */
const mostSkipped = 12_000;

/** Where the crons have nothing: how far exceptions are looked for. */
const farMs = 800 * dayMs;

/** The newest time of either cron that is no skipped holiday, nor, where they are heeded, against an exception. */
function newestOfCrons(schedule: Schedule, now: number, heed = mayShift(schedule)): Boundary | undefined {
  const found = cronsOf(schedule).flatMap(([action, cron]) => {
    let one = occurrenceAtOrBefore(cron, schedule.zone, now);
    for (let skipped = 0; one && skipped < mostSkipped; skipped++) {
      const standing = heed ? against(schedule, action, one.at) : undefined;
      if (onHoliday(schedule, action, one.wall)) one = placed(schedule, lastWall(cron, midnight(one.wall) - 1));
      else if (standing) one = occurrenceAtOrBefore(cron, schedule.zone, standing.from - 1);
      else return [boundary(schedule, action, one)];
    }
    return [];
  });
  return found.sort(compare).at(-1);
}

type Find = (schedule: Schedule, now: number, only?: Action) => Boundary | undefined;

/** A schedule is asked about the same few instants once for each of its Wukongs, of which there may be thousands. */
function remembering(find: Find): Find {
  const answers = new WeakMap<Schedule, Map<Action | undefined, Map<number, Boundary | undefined>>>();
  return (schedule, now, only) => {
    const all = answers.get(schedule) ?? new Map<Action | undefined, Map<number, Boundary | undefined>>();
    answers.set(schedule, all);
    const known = all.get(only) ?? new Map<number, Boundary | undefined>();
    all.set(only, known);
    if (!known.has(now)) remember(known, now, find(schedule, now, only), mostAnswers);
    return known.get(now);
  };
}

const mostAnswers = 50;

/** The newest boundary at or before `now` that really happens; a start on a holiday is none. */
export const newestBoundary: (schedule: Schedule, now: number) => Boundary | undefined = remembering(
  (schedule, now) => {
    const newest = newestOfCrons(schedule, now);
    return shiftsIn(schedule, newest?.at ?? now - farMs, now).at(-1) ?? newest;
  },
);

/** The first boundary after `now` that really happens, of one action or of either. */
export const nextBoundary = remembering((schedule, now, only) => {
  const found = cronsOf(schedule).flatMap(([action, cron]) => {
    if (only && only !== action) return [];
    let one = occurrenceAfter(cron, schedule.zone, now);
    for (let skipped = 0; one && skipped < mostSkipped; skipped++) {
      if (onHoliday(schedule, action, one.wall)) one = placed(schedule, nextWall(cron, midnight(one.wall) + dayMs - 1));
      else if (against(schedule, action, one.at)) one = occurrenceAfter(cron, schedule.zone, one.at);
      else return [boundary(schedule, action, one)];
    }
    return [];
  });
  const next = found.sort(compare)[0];
  const shifts = shiftsIn(schedule, now, next?.at ?? now + farMs);
  return shifts.find(({ action }) => !only || only === action) ?? next;
});

/** When the first of these has its next boundary; Infinity: none has. Instant. */
export const nextOfAll = (schedules: Schedule[], now: number): number =>
  schedules.reduce((first, one) => {
    const next = one.suspended ? undefined : nextBoundary(one, now);
    return Math.min(first, next?.at ?? Infinity);
  }, Infinity);

function placed({ zone }: Schedule, wall: number | undefined): Occurrence | undefined {
  return wall === undefined ? undefined : { ...wallToInstant(zone, wall), wall };
}

/** The newest boundary of all: what should be so now, whether or not it was done. Suspended schedules have no say. */
export function wishAt(schedules: Schedule[], now: number): Boundary | undefined {
  let wish: Boundary | undefined;
  for (const schedule of schedules) {
    const newest = schedule.suspended ? undefined : newestBoundary(schedule, now);
    if (newest && (!wish || compare(newest, wish) >= 0)) wish = newest;
  }
  return wish;
}
