import type { Cluster } from '../apiserver/cluster.ts';
import { at, type Condition } from '../apiserver/object.ts';
import {
  conditionOf,
  isFinal,
  isMigrating,
  strategyOf,
  told,
  type Vm,
  type Vmi,
  withCondition,
  withoutCondition,
} from './kubevirt.ts';

/** A VM's conditions: Ready and Failure are its own, the others are its VMI's. */
export function conditionsOf(
  old: Condition[] | undefined,
  vmi: Vmi | undefined,
  failure: string | undefined,
  now: number,
): Condition[] {
  let conditions = withCondition(old, readyOf(vmi), now);
  if (failure === undefined) conditions = withoutCondition(conditions, 'Failure');
  else
    conditions = withCondition(
      conditions,
      { type: 'Failure', status: 'True', reason: 'FailedCreate', message: failure },
      now,
    );
  if (!vmi) return conditions;
  const own = new Set(['Ready', 'Failure', 'RestartRequired']);
  for (const condition of vmi.status?.conditions ?? [])
    if (!own.has(condition.type)) conditions = withCondition(conditions, condition, now);
  return conditions.filter(({ type }) => own.has(type) || conditionOf(vmi.status?.conditions, type));
}

function readyOf(vmi: Vmi | undefined): Condition {
  if (!vmi) return { type: 'Ready', status: 'False', reason: 'VMINotExists', message: 'VMI does not exist' };
  const ready = conditionOf(vmi.status?.conditions, 'Ready');
  if (ready) return ready;
  return {
    type: 'Ready',
    status: 'False',
    reason: 'VMIConditionMissing',
    message: 'VMI is missing the Ready condition',
  };
}

/** The label for people; of several that hold, the first counts (KubeVirt's setPrintableStatus). */
export function printableOf(vm: Vm, vmi: Vmi | undefined, cluster: Cluster): string {
  const phase = vmi?.status?.phase;
  const conditions = vmi?.status?.conditions;
  const synchronized = conditionOf(conditions, 'Synchronized');
  const reason = synchronized?.status === 'False' ? synchronized.reason : undefined;
  const scheduled = conditionOf(conditions, 'PodScheduled');
  const strategy = strategyOf(vm);
  if (vm.metadata.deletionTimestamp) return 'Terminating';
  if (vmi && !isFinal(vmi) && vmi.metadata.deletionTimestamp) return 'Stopping';
  if (vmi && phase === 'Running' && isMigrating(vmi)) return 'Migrating';
  if (phase === 'Running') return conditionOf(conditions, 'Paused')?.status === 'True' ? 'Paused' : 'Running';
  if (reason === 'FailedPvcNotFound') return 'ErrorPvcNotFound';
  if (told({ metadata: { ...vm.metadata, annotations: annotationsOf(vm) } }, 'datavolume-error') !== undefined)
    return 'DataVolumeError';
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') return 'ErrorUnschedulable';
  if (setToStart(vm, vmi) && claimUnbound(vm, vmi, cluster)) return 'WaitingForVolumeBinding';
  if (reason === 'ErrImagePull' || reason === 'ImagePullBackOff') return reason;
  if (vmi && (!phase || phase === 'Pending' || phase === 'Scheduling' || phase === 'Scheduled')) return 'Starting';
  const restarts = strategy === 'Always' || strategy === 'RerunOnFailure' || strategy === 'Once';
  if ((!vmi || isFinal(vmi)) && restarts && vm.status?.startFailure) return 'CrashLoopBackOff';
  if (!vmi || isFinal(vmi)) return 'Stopped';
  return 'Unknown';
}

const annotationsOf = (vm: Vm): Record<string, string> => ({
  ...vm.metadata.annotations,
  ...vm.spec.template?.metadata?.annotations,
});

function setToStart(vm: Vm, vmi: Vmi | undefined): boolean {
  const [first] = vm.status?.stateChangeRequests ?? [];
  switch (strategyOf(vm)) {
    case 'Always':
      return true;
    case 'Manual':
      return vmi ? !(first?.action === 'Stop' && first.uid === vmi.metadata.uid) : first?.action === 'Start';
    case 'RerunOnFailure':
      return vmi?.status?.phase !== 'Succeeded';
    case 'Once':
      return !vmi;
    default:
      return false;
  }
}

function claimUnbound(vm: Vm, vmi: Vmi | undefined, cluster: Cluster): boolean {
  if (vmi && told(vmi, 'pvc-unbound') !== undefined) return true;
  return claimsOf(vm.spec.template?.spec).some((name) => {
    const claim = cluster.store.get(cluster.registry.named('persistentvolumeclaims'), vm.metadata.namespace, name);
    return claim !== undefined && at(claim, 'status', 'phase') !== 'Bound';
  });
}

/** Names of the PVCs that a guest's disks stand on. */
export const claimsOf = (spec: Vmi['spec'] | undefined): string[] =>
  (spec?.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? volume.dataVolume?.name ?? []);
