import { readWukong } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import { isContradicted } from '../domain/believe.ts';
import { LifecycleError } from '../domain/errors.ts';
import { lifecycleStateOf } from '../domain/lifecycleState.ts';
import { type LifecycleState, placeOf, type Wukong } from '../domain/model.ts';
import { lastOf, type Operation, operationOf, outcomeOf, type SupersededRequest } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { type Machine, stateOf } from '../domain/vm.ts';
import { note, tell, tellingMs } from '../report/report.ts';
import { lacksEndOf, stateAfter, writeStatus } from '../report/status.ts';
import { advance, endRecord } from './claim.ts';
import type { Driven } from './drive.ts';

type Next = Pick<LifecycleState, 'nextAction' | 'nextActionTime'>;

interface Finishing {
  next?: Next;
  /** Instant up to which recording may be tried, where there is time. */
  until?: number;
  /** Waits for the end of an operation that somebody else sharpened and carries on, and returns what the VM is then. */
  follow?: () => Promise<Machine>;
}

/** An operation that this process is done with. */
interface Ending extends Pick<Finishing, 'follow'> {
  world: World;
  wukong: Wukong;
  op: Operation;
  machine: Machine;
  told: (of: Result) => Outcome;
}

/**
 * Records how an operation ended, or that it goes on, and tells it: record, Event, bus, status, in this order. Whoever
 * takes the record away tells; a process that dies in between leaves a `last-operation` that the status does not show
 * yet, which reconcileState then tells.
 */
export async function finish(
  world: World,
  wukong: Wukong,
  { op, result }: Driven,
  machine: Machine,
  { next, until = 0, follow }: Finishing = {},
): Promise<Outcome> {
  const limits = { deadline: Math.max(world.clock.now() + tellingMs, until) };
  const told = (of: Result): Outcome => outcomeNow(world, wukong, op, of);
  const ending: Ending = { world, wukong, op, machine, told, follow };
  if (result === 'superseded') return lost(ending);
  const outcome = told(result);
  try {
    if (outcome.outcome === 'InProgress') return await leave(ending, outcome);
    const ended = await endRecord(world, wukong, op, outcome, limits);
    if (!ended) return await lost(ending);
    await tellEnd(world, ended, outcome, op, { teller: op.holder, limits });
    await writeStatus(
      world,
      ended,
      stateAfter(outcome, stateOf(machine), next ?? lifecycleStateOf(ended)),
      limits,
      (now) => lacksEndOf(now, op.requestId),
    );
    return outcome;
  } catch (thrown) {
    return untold(world, outcome, thrown);
  }
}

function outcomeNow({ clock }: World, wukong: Wukong, op: Operation, result: Result): Outcome {
  return {
    ...result,
    ...placeOf(wukong),
    action: op.action,
    forced: result.outcome === 'ForcedOff',
    requestId: op.requestId,
    trigger: op.trigger,
    ...(op.trigger === 'schedule' ? { dueAt: op.requestedAt } : {}),
    startedAt: op.startedAt,
    finishedAt: clock.now(),
  };
}

/** Of a VM that is seen no more nothing is written: the record stays as it is, for whoever sees it again. */
export function leaveUnseen(world: World, wukong: Wukong, op: Operation, { message }: LifecycleError): Outcome {
  const outcome = outcomeNow(world, wukong, op, {
    outcome: 'InProgress',
    message: `${message}; reconcileState goes on.`,
  });
  note(world, outcome);
  return outcome;
}

/** The result stands in the cluster, but could not be written down; what is lacking is told instead of hidden. */
export function untold(world: World, outcome: Outcome, thrown: unknown): Outcome {
  const error = thrown instanceof LifecycleError ? thrown : new LifecycleError('Unknown', String(thrown));
  const because = `${outcome.outcome}: ${outcome.message} But ${error.message}`;
  if (error.code === 'Unreachable') {
    world.log.error('the end could not be recorded; reconcileState will', {
      problem: error.message,
      requestId: outcome.requestId,
    });
    if (outcome.outcome === 'InProgress') return outcome; // as its record has it
    return { ...outcome, outcome: 'InProgress', message: because } as Outcome;
  }
  const failed: Outcome = { ...outcome, outcome: 'Failed', reason: error.code, message: because } as Outcome;
  note(world, failed);
  return failed;
}

/** Leaves the record for the next process, with the hour of force in it, and says in the status what is waited for. */
async function leave({ world, wukong, op, machine }: Ending, outcome: Outcome): Promise<Outcome> {
  const limits = { deadline: world.clock.now() + tellingMs };
  const left = await advance(world, wukong, op, op, limits);
  if (!left) return outcome;
  const now = await readWukong(world, placeOf(wukong), limits);
  const goesOn = (wukong: Wukong) => operationOf(wukong)?.requestId === op.requestId;
  const state = stateAfter(outcome, stateOf(machine), lifecycleStateOf(now));
  if (goesOn(now)) await writeStatus(world, now, state, limits, goesOn);
  note(world, outcome);
  return outcome;
}

/** The other requests that an end answers. */
interface Others {
  supersedes?: SupersededRequest[];
  sharpenedBy?: SupersededRequest[];
}

/** Tells how an operation ended: before it of those that it took over from, after it of those that sharpened it. */
export async function tellEnd(
  world: World,
  wukong: Wukong,
  outcome: Outcome,
  { supersedes = [], sharpenedBy = [] }: Others,
  options: Parameters<typeof tell>[3],
): Promise<void> {
  const { namespace, name, finishedAt, action, requestId } = outcome;
  const message = `A newer ${action}, request ${requestId}, took over.`;
  for (const old of supersedes)
    await tell(
      world,
      wukong,
      { namespace, name, finishedAt, ...old, outcome: 'Superseded', message, forced: false },
      options,
    );
  await tell(world, wukong, outcome, options);
  for (const one of sharpenedBy) await tell(world, wukong, asEndOf(one, outcome), { ...options, counts: false });
}

/** The end of an operation as that of a request which sharpened it. */
export const asEndOf = ({ requestId, trigger, startedAt }: SupersededRequest, outcome: Outcome): Outcome => ({
  ...outcome,
  requestId,
  trigger,
  startedAt,
  dueAt: undefined,
});

/** The record is somebody else's: either they ended this very operation, or a newer wish took over. Nothing is touched. */
async function lost({ world, wukong, op, machine, told, follow }: Ending): Promise<Outcome> {
  const then = (await follow?.().catch(() => undefined)) ?? machine; // who cannot look says what is known
  const now = await readWukong(world, placeOf(wukong), { deadline: world.clock.now() + tellingMs }).catch(
    () => undefined,
  );
  const last = now && lastOf(now);
  if (now && last?.requestId === op.requestId && !isContradicted(last, stateOf(then)))
    return { ...outcomeOf(now, last), quiet: true };
  if (now && operationOf(now)?.requestId === op.requestId)
    return {
      ...told({ outcome: 'InProgress', message: 'Another process has taken it over and goes on.' }),
      quiet: true,
    };
  const outcome = told({ outcome: 'Superseded', message: 'A newer command took over; nothing more was touched.' });
  await tell(world, wukong, outcome, { teller: op.holder, limits: { deadline: world.clock.now() + tellingMs } });
  return outcome;
}
