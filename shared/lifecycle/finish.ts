import { readWukong } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { type LifecycleState, placeOf, type Wukong } from '../domain/model.ts';
import {
  lastOf,
  type Operation,
  operationOf,
  outcomeOf,
  type SupersededRequest,
  untoldEnd,
} from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { type Machine, stateOf } from '../domain/vm.ts';
import { tellingMs } from '../report/limits.ts';
import { note, putOutcome, tell } from '../report/report.ts';
import { stateAfter, writeStatus } from '../report/status.ts';
import { type Limits, sleep } from '../time/wait.ts';
import { advance, endRecord, newHolder } from './claim.ts';
import type { Driven } from './drive.ts';

type Next = Pick<LifecycleState, 'nextAction' | 'nextActionTime'>;

/**
 * Records how an operation ended, or that it goes on, and tells it: record, Event, bus, status, in this order. Whoever
 * takes the record away tells; a process that dies in between leaves a `last-operation` that the status does not show
 * yet, which reconcileState then tells. `until`: an instant up to which recording may be tried, where there is time.
 */
export async function finish(
  world: World,
  wukong: Wukong,
  { op, result }: Driven,
  machine: Machine,
  { next, until = 0 }: { next?: Next; until?: number } = {},
): Promise<Outcome> {
  const limits = { deadline: Math.max(world.clock.now() + tellingMs, until) };
  const told = (of: Result): Outcome => ({
    ...of,
    ...placeOf(wukong),
    action: op.action,
    forced: of.outcome === 'ForcedOff',
    requestId: op.requestId,
    trigger: op.trigger,
    ...(op.trigger === 'schedule' ? { dueAt: op.requestedAt } : {}),
    startedAt: op.startedAt,
    finishedAt: world.clock.now(),
  });
  if (result === 'superseded') return lost(world, wukong, op, told);
  const outcome = told(result);
  try {
    if (outcome.outcome === 'InProgress') return await leave(world, wukong, op, outcome, machine);
    const ended = await endRecord(world, wukong, op, outcome, limits);
    if (!ended) return await lost(world, wukong, op, told);
    await tellEnd(world, ended, outcome, op.supersedes, { teller: op.holder, limits });
    await writeStatus(
      world,
      ended,
      stateAfter(outcome, stateOf(machine), next ?? ended.status?.lifecycleState),
      limits,
      (now) => lastOf(now)?.requestId === op.requestId,
    );
    return outcome;
  } catch (thrown) {
    return untold(world, outcome, thrown);
  }
}

/** The result stands in the cluster, but could not be written down; what is lacking is told instead of hidden. */
function untold(world: World, outcome: Outcome, thrown: unknown): Outcome {
  const error = thrown instanceof LifecycleError ? thrown : new LifecycleError('Unknown', String(thrown));
  const because = `${outcome.outcome}: ${outcome.message} But ${error.message}`;
  if (error.code === 'Unreachable') {
    world.log.error('the end could not be recorded; reconcileState will', {
      problem: error.message,
      requestId: outcome.requestId,
    });
    return { ...outcome, outcome: 'InProgress', forced: outcome.forced, message: because } as Outcome;
  }
  const failed: Outcome = { ...outcome, outcome: 'Failed', reason: error.code, message: because } as Outcome;
  note(world, failed);
  return failed;
}

/** Leaves the record for the next process, with the hour of force in it, and says in the status what is waited for. */
async function leave(
  world: World,
  wukong: Wukong,
  op: Operation,
  outcome: Outcome,
  machine: Machine,
): Promise<Outcome> {
  const limits = { deadline: world.clock.now() + tellingMs };
  const left = await advance(world, wukong, op, { ...op, forceAt: op.forceAt }, limits);
  if (!left) return outcome;
  const now = await readWukong(world, placeOf(wukong), limits);
  const goesOn = (wukong: Wukong) => operationOf(wukong)?.requestId === op.requestId;
  const state = stateAfter(outcome, stateOf(machine), now.status?.lifecycleState);
  if (goesOn(now)) await writeStatus(world, now, state, limits, goesOn);
  note(world, outcome);
  return outcome;
}

/** Tells how an operation ended, and before it of those that it took over from. */
export async function tellEnd(
  world: World,
  wukong: Wukong,
  outcome: Outcome,
  superseded: SupersededRequest[],
  options: Parameters<typeof tell>[3],
): Promise<void> {
  const { namespace, name, finishedAt, action, requestId } = outcome;
  const message = `A newer ${action}, request ${requestId}, took over.`;
  for (const old of superseded)
    await tell(
      world,
      wukong,
      { namespace, name, finishedAt, ...old, outcome: 'Superseded', message, forced: false },
      options,
    );
  await tell(world, wukong, outcome, options);
}

/**
 * Before a new operation: the end of the one before, where its process did not live to tell it, as the new record's end
 * will take its place. A process that lives is given its time to tell it itself.
 */
export async function tellBefore(world: World, wukong: Wukong, limits: Limits): Promise<void> {
  const { clock } = world;
  const last = operationOf(wukong) ? undefined : untoldEnd(wukong, clock.now());
  if (!last) return;
  const patienceMs = last.finishedAt + tellingMs - clock.now();
  if (patienceMs > 0) await sleep(clock, patienceMs, limits.signal);
  const now = patienceMs > 0 ? await readWukong(world, placeOf(wukong), limits) : wukong;
  if (untoldEnd(now, clock.now())?.requestId !== last.requestId) return;
  const own = { deadline: clock.now() + tellingMs };
  const options = { teller: newHolder(world), limits: own, insist: true };
  await tellEnd(world, now, outcomeOf(now, last), last.superseded ?? [], options);
}

/** The record is somebody else's: either they ended this very operation, or a newer wish took over. Nothing is touched. */
async function lost(world: World, wukong: Wukong, op: Operation, told: (of: Result) => Outcome): Promise<Outcome> {
  const place = { namespace: wukong.metadata.namespace ?? '', name: wukong.metadata.name };
  const now = await readWukong(world, place, { deadline: world.clock.now() + tellingMs }).catch(() => undefined);
  const last = now && lastOf(now);
  if (now && last?.requestId === op.requestId) return { ...outcomeOf(now, last), quiet: true };
  if (now && operationOf(now)?.requestId === op.requestId)
    return {
      ...told({ outcome: 'InProgress', message: 'Another process has taken it over and goes on.' }),
      quiet: true,
    };
  const outcome = told({ outcome: 'Superseded', message: 'A newer command took over; nothing more was touched.' });
  await tell(world, wukong, outcome, { teller: op.holder, limits: { deadline: world.clock.now() + tellingMs } });
  return outcome;
}

/** Tells an outcome that needed no operation. The status is put right only where it says something else. */
export async function finishUnclaimed(world: World, wukong: Wukong | undefined, outcome: Outcome): Promise<Outcome> {
  const limits = { deadline: world.clock.now() + tellingMs };
  if (outcome.outcome === 'Skipped' && (outcome.reason === 'Duplicate' || outcome.reason === 'DryRun')) {
    world.log.info(`${outcome.action} ${outcome.namespace}/${outcome.name}: ${outcome.outcome} (${outcome.reason})`, {
      says: outcome.message,
    });
    return { ...outcome, quiet: true };
  }
  const settled = outcome.outcome === 'AlreadyOn' || outcome.outcome === 'AlreadyOff';
  if (settled || !wukong) {
    note(world, outcome);
    await putOutcome(world, outcome);
    if (wukong && settled) return correctState(world, wukong, outcome);
    return outcome;
  }
  await tell(world, wukong, outcome, { teller: newHolder(world), limits });
  return outcome;
}

async function correctState(world: World, wukong: Wukong, outcome: Outcome): Promise<Outcome> {
  const state = outcome.outcome === 'AlreadyOn' ? 'Running' : 'Stopped';
  const before = wukong.status?.lifecycleState;
  if (before?.state === state) return outcome;
  try {
    const limits = { deadline: world.clock.now() + tellingMs };
    await writeStatus(world, wukong, stateAfter(outcome, state, before), limits);
    return outcome;
  } catch (thrown) {
    return untold(world, outcome, thrown);
  }
}
