import { conditionOf } from '../domain/model.ts';
import { instantIn } from '../domain/read.ts';
import { rfc3339 } from '../time/clock.ts';
import type { WukongSchedule } from './schedule.ts';

/** The whole second at or after an instant: what a status can keep, and no earlier. */
const wholeSecond = (instant: number): number => Math.ceil(instant / 1000) * 1000;

/**
 * From when on the boundaries of the present spec count. A change of a schedule is no boundary: what fell due before a
 * tick first saw the present generation is not made up for. A schedule as it was made counts from its creation; so does
 * a generation that a version without `observedSince` has seen. `zone`: the one that counts now; another default is a change too.
 */
export function countsFrom({ metadata, status = {} }: WukongSchedule, now: number, zone?: string): number {
  const created = instantIn(metadata?.creationTimestamp) ?? 0;
  const { generation } = metadata ?? {};
  if (generation === undefined) return created;
  if (zone !== undefined && status.timeZone !== undefined && status.timeZone !== zone)
    return Math.max(created, wholeSecond(now));
  const seen = status.observedGeneration ?? conditionOf(status.conditions, 'Ready')?.observedGeneration;
  if (seen === undefined ? generation > 1 : seen !== generation) return Math.max(created, wholeSecond(now));
  const since = instantIn(status.observedSince);
  return since === undefined || status.observedGeneration === undefined ? created : Math.max(created, since);
}

/** What the status keeps of it. */
export const observedOf = (object: WukongSchedule, now: number, zone?: string) => ({
  observedGeneration: object.metadata.generation,
  observedSince: object.metadata.generation === undefined ? undefined : rfc3339(countsFrom(object, now, zone)),
});
