import { boundaryId, nextBoundary } from './calendar.ts';
import { newHolder } from './claim.ts';
import { rfc3339 } from './clock.ts';
import type { Command } from './command.ts';
import type { Decision } from './decide.ts';
import { each } from './each.ts';
import { bodyOf } from './kube/failure.ts';
import { jsonPatch, mergePatch, pointer, withCondition, wukongPath } from './kube/objects.ts';
import type { Machines } from './machines.ts';
import { type KubeObject, type Machine, vmNameOf, type Wukong } from './model.ts';
import { lastOf } from './operation.ts';
import type { Outcome } from './outcome.ts';
import { overrideKeys } from './override.ts';
import { performOne } from './perform.ts';
import { tell } from './report/tell.ts';
import { problemsText, type Schedule, type WukongSchedule } from './schedule.ts';
import {
  commandFor,
  currentWave,
  isThere,
  keyOf,
  type Memory,
  memoryKey,
  nextFor,
  readMemory,
  type Selecting,
  throughUpTo,
  type Timetable,
  writeMemory,
} from './scheduled.ts';
import { schedulePath } from './surroundings.ts';
import { requestedType } from './trigger.ts';
import type { Limits } from './wait.ts';
import type { World } from './world.ts';

type Acting = Extract<Decision, { do: 'start' | 'stop' }>;
type Skipping = Extract<Decision, { do: 'skip' }>;

/** What one tick carries out because of schedules. */
export interface Executing {
  world: World;
  machines: Machines;
  limits: Limits;
  table: Timetable;
  /** Wukongs that something else was done with in this tick; what was read of them is old. */
  busy: Set<string>;
}

export interface Executed {
  outcomes: Outcome[];
  /** Commands that were put on the bus. */
  sent: number;
  touched: Set<string>;
  /** Not done because the cluster did not answer: due again at the next tick. */
  unreached: Set<string>;
  problems: string[];
}

const atOnce = 50;
const enforceRestMs = 15 * 60_000;

/**
 * Carries out what the timetable says is due: on the event bus where there is one, else here, wave after wave, within
 * the limits. What is not reached is due again at the next tick.
 */
export async function execute(to: Executing): Promise<Executed> {
  const done: Executed = { outcomes: [], sent: 0, touched: new Set(), unreached: new Set(), problems: [] };
  const pending = new Map<string, { wukong: Wukong; decision: Acting }>();
  const used = new Set<string>();
  for (const { wukong, decision } of decisionsOf(to)) {
    if (decision.do === 'skip') {
      await attempt(done, wukong, () => skip(to, wukong, decision));
      if (decision.consume === 'namespace') used.add(wukong.metadata.namespace ?? '');
    }
    if ((decision.do === 'start' || decision.do === 'stop') && !isResting(wukong, decision, to.world.clock.now())) {
      if (!isThere(decision.do, machineOf(to, wukong))) pending.set(keyOf(wukong), { wukong, decision });
      else if (decision.boundary.note?.includes('ended at'))
        await attempt(done, wukong, () => clearEnded(to, wukong, decision));
    }
  }
  await useUp(to, used, done);
  for (;;) {
    const now = to.world.clock.now();
    const turn = turnOf(to, pending, now);
    if (turn.length === 0 || now >= to.limits.deadline) break;
    if (to.world.bus) {
      await send(to, turn, done, now);
      for (const { wukong } of turn) pending.delete(keyOf(wukong));
      break;
    }
    await each(turn, atOnce, (one) => perform(to, one, pending, done));
  }
  for (const key of pending.keys()) done.unreached.add(key);
  await mark(to, done);
  return done;
}

const machineOf = ({ machines }: Executing, wukong: Wukong): Machine =>
  machines.get(wukong.metadata.namespace ?? '', vmNameOf(wukong));

function* decisionsOf({ table, busy }: Executing) {
  const seen = new Set<string>();
  for (const { matched } of table.selecting)
    for (const wukong of matched) {
      const key = keyOf(wukong);
      const decision = table.decisions.get(key);
      if (seen.has(key) || busy.has(key) || !decision) continue;
      seen.add(key);
      yield { wukong, decision };
    }
}

/** Enforce wants it at every tick; what has just failed is left in peace for a while. */
function isResting(wukong: Wukong, { enforced }: Acting, now: number): boolean {
  const last = lastOf(wukong);
  return enforced && last?.outcome === 'Failed' && now < last.finishedAt + enforceRestMs;
}

/** Whose turn it is: of each schedule the first wave that is not through. */
function turnOf({ table }: Executing, pending: Map<string, { wukong: Wukong; decision: Acting }>, now: number) {
  const turn = new Map<string, { wukong: Wukong; decision: Acting }>();
  for (const { checked, matched } of table.selecting) {
    const { schedule } = checked;
    if (!schedule) continue;
    for (const action of ['stop', 'start'] as const) {
      const mine = matched.filter((wukong) => {
        const one = pending.get(keyOf(wukong));
        return one?.decision.boundary.schedule.key === schedule.key && one.decision.do === action;
      });
      if (mine.length === 0) continue;
      const keys = new Set(mine.map(keyOf));
      for (const wukong of currentWave({ schedule }, matched, keys, action, now)) {
        const one = pending.get(keyOf(wukong));
        if (one) turn.set(keyOf(wukong), one);
      }
    }
  }
  return [...turn.values()];
}

async function perform(
  to: Executing,
  { wukong, decision }: { wukong: Wukong; decision: Acting },
  pending: Map<string, unknown>,
  done: Executed,
) {
  const { world, machines, limits, table } = to;
  const key = keyOf(wukong);
  pending.delete(key);
  done.touched.add(key);
  await attempt(done, wukong, async () => {
    const { namespace = '', name } = wukong.metadata;
    const now = world.clock.now();
    const next = nextFor(table, wukong, now);
    const outcome = await performOne(commandFor(wukong, decision, now), { namespace, name }, world, {
      limits,
      wukong,
      machines,
      next,
    });
    done.outcomes.push(outcome);
    if (outcome.outcome === 'Failed' && outcome.reason === 'Unreachable') done.unreached.add(key);
  });
}

/** Each Wukong is a message of its own, so that one bad VM blocks no other. */
async function send({ world }: Executing, turn: { wukong: Wukong; decision: Acting }[], done: Executed, now: number) {
  const entries = turn.map(({ wukong, decision }) => {
    const { boundary } = decision;
    const command = commandFor(wukong, decision, now);
    return {
      type: requestedType[decision.do],
      time: now,
      detail: detailOf(command, boundary.at + boundary.schedule.startingDeadlineMs),
    };
  });
  await world.bus?.put(entries);
  done.sent += entries.length;
}

/** A command as it goes over the bus, where it is parsed again. */
const detailOf = (command: Command, notAfter: number) => ({
  target: command.target,
  requestId: command.requestId,
  scheduledAt: new Date(command.requestedAt).toISOString(),
  notAfter: new Date(notAfter).toISOString(),
  trigger: command.trigger,
  reason: command.reason,
  ...(command.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: command.gracePeriodSeconds }),
});

async function attempt(done: Executed, wukong: Wukong, work: () => Promise<unknown>) {
  try {
    await work();
  } catch (thrown) {
    done.problems.push(`${keyOf(wukong)}: ${(thrown as Error).message}`);
  }
}

/** Told once, as an Event of its own; an annotation skip-next is used up by it. */
async function skip({ world, limits }: Executing, wukong: Wukong, decision: Skipping): Promise<void> {
  if (decision.told) return;
  const { namespace = '', name } = wukong.metadata;
  const now = world.clock.now();
  const { boundary, reason, message } = decision;
  const outcome: Outcome = {
    outcome: 'Skipped',
    reason,
    message,
    namespace,
    name,
    action: boundary.action,
    forced: false,
    requestId: boundaryId(boundary),
    trigger: 'schedule',
    startedAt: now,
    finishedAt: now,
  };
  await tell(world, wukong, outcome, { teller: newHolder(world), limits });
  const { skipped, withheld } = decision.remember;
  if (skipped !== undefined || withheld !== undefined)
    await remember(
      world,
      wukong,
      { ...readMemory(wukong), ...(skipped === undefined ? { withheld } : { skipped }) },
      decision,
      limits,
    );
}

/** What a later tick must know; skip-next on the Wukong goes away in the same patch. */
async function remember(
  world: World,
  { metadata }: Wukong,
  memory: Memory,
  { consume }: Skipping,
  limits: Limits,
): Promise<void> {
  const used = consume === 'Wukong' ? { [overrideKeys.skipNext]: null } : {};
  const annotations = { ...used, [memoryKey]: writeMemory(memory) };
  const body = { metadata: { resourceVersion: metadata.resourceVersion, annotations } };
  const answer = await mergePatch<Wukong>(world, wukongPath(metadata.namespace, metadata.name), body, limits);
  if (answer.status !== 409) bodyOf(answer, 'memory of what was skipped');
}

/** skip-next on a namespace is used up once all its Wukongs were looked at. */
async function useUp({ world, limits }: Executing, namespaces: Set<string>, done: Executed): Promise<void> {
  for (const namespace of namespaces) {
    const body = { metadata: { annotations: { [overrideKeys.skipNext]: null } } };
    const answer = await mergePatch<KubeObject>(world, `/api/v1/namespaces/${namespace}`, body, limits);
    if (answer.status >= 300)
      done.problems.push(
        `skip-next on namespace ${namespace} could not be removed (${answer.status}); remove it by hand`,
      );
  }
}

/** An override that has ended while the VM was as it should be: taken away, so that a later change by hand is respected. */
async function clearEnded(to: Executing, { metadata }: Wukong, { do: action }: Acting): Promise<void> {
  const keys =
    action === 'stop' ? [overrideKeys.keepRunning, 'lifecycle.novasphere.dev/lease-until'] : [overrideKeys.keepStopped];
  const now = to.world.clock.now();
  const steps = keys.flatMap((key) => {
    const value = metadata.annotations?.[key];
    if (value === undefined || !(Date.parse(value) <= now)) return [];
    const path = pointer('metadata', 'annotations', key);
    return [{ op: 'test', path, value } as const, { op: 'remove', path } as const];
  });
  if (steps.length > 0)
    await jsonPatch<KubeObject>(to.world, wukongPath(metadata.namespace, metadata.name), steps, to.limits);
}

/** Writes each schedule's status where it changed: what comes next, what is through, what is wrong with it. */
async function mark(to: Executing, done: Executed): Promise<void> {
  for (const selecting of to.table.selecting) {
    try {
      await writeSchedule(to, selecting, done.unreached);
    } catch (thrown) {
      done.problems.push(`schedule ${keyOf(selecting.object)}: ${(thrown as Error).message}`);
    }
  }
}

async function writeSchedule(to: Executing, { object, checked, matched }: Selecting, left: Set<string>): Promise<void> {
  const { world, limits } = to;
  const now = world.clock.now();
  const { schedule } = checked;
  const before = object.status ?? {};
  const open = matched.some((wukong) => isOpen(to, wukong, left));
  const through = schedule && !schedule.suspended && !open ? throughUpTo(schedule, now) : undefined;
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
function isOpen({ table, busy }: Executing, wukong: Wukong, left: Set<string>): boolean {
  const key = keyOf(wukong);
  const decision = table.decisions.get(key);
  if (left.has(key)) return true;
  if (busy.has(key)) return decision?.do === 'start' || decision?.do === 'stop';
  return decision?.do === 'nothing' && (decision.until !== undefined || decision.because.includes('frozen'));
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
