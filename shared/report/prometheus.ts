import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { CountName, Metrics } from '../cluster/world.ts';
import { isUnobserved, reasonOf } from '../domain/outcome.ts';
import { series, type SeriesName } from './series.ts';

/** Counts of the library, as `world.metrics.count` names them, and how Prometheus does; a gauge has the newest. */
const counted: Record<CountName, SeriesName> = {
  TickProblems: 'wukong_tick_problems_total',
  TicksDone: 'wukong_ticks_done_total',
  BadRuns: 'wukong_bad_runs_total',
  CommandsRefused: 'wukong_commands_refused_total',
  NoticesLost: 'wukong_notices_lost_total',
  BadSchedules: 'wukong_bad_schedules',
  StopsWaitingForUsers: 'wukong_stops_waiting_for_users',
  FleetTargets: 'wukong_fleet_targets_total',
  FleetFailed: 'wukong_fleet_failed_total',
  FleetForced: 'wukong_fleet_forced_total',
  FleetUnobserved: 'wukong_fleet_unobserved_total',
  FleetLeft: 'wukong_fleet_left_total',
};
const secondsUpTo = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

export interface PrometheusMetrics extends Metrics {
  /** One of the table of series. */
  gauge(name: SeriesName, read: () => number): void;
  text(): Promise<string>;
}

/** The same figures as on CloudWatch (`metrics.ts`), by Prometheus' conventions: seconds, totals, no tenant's names. */
export function prometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  const of = (name: SeriesName) => ({ name, help: series[name].help, labelNames: [...series[name].labels], registers });
  const counter = (name: SeriesName) => new Counter(of(name));
  const histogram = (name: SeriesName) => new Histogram({ ...of(name), buckets: secondsUpTo });
  const outcomes = counter('wukong_outcomes_total');
  const forced = counter('wukong_forced_stops_total');
  const unobserved = counter('wukong_unobserved_stops_total');
  const verified = histogram('wukong_time_to_verified_seconds');
  const lateness = histogram('wukong_lateness_seconds');
  const count = (name: SeriesName): ((value: number) => void) => {
    const one = series[name].type === 'gauge' ? new Gauge(of(name)) : counter(name);
    return (value) => (one instanceof Gauge ? one.set(value) : one.inc(value));
  };
  const counts = new Map(Object.entries(counted).map(([name, its]) => [name, count(its)]));
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
      counts.get(name)?.(value);
    },
    flush() {},
    gauge(name, read) {
      new Gauge({
        ...of(name),
        collect() {
          this.set(read());
        },
      });
    },
    text: () => registry.metrics(),
  };
}
