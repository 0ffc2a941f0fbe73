import { changedOf, machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { Wukong } from '../domain/model.ts';
import type { Action } from '../domain/outcome.ts';
import { isOff, isOn, type Machine } from '../domain/vm.ts';
import { loadsCluster } from '../lifecycle/diagnosis.ts';
import type { Limits } from '../time/wait.ts';

const unseen = { died: new Set<string>(), refusals: 0 };

/** Whether what is wished is so. */
export const isThere = (action: Action, machine: Machine): boolean => (action === 'stop' ? isOff : isOn)(machine);

/**
 * Watches a VM that another process switches, until it is as wished, is not there, or the limits are reached. Calls
 * `release` once it loads the cluster no longer.
 */
export async function follow(
  action: Action,
  wukong: Wukong,
  machines: Machines,
  limits: Limits,
  release: () => void,
): Promise<void> {
  for (;;) {
    const machine = machineOf(wukong, machines);
    if (!machine.vm || isThere(action, machine)) return;
    if (!loadsCluster(action, machine, unseen)) release();
    const changed = changedOf(wukong, machines, limits);
    if (!(await changed.catch(() => false))) return; // aborted, or the watch failed: nobody's end is told here
  }
}
