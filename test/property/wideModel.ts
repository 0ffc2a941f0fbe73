import type { Action } from '../../shared/domain/outcome.ts';
import type { WideHistory, WideSchedule } from './wideHistory.ts';

const minuteMs = 60_000;

/** When a history begins: an evening, or the night in which clocks change in Berlin, three to five hours after it begins. */
export const beginOf = ({ night }: Pick<WideHistory, 'night'>): number =>
  Date.parse({ plain: '2026-11-23T20:00Z', autumn: '2026-10-24T22:00Z', spring: '2027-03-27T22:00Z' }[night]);

const formats = new Map<string, Intl.DateTimeFormat>();
/** What the clock on the wall shows at an instant, as if it were UTC. */
export function wallAt(zone: string, instant: number): number {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' });
  formats.set(zone, format);
  const [, day, month, year, hour, minute] = /(\d+)\/(\d+)\/(\d+), (\d+):(\d+)/.exec(format.format(instant))!;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
}

/** The wall time so many minutes after the begin, counted as if no clock ever changed. */
export const wallAfter = (begin: number, zone: string, minutes: number): number =>
  wallAt(zone, begin) + minutes * minuteMs;

const instants = new Map<string, number>();
/** The first instant of that day at which the wall clock shows it, or has jumped over it. */
export function instantOf(begin: number, zone: string, wall: number): number {
  const key = `${begin} ${zone} ${wall}`;
  const known = instants.get(key);
  if (known !== undefined) return known;
  const day = Math.floor(wall / 86_400_000);
  for (let at = begin; ; at += minuteMs) {
    const shown = wallAt(zone, at);
    const isThere = Math.floor(shown / 86_400_000) === day ? shown >= wall : shown > wall;
    if (!isThere) continue;
    instants.set(key, at);
    return at;
  }
}

/** A spec of a schedule that counted from one instant to another. */
export interface Version {
  index: number;
  spec: WideSchedule;
  from: number;
  to: number;
  /** As it was made, not changed: what is due counts from then. */
  made: boolean;
  uid: string;
}

/** What a Wukong was, from one instant to another. */
export interface Span {
  index: number;
  env: 'dev' | 'prod';
  from: number;
  to: number;
  /** The same object under the same label as before. */
  uid: string;
}

export interface Due {
  version: Version;
  action: Action;
  at: number;
  /** The start or end of an exception, at which nothing is said of a cron. */
  exceptional: boolean;
}

/** The boundaries of a version of a schedule that fall due while it counts. */
export function boundariesOf(begin: number, version: Version): Due[] {
  const { spec, from, to } = version;
  const { zone, exception } = spec;
  const crons = (['start', 'stop'] as const).flatMap((action) => {
    const minutes = spec[action];
    return minutes === undefined ? [] : [{ action, at: instantOf(begin, zone, wallAfter(begin, zone, minutes)) }];
  });
  const span = exception && {
    from: begin + exception.from * minuteMs,
    to: begin + (exception.from + exception.minutes) * minuteMs,
  };
  const edges = span
    ? [
        { action: exception!.state === 'Running' ? ('start' as const) : ('stop' as const), at: span.from },
        // What is so after it, the crons say: whichever was the last.
        ...(['start', 'stop'] as const).map((action) => ({ action, at: span.to })),
      ]
    : [];
  const isIn = (at: number) => span !== undefined && at >= span.from && at < span.to;
  return [
    ...crons.filter(({ at }) => !isIn(at)).map((due) => ({ ...due, version, exceptional: false })),
    ...edges.map((due) => ({ ...due, version, exceptional: true })),
  ].filter(({ at }) => at >= from && at < to);
}

const rank = ({ space, over }: WideSchedule): number => (space !== 'cluster' ? 1 : over ? 0 : 2);

/** Which of the schedules rule a Wukong at an instant: of three ranks the first that selects it. */
export function rulersOf(history: WideHistory, versions: Version[], span: Span, at: number): Version[] {
  const { space } = history.wukongs[span.index]!;
  const near = versions.filter(
    ({ spec, from, to }) =>
      from <= at &&
      at < to &&
      (spec.space === space || (spec.space === 'cluster' && !spec.suspend)) &&
      (spec.env === 'any' || spec.env === span.env),
  );
  const first = Math.min(...near.map(({ spec }) => rank(spec)));
  return near.filter(({ spec }) => rank(spec) === first);
}
