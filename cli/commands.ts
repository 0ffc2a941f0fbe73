import type { CliCommand } from './command.ts';

/** Every command, loaded when it is asked for. */
export const commands: Record<string, () => Promise<CliCommand>> = {
  start: async () => (await import('./power.ts')).start,
  stop: async () => (await import('./power.ts')).stop,
  state: async () => (await import('./state.ts')).state,
  plan: async () => (await import('./plan.ts')).plan,
  report: async () => (await import('./report.ts')).report,
  keep: async () => (await import('./keep.ts')).keep,
  'skip-next': async () => (await import('./mark.ts')).skipNext,
  protect: async () => (await import('./mark.ts')).protect,
  freeze: async () => (await import('./freeze.ts')).freeze,
  events: async () => (await import('./events.ts')).events,
  reconcile: async () => (await import('./reconcile.ts')).reconcile,
  crd: async () => (await import('./crd.ts')).crd,
  doctor: async () => (await import('./doctor.ts')).doctor,
  sim: async () => (await import('./sim.ts')).sim,
  'aws-local': async () => (await import('./awsLocal.ts')).awsLocal,
  redrive: async () => (await import('./redrive.ts')).redrive,
  completion: async () => (await import('./completion.ts')).completion,
  version: async () => (await import('./version.ts')).version,
};
