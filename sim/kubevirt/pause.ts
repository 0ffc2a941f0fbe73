import type { Cluster } from '../apiserver/cluster.ts';
import type { Condition, Fields } from '../apiserver/object.ts';
import { conflict, notFound, Refusal } from '../apiserver/refusal.ts';
import { isMigrating, type Vmi } from './kubevirt.ts';

const vmiNamed = { group: 'kubevirt.io', plural: 'virtualmachineinstance', kind: 'VirtualMachineInstance' };

export const pausedByUser: Condition = {
  type: 'Paused',
  status: 'True',
  reason: 'PausedByUser',
  message: 'VMI was paused by user',
};

/** The guest stands still, or goes on. @throws Refusal when it does not run, is so already, or cannot be. */
export function pause(cluster: Cluster, namespace: string, name: string, on: boolean, dryRun: boolean): void {
  const vmis = cluster.registry.named('virtualmachineinstances');
  const vmi = cluster.store.get(vmis, namespace, name) as Vmi | undefined;
  if (!vmi) throw notFound(vmiNamed, name);
  if (vmi.status?.phase !== 'Running') throw conflict(vmiNamed, name, on ? 'VM is not running' : 'VMI is not running');
  if (on && vmi.spec['livenessProbe'] != null)
    throw new Refusal(
      403,
      'Forbidden',
      `virtualmachineinstance.kubevirt.io "${name}" is forbidden: Pausing VMIs with LivenessProbe is currently not supported`,
      { details: { name, group: vmiNamed.group, kind: vmiNamed.plural } },
    );
  const conditions = vmi.status.conditions ?? [];
  const paused = conditions.some(({ type }) => type === 'Paused');
  if (paused === on) throw conflict(vmiNamed, name, on ? 'VMI is already paused' : 'VMI is not paused');
  if (on && isMigrating(vmi))
    throw conflict(vmiNamed, name, `Cannot pause VM '${name}' because it is currently being migrated`);
  if (dryRun) return;
  const rest = conditions.filter(({ type }) => type !== 'Paused');
  const status = { ...vmi.status, conditions: on ? [...rest, pausedByUser] : rest };
  cluster.change(vmis, namespace, name, (old) => ({
    ...old,
    status: status as unknown as Fields,
  }));
}
