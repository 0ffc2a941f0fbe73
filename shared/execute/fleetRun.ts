import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
import type { Place } from '../domain/model.ts';
import { isOver, type Member } from '../domain/run.ts';
import { memberOf } from '../domain/runTrace.ts';
import { createRun } from '../report/runObject.ts';
import { runStatusOf } from '../report/runStatus.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import type { Preflight } from './preflight.ts';

/** What a fleet command is for: those that are left as they are, those that are to be begun, those that are not there. */
interface FleetTargets extends Preflight {
  missing?: Place[];
}

/**
 * Makes the run of a fleet command, one in each namespace that has VMs of it, in one write; ticks keep it true from then
 * on. Parts of a fleet belong to the run of the whole. Never throws: where it cannot be made, the command goes on; returns
 * why those that are left as they are stand in none.
 */
export async function openFleetRun(
  world: World,
  command: Command,
  { done, jobs, missing = [] }: FleetTargets,
  limits: Limits,
): Promise<LifecycleError | undefined> {
  const { action, requestId, requestedAt, dryRun, part } = command;
  if (dryRun || part !== undefined) return undefined;
  const now = world.clock.now();
  const spaces = new Map<string, Map<string, Member>>();
  const add = ({ namespace, name }: Place, member: Member) => {
    const members = spaces.get(namespace) ?? new Map<string, Member>();
    spaces.set(namespace, members.set(name, member));
  };
  for (const { place, work } of jobs) if (work.do === 'command') add(place, { outcome: 'Pending' });
  for (const place of missing) add(place, { outcome: 'Failed', reason: 'NotFound', startedAt: now, finishedAt: now });
  for (const outcome of done) add(outcome, memberOf(outcome));
  const dueAt = Math.floor(requestedAt / 1000) * 1000;
  let unheld: LifecycleError | undefined;
  const open = async ([namespace, members]: [string, Map<string, Member>]) => {
    const status = runStatusOf(members, { dueAt, now });
    const spec = { action, dueAt: rfc3339(dueAt), requestId };
    const current = ![...members.values()].every(isOver);
    try {
      await createRun(world, { namespace, spec, status, current }, limits);
    } catch (thrown) {
      const error = asLifecycleError(thrown);
      world.log.debug('the run of a fleet could not be made', { namespace, requestId, problem: error.message });
      if (done.some((one) => one.namespace === namespace && one.outcome === 'Skipped')) unheld = error;
    }
  };
  await Promise.all([...spaces].map(open));
  return unheld;
}
