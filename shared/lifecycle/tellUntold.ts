import { readWukong } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { isBelievable } from '../domain/believe.ts';
import { LifecycleError } from '../domain/errors.ts';
import { placeOf, type StateName, type Wukong } from '../domain/model.ts';
import { type Last, operationOf, outcomeOf, untoldEnd } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { eventOf, hasEvent } from '../report/events.ts';
import { tellingMs } from '../report/report.ts';
import { type Limits, sleep } from '../time/wait.ts';
import { newHolder } from './claim.ts';
import { tellEnd } from './finish.ts';

/** Where nobody says so soon whether an end was doubted before, the VM alone counts. */
const lookMs = 4_000;

/**
 * Tells an end that stands in its record, and that its process did not live to tell, and returns it. Where neither the
 * live VM nor an Event agrees, the VM was switched since, or the record is made up: then that is all that is said, also
 * when the VM agrees later. @throws LifecycleError when the VM denies it and nobody says whether an Event agrees.
 */
export async function tellUntold(
  world: World,
  wukong: Wukong,
  last: Last,
  state: StateName,
  limits: Limits,
): Promise<Outcome> {
  const recorded = outcomeOf(wukong, last);
  const doubt = doubted(recorded, state);
  const isTold = (one: Outcome, by = limits) => hasEvent(world, wukong, eventOf(one), by);
  const soon = { ...limits, deadline: Math.min(limits.deadline, world.clock.now() + lookMs) };
  const agrees = isBelievable(last, state) ? !(await isTold(doubt, soon).catch(() => false)) : await isTold(recorded);
  const outcome = agrees ? recorded : doubt;
  const others = { supersedes: last.superseded, sharpenedBy: last.sharpenedBy };
  await tellEnd(world, wukong, outcome, others, { teller: newHolder(world), limits, insist: true });
  return outcome;
}

/** What is said of an end in whose place the VM became something else. */
export function doubted(recorded: Outcome, state: StateName): Outcome {
  const { namespace, name, action, requestId, trigger, startedAt, finishedAt } = recorded;
  const message = `Its record says ${recorded.outcome}, and before that was told the VM became ${state}.`;
  const plain = { namespace, name, action, requestId, trigger, startedAt, finishedAt, forced: false };
  return { ...plain, outcome: 'Superseded', message };
}

/**
 * Before a new operation, or a status that shows a newer outcome: the end of the one before, where its process did not
 * live to tell it, as the new record's end will take its place; `stateNow` looks at the VM. A process that lives is given
 * its time to tell it itself.
 */
export async function tellBefore(
  world: World,
  wukong: Wukong,
  stateNow: () => StateName,
  limits: Partial<Limits>,
): Promise<void> {
  const { clock } = world;
  const last = operationOf(wukong) ? undefined : untoldEnd(wukong, clock.now());
  if (!last) return;
  const patienceMs = Math.min(last.finishedAt - clock.now(), 0) + tellingMs;
  if (clock.now() + patienceMs > (limits.deadline ?? Infinity))
    throw new LifecycleError('Unreachable', 'the operation before has ended, and is being reported by its process');
  let now = wukong;
  if (patienceMs > 0) {
    await sleep(clock, patienceMs, limits.signal);
    now = await readWukong(world, placeOf(wukong), limits);
  }
  if (untoldEnd(now, clock.now())?.requestId !== last.requestId) return;
  await tellUntold(world, now, last, stateNow(), { deadline: clock.now() + tellingMs });
}
