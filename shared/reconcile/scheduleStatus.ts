import { bodyOf } from '../cluster/failure.ts';
import { mergePatch, withCondition } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { keyOf, type Wukong } from '../domain/model.ts';
import { instantIn } from '../domain/read.ts';
import { newHolder } from '../lifecycle/claim.ts';
import { putEvent } from '../report/events.ts';
import { plain } from '../report/plain.ts';
import { nextBoundary } from '../schedule/calendar.ts';
import { observedOf } from '../schedule/observed.ts';
import { isClusterSchedule } from '../schedule/ruling.ts';
import type { NamespaceCount, Schedule, WukongSchedule } from '../schedule/schedule.ts';
import { countOf, type Selecting } from '../schedule/selecting.ts';
import { throughUpTo, type Timetable } from '../schedule/timetable.ts';
import { type Readiness, readinessOf, troubleOf } from '../schedule/trouble.ts';
import { rfc3339 } from '../time/clock.ts';
import { eachApart } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { type Problem, problemOf } from './problems.ts';
import { clusterSchedulePath, schedulePath } from './scheduleInputs.ts';

/** What is known of a tick when its schedules are marked. */
export interface Marking {
  world: World;
  limits: Limits;
  table: Timetable;
  busy: Set<string>;
  /** Wukongs to which their schedules have to come back. */
  left: Set<string>;
  /** Stops that were announced to all their VMs. Instants. */
  announced?: Map<Selecting, number>;
}

/** How many of a namespace are written at once. */
const atOnce = 20;

/**
 * Writes each schedule's status where it changed: what comes next, what is through, what is wrong with it. Tells what
 * is wrong once.
 */
export async function mark(to: Marking, selecting = to.table.selecting): Promise<Problem[]> {
  const problems: Problem[] = [];
  // The good ones first: thousands of bad ones must not keep them from being marked within the limits.
  const [good, bad] = [true, false].map((well) =>
    selecting.filter((one) => (troubleOf(one.checked, countOf(one)) === undefined) === well),
  );
  for (const some of [good!, bad!])
    await eachApart(
      some,
      ({ object }) => object.metadata.namespace,
      atOnce,
      async (selecting) => {
        try {
          await writeSchedule(to, selecting);
        } catch (thrown) {
          problems.push(problemOf(thrown, selecting.object, kindOf(selecting.object)));
        }
      },
    );
  return problems;
}

const fields = ['nextStart', 'nextStop', 'lastHandled', 'matched', 'observedGeneration', 'observedSince'] as const;
/** Of a ClusterWukongSchedule beside them. */
const clusterFields = ['namespaces', 'omittedNamespaces'] as const;

/** A zone is told where it is not the schedule's own word, and where it was told before. */
const fieldsOf = (object: WukongSchedule, wanted: NonNullable<WukongSchedule['status']>) => [
  ...fields,
  ...(isClusterSchedule(object) ? clusterFields : []),
  ...((wanted.timeZone ?? object.status?.timeZone) ? (['timeZone'] as const) : []),
];

const kindOf = (object: WukongSchedule): 'WukongSchedule' | 'ClusterWukongSchedule' =>
  isClusterSchedule(object) ? 'ClusterWukongSchedule' : 'WukongSchedule';

const pathOf = (object: WukongSchedule): string => {
  const { namespace, name } = object.metadata;
  return isClusterSchedule(object) ? clusterSchedulePath(name, 'status') : schedulePath(namespace, name, 'status');
};

async function writeSchedule(to: Marking, selecting: Selecting): Promise<void> {
  const { world, limits } = to;
  const now = world.clock.now();
  const { object, checked, overruled } = selecting;
  const before = object.status ?? {};
  const wanted = statusOf(to, selecting, now);
  const readiness = readinessOf(checked, countOf(selecting), overruled);
  const condition = conditionFrom(readiness, object.metadata.generation);
  const known = before.conditions?.find(({ type }) => type === 'Ready');
  const told =
    known?.status === condition.status && known.reason === condition.reason && known.message === condition.message;
  const mine = fieldsOf(object, wanted);
  const { lastAnnounced } = wanted;
  const same = lastAnnounced === before.lastAnnounced;
  if (told && same && mine.every((field) => JSON.stringify(before[field]) === JSON.stringify(wanted[field]))) return;
  if (!told && condition.status === 'False') await tellTrouble(to, object, readiness);
  const { namespace, name, resourceVersion } = object.metadata;
  const conditions = withCondition(before.conditions as never, condition, rfc3339(now));
  const nulled = Object.fromEntries(mine.map((field) => [field, wanted[field] ?? null]));
  const body = {
    metadata: { resourceVersion },
    status: { ...nulled, ...(lastAnnounced ? { lastAnnounced } : {}), conditions },
  };
  const answer = await mergePatch<WukongSchedule>(world, pathOf(object), body, limits);
  if (answer.status === 409) return;
  const status = bodyOf(answer, `status of schedule ${namespace ? `${namespace}/` : ''}${name}`)?.status;
  // Without it a change of the schedule would be done for a time that is past, at the tick after the next.
  if (status && wanted.observedSince && status.observedSince === undefined)
    throw new LifecycleError('CrdNotExtended', 'its CRD is of an older version: wukong crd install brings the new one');
}

function statusOf(to: Marking, selecting: Selecting, now: number): NonNullable<WukongSchedule['status']> {
  const { object, checked, matched } = selecting;
  const { schedule } = checked;
  const before = object.status?.lastHandled;
  const announced = to.announced?.get(selecting);
  const open = matched.some((wukong) => isOpen(to, wukong));
  const through = schedule && !schedule.suspended && !open ? throughUpTo(schedule, to.table.at) : undefined;
  return {
    nextStart: schedule && instantOf(schedule, now, 'start'),
    nextStop: schedule && instantOf(schedule, now, 'stop'),
    lastHandled: through && !((instantIn(before) ?? NaN) >= through.at) ? rfc3339(through.at) : before,
    matched: countOf(selecting),
    lastAnnounced: announced === undefined ? object.status?.lastAnnounced : rfc3339(announced),
    ...(isClusterSchedule(object) ? namespaceCounts(selecting) : {}),
    ...(schedule && !namesZone(object) ? { timeZone: schedule.zone.name } : {}),
    ...observedOf(object, to.table.at, schedule?.zone.name),
  };
}

const namesZone = ({ spec }: WukongSchedule): boolean =>
  (spec as { timeZone?: unknown } | undefined)?.timeZone !== undefined;

/** So many namespaces a status names; of ten thousand it would not fit into an object. */
const mostNamespaces = 100;

function namespaceCounts({
  matched,
  overruled = new Map(),
}: Selecting): Pick<NonNullable<WukongSchedule['status']>, 'namespaces' | 'omittedNamespaces'> {
  const counts = new Map<string, NamespaceCount>();
  const add = ({ metadata: { namespace = '' } }: Wukong, ruled: 0 | 1) => {
    const before = counts.get(namespace) ?? { matched: 0, ruled: 0 };
    // In the order in which an API server gives them back, so that what is the same reads the same.
    counts.set(namespace, { matched: before.matched + 1, name: namespace, ruled: before.ruled + ruled });
  };
  for (const wukong of matched) add(wukong, 1);
  for (const wukong of overruled.keys()) add(wukong, 0);
  const all = [...counts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const omitted = all.length - mostNamespaces;
  return { namespaces: all.slice(0, mostNamespaces), ...(omitted > 0 ? { omittedNamespaces: omitted } : {}) };
}

/** A line in the log and an Event on the schedule, from the tick that first sees it. */
async function tellTrouble({ world, limits }: Marking, object: WukongSchedule, { reason, message }: Readiness) {
  const { namespace, name, generation } = object.metadata;
  const text = plain(message);
  world.log.warn(`schedule ${namespace ? `${namespace}/` : ''}${name}: ${reason}`, {
    namespace,
    name,
    reason,
    says: text,
  });
  const id = `schedule/${generation}/${reason}/${message}`;
  const event = { id, type: 'Warning', reason, message: plain(message, 1024) } as const;
  const on = { kind: kindOf(object), metadata: object.metadata };
  try {
    await putEvent(world, on, event, { teller: newHolder(world), limits });
  } catch (thrown) {
    world.log.warn('the Event could not be written', { namespace, name, problem: (thrown as Error).message });
  }
}

/** Whether a schedule still has to come back to this Wukong for its newest boundary. */
function isOpen({ table, busy, left }: Marking, wukong: Wukong): boolean {
  const key = keyOf(wukong.metadata);
  const decision = table.ruled.get(wukong)?.decision;
  if (left.has(key)) return true;
  if (busy.has(key)) return decision?.do === 'start' || decision?.do === 'stop';
  return decision?.do === 'nothing' && decision.until !== undefined;
}

const instantOf = (schedule: Schedule, now: number, action: 'start' | 'stop'): string | undefined => {
  const next = schedule.suspended ? undefined : nextBoundary(schedule, now, action);
  return next && rfc3339(next.at);
};

const conditionFrom = ({ reason, message }: Readiness, generation: number | undefined) => ({
  type: 'Ready',
  status: reason === 'Scheduled' ? ('True' as const) : ('False' as const),
  reason,
  message: plain(message),
  ...(generation === undefined ? {} : { observedGeneration: generation }),
});
