import type { World } from '../cluster/world.ts';
import { type Annotations, placeOf, type Wukong } from '../domain/model.ts';
import type { Operation } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import { groupOf, type Job } from '../execute/job.ts';
import { rankOf } from '../schedule/wave.ts';
import { taskFor } from './reconcileWukong.ts';
import type { ScheduledJobs } from './scheduledJobs.ts';

export interface Own {
  world: World;
  machineOf: (wukong: Wukong) => Machine;
  /** The annotations of its namespace. @throws LifecycleError when nobody knows them. */
  around: (namespace: string) => Annotations | undefined;
  scheduled: ScheduledJobs;
}

/**
 * What a Wukong itself asks for: a record that nobody ends, spec.lifecycleAction, an end that nobody knows of. An
 * operation that others carry out is a job too, as it holds its place and its wave.
 */
export function ownJob(wukong: Wukong, { world, machineOf, around, scheduled }: Own): Job | undefined {
  const task = taskFor(wukong, machineOf(wukong), world.clock.now(), world.config.requireAgent);
  const place = placeOf(wukong);
  const plain = { place, wukong, jitterMs: 0, wave: 0 };
  const ofRecord = ({ action, requestId }: { action: Action; requestId: string }, op?: Operation) => ({
    ...plain,
    action,
    wave: rankOf(wukong, action),
    group: (op && scheduled.groupOf(wukong, op)) ?? groupOf(`request ${requestId}`),
  });
  switch (task.do) {
    case 'resume': {
      const { op } = task;
      const namespaceAnnotations = around(place.namespace);
      return { ...ofRecord(op, op), namespaceAnnotations, work: { do: 'resume', op }, urgent: !task.begins };
    }
    case 'giveUp':
      return { ...ofRecord(task.op), work: { do: 'giveUp', op: task.op }, urgent: true };
    case 'reportAgain':
      return { ...ofRecord(task.last), work: { do: 'reportAgain', last: task.last }, urgent: true };
    case 'declared': {
      const { action } = wukong.spec?.lifecycleAction as { action?: unknown };
      const namespaceAnnotations = around(place.namespace);
      const group = groupOf(`declared ${place.namespace}`);
      const asked = action === 'start' ? 'start' : 'stop';
      return { ...plain, action: asked, group, work: { do: 'declared' }, namespaceAnnotations };
    }
    case 'nothing':
      return task.op && { ...ofRecord(task.op, task.op), work: { do: 'await' }, urgent: true };
    default:
      return task satisfies never;
  }
}

/** Without those that others carry out, where nobody of their group waits for a turn. */
export function withoutIdle(all: Job[]): Job[] {
  const busy = new Set(all.filter(({ urgent }) => !urgent).map(({ group }) => group.key));
  return all.filter(({ work, group }) => work.do !== 'await' || busy.has(group.key));
}
