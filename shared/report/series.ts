/**
 * Every Prometheus series of ours, by name: the one table for what the server exposes, what kube-state-metrics makes
 * from our objects (infra/monitoring), the alerts and the dashboard. Names follow
 * https://prometheus.io/docs/practices/naming: base units, `_total` on counters, `_timestamp_seconds` on instants.
 */
export interface Series {
  type: 'counter' | 'gauge' | 'histogram' | 'stateset';
  help: string;
  /** Beside those that every scrape adds. Each has a closed set of values, or one for each object. */
  labels: readonly string[];
  /** `server`: /metrics of `wukong serve`. `objects`: kube-state-metrics. */
  by: 'server' | 'objects';
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

const run = ['namespace', 'run', 'schedule', 'action'] as const;
const schedule = ['namespace', 'schedule'] as const;
const vm = ['namespace', 'wukong'] as const;
const ofRun = (help: string, ...more: string[]): Series => ({
  type: 'gauge',
  help,
  labels: [...run, ...more],
  by: 'objects',
});
const ofSchedule = (help: string): Series => ({ type: 'gauge', help, labels: schedule, by: 'objects' });

export const series = {
  wukong_run_due_timestamp_seconds: ofRun('When a run was due.'),
  wukong_run_phase: { ...ofRun('What came of a run: 1 for its phase.', 'phase'), type: 'stateset' },
  wukong_run_targets: ofRun('How many VMs a run was for.'),
  wukong_run_done: ofRun('VMs of a run that were switched, and seen to be.'),
  wukong_run_already: ofRun('VMs of a run that were as wanted already.'),
  wukong_run_forced: ofRun('VMs of a run whose guests were forced.'),
  wukong_run_failed: ofRun('VMs of a run that failed.'),
  wukong_run_in_progress: ofRun('VMs of a run that are not at their end.'),
  wukong_run_skipped: ofRun('VMs of a run that were left alone, by reason.', 'reason'),
  wukong_run_lateness_seconds: ofRun('How long after it was due the last VM of a run was begun.'),

  wukong_schedule_ready: ofSchedule('Whether a schedule does all that it says.'),
  wukong_schedule_suspended: ofSchedule('Whether a schedule is suspended.'),
  wukong_schedule_matched: ofSchedule('How many Wukongs a schedule selects.'),
  wukong_schedule_next_start_timestamp_seconds: ofSchedule('When a schedule will start VMs next.'),
  wukong_schedule_next_stop_timestamp_seconds: ofSchedule('When a schedule will stop VMs next.'),
  wukong_schedule_last_handled_timestamp_seconds: ofSchedule('The newest boundary that a schedule is through with.'),

  wukong_vm_state: {
    type: 'stateset',
    help: 'Whether a VM runs: 1 for its state.',
    labels: [...vm, 'state'],
    by: 'objects',
  },
  wukong_vm_outcome: {
    type: 'stateset',
    help: 'What the last action on a VM came to: 1 for it.',
    labels: [...vm, 'outcome'],
    by: 'objects',
  },
  wukong_vm_next_action_timestamp_seconds: {
    type: 'gauge',
    help: 'When a VM will be switched next.',
    labels: [...vm, 'action'],
    by: 'objects',
  },

  wukong_outcomes_total: {
    type: 'counter',
    help: 'Ends of actions on VMs.',
    labels: ['action', 'outcome', 'reason'],
    by: 'server',
  },
  wukong_time_to_verified_seconds: {
    type: 'histogram',
    help: 'From the beginning of an action to its seen end.',
    labels: ['action'],
    by: 'server',
    buckets: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600],
  },
  wukong_lateness_seconds: {
    type: 'histogram',
    help: 'From when a schedule wanted it to the beginning of an action.',
    labels: ['action'],
    by: 'server',
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600],
  },
  wukong_ticks_total: {
    type: 'counter',
    help: 'Ticks, by whether they did all their work.',
    labels: ['result'],
    by: 'server',
  },
  wukong_tick_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When a tick did all its work last.',
    labels: [],
    by: 'server',
  },
  wukong_tick_duration_seconds: {
    type: 'histogram',
    help: 'How long ticks took.',
    labels: [],
    by: 'server',
    buckets: [0.1, 0.5, 1, 5, 10, 30, 60],
  },
  wukong_tick_problems: { type: 'gauge', help: 'Problems of the last tick.', labels: [], by: 'server' },
  wukong_refused_total: {
    type: 'counter',
    help: 'Commands that were refused before anything was called.',
    labels: ['reason'],
    by: 'server',
  },
} as const satisfies Record<string, Series>;

export type SeriesName = keyof typeof series;
