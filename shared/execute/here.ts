import { readWukong } from '../cluster/objects.ts';
import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import { isContradicted } from '../domain/believe.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf } from '../domain/model.ts';
import { lastOf, operationOf, outcomeOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { stateOf } from '../domain/vm.ts';
import { performDeclared } from '../lifecycle/declared.ts';
import { performOne } from '../lifecycle/perform.ts';
import { heldBack } from '../lifecycle/plan.ts';
import { giveUp, reportAgain, resume } from '../lifecycle/resume.ts';
import { type Performing, runOperation } from '../lifecycle/runOperation.ts';
import type { Limits } from '../time/wait.ts';
import { follow } from './follow.ts';
import type { Job } from './job.ts';
import type { Execution, Sink } from './sink.ts';

/** Carries jobs out in this process. One that is left, by an abort or as nobody waits, goes on from its record. */
export const here: Sink = async ({ job, asked, release }, to) => {
  const { world, machines, signal, wait = true } = to;
  const leaving = new AbortController();
  const limits: Limits = {
    deadline: to.sink === 'record' ? world.clock.now() : to.deadline,
    signal: wait ? signal : AbortSignal.any([...(signal ? [signal] : []), leaving.signal]),
  };
  const options: Options = {
    limits,
    machines,
    begun: release,
    async turn(until = limits) {
      await to.limiter.turn(job.action, until, job.place.namespace, job.group.key);
      asked();
    },
    watching(what) {
      to.report({ waiting: { place: job.place, for: what } });
      if (!wait) leaving.abort(new Error('not waited for'));
    },
    ...(job.namespaceAnnotations ? { namespaceAnnotations: job.namespaceAnnotations } : {}),
    ...(job.next ? { next: job.next } : {}),
  };
  try {
    return await carryOut(job, options, to);
  } catch (thrown) {
    if (!limits.signal?.aborted) throw thrown;
    world.log.debug(`${keyOf(job.place)} was left before it was claimed`);
    return undefined;
  }
};

type Options = Performing & { machines: Machines };

async function carryOut(job: Job, options: Options, to: Execution): Promise<Outcome | undefined> {
  const { place, wukong, work } = job;
  const { world, machines } = to;
  if (work.do === 'command') {
    const { command, remember = false } = work;
    const outcome = await performOne(command, place, world, { ...options, remember, ...(wukong ? { wukong } : {}) });
    return to.joins && isTheirs(outcome) ? join(outcome, options, to) : outcome;
  }
  const mine = wukong ?? (await readWukong(world, place, options.limits));
  switch (work.do) {
    case 'declared':
      return performDeclared(mine, world, options);
    case 'resume':
      return resume(work.op, mine, world, options);
    case 'giveUp':
      return giveUp(work.op, mine, world, machines);
    case 'reportAgain':
      return reportAgain(work.last, mine, world, options);
    case 'await':
      if (work.placeless) options.begun?.();
      return follow({ ...job, wukong: mine }, to, () => options.begun?.());
    default:
      throw new Error(`unknown work ${JSON.stringify(work satisfies never)}`);
  }
}

/** Whether another process has asked for the same, or has taken over what this one began. */
const isTheirs = (outcome: Outcome): boolean =>
  outcome.outcome === 'Skipped'
    ? outcome.reason === 'Duplicate'
    : outcome.outcome === 'InProgress' && outcome.quiet === true;

/** Follows those who asked for the same before us; `otherwise`: what it is where no end of theirs is known. */
async function join(otherwise: Outcome, options: Options, { world, machines }: Execution): Promise<Outcome> {
  const { limits } = options;
  const wukong = await readWukong(world, otherwise, limits).catch((thrown: unknown) => {
    if (limits.signal?.aborted || asLifecycleError(thrown).code !== 'Unreachable') throw thrown;
  });
  if (!wukong) return otherwise;
  const [running, last] = [operationOf(wukong), lastOf(wukong)];
  const held = running && heldBack(running, wukong, world.clock.now(), options.namespaceAnnotations);
  if (held) return { ...otherwise, ...held, quiet: true } as Outcome;
  if (running) return runOperation(running, wukong, world, options);
  return last && !isContradicted(last, stateOf(machineOf(wukong, machines))) ? outcomeOf(wukong, last) : otherwise;
}
