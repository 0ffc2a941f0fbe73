import type { Cluster } from '../apiserver/cluster.ts';
import type { Condition, Fields } from '../apiserver/object.ts';
import { conflict, notFound } from '../apiserver/refusal.ts';
import type { Vmi } from './kubevirt.ts';

const vmiNamed = { group: 'kubevirt.io', plural: 'virtualmachineinstance', kind: 'VirtualMachineInstance' };

export const pausedByUser: Condition = {
  type: 'Paused',
  status: 'True',
  reason: 'PausedByUser',
  message: 'VMI was paused by user',
};

/** The guest stands still, or goes on. @throws Refusal when it does not run, or is so already. */
export function pause(cluster: Cluster, namespace: string, name: string, on: boolean): void {
  const vmis = cluster.registry.named('virtualmachineinstances');
  const vmi = cluster.store.get(vmis, namespace, name) as Vmi | undefined;
  if (!vmi) throw notFound(vmiNamed, name);
  if (vmi.status?.phase !== 'Running') throw conflict(vmiNamed, name, on ? 'VM is not running' : 'VMI is not running');
  const conditions = vmi.status.conditions ?? [];
  const paused = conditions.some(({ type }) => type === 'Paused');
  if (paused === on) throw conflict(vmiNamed, name, on ? 'VMI is already paused' : 'VMI is not paused');
  const rest = conditions.filter(({ type }) => type !== 'Paused');
  const status = { ...vmi.status, conditions: on ? [...rest, pausedByUser] : rest };
  cluster.change(vmis, namespace, name, (old) => ({
    ...old,
    status: status as unknown as Fields,
  }));
}
