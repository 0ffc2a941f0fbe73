import type { RunsSeen } from '../../cli/ui/liveRuns.ts';
import type { RunPhase, RunStatus, WukongRun } from '../../shared/domain/run.ts';
import { rfc3339 } from '../../shared/time/clock.ts';

export const runOf = (
  phase: RunPhase,
  dueAt: number,
  more: Partial<RunStatus> = {},
  schedule = 'office',
): WukongRun => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongRun',
  metadata: { name: `${schedule}-${dueAt}`, namespace: 'dev' },
  spec: { schedule, action: 'stop', dueAt: rfc3339(dueAt) },
  status: {
    ...{ phase, targets: 40, done: 40, already: 0, forced: 0, failed: 0, skipped: {}, inProgress: 0 },
    ...{ failures: [], forcedNames: [] },
    ...more,
  },
});

const hourMs = 3_600_000;

/** A night: the newest went well, an older one did not. */
export const runsScene = (now: number): RunsSeen => ({
  runs: [
    runOf('Succeeded', now - hourMs),
    runOf('Running', now - 2 * hourMs, { done: 30, inProgress: 10 }, 'waves'),
    runOf('Missed', now - 3 * hourMs, { done: 0, skipped: { Stale: 40 } }, 'nightly'),
    runOf(
      'Incomplete',
      now - 9 * hourMs,
      { done: 37, forced: 1, failed: 2, failures: [{ name: 'web', reason: 'Stuck', message: 'It <b>hangs</b>.' }] },
      'long-days',
    ),
  ],
});
