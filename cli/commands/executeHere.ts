import { scopeOf, watchMachines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Command } from '../../shared/domain/command.ts';
import { keyOf, placeOf, type Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { jobsOf } from '../../shared/execute/command.ts';
import { execute, type Progress } from '../../shared/execute/execute.ts';
import { groupOf, type Job } from '../../shared/execute/job.ts';

export interface Watching {
  /** Instant at which the command returns with what it has. */
  deadline: number;
  /** Aborted by Ctrl-C. */
  interrupted: AbortSignal;
  /** False: return as soon as KubeVirt was asked. */
  wait: boolean;
  waiting: (key: string, waitingFor: string) => void;
  ended: (outcome: Outcome) => void;
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
  const spaces = [...new Set(wukongs.map((wukong) => placeOf(wukong).namespace))];
  const limits = { deadline, signal: interrupted };
  const soon = { ...limits, deadline: Math.min(deadline, world.clock.now() + firstStateMs) };
  const machines = await watchMachines(world, scopeOf(wukongs, spaces), soon);
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
    const around = new Map(jobs.map(({ place, namespaceAnnotations }) => [place.namespace, namespaceAnnotations]));
    await execute(jobs, world, { ...limits, machines, progress, wait });
    wait = false;
    const joining = others.map((job) => ({ ...job, namespaceAnnotations: around.get(job.place.namespace) }));
    const joined = await execute(joining, world, { ...limits, machines, progress });
    for (const { job } of joined.failures) if (job.work.do === 'join') take(job.work.otherwise);
    return outcomes;
  } finally {
    machines.close();
  }
}

const jobFor = (outcome: Outcome): Job => ({
  place: { namespace: outcome.namespace, name: outcome.name },
  action: outcome.action,
  work: { do: 'join', otherwise: outcome },
  group: groupOf('joined', Infinity),
  wave: 0,
  jitterMs: 0,
});
