import type { Action } from '../domain/outcome.ts';
import { requestIdOf } from '../domain/requestId.ts';
import { type Cron, lastWall, nextWall } from '../time/cron.ts';
import {
  type Occurrence,
  occurrenceAfter,
  occurrenceAtOrBefore,
  utcText,
  wallDate,
  wallTime,
} from '../time/wallclock.ts';
import { dayMs, instantToWall, wallToInstant } from '../time/zone.ts';
import type { Schedule } from './schedule.ts';

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
  /** Set on a start that does not happen because its local date is a holiday. */
  skippedBecause?: string;
}

/** `namespace/name@2026-03-29T01:00:00Z`: one boundary of one schedule, the same in every process. */
export const boundaryId = ({ schedule, at }: Boundary): string => boundaryIdOf(schedule, at);

/** The same, where the schedule itself is not at hand. */
export const boundaryIdOf = ({ key }: Pick<Schedule, 'key'>, at: number): string =>
  requestIdOf('schedule', `${key}@${utcText(at)}`);

const cronsOf = ({ start, stop }: Schedule): [Action, Cron][] =>
  [['start', start] as const, ['stop', stop] as const].flatMap(([action, cron]) => (cron ? [[action, cron]] : []));

/** On a holiday, a local date, start does not happen; stop does. */
const onHoliday = (schedule: Schedule, action: Action, wall: number): boolean =>
  action === 'start' && schedule.holidays.has(wallDate(wall));

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
    ...(onHoliday(schedule, action, wall) ? { skippedBecause: `holiday ${wallDate(wall)}: start skipped` } : {}),
  };
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

/** All boundaries in (from, to], in the order of time; starts that a holiday skips are among them and say so. */
export function boundaries(schedule: Schedule, from: number, to: number): Boundary[] {
  const found: Boundary[] = [];
  for (const [action, cron] of cronsOf(schedule)) {
    let one = occurrenceAfter(cron, schedule.zone, from);
    for (; one && one.at <= to; one = occurrenceAfter(cron, schedule.zone, one.at))
      found.push(boundary(schedule, action, one));
  }
  return found.sort(compare);
}

/** A schedule is asked about the same few instants once for each of its Wukongs, of which there may be thousands. */
const answers = new WeakMap<Schedule, Map<string, Boundary | undefined>>();
const mostAnswers = 50;

function remembered(schedule: Schedule, question: string, find: () => Boundary | undefined): Boundary | undefined {
  const known = answers.get(schedule) ?? new Map<string, Boundary | undefined>();
  answers.set(schedule, known);
  if (known.has(question)) return known.get(question);
  if (known.size >= mostAnswers) known.clear();
  const found = find();
  known.set(question, found);
  return found;
}

/** The newest boundary at or before `now` that really happens; a start on a holiday is none. */
export const newestBoundary = (schedule: Schedule, now: number): Boundary | undefined =>
  remembered(schedule, `newest ${now}`, () => findNewest(schedule, now));

function findNewest(schedule: Schedule, now: number): Boundary | undefined {
  const found = cronsOf(schedule).flatMap(([action, cron]) => {
    let one = occurrenceAtOrBefore(cron, schedule.zone, now);
    while (one && onHoliday(schedule, action, one.wall)) one = placed(schedule, lastWall(cron, midnight(one.wall) - 1));
    return one ? [boundary(schedule, action, one)] : [];
  });
  return found.sort(compare).at(-1);
}

/** The first boundary after `now` that really happens, of one action or of either. */
export const nextBoundary = (schedule: Schedule, now: number, only?: Action): Boundary | undefined =>
  remembered(schedule, `next ${only} ${now}`, () => findNext(schedule, now, only));

function findNext(schedule: Schedule, now: number, only?: Action): Boundary | undefined {
  const found = cronsOf(schedule).flatMap(([action, cron]) => {
    if (only && only !== action) return [];
    let one = occurrenceAfter(cron, schedule.zone, now);
    while (one && onHoliday(schedule, action, one.wall))
      one = placed(schedule, nextWall(cron, midnight(one.wall) + dayMs - 1));
    return one ? [boundary(schedule, action, one)] : [];
  });
  return found.sort(compare)[0];
}

const midnight = (wall: number): number => Math.floor(wall / dayMs) * dayMs;

function placed({ zone }: Schedule, wall: number | undefined): Occurrence | undefined {
  return wall === undefined ? undefined : { ...wallToInstant(zone, wall), wall };
}

export type Due =
  { kind: 'due' | 'missed'; boundary: Boundary; because: string } | { kind: 'suspended' | 'nothing'; because: string };

/**
 * What one schedule has due. Only the newest boundary counts: whatever was not done before it does not matter any more.
 * @param lastHandled instant of the last boundary that was done, skipped or missed for this machine
 * @param createdAt   instant from which the machine is there; boundaries before it are not due
 */
export function due(
  schedule: Schedule,
  { now, lastHandled, createdAt = 0 }: { now: number; lastHandled?: number; createdAt?: number },
): Due {
  if (schedule.suspended) return { kind: 'suspended', because: `schedule ${schedule.key} is suspended` };
  const newest = newestBoundary(schedule, now);
  if (!newest) return { kind: 'nothing', because: `schedule ${schedule.key} has not happened yet` };
  const what = `${newest.action} of ${newest.wall} by schedule ${schedule.key}`;
  if (newest.at < Math.max(schedule.createdAt, createdAt))
    return { kind: 'nothing', because: `${what} was before the schedule or the machine was there` };
  if (lastHandled !== undefined && newest.at <= lastHandled) return { kind: 'nothing', because: `${what} is handled` };
  const late = now - newest.at;
  if (late <= schedule.startingDeadlineMs) return { kind: 'due', boundary: newest, because: what };
  const seconds = schedule.startingDeadlineMs / 1000;
  return {
    kind: 'missed',
    boundary: newest,
    because: `${what} is ${Math.round(late / 1000)} s late, more than ${seconds} s`,
  };
}

/** The newest boundary of all: what should be so now, whether or not it was done. Suspended schedules have no say. */
export function wishAt(schedules: Schedule[], now: number): Boundary | undefined {
  return schedules
    .filter(({ suspended }) => !suspended)
    .flatMap((schedule) => newestBoundary(schedule, now) ?? [])
    .sort(compare)
    .at(-1);
}
