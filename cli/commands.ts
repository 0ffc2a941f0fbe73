import type { CliCommand } from './command.ts';

/** Every command, loaded when it is asked for. */
export const commands: Record<string, () => Promise<CliCommand>> = {
  start: async () => (await import('./commands/power.ts')).start,
  stop: async () => (await import('./commands/power.ts')).stop,
  state: async () => (await import('./commands/state.ts')).state,
  plan: async () => (await import('./commands/plan.ts')).plan,
  restart: async () => (await import('./commands/restart.ts')).restart,
  report: async () => (await import('./commands/report.ts')).report,
  runs: async () => (await import('./commands/runs.ts')).runs,
  adopt: async () => (await import('./commands/adopt.ts')).adopt,
  release: async () => (await import('./commands/adopt.ts')).release,
  keep: async () => (await import('./commands/keep.ts')).keep,
  'skip-next': async () => (await import('./commands/mark.ts')).skipNext,
  protect: async () => (await import('./commands/mark.ts')).protect,
  freeze: async () => (await import('./commands/freeze.ts')).freeze,
  events: async () => (await import('./commands/events.ts')).events,
  reconcile: async () => (await import('./commands/reconcile.ts')).reconcile,
  serve: async () => (await import('./commands/serve.ts')).serve,
  crd: async () => (await import('./commands/crd.ts')).crd,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  sim: async () => (await import('./commands/sim.ts')).sim,
  'aws-local': async () => (await import('./commands/awsLocal.ts')).awsLocal,
  redrive: async () => (await import('./commands/redrive.ts')).redrive,
  completion: async () => (await import('./terminal/completion.ts')).completion,
  version: async () => (await import('./commands/version.ts')).version,
};
