import type { Action } from '../../shared/domain/outcome.ts';
import { isOff, living, type Machine, stateOf } from '../../shared/domain/vm.ts';

/**
 * What an operation waits for, in words that go with the state beside them; empty when it waits for nothing that can be
 * seen: it has not begun, or has only to be recorded.
 */
export function waitingFor(machine: Machine, action?: Action): string {
  if (action === 'stop') return untilOff(machine);
  return action === 'start' ? untilUp(machine) : '';
}

/** The state beside it. Between its guest's end and its own rest a VM that is being stopped is not starting. */
export function shownState(machine: Machine, action?: Action): string {
  const state = stateOf(machine);
  return action === 'stop' && state === 'Starting' && !living(machine.vmi) ? 'Stopping' : state;
}

function untilOff(machine: Machine): string {
  if (isOff(machine)) return '';
  const vmi = living(machine.vmi);
  if (!vmi) return 'the VM to come to rest';
  if (vmi.deletingSince === undefined) return 'KubeVirt to begin the shutdown';
  return vmi.graceSeconds > 0 ? `the guest to shut down (${vmi.graceSeconds} s allowed)` : 'KubeVirt to end the guest';
}

function untilUp(machine: Machine): string {
  const state = stateOf(machine);
  if (state === 'Running') return '';
  const vmi = living(machine.vmi);
  const status = machine.vm?.printableStatus ?? '';
  if (state === 'Failed') return `KubeVirt to try again${status && ` (${status})`}`;
  if (!vmi) return 'KubeVirt to begin the start';
  if (vmi.deletingSince !== undefined) return 'the old guest to go';
  // The VM's own word comes a moment late, and would speak of what was before.
  return `the guest to be ready (${/^(Stopp|Running)/.test(status) ? vmi.phase : status || vmi.phase})`;
}
