import { changedOf, machineOf } from '../cluster/vmInformer.ts';
import type { Action } from '../domain/outcome.ts';
import { isOff, isOn, type Machine } from '../domain/vm.ts';
import { loadsCluster } from '../lifecycle/diagnosis.ts';
import type { Job } from './job.ts';
import type { Execution } from './sink.ts';

const unseen = { died: new Set<string>(), refusals: 0 };

/** Whether what is wished is so. */
export const isThere = (action: Action, machine: Machine): boolean => (action === 'stop' ? isOff : isOn)(machine);

/**
 * Watches a VM that another process switches, until it is as wished, is not there, every job was begun, or the time is
 * up. Calls `release` once it loads the cluster no longer.
 */
export async function follow({ action, wukong }: Job, to: Execution, release: () => void): Promise<undefined> {
  if (!wukong) return;
  const { machines, deadline, allBegun } = to;
  for (;;) {
    const machine = machineOf(wukong, machines);
    if (!machine.vm || isThere(action, machine)) return;
    if (!loadsCluster(action, machine, unseen)) release();
    const changed = changedOf(wukong, machines, { deadline, signal: allBegun });
    if (!(await changed.catch(() => false))) return; // aborted, or the watch failed: nobody's end is told here
  }
}
