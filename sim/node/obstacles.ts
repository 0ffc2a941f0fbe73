import type { Condition } from '../apiserver/object.ts';
import { meaning, told, type Vmi } from '../kubevirt/kubevirt.ts';
import { claimsOf } from '../kubevirt/vmstatus.ts';

/** What keeps a VMI from getting its pod: what it says of it, and what is told of it. */
export interface Obstacle {
  conditions: Condition[];
  event?: { type: 'Normal' | 'Warning'; reason: string; message: string };
}

/** `claimPhase`: the phase of a PVC, undefined where there is none. */
export function heldBack(vmi: Vmi, claimPhase: (name: string) => string | undefined): Obstacle | undefined {
  const { namespace, name } = vmi.metadata;
  const quota = told(vmi, 'quota');
  if (quota !== undefined)
    return podRefused(`pods "virt-launcher-${name}-" is forbidden: ${meaning(quota, overQuota)}`);
  const claims = claimsOf(vmi.spec);
  const absent = told(vmi, 'pvc-missing');
  const missing =
    absent === undefined ? claims.find((claim) => claimPhase(claim) === undefined) : meaning(absent, `${name}-disk`);
  if (missing !== undefined) {
    const message = `PVC ${namespace}/${missing} does not exist, waiting for it to appear`;
    return {
      conditions: [
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
        { type: 'Synchronized', status: 'False', reason: 'FailedPvcNotFound', message },
      ],
      event: { type: 'Normal', reason: 'FailedPvcNotFound', message },
    };
  }
  const imported = told(vmi, 'datavolume-error');
  if (imported !== undefined) {
    const message = meaning(imported, 'DataVolume import failed: unable to connect to the data source');
    return { conditions: [{ type: 'DataVolumesReady', status: 'False', reason: 'NotAllDVsReady', message }] };
  }
  const unbound = claims.some((claim) => claimPhase(claim) !== 'Bound') || told(vmi, 'pvc-unbound') !== undefined;
  return unbound ? { conditions: [] } : undefined;
}

/** The API server does not take the launcher pod: for a quota, or an admission rule. */
export function podRefused(why: string): Obstacle {
  const message = `failed to create virtual machine pod: ${why}`;
  return {
    conditions: [{ type: 'Synchronized', status: 'False', reason: 'FailedCreate', message }],
    event: { type: 'Warning', reason: 'FailedCreate', message: `Error creating pod: ${message}` },
  };
}

const overQuota =
  'exceeded quota: compute, requested: requests.memory=64Mi, used: requests.memory=1Gi, limited: requests.memory=1Gi';
const noNode =
  '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';

/** What the VMI tells of a pod that never comes up, and when. */
export function podTroubles(vmi: Vmi): { afterMs: number; condition: Condition }[] {
  const unschedulable = told(vmi, 'unschedulable');
  if (unschedulable !== undefined) {
    const message = meaning(unschedulable, noNode);
    return [{ afterMs: 40, condition: { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } }];
  }
  return [
    ...pullFailure(vmi, 'err-image-pull', 300, 'ErrImagePull'),
    ...pullFailure(vmi, 'image-pull-backoff', 300, 'ImagePullBackOff'),
    ...pullFailure(vmi, 'image', 300, 'ErrImagePull'),
    ...pullFailure(vmi, 'image', 2000, 'ImagePullBackOff'),
  ];
}

function pullFailure(
  vmi: Vmi,
  key: 'image' | 'err-image-pull' | 'image-pull-backoff',
  afterMs: number,
  reason: 'ErrImagePull' | 'ImagePullBackOff',
): { afterMs: number; condition: Condition }[] {
  const pulled = told(vmi, key);
  if (pulled === undefined) return [];
  const image = meaning(pulled, 'registry.example.com/disk:latest');
  const message =
    reason === 'ErrImagePull'
      ? `failed to pull and unpack image "${image}": not found`
      : `Back-off pulling image "${image}"`;
  return [{ afterMs, condition: { type: 'Synchronized', status: 'False', reason, message } }];
}
