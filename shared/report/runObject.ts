import { bodyOf } from '../cluster/failure.ts';
import { runPath } from '../cluster/objects.ts';
import type { Cluster } from '../cluster/world.ts';
import { group, version } from '../domain/model.ts';
import { currentKey, runNameOf, type RunSpec, type RunStatus, scheduleUidKey, type WukongRun } from '../domain/run.ts';
import { clusterKind, isClusterSchedule } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Limits } from '../time/wait.ts';

export interface NewRun {
  namespace: string;
  spec: RunSpec;
  status: RunStatus;
  owner?: WukongSchedule | undefined;
  current: boolean;
}

/** A run as it is made: in one write, as it has no status of its own beside it (docs/decisions/0070). */
export function runObject({ namespace, spec, status, owner, current }: NewRun): WukongRun {
  const { name = '', uid = '' } = owner?.metadata ?? {};
  const kind = owner && isClusterSchedule(owner) ? clusterKind : 'WukongSchedule';
  const labels = { ...(current ? { [currentKey]: 'true' } : {}), ...(owner ? { [scheduleUidKey]: uid } : {}) };
  const reference = { apiVersion: `${group}/${version}`, kind, name, uid, controller: true };
  return {
    apiVersion: `${group}/${version}`,
    kind: 'WukongRun',
    metadata: { name: runNameOf(spec, uid), namespace, labels, ...(owner ? { ownerReferences: [reference] } : {}) },
    spec,
    status,
  };
}

/** False where there is one of that name. @throws LifecycleError */
export async function createRun({ transport }: Cluster, run: NewRun, limits: Partial<Limits>): Promise<boolean> {
  const body = runObject(run);
  const call = { method: 'POST', path: runPath(run.namespace), body, safe: true } as const; // safe: the name is ours
  const answer = await transport.call(call, limits);
  if (answer.status === 409) return false;
  bodyOf(answer, `run ${run.namespace}/${body.metadata.name}`);
  return true;
}
