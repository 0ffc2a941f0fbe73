import type { Outcome } from '../domain/outcome.ts';
import type { Clock } from '../time/clock.ts';
import type { Config } from './config.ts';
import type { Transport } from './transport.ts';

/** The cluster as everything here needs it: how to ask, by which clock, and chance for jitter. */
export interface Cluster {
  transport: Transport;
  clock: Clock;
  /** 0 ≤ x < 1 */
  random: () => number;
}

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface BusEntry {
  type: string;
  detail: unknown;
  /** Instant. */
  time: number;
}

/** The event bus. @throws LifecycleError Unreachable naming how many entries were not taken, after its own retries. */
export interface Bus {
  /** What is put at about the same time goes in one call already. */
  batched?: true;
  put(entries: BusEntry[]): Promise<void>;
}

/** What is counted beside outcomes; `report/` has a row for each in every way that metrics leave. */
export type CountName =
  | 'TickProblems'
  | 'TicksDone'
  | 'BadRuns'
  | 'BadSchedules'
  | 'StopsWaitingForUsers'
  | 'CommandsRefused'
  | 'NoticesLost'
  | 'FleetTargets'
  | 'FleetFailed'
  | 'FleetForced'
  | 'FleetUnobserved'
  | 'FleetLeft';

export interface Metrics {
  outcome(outcome: Outcome, lateMs?: number): void;
  count(name: CountName, value: number): void;
  flush(): void;
}

/** What somebody asked to be told of at once: a bad run, a forced guest, a stop that is near. */
export interface Notice {
  /** The same however often it is sent: a receiver knows it again by that. */
  id: string;
  /** `dev.novasphere.wukong.run.v1` */
  type: string;
  /** `namespace/name` */
  subject: string;
  /** Instant. */
  time: number;
  /** For people. */
  text: string;
  detail: unknown;
}

/** Where notices go to. Never throws, and keeps nobody waiting. */
export interface Webhook {
  put(notice: Notice): void;
  /** Waits until all that was put has gone out or was given up, and says in the log once what did not arrive. */
  flush(deadline: number): Promise<void>;
}

/** Everything outside the program, in one value. */
export interface World extends Cluster {
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Absent when none is configured. */
  bus?: Bus;
  webhook?: Webhook;
}
