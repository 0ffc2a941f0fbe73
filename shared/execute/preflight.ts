import { readNamespaces, type Unanswered } from '../cluster/namespaces.ts';
import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { type Annotations, placeOf, type Wukong } from '../domain/model.ts';
import { leaseKey, runningOf } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import { admit, already, asDryRun, intentHolds } from '../lifecycle/plan.ts';
import { rankOf } from '../schedule/wave.ts';
import type { Limits } from '../time/wait.ts';
import { groupOf, type Job } from './job.ts';

/** What a fleet command comes to before anything is asked: those that are left as they are, and jobs for the others. */
export interface Preflight {
  done: Outcome[];
  jobs: Job[];
}

interface Around {
  world: World;
  machines: Machines;
  limits: Limits;
}

interface Known {
  now: number;
  requireAgent: boolean;
  namespaceAnnotations: Annotations;
  /** An older wish for the other action is being carried out on others of this fleet. */
  contested: boolean;
}

export async function preflight(command: Command, wukongs: Wukong[], around: Around): Promise<Preflight> {
  const { world, machines } = around;
  const { annotations, unanswered } = await namespacesOf(wukongs, around);
  const now = world.clock.now();
  const contested = isContested(command, wukongs, now);
  const found: Preflight = { done: [], jobs: [] };
  for (const wukong of wukongs) {
    const place = placeOf(wukong);
    const namespaceAnnotations = annotations.get(place.namespace) ?? {};
    const why = unanswered.get(place.namespace);
    const known = { now, requireAgent: world.config.requireAgent, namespaceAnnotations, contested };
    const result: Result | undefined = why
      ? { outcome: 'Failed', reason: why.code, message: why.message }
      : resultFor(command, wukong, machines, known);
    if (result) found.done.push(outcomeOf(command, wukong, result, now));
    const job = { ...plainJob(command), place, wukong, namespaceAnnotations, wave: rankOf(wukong, command.action) };
    // It is being carried out: its wave is not over. For another request it takes no place of this one.
    const running = why ? undefined : runningOf(wukong, now);
    const placeless = running?.requestId !== command.requestId;
    if (!result) found.jobs.push({ ...job, work: { do: 'command', command, remember: contested } });
    else if (running?.action === command.action)
      found.jobs.push({ ...job, work: { do: 'await', placeless }, urgent: true });
  }
  return found.jobs.some(({ work }) => work.do === 'command') ? found : { ...found, jobs: [] };
}

/** One of a command's jobs, wherever it is. */
export const plainJob = (command: Command) => ({
  action: command.action,
  work: { do: 'command' as const, command },
  group: groupOf(command.requestId, command.maxInFlight),
  jitterMs: 0,
});

async function namespacesOf(wukongs: Wukong[], { world, limits }: Around) {
  const problems: string[] = [];
  const unanswered: Unanswered = new Map();
  const spaces = new Set(wukongs.map((one) => placeOf(one).namespace));
  const annotations = await readNamespaces(spaces, { world, limits, problems, unanswered });
  for (const problem of problems) world.log.warn('overrides on namespaces are not known', { problem });
  return { annotations, unanswered };
}

const outcomeOf = ({ action, requestId, trigger }: Command, wukong: Wukong, result: Result, now: number): Outcome => ({
  ...{ ...placeOf(wukong), ...result },
  ...{ action, requestId, trigger, startedAt: now, finishedAt: now, forced: false, quiet: true },
});

/** Whether some of these are being switched the other way, by a wish that is older than this one. */
const isContested = ({ action, requestedAt }: Command, wukongs: Wukong[], now: number): boolean =>
  wukongs.some((wukong) => {
    const running = runningOf(wukong, now);
    return running && running.action !== action && running.requestedAt <= requestedAt;
  });

/** Undefined: it gets a job. So does one that cannot be read, which fails alone. */
function resultFor(command: Command, wukong: Wukong, machines: Machines, known: Known): Result | undefined {
  // A request for single names is remembered by each, also where nothing is to be done.
  if ('name' in command.target) return undefined;
  try {
    return withoutJob(command, wukong, machineOf(wukong, machines), known);
  } catch {
    return undefined;
  }
}

/**
 * What a fleet command comes to for a Wukong that it leaves as it is: protected, overridden, too late, known, or there
 * already. That costs no request, no write and no Event; the fleet's summary tells it. Undefined: it is to be performed,
 * if only to write down why nothing was done, or to put right what the operator would act on.
 */
function withoutJob(command: Command, wukong: Wukong, machine: Machine, known: Known): Result | undefined {
  const { now, requireAgent, namespaceAnnotations, contested } = known;
  const admitted = admit(command, wukong, now, namespaceAnnotations);
  if (admitted.kind === 'joins') return undefined; // that it was wished is to be remembered
  if (admitted.kind !== 'perform') {
    if (command.dryRun) return asDryRun(admitted.result);
    return admitted.result.outcome === 'Skipped' ? admitted.result : undefined;
  }
  const there = already(command, wukong, machine, requireAgent);
  if (!there) return undefined;
  if (command.dryRun) return asDryRun(there.result);
  return there.kind === 'already' && !contested && nothingToWrite(command, wukong) ? there.result : undefined;
}

function nothingToWrite(command: Command, wukong: Wukong): boolean {
  const hasLease = wukong.metadata.annotations?.[leaseKey] !== undefined;
  const lease = command.action === 'start' ? command.leaseSeconds !== undefined : hasLease;
  return intentHolds(command, wukong) && !lease;
}
