import { readWukong } from '../cluster/objects.ts';
import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { isContradicted } from '../domain/believe.ts';
import { keyOf, type Wukong } from '../domain/model.ts';
import { lastOf, operationOf, outcomeOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { stateOf } from '../domain/vm.ts';
import { performDeclared } from '../lifecycle/declared.ts';
import { type Performing, performOne } from '../lifecycle/perform.ts';
import { heldBack } from '../lifecycle/plan.ts';
import { giveUp, reportAgain, resume } from '../lifecycle/resume.ts';
import { runOperation } from '../lifecycle/runOperation.ts';
import { tellingMs } from '../report/limits.ts';
import type { Limits } from '../time/wait.ts';
import { follow } from './follow.ts';
import { type Job, requestOf } from './job.ts';
import type { Turn } from './places.ts';
import type { RateLimiter } from './rateLimiter.ts';

/** Carries one job out, and returns what came of it; undefined where that is nothing to report. */
export type Sink = (turn: Omit<Turn, 'ended'>) => Promise<Outcome | undefined>;

export interface Here {
  machines: Machines;
  limits: Limits;
  limiter: RateLimiter;
  /** Aborted when every job was begun: nobody is waited for any more who is another's. */
  allBegun: AbortSignal;
  /** False: leaves each as soon as KubeVirt was asked. */
  wait: boolean;
  /** Only records what is wished, from which reconcileState goes on. */
  recordOnly: boolean;
  waiting: (job: Job, waitingFor: string) => void;
}

/** Carries jobs out in this process. One that is left, by an abort or as nobody waits, goes on from its record. */
export function here(world: World, to: Here): Sink {
  return async ({ job, asked, release }) => {
    const leaving = new AbortController();
    const startedAt = world.clock.now();
    /** What the record, which is written by then, is waited with for. */
    let waitedFor: string | undefined;
    const signals = [to.limits.signal, leaving.signal].filter((signal) => signal !== undefined);
    const limits = {
      deadline: to.recordOnly ? world.clock.now() : to.limits.deadline,
      signal: to.wait ? to.limits.signal : AbortSignal.any(signals),
    };
    const options: Performing & { machines: Machines } = {
      limits,
      machines: to.machines,
      begun: release,
      async turn(until = limits) {
        waitedFor ??= 'its turn';
        await to.limiter.turn(job.action, until, job.place.namespace, job.group.key);
        asked();
      },
      watching(waitingFor) {
        waitedFor = waitingFor;
        to.waiting(job, waitingFor);
        if (!to.wait) leaving.abort(new Error('not waited for'));
      },
      ...(job.namespaceAnnotations ? { namespaceAnnotations: job.namespaceAnnotations } : {}),
      ...(job.next ? { next: job.next } : {}),
    };
    try {
      return await carryOut(job, world, options, to);
    } catch (thrown) {
      if (!limits.signal?.aborted) throw thrown;
      return leave(job, world, to.machines).catch((silence: unknown) => {
        if (waitedFor === undefined) throw silence;
        return leftInProgress(job, waitedFor, { startedAt, now: world.clock.now() });
      });
    }
  };
}

async function carryOut(
  { place, wukong, work, action }: Job,
  world: World,
  options: Performing & { machines: Machines },
  { allBegun }: Here,
): Promise<Outcome | undefined> {
  if (work.do === 'command') {
    const { command, remember = false } = work;
    return performOne(command, place, world, { ...options, remember, ...(wukong ? { wukong } : {}) });
  }
  const mine = wukong ?? (await readWukong(world, place, options.limits));
  switch (work.do) {
    case 'declared':
      return performDeclared(mine, world, options);
    case 'resume':
      return resume(work.op, mine, world, options);
    case 'join':
      return join(mine, work.otherwise, world, options);
    case 'giveUp':
      return giveUp(work.op, mine, world, options.machines);
    case 'reportAgain':
      return reportAgain(work.last, mine, world, options);
    case 'await': {
      if (work.placeless) options.begun?.();
      const limits = { ...options.limits, signal: allBegun };
      await follow(action, mine, options.machines, limits, () => options.begun?.());
      return undefined;
    }
    default:
      throw new Error(`unknown work ${JSON.stringify(work satisfies never)}`);
  }
}

async function join(
  wukong: Wukong,
  otherwise: Outcome,
  world: World,
  options: Performing & { machines: Machines },
): Promise<Outcome> {
  const [running, last] = [operationOf(wukong), lastOf(wukong)];
  const held = running && heldBack(running, wukong, world.clock.now(), options.namespaceAnnotations);
  if (held) return { ...otherwise, ...held, quiet: true } as Outcome;
  if (running) return runOperation(running, wukong, world, options);
  return last && !isContradicted(last, stateOf(machineOf(wukong, options.machines)))
    ? outcomeOf(wukong, last)
    : otherwise;
}

/** Looks once more without waiting: what has ended meanwhile is reported, what has not is left in progress. */
async function leave({ place, work }: Job, world: World, machines: Machines): Promise<Outcome | undefined> {
  const requestId = requestOf(work)?.requestId;
  const isOurs = (one: { requestId: string } | undefined) => work.do === 'join' || one?.requestId === requestId;
  const wukong = await readWukong(world, place, { deadline: world.clock.now() + tellingMs });
  const [op, last] = [operationOf(wukong), lastOf(wukong)];
  if (op && isOurs(op)) return runOperation(op, wukong, world, { machines, limits: { deadline: world.clock.now() } });
  if (last && isOurs(last)) return outcomeOf(wukong, last);
  world.log.debug(`${keyOf(place)} was left before it was claimed`);
  return undefined;
}

/** What is said of one that cannot be looked at once more: its record stands. */
function leftInProgress(
  { place, action, work }: Job,
  waitedFor: string,
  { startedAt, now }: { startedAt: number; now: number },
): Outcome {
  const { requestId = work.do, trigger = work.do } = requestOf(work) ?? {};
  const message = `Not over yet (waiting for ${waitedFor}); reconcileState goes on.`;
  return {
    ...{ ...place, action, requestId, trigger, startedAt, finishedAt: now },
    ...{ outcome: 'InProgress', forced: false, message },
  };
}
