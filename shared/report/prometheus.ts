import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { Metrics } from '../cluster/world.ts';
import { isUnobserved, reasonOf } from '../domain/outcome.ts';

/** Counts of the library, as `world.metrics.count` names them, and how Prometheus does. */
const counted: Record<string, [string, string]> = {
  TickProblems: ['wukong_tick_problems_total', 'What ticks could not do'],
  TicksDone: ['wukong_ticks_done_total', 'Ticks that left nothing undone'],
};
const secondsUpTo = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

export interface PrometheusMetrics extends Metrics {
  gauge(name: string, help: string, read: () => number): void;
  text(): Promise<string>;
}

/** The same figures as on CloudWatch (`metrics.ts`), by Prometheus' conventions: seconds, totals, no tenant's names. */
export function prometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  const outcomes = new Counter({
    name: 'wukong_outcomes_total',
    help: 'Outcomes of operations',
    labelNames: ['action', 'outcome', 'reason'],
    registers,
  });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const histogram = (name: string, help: string) => new Histogram({ name, help, buckets: secondsUpTo, registers });
  const forced = counter('wukong_forced_stops_total', 'Stops that needed force');
  const unobserved = counter('wukong_unobserved_stops_total', 'Stops whose end nobody saw');
  const verified = histogram(
    'wukong_time_to_verified_seconds',
    'From the beginning of an operation to its observed end',
  );
  const lateness = histogram('wukong_lateness_seconds', 'From a boundary to the end of what it asked for');
  const bad = new Gauge({
    name: 'wukong_bad_schedules',
    help: 'Schedules that do not do all that they say',
    registers,
  });
  const counters = new Map(Object.entries(counted).map(([name, [series, help]]) => [name, counter(series, help)]));
  return {
    outcome(outcome, lateMs) {
      const { action, outcome: came } = outcome;
      outcomes.inc({ action, outcome: came, reason: reasonOf(outcome) ?? 'none' });
      if (came === 'Started' || came === 'Stopped' || came === 'ForcedOff')
        verified.observe((outcome.finishedAt - outcome.startedAt) / 1000);
      if (outcome.forced) forced.inc();
      if (isUnobserved(outcome)) unobserved.inc();
      if (lateMs !== undefined) lateness.observe(Math.max(0, lateMs) / 1000);
    },
    count(name, value) {
      if (name === 'BadSchedules') bad.set(value);
      else counters.get(name)?.inc(value);
    },
    flush() {},
    gauge(name, help, read) {
      new Gauge({
        ...{ name, help, registers },
        collect() {
          this.set(read());
        },
      });
    },
    text: () => registry.metrics(),
  };
}
