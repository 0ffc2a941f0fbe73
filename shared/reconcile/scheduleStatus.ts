import { bodyOf } from '../cluster/failure.ts';
import { mergePatch, withCondition } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { keyOf, type KubeObject, type Wukong } from '../domain/model.ts';
import { nextBoundary } from '../schedule/calendar.ts';
import { problemsText, type Schedule, type WukongSchedule } from '../schedule/schedule.ts';
import { type Selecting, throughUpTo, type Timetable } from '../schedule/timetable.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { schedulePath } from './scheduleInputs.ts';

/** What is known of a tick when its schedules are marked. */
export interface Marking {
  world: World;
  limits: Limits;
  table: Timetable;
  busy: Set<string>;
  /** Wukongs to which their schedules have to come back. */
  left: Set<string>;
}

/** Writes each schedule's status where it changed: what comes next, what is through, what is wrong with it. */
export async function mark(to: Marking): Promise<string[]> {
  const problems: string[] = [];
  for (const selecting of to.table.selecting) {
    try {
      await writeSchedule(to, selecting);
    } catch (thrown) {
      problems.push(`schedule ${keyOf(selecting.object.metadata)}: ${(thrown as Error).message}`);
    }
  }
  return problems;
}

async function writeSchedule(to: Marking, { object, checked, matched }: Selecting): Promise<void> {
  const { world, limits } = to;
  const now = world.clock.now();
  const { schedule } = checked;
  const before = object.status ?? {};
  const open = matched.some((wukong) => isOpen(to, wukong));
  const through = schedule && !schedule.suspended && !open ? throughUpTo(schedule, to.table.at) : undefined;
  const wanted: NonNullable<WukongSchedule['status']> = {
    nextStart: schedule && instantOf(schedule, now, 'start'),
    nextStop: schedule && instantOf(schedule, now, 'stop'),
    lastHandled:
      through && !(Date.parse(before.lastHandled ?? '') >= through.at) ? rfc3339(through.at) : before.lastHandled,
    matched: matched.length,
  };
  const condition = conditionOf(selectingReason(checked, matched.length), object.metadata.generation);
  const known = before.conditions?.find(({ type }) => type === 'Ready');
  const told =
    known?.status === condition.status && known.reason === condition.reason && known.message === condition.message;
  const fields = ['nextStart', 'nextStop', 'lastHandled', 'matched'] as const;
  if (told && fields.every((field) => before[field] === wanted[field])) return;
  const { namespace, name, resourceVersion } = object.metadata;
  const conditions = withCondition(before.conditions as never, condition, rfc3339(now));
  const nulled = Object.fromEntries(fields.map((field) => [field, wanted[field] ?? null]));
  const body = { metadata: { resourceVersion }, status: { ...nulled, conditions } };
  const answer = await mergePatch<KubeObject>(world, schedulePath(namespace, name, 'status'), body, limits);
  if (answer.status !== 409) bodyOf(answer, `status of schedule ${namespace}/${name}`);
}

/** Whether a schedule still has to come back to this Wukong for its newest boundary. */
function isOpen({ table, busy, left }: Marking, wukong: Wukong): boolean {
  const key = keyOf(wukong.metadata);
  const decision = table.decisions.get(key);
  if (left.has(key)) return true;
  if (busy.has(key)) return decision?.do === 'start' || decision?.do === 'stop';
  return decision?.do === 'nothing' && decision.until !== undefined;
}

const instantOf = (schedule: Schedule, now: number, action: 'start' | 'stop'): string | undefined => {
  const next = schedule.suspended ? undefined : nextBoundary(schedule, now, action);
  return next && rfc3339(next.at);
};

function selectingReason(checked: Selecting['checked'], matched: number): { reason: string; message: string } {
  if (checked.problems)
    return {
      reason: checked.problems[0]?.reason ?? 'InvalidSpec',
      message: problemsText(checked.problems).slice(0, 4_000),
    };
  if (matched === 0)
    return { reason: 'NothingMatched', message: 'spec.selector: no Wukong in this namespace has these labels' };
  return { reason: 'Scheduled', message: checked.schedule.suspended ? 'suspended' : `${matched} Wukongs are selected` };
}

const conditionOf = ({ reason, message }: { reason: string; message: string }, generation: number | undefined) => ({
  type: 'Ready',
  status: reason === 'Scheduled' ? ('True' as const) : ('False' as const),
  reason,
  message,
  ...(generation === undefined ? {} : { observedGeneration: generation }),
});
