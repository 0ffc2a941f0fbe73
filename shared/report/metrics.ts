import { Metrics as Emf, MetricUnit } from '@aws-lambda-powertools/metrics';

import type { Metrics } from '../cluster/world.ts';
import { isUnobserved, type Outcome, reasonOf } from '../domain/outcome.ts';
import { serviceName } from './log.ts';

/**
 * CloudWatch metrics in the embedded format, by Powertools: Outcome (by action, outcome, reason), TimeToVerified and
 * Lateness in milliseconds, ForcedStops, UnobservedStops, Failures.
 */
export function emfMetrics(functionName: string): Metrics {
  const emf = new Emf({ namespace: 'WukongLifecycle', serviceName: serviceName(), singleMetric: false });
  emf.setDefaultDimensions({ function: functionName });
  return {
    outcome(outcome: Outcome, lateMs?: number) {
      const one = emf.singleMetric();
      one.addDimension('action', outcome.action);
      one.addDimension('outcome', outcome.outcome);
      one.addDimension('reason', reasonOf(outcome) ?? 'none');
      one.addMetric('Outcome', MetricUnit.Count, 1);
      if (outcome.outcome === 'Started' || outcome.outcome === 'Stopped' || outcome.outcome === 'ForcedOff')
        emf.addMetric('TimeToVerified', MetricUnit.Milliseconds, outcome.finishedAt - outcome.startedAt);
      emf.addMetric('Failures', MetricUnit.Count, outcome.outcome === 'Failed' ? 1 : 0);
      emf.addMetric('UnobservedStops', MetricUnit.Count, isUnobserved(outcome) ? 1 : 0);
      emf.addMetric('ForcedStops', MetricUnit.Count, outcome.forced ? 1 : 0);
      if (lateMs !== undefined) emf.addMetric('Lateness', MetricUnit.Milliseconds, Math.max(0, lateMs));
    },
    count: (name, value) => emf.addMetric(name, MetricUnit.Count, value),
    flush: () => void (emf.hasStoredMetrics() && emf.publishStoredMetrics()),
  };
}

export { silentMetrics } from './silent.ts';
