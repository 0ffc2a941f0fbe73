import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { finishUnclaimed } from '../lifecycle/unclaimed.ts';
import { withBatchedBus } from '../report/batchedBus.ts';
import { here } from './here.ts';
import type { Job } from './job.ts';
import { overBus } from './overBus.ts';
import { ofJobsMs, paced } from './paced.ts';
import { Places, type Turn } from './places.ts';
import { rateLimiterOf } from './rateLimiter.ts';
import type { Executed, Executing, Execution, Progress, Sink } from './sink.ts';

/**
 * The one loop over VMs: carries out any number of jobs, whoever asked for them. Each is begun as soon as it has its
 * turn (`places.ts`: places and fairness; `waves.ts`: waves and jitter) and asks as fast as the cluster bears
 * (`rateLimiter.ts`); nobody waits for another's guest. Then all that were begun are waited for together, until the
 * deadline. One that throws is one Failed outcome. Never throws.
 */
export async function execute(jobs: Job[], given: World, options: Executing): Promise<Executed> {
  const limits = { deadline: options.deadline, signal: options.signal };
  const world = paced(withBatchedBus(given), limits, ofJobsMs);
  const done: Executed = { outcomes: [], sent: [], left: [], failures: [] };
  const allBegun = new AbortController();
  const running = new Set<Promise<void>>();
  const report = (more: Partial<Progress> = {}) =>
    options.progress?.({ targets: jobs.length, inFlight: running.size, ...more });
  const to = { ...options, world, limiter: rateLimiterOf(given), allBegun: allBegun.signal, report, done };

  const places = new Places(jobs, given.clock);
  const beginning = { ...limits, deadline: options.beginUntil ?? options.deadline };
  for (let turn = await places.next(beginning); turn; turn = await places.next(beginning)) {
    const work = carryOut(turn, to).then((outcome) => {
      running.delete(work);
      report(outcome && { outcome });
    });
    running.add(work);
    report();
  }
  done.left = places.left();
  allBegun.abort('all have begun');
  await Promise.all([...running, options.rest?.(done.left)]);
  return done;
}

async function carryOut(turn: Turn, to: Execution): Promise<Outcome | undefined> {
  const { job, release, ended } = turn;
  const sink: Sink = to.sink === 'bus' && job.work.do === 'command' ? overBus : here;
  const outcome = await sink(turn, to).catch((thrown: unknown) => failed(job, thrown, to));
  release();
  ended();
  forget(job);
  if (outcome) to.done.outcomes.push(outcome);
  return outcome;
}

/** What nobody expected is told as Failed; what did not reach cluster or bus is for whoever asked to ask again. */
async function failed(job: Job, thrown: unknown, { world, done }: Execution): Promise<Outcome | undefined> {
  const { place, action, work, wukong } = job;
  const error = asLifecycleError(thrown);
  const cause = thrown instanceof Error ? thrown.stack : String(thrown);
  world.log.error(`${action} ${keyOf(place)} could not be carried out: ${error.message}`, { ...place, cause });
  if (error.code === 'Unreachable') {
    done.failures.push({ job, error });
    return undefined;
  }
  const asked = work.do === 'command' ? work.command : 'op' in work ? work.op : undefined;
  const now = world.clock.now();
  const outcome: Outcome = {
    ...place,
    action,
    outcome: 'Failed',
    reason: error.code,
    message: error.message,
    forced: false,
    requestId: asked?.requestId ?? work.do,
    trigger: asked?.trigger ?? work.do,
    startedAt: now,
    finishedAt: now,
  };
  return finishUnclaimed(world, wukong, outcome).catch(() => outcome);
}

/** What was listed is done with: of ten thousand it would be most of the memory. Of what others do it is still true. */
function forget({ wukong, work }: Job): void {
  if (!wukong || work.do === 'await') return;
  wukong.status = undefined;
  wukong.metadata.annotations = undefined;
}
