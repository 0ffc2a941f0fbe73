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

const ofServer = (type: Series['type'], help: string): Series => ({ type, help, labels: [], by: 'server' });

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
    help: 'Outcomes of operations.',
    labels: ['action', 'outcome', 'reason'],
    by: 'server',
  },
  wukong_time_to_verified_seconds: ofServer('histogram', 'From the beginning of an operation to its observed end.'),
  wukong_lateness_seconds: ofServer('histogram', 'From a boundary to the beginning of what it asked for.'),
  wukong_forced_stops_total: ofServer('counter', 'Stops that needed force.'),
  wukong_unobserved_stops_total: ofServer('counter', 'Stops whose end nobody saw.'),
  wukong_ticks_done_total: ofServer('counter', 'Ticks that left nothing undone.'),
  wukong_tick_problems_total: ofServer('counter', 'What ticks could not do.'),
  wukong_bad_schedules: ofServer('gauge', 'Schedules that do not do all that they say.'),
  wukong_stops_waiting_for_users: ofServer('gauge', 'Stops that are due and wait, as their VMs are in use.'),
  wukong_fleet_targets_total: ofServer('counter', 'VMs that commands for several were for.'),
  wukong_fleet_failed_total: ofServer('counter', 'Those of them that failed.'),
  wukong_fleet_forced_total: ofServer('counter', 'Those of them whose guests were forced.'),
  wukong_fleet_unobserved_total: ofServer('counter', 'Those of them whose end nobody saw.'),
  wukong_fleet_left_total: ofServer('counter', 'Those of them that were left to ticks or other functions.'),
  wukong_bad_runs_total: ofServer('counter', 'Runs that ended Incomplete or Missed.'),
  wukong_commands_refused_total: ofServer('counter', 'Commands that were refused as a whole.'),
  wukong_notices_lost_total: ofServer('counter', 'Notices that the webhook did not take.'),
  wukong_leader: ofServer('gauge', 'Whether this server ticks.'),
  wukong_wukongs: ofServer('gauge', 'Wukongs that are watched.'),
  wukong_operations_in_flight: ofServer('gauge', 'Wukongs that something is carried out on here.'),
} as const satisfies Record<string, Series>;

export type SeriesName = keyof typeof series;
