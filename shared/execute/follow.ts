import { readWukong } from '../cluster/objects.ts';
import { changedOf, machineOf } from '../cluster/vmInformer.ts';
import type { Wukong } from '../domain/model.ts';
import { lastOf, operationOf } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';
import { isOff, isOn, type Machine } from '../domain/vm.ts';
import { loadsCluster } from '../lifecycle/diagnosis.ts';
import type { Job } from './job.ts';
import type { Execution } from './sink.ts';

const unseen = { died: new Set<string>(), refusals: 0 };

/** Whether what is wished is so. */
export const isThere = (action: Action, machine: Machine): boolean => (action === 'stop' ? isOff : isOn)(machine);

/** How often the record is read of who is followed: that one has failed is not seen on its VM. */
const lookMs = 60_000;

/**
 * Watches a VM that another process switches, until it is as wished, is not there, its operation is over, every job was
 * begun, or the time is up. Calls `release` once it loads the cluster no longer.
 */
export async function follow(job: Job, to: Execution, release: () => void): Promise<undefined> {
  const { action, place, wukong } = job;
  if (!wukong) return;
  const { world, machines, deadline, allBegun } = to;
  const begun = operationOf(wukong)?.requestId;
  let lookAt = world.clock.now() + lookMs;
  for (;;) {
    const machine = machineOf(wukong, machines);
    if (!machine.vm || isThere(action, machine)) return;
    if (!loadsCluster(action, machine, unseen)) release();
    const limits = { deadline: Math.min(deadline, lookAt), signal: allBegun };
    const changed = await changedOf(wukong, machines, limits).catch(() => undefined);
    const now = world.clock.now();
    if (changed === undefined || now >= deadline) return; // aborted, or the watch failed: nobody's end is told here
    if (now < lookAt) continue;
    const present = await readWukong(world, place, { deadline, signal: allBegun }).catch(() => wukong);
    if (isOver(job, begun, present)) return;
    lookAt = now + lookMs;
  }
}

/** Whether what another process carries out has come to its end: what was handed to it, or what it had `begun`. */
const isOver = ({ work }: Job, begun: string | undefined, present: Wukong): boolean =>
  work.do === 'command'
    ? lastOf(present)?.requestId === work.command.requestId
    : operationOf(present)?.requestId !== begun;
