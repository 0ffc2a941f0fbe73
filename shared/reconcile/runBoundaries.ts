import { runNameOf, type WukongRun } from '../domain/run.ts';
import { boundaries, type Boundary, newestBoundary } from '../schedule/calendar.ts';
import { isClusterSchedule } from '../schedule/ruling.ts';
import type { Selecting } from '../schedule/selecting.ts';
import { rfc3339 } from '../time/clock.ts';

/** Of boundaries that passed while no tick ran so many are told, the newest, of each schedule. */
const mostMissed = 24;

/** Whether a run can be of this schedule: named by its uid, and at a time that really was a boundary. */
export function isOf(
  { object, checked: { schedule } }: Selecting,
  { metadata, spec }: WukongRun,
  now: number,
): boolean {
  const { uid = '', name, namespace } = object.metadata;
  const owned = metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
  const at = Date.parse(spec?.dueAt ?? '');
  if (!owned || !(at <= now)) return false;
  if (!isClusterSchedule(object) && metadata.namespace !== namespace) return false;
  if (spec.schedule !== name || metadata.name !== runNameOf(spec, uid) || rfc3339(at) !== spec.dueAt) return false;
  if (!schedule || at < schedule.createdAt) return true; // as it was before it was changed
  return boundaries(schedule, at - 1, at).some((real) => real.action === spec.action);
}

export type Due = Pick<Boundary, 'at' | 'action'>;

export interface Looked {
  boundary: Due;
  newest: boolean;
  /** Known by a run alone, which somebody may have made: it is looked at where that run is, and nowhere else. */
  stored?: boolean;
}

/** The newest boundary, those that passed since the schedule was looked at last, and those whose run goes on. */
export function boundariesOf({ object, checked: { schedule } }: Selecting, runs: WukongRun[], now: number): Looked[] {
  const found: Looked[] = [];
  const newest = schedule && !schedule.suspended ? newestBoundary(schedule, now) : undefined;
  if (schedule && newest && newest.at >= schedule.createdAt) {
    found.push({ boundary: newest, newest: true });
    const since = Math.max(schedule.createdAt - 1, Date.parse(object.status?.lastHandled ?? '') || 0);
    let one = newestBoundary(schedule, newest.at - 1);
    for (; one && one.at > since && found.length <= mostMissed; one = newestBoundary(schedule, one.at - 1))
      found.push({ boundary: one, newest: false });
  }
  const known = new Set(found.map(({ boundary: { at, action } }) => `${at} ${action}`));
  for (const { spec } of runs) {
    const boundary = { at: Date.parse(spec.dueAt), action: spec.action };
    const key = `${boundary.at} ${boundary.action}`;
    // Of a schedule that is suspended or cannot be read now, the last one is still the newest.
    if (!known.has(key)) found.push({ boundary, newest: false, stored: true });
    known.add(key);
  }
  return found;
}
