import { randomUUID } from 'node:crypto';

import { type ChangeRequest, isFinal, isGuestKey, strategyOf, type Vm, type Vmi } from './kubevirt.ts';

/** What virt-controller does with a VM next. `wish`: a queued Start beats Halted, the strategy becomes Always. */
export interface Decision {
  act: 'start' | 'stop' | 'wish' | 'nothing';
  /** A failed VMI of RerunOnFailure: its successor is asked for as it is stopped. */
  restart?: boolean;
}

export const vmFinalizer = 'kubevirt.io/virtualMachineControllerFinalize';

/** What the run strategy asks for (KubeVirt's syncRunStrategy). */
export function decide(vm: Vm, vmi: Vmi | undefined): Decision {
  if (vm.metadata.deletionTimestamp) return { act: vmi && !vmi.metadata.deletionTimestamp ? 'stop' : 'nothing' };
  const strategy = strategyOf(vm);
  const [first] = vm.status?.stateChangeRequests ?? [];
  const startAsked = first?.action === 'Start';
  if (!vmi) {
    if (strategy === 'Halted') return { act: startAsked ? 'wish' : 'nothing' };
    if (strategy === 'Manual') return { act: startAsked ? 'start' : 'nothing' };
    if (strategy === 'RerunOnFailure' && !startAsked && vm.status?.runStrategy === strategy) return { act: 'nothing' };
    return { act: 'start' };
  }
  if (vmi.metadata.deletionTimestamp) return { act: 'nothing' };
  const stopAsked = first?.action === 'Stop' && first.uid === vmi.metadata.uid;
  const phase = vmi.status?.phase;
  switch (strategy) {
    case 'Always':
      return { act: stopAsked || isFinal(vmi) ? 'stop' : 'nothing' };
    case 'RerunOnFailure':
      return { act: stopAsked || isFinal(vmi) ? 'stop' : 'nothing', restart: phase === 'Failed' };
    case 'Manual':
      return { act: stopAsked ? 'stop' : 'nothing' };
    case 'Halted':
      return { act: 'stop' };
    default:
      return { act: 'nothing' };
  }
}

/** How long a VM whose guest never came up has to wait for the next try. */
export function backoffLeftMs(vm: Vm, now: number): number {
  const strategy = strategyOf(vm);
  const retryAt = vm.status?.startFailure?.retryAfterTimestamp;
  if (!retryAt || (strategy !== 'Always' && strategy !== 'RerunOnFailure')) return 0;
  const seconds = Math.floor(Date.parse(retryAt) / 1000) - Math.floor(now / 1000);
  return Math.max(0, seconds * 1000);
}

/** The queue without a request that has been served. */
export function trimmed(queue: ChangeRequest[], vmi: Vmi | undefined): ChangeRequest[] {
  const [first, ...rest] = queue;
  if (!first) return queue;
  if (first.action === 'Stop') return !vmi || first.uid !== vmi.metadata.uid ? rest : queue;
  return vmi && !vmi.metadata.deletionTimestamp && !isFinal(vmi) ? rest : queue;
}

/** The VMI that a VM's template makes. Guests are told what to do by the template, or by the VM itself. */
export function instanceOf(vm: Vm): Vmi {
  const { template } = vm.spec;
  const own = Object.entries(vm.metadata.annotations ?? {}).filter(([key]) => isGuestKey(key));
  const paused = vm.status?.stateChangeRequests?.[0]?.data?.['paused'] === 'true';
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {
      name: vm.metadata.name,
      namespace: vm.metadata.namespace,
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: '',
      labels: { ...template.metadata?.labels },
      annotations: {
        ...Object.fromEntries(own),
        ...template.metadata?.annotations,
        'kubevirt.io/latest-observed-api-version': 'v1',
        'kubevirt.io/vm-generation': String(vm.metadata.generation ?? 1),
      },
      finalizers: [vmFinalizer, 'foregroundDeleteVirtualMachine'],
      ownerReferences: [
        {
          apiVersion: 'kubevirt.io/v1',
          kind: 'VirtualMachine',
          name: vm.metadata.name,
          uid: vm.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { ...template.spec, ...(paused ? { startStrategy: 'Paused' } : {}) },
    status: { phase: 'Pending' },
  } as Vmi;
}
