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
  put(entries: BusEntry[]): Promise<void>;
}

export interface Metrics {
  outcome(outcome: Outcome, lateMs?: number): void;
  count(name: string, value: number): void;
  flush(): void;
}

/** Everything outside the program, in one value. */
export interface World extends Cluster {
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Absent when none is configured. */
  bus?: Bus;
}
