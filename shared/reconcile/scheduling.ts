import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { requestedType } from '../domain/command.ts';
import { keyOf, placeOf, type Wukong } from '../domain/model.ts';
import { lastOf, operationOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { performOne } from '../lifecycle/perform.ts';
import { commandFor, currentWave, isThere, nextFor, type Timetable } from '../schedule/timetable.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { mark } from './scheduleStatus.ts';
import { type Acting, clearEnded, skip, useUp } from './skips.ts';

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
      await attempt(done, wukong, () => skip(to.world, wukong, decision, to.limits));
      if (decision.consume === 'namespace') used.add(wukong.metadata.namespace ?? '');
    }
    if ((decision.do === 'start' || decision.do === 'stop') && !isResting(wukong, decision, to.world.clock.now())) {
      // As long as something else is being carried out, what is so will not stay so.
      const rests = isThere(decision.do, machineOf(wukong, to.machines)) && !operationOf(wukong);
      if (!rests) pending.set(keyOf(wukong.metadata), { wukong, decision });
      else if (decision.boundary.note?.includes('ended at'))
        await attempt(done, wukong, () => clearEnded(to.world, wukong, decision, to.limits));
    }
  }
  done.problems.push(...(await useUp(to.world, used, to.limits)));
  for (;;) {
    const now = to.world.clock.now();
    const turn = turnOf(to, pending, now);
    if (turn.length === 0 || now >= to.limits.deadline) break;
    if (to.world.bus) {
      await send(to, turn, done, now);
      for (const { wukong } of turn) pending.delete(keyOf(wukong.metadata));
      break;
    }
    await each(turn, atOnce, (one) => perform(to, one, pending, done));
  }
  for (const key of pending.keys()) done.unreached.add(key);
  for (const problem of await mark({ ...to, left: done.unreached })) done.problems.push(problem);
  return done;
}

function* decisionsOf({ table, busy }: Executing) {
  const seen = new Set<string>();
  for (const { matched } of table.selecting)
    for (const wukong of matched) {
      const key = keyOf(wukong.metadata);
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
        const one = pending.get(keyOf(wukong.metadata));
        return one?.decision.boundary.schedule.key === schedule.key && one.decision.do === action;
      });
      if (mine.length === 0) continue;
      const keys = new Set(mine.map(({ metadata }) => keyOf(metadata)));
      for (const wukong of currentWave({ schedule }, matched, keys, action, now)) {
        const one = pending.get(keyOf(wukong.metadata));
        if (one) turn.set(keyOf(wukong.metadata), one);
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
  const key = keyOf(wukong.metadata);
  pending.delete(key);
  done.touched.add(key);
  await attempt(done, wukong, async () => {
    const now = world.clock.now();
    const next = nextFor(table, wukong, now);
    const outcome = await performOne(commandFor(wukong, decision, now), placeOf(wukong), world, {
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
    done.problems.push(`${keyOf(wukong.metadata)}: ${(thrown as Error).message}`);
  }
}
