import { equal } from '../apiserver/object.ts';
import type { Operation } from '../apiserver/patch.ts';
import { internalError } from '../apiserver/refusal.ts';
import type { ChangeRequest, Vm } from './kubevirt.ts';

/** The patch that adds to the queue which virt-controller works off. @throws Refusal where one is under way. */
export function requesting(vm: Vm, changes: ChangeRequest[]): Operation[] {
  const queue = vm.status?.stateChangeRequests ?? [];
  const operations: Operation[] = [];
  if (!vm.status || equal(vm.status, {}))
    operations.push({ op: 'add', path: '/status', value: { stateChangeRequests: changes } });
  else {
    operations.push({
      op: 'test',
      path: '/status/stateChangeRequests',
      value: vm.status.stateChangeRequests ?? null,
    });
    if (queue.length === 0) operations.push({ op: 'add', path: '/status/stateChangeRequests', value: changes });
    else if (changes.length === 1 && changes[0]?.action === 'Stop')
      operations.push({ op: 'replace', path: '/status/stateChangeRequests', value: changes });
    else throw internalError('unable to complete request: stop/start already underway');
    if (vm.status.startFailure) operations.push({ op: 'remove', path: '/status/startFailure' });
  }
  return operations;
}
