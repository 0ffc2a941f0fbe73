import { scopeOf, watchMachines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Command } from '../../shared/domain/command.ts';
import { keyOf, placeOf, type Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { execute } from '../../shared/execute/execute.ts';
import { openFleetRun } from '../../shared/execute/fleetRun.ts';
import { preflight } from '../../shared/execute/preflight.ts';
import type { Progress } from '../../shared/execute/sink.ts';

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
 * @throws LifecycleError when the first state of the VMs cannot be had in time.
 */
export async function executeHere(
  command: Command,
  wukongs: Wukong[],
  world: World,
  { deadline, interrupted: signal, wait, waiting, ended }: Watching,
): Promise<Outcome[]> {
  const limits = { deadline, signal };
  const soon = { signal, deadline: Math.min(deadline, world.clock.now() + firstStateMs) };
  const spaces = [...new Set(wukongs.map((wukong) => placeOf(wukong).namespace))];
  const machines = await watchMachines(world, scopeOf(wukongs, spaces), soon);
  const progress = (now: Progress) => {
    if (now.waiting) waiting(keyOf(now.waiting.place), now.waiting.for);
    if (now.outcome) ended(now.outcome);
  };
  try {
    const { jobs, done } = await preflight(command, wukongs, { world, machines, limits });
    done.forEach(ended);
    const opened = wukongs.length > 1 && openFleetRun(world, command, { done, jobs }, soon);
    const { outcomes } = await execute(jobs, world, { ...limits, machines, progress, wait, joins: wait });
    await opened;
    return [...done, ...outcomes];
  } finally {
    machines.close();
  }
}
