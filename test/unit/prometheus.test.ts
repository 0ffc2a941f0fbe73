import { expect, test } from 'vitest';

import { prometheusMetrics } from '../../shared/report/prometheus.ts';

test('Prometheus has what commands for several VMs came to, as totals', async () => {
  const metrics = prometheusMetrics();
  metrics.count('FleetTargets', 40);
  metrics.count('FleetTargets', 2);
  metrics.count('FleetLeft', 3);
  const text = await metrics.text();
  expect(text).toContain('wukong_fleet_targets_total 42');
  expect(text).toContain('wukong_fleet_left_total 3');
});

test('what is so now is the newest count', async () => {
  const metrics = prometheusMetrics();
  for (const waiting of [5, 2]) metrics.count('StopsWaitingForUsers', waiting);
  metrics.count('BadSchedules', 1);
  const text = await metrics.text();
  expect(text).toContain('wukong_stops_waiting_for_users 2');
  expect(text).toContain('wukong_bad_schedules 1');
});
