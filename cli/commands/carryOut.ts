import { readNamespaces } from '../../shared/cluster/namespaces.ts';
import { type Machines, scopeOf, watchMachines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Command } from '../../shared/domain/command.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../../shared/domain/model.ts';
import { lastOf, operationOf, outcomeOf } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { carryOn, performOne } from '../../shared/lifecycle/perform.ts';
import { each } from '../../shared/time/forEachLimited.ts';
import { named } from './targets.ts';

export interface Carrying {
  /** Instant at which the command returns with what it has. */
  deadline: number;
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal;
  /** False: return as soon as KubeVirt was asked. */
  wait: boolean;
  waiting: (key: string, waitingFor: string) => void;
  told: (outcome: Outcome) => void;
}

/**
 * Carries a command out on these Wukongs, on one watch for all. Who is interrupted, or does not want to wait, leaves the
 * record on the Wukong and InProgress in its status, so that reconcileState goes on.
 */
export async function carryOut(command: Command, wukongs: Wukong[], world: World, how: Carrying): Promise<Outcome[]> {
  const namespaces = [...new Set(wukongs.map((wukong) => placeOf(wukong).namespace))];
  const limits = { deadline: how.deadline, signal: how.interrupted };
  const soon = { ...limits, deadline: Math.min(how.deadline, world.clock.now() + 30_000) };
  const machines = await watchMachines(world, scopeOf(wukongs, namespaces), soon);
  const outcomes: Outcome[] = [];
  try {
    const problems: string[] = [];
    const annotations = await readNamespaces(world, namespaces, limits, problems);
    for (const problem of problems) world.log.warn('overrides on namespaces are not known', { problem });
    await each(wukongs, Math.min(command.maxInFlight, wukongs.length), async (wukong) => {
      if (how.interrupted.aborted) return;
      const around = annotations.get(placeOf(wukong).namespace);
      const outcome = await one(command, wukong, world, how, machines, around);
      if (!outcome) return;
      outcomes.push(outcome);
      how.told(outcome);
    });
  } finally {
    machines.close();
  }
  return outcomes;
}

async function one(
  command: Command,
  wukong: Wukong,
  world: World,
  how: Carrying,
  machines: Machines,
  annotations: Record<string, string> | undefined,
): Promise<Outcome | undefined> {
  const place = placeOf(wukong);
  const leaving = new AbortController();
  const signal = AbortSignal.any([how.interrupted, leaving.signal]);
  const watching = (waitingFor: string) => {
    how.waiting(keyOf(place), waitingFor);
    if (!how.wait) leaving.abort(new Error('not waited for'));
  };
  const options = { limits: { deadline: how.deadline, signal }, machines, watching };
  let request = command.requestId;
  try {
    const outcome = await performOne(command, place, world, { ...options, wukong, namespaceAnnotations: annotations });
    if (!how.wait || outcome.outcome !== 'Skipped' || outcome.reason !== 'Duplicate') return outcome;
    // Somebody asked for the same before us: their end is ours.
    const now = await named(world, place);
    const running = operationOf(now);
    if (!running) return ended(now) ?? outcome;
    request = running.requestId;
    return await carryOn(running, now, world, options);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return leave(request, place, world, machines);
  }
}

function ended(wukong: Wukong): Outcome | undefined {
  const last = lastOf(wukong);
  return last && outcomeOf(wukong, last);
}

/** Looks once more without waiting: what has ended meanwhile is told, what has not is left in progress. */
async function leave(requestId: string, place: Place, world: World, machines: Machines): Promise<Outcome | undefined> {
  const wukong = await named(world, place, { deadline: world.clock.now() + 5_000 });
  const op = operationOf(wukong);
  if (op?.requestId === requestId)
    return carryOn(op, wukong, world, { machines, limits: { deadline: world.clock.now() } });
  return lastOf(wukong)?.requestId === requestId ? ended(wukong) : undefined; // undefined: nothing was claimed
}
