import { isSameRequest } from '../../shared/domain/requestId.ts';
import { boundaryId } from '../../shared/schedule/calendar.ts';
import type { Course, Period, Power, Stretch, Switch } from './course.ts';
import type { Happening } from './happening.ts';

export const verdicts = [
  'onTime',
  'late',
  'forced',
  'unseen',
  'failed',
  'missed',
  'skipped',
  'unrecorded',
  'pending',
] as const;
/** Those with a column of their own; of ends that nobody saw only where there are some. */
export const shownVerdicts = (counts: Map<Verdict, number>): Verdict[] =>
  verdicts.filter((verdict) => verdict !== 'pending' && (verdict !== 'unseen' || (counts.get(verdict) ?? 0) > 0));
export type Verdict = (typeof verdicts)[number];

/** What became of one planned switch. */
export interface Judged {
  planned: Switch;
  verdict: Verdict;
  happening?: Happening;
  /** Milliseconds after it was due; measured at its end where nobody knows when it began. */
  lateMs?: number;
}

export interface Happened {
  judged: Judged[];
  /** Operations that no schedule had planned: by hand, by event, on demand, enforced. */
  extra: Happening[];
  /** How it really was, as far as records say. */
  stretches: Stretch[];
}

export interface Judging extends Period {
  now: number;
  /** What begins later than this was late. */
  lateAfterMs: number;
  /** What the status says of this moment. */
  state?: string;
  /** It is protected: that a stop left no record is as it should be. */
  kept?: boolean;
}

const wantedPower = { start: 'on', stop: 'off' } as const;

/** Holds the records of one machine, in the order of time, against what was planned for it. */
export function judge(course: Course, records: Happening[], given: Judging): Happened {
  const { from, to, now } = given;
  const stretches = asItWas(records, given);
  const taken = new Set<Happening>();
  const judged = course.switches
    .filter(({ happens, at }) => happens && at <= now)
    .map((planned): Judged => {
      const happening = recordOf(planned, records, taken);
      if (happening) taken.add(happening);
      return happening ? byRecord(planned, happening, given) : withoutRecord(planned, records, given);
    });
  const extra = records.filter(
    (one) => !taken.has(one) && one.finishedAt >= from && one.finishedAt < to && one.outcome !== 'Skipped',
  );
  return { judged, extra, stretches };
}

/** By the boundary's own id; else the first command for the same action that came while the boundary was still due. */
function recordOf({ boundary, at, action }: Switch, records: Happening[], taken: Set<Happening>) {
  const id = boundaryId(boundary);
  const own = records.find(({ requestId }) => isSameRequest(requestId, id));
  if (own) return own;
  const end = at + boundary.schedule.startingDeadlineMs;
  return records.find((one) => {
    const began = one.startedAt ?? one.finishedAt;
    return one.action === action && !taken.has(one) && began >= at && began <= end && !isBoundaryId(one.requestId);
  });
}

const isBoundaryId = (requestId: string): boolean => /@\d{4}-\d\d-\d\dT[\d:]+Z$/.test(requestId);

function byRecord(planned: Switch, happening: Happening, { lateAfterMs }: Judging): Judged {
  const lateMs = Math.max(0, (happening.startedAt ?? happening.finishedAt) - planned.at);
  const base = { planned, happening, lateMs };
  switch (happening.outcome) {
    case 'Failed':
      return { ...base, verdict: 'failed' };
    case 'ForcedOff':
      return { ...base, verdict: 'forced' };
    case 'Skipped':
      return { ...base, verdict: happening.reason === 'Stale' ? 'missed' : 'skipped' };
    case 'Superseded':
      return { ...base, verdict: 'skipped' };
    case 'InProgress':
      return { ...base, verdict: 'pending' };
    default:
      if (happening.observed === false) return { ...base, verdict: 'unseen' };
      return { ...base, verdict: lateMs > lateAfterMs ? 'late' : 'onTime' };
  }
}

/**
 * No record is no proof: reconcileState writes none where the machine was as wanted already, and Events expire. Only
 * where an older record says that it was otherwise, and no newer one that somebody acted, is it missed.
 */
function withoutRecord(planned: Switch, records: Happening[], { now, kept }: Judging): Judged {
  const { at, boundary, action } = planned;
  if (kept && action === 'stop') return { planned, verdict: 'skipped' };
  if (now < at + boundary.schedule.startingDeadlineMs) return { planned, verdict: 'pending' };
  const before = records.filter(({ finishedAt }) => finishedAt <= at);
  const power = before.map(powerAfter).findLast((one) => one !== undefined);
  if (!power || power === 'unknown') return { planned, verdict: 'unrecorded' };
  return { planned, verdict: power === wantedPower[action] ? 'onTime' : 'missed' };
}

/** What a record says of the time after it; undefined when it changed nothing. */
function powerAfter({ outcome }: Happening): Power | undefined {
  switch (outcome) {
    case 'Started':
    case 'AlreadyOn':
      return 'on';
    case 'Stopped':
    case 'AlreadyOff':
    case 'ForcedOff':
      return 'off';
    case 'Failed':
      return 'unknown';
    default:
      return undefined;
  }
}

/** From record to record, up to now. Where the status says something else than the last record, nobody knows since when. */
function asItWas(records: Happening[], { from, to, now, state }: Judging): Stretch[] {
  const end = Math.min(to, now);
  const found: Stretch[] = [{ from, to: end, power: 'unknown' }];
  for (const record of records) {
    const power = powerAfter(record);
    const at = Math.max(from, record.finishedAt);
    if (power === undefined || at >= end) continue;
    const last = found.at(-1)!;
    if (power === last.power) continue;
    last.to = at;
    found.push({ from: at, to: end, power });
  }
  const last = found.at(-1)!;
  const shown = state === 'Running' ? 'on' : state === 'Stopped' ? 'off' : undefined;
  if (end === now && shown && last.power !== 'unknown' && last.power !== shown) last.power = 'unknown';
  return found.filter((one) => one.to > one.from);
}
