import type { Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { LifecycleError } from '../domain/errors.ts';
import type { Place } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Job } from './job.ts';
import type { Turn } from './places.ts';
import type { RateLimiter } from './rateLimiter.ts';

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
  /** Instant from which nothing more is begun, where that is sooner. */
  beginUntil?: number;
  /** Sees to those that were not begun, while the others are waited for. Never throws. */
  rest?: (left: Job[]) => Promise<void>;
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
  /** Where somebody asked for the same before us, their end is ours. */
  joins?: boolean;
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

/** One `execute`, as the sinks see it. */
export interface Execution extends Executing {
  world: World;
  limiter: RateLimiter;
  /** Aborted when every job was begun: nobody is waited for any more who is another's. */
  allBegun: AbortSignal;
  report: (more?: Partial<Progress>) => void;
  done: Executed;
}

/** Carries out the job whose turn it is, and returns what came of it; undefined where that is nothing to report. */
export type Sink = (turn: Turn, to: Execution) => Promise<Outcome | undefined>;
