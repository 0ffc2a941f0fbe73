import { type Machines, scopeOf, watchMachines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Command } from '../../shared/domain/command.ts';
import { keyOf, placeOf, type Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { jobsOf } from '../../shared/execute/command.ts';
import { execute, type Progress } from '../../shared/execute/execute.ts';
import { openFleetRun } from '../../shared/execute/fleetRun.ts';
import { groupOf, type Job } from '../../shared/execute/job.ts';
import type { Limits } from '../../shared/time/wait.ts';

export interface Watching {
  /** Instant at which the command returns with what it has. */
  deadline: number;
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal;
  /** False: return as soon as KubeVirt was asked. */
  wait: boolean;
  waiting: (key: string, waitingFor: string) => void;
  ended: (outcome: Outcome) => void;
  /** What is watched already, by whoever closes it. */
  machines?: Machines;
}

const firstStateMs = 30_000;

/**
 * Executes a command on these Wukongs, and follows those on which somebody asked for the same before us to their end.
 * Who is interrupted, or does not want to wait, leaves the record on the Wukong, so that reconcileState goes on.
 */
export async function executeHere(
  command: Command,
  wukongs: Wukong[],
  world: World,
  { deadline, interrupted, wait, ...how }: Watching,
): Promise<Outcome[]> {
  const limits = { deadline, signal: interrupted };
  const machines = how.machines ?? (await watchVmsOf(wukongs, world, limits));
  const outcomes: Outcome[] = [];
  const others: Job[] = [];
  const take = (outcome: Outcome) => {
    if (wait && outcome.outcome === 'Skipped' && outcome.reason === 'Duplicate') others.push(jobFor(outcome));
    else {
      outcomes.push(outcome);
      how.ended(outcome);
    }
  };
  const progress = ({ outcome, waiting }: Progress) => {
    if (waiting) how.waiting(keyOf(waiting.place), waiting.for);
    if (outcome) take(outcome);
  };
  try {
    const { jobs, done } = await jobsOf(command, wukongs, machines, world, limits);
    done.forEach(take);
    const begun = jobs.flatMap(({ place, work }) => (work.do === 'command' ? [place] : []));
    const opened =
      wukongs.length > 1
        ? openFleetRun(world, command, { done, begun, missing: [] }, soonOf(world, limits))
        : undefined;
    await execute(jobs, world, { ...limits, machines, progress, wait });
    wait = false;
    await opened;
    const around = new Map(jobs.map(({ place, namespaceAnnotations }) => [place.namespace, namespaceAnnotations]));
    const joining = others.map((job) => ({ ...job, namespaceAnnotations: around.get(job.place.namespace) }));
    const joined = await execute(joining, world, { ...limits, machines, progress });
    for (const { job } of joined.failures) if (job.work.do === 'join') take(job.work.otherwise);
    return outcomes;
  } finally {
    if (!how.machines) machines.close();
  }
}

/** Watches the VMs of these Wukongs. @throws LifecycleError when their first state cannot be had in time. */
export function watchVmsOf(wukongs: Wukong[], world: World, limits: Limits): Promise<Machines> {
  const spaces = [...new Set(wukongs.map((wukong) => placeOf(wukong).namespace))];
  return watchMachines(world, scopeOf(wukongs, spaces), soonOf(world, limits));
}

const soonOf = ({ clock }: World, { deadline, signal }: Limits): Limits => ({
  signal,
  deadline: Math.min(deadline, clock.now() + firstStateMs),
});

const jobFor = (outcome: Outcome): Job => ({
  place: { namespace: outcome.namespace, name: outcome.name },
  action: outcome.action,
  work: { do: 'join', otherwise: outcome },
  group: groupOf('joined', Infinity),
  wave: 0,
  jitterMs: 0,
});
