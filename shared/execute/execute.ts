import type { Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
import { keyOf, type Place } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { finishUnclaimed } from '../lifecycle/unclaimed.ts';
import { withBatchedBus } from '../report/batchedBus.ts';
import { here } from './here.ts';
import { type Job, requestOf } from './job.ts';
import { overBus } from './overBus.ts';
import { ofJobsMs, paced } from './paced.ts';
import { newPlaces, type Turn } from './places.ts';
import { rateLimiterOf } from './rateLimiter.ts';

export interface Progress {
  targets: number;
  /** Begun, and not at their end. */
  inFlight: number;
  outcome?: Outcome;
  waiting?: { place: Place; for: string };
}

export interface Executing {
  /** Instant at which whatever is not over is left in progress. */
  deadline: number;
  /** Aborted: the same, now. */
  signal?: AbortSignal | undefined;
  machines: Machines;
  /**
   * Where commands are carried out: in this process, or by the functions behind the bus. `record` only writes down what
   * is wished, so that reconcileState begins it.
   */
  sink?: 'here' | 'bus' | 'record';
  progress?: ((progress: Progress) => void) | undefined;
  /** False: nobody waits for the end, each is left as soon as KubeVirt was asked. */
  wait?: boolean;
}

export interface Executed {
  outcomes: Outcome[];
  /** Handed to the bus. */
  sent: Job[];
  /** Not begun in time; untouched. */
  left: Job[];
  /** Could not be done, as the cluster or the bus did not answer: to be done again by whoever asked. */
  failures: { job: Job; error: LifecycleError }[];
}

/**
 * The one loop over VMs: carries out any number of jobs, whoever asked for them. Each is begun as soon as it has its
 * turn (`places.ts`: places, waves, jitter, fairness) and asks as fast as the cluster bears (`rateLimiter.ts`); nobody
 * waits for another's guest. Then all that were begun are waited for together, until the deadline. One that throws is
 * one Failed outcome. Never throws.
 */
export async function execute(jobs: Job[], world: World, options: Executing): Promise<Executed> {
  const { deadline, signal, machines, progress = () => {} } = options;
  const limiter = rateLimiterOf(world);
  const own = paced(withBatchedBus(world), { deadline, signal }, ofJobsMs);
  const done: Executed = { outcomes: [], sent: [], left: [], failures: [] };
  const allBegun = new AbortController();
  const running = new Set<Promise<void>>();
  let inFlight = 0;
  const report = (more: Partial<Progress> = {}) => progress({ targets: jobs.length, inFlight, ...more });

  const limits = { deadline, signal };
  const to = { machines, limits, limiter, allBegun: allBegun.signal };
  const recordOnly = options.sink === 'record';
  const waiting = ({ place }: Job, what: string) => report({ waiting: { place, for: what } });
  const local = here(own, { ...to, wait: options.wait ?? true, recordOnly, waiting });
  const sink = options.sink === 'bus' ? overBus(own, { ...to, sent: (job) => done.sent.push(job) }, local) : local;

  async function one(turn: Turn): Promise<void> {
    const { job, release, ended } = turn;
    inFlight++;
    report();
    const outcome = await sink(turn).catch((thrown: unknown) => failed(job, thrown, own, done));
    release();
    ended();
    forget(job);
    inFlight--;
    if (outcome) done.outcomes.push(outcome);
    report(outcome ? { outcome } : {});
  }

  const places = newPlaces(jobs, world.clock);
  for (let turn = await places.next(limits); turn; turn = await places.next(limits)) {
    const work = one(turn);
    running.add(work);
    void work.then(() => running.delete(work));
  }
  done.left = places.left();
  allBegun.abort('all have begun');
  await Promise.all(running);
  return done;
}

/** What nobody expected is told as Failed; what did not reach cluster or bus is for whoever asked to ask again. */
async function failed(job: Job, thrown: unknown, world: World, done: Executed): Promise<Outcome | undefined> {
  const { place, action, work, wukong } = job;
  const error = asLifecycleError(thrown);
  const cause = thrown instanceof Error ? thrown.stack : String(thrown);
  world.log.error(`${action} ${keyOf(place)} could not be carried out: ${error.message}`, { ...place, cause });
  if (error.code === 'Unreachable') {
    done.failures.push({ job, error });
    return undefined;
  }
  const asked = requestOf(work);
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
