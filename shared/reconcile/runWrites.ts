import { answerFailure, bodyOf } from '../cluster/failure.ts';
import { listAll } from '../cluster/list.ts';
import { listEach, type Unanswered } from '../cluster/namespaces.ts';
import { jsonPatch, type JsonPatchStep, runPath } from '../cluster/objects.ts';
import { ours } from '../cluster/ours.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { currentKey, scheduleUidKey, type WukongRun } from '../domain/run.ts';
import type { NewRun } from '../report/runObject.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Limits } from '../time/wait.ts';

/** The runs that a tick looks at; undefined in a cluster that has no WukongRun CRD. */
export async function readCurrentRuns(
  world: World,
  limits: Limits,
  unanswered: Unanswered = new Map(),
): Promise<WukongRun[] | undefined> {
  const spaces = world.config.watchNamespaces;
  const path = (space?: string) => runPath(space, undefined, { labelSelector: `${currentKey}=true` });
  try {
    return await listEach<WukongRun>({ world, spaces, path, limits, unanswered });
  } catch (thrown) {
    if (thrown instanceof LifecycleError && thrown.code === 'NotFound') return undefined;
    throw thrown;
  }
}

/** Nothing where it has changed since it was read: the next tick looks again. @throws LifecycleError */
export async function updateRun(
  world: World,
  stored: WukongRun,
  { status, current }: Pick<NewRun, 'status' | 'current'>,
  limits: Limits,
): Promise<void> {
  const { namespace, name, resourceVersion, labels } = stored.metadata;
  const { [currentKey]: _current, ...others } = labels ?? {};
  const patch: JsonPatchStep[] = [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/metadata/labels', value: { ...others, ...(current ? { [currentKey]: 'true' } : {}) } },
    { op: 'add', path: '/status', value: status },
  ];
  const answer = await jsonPatch<WukongRun>(world, runPath(namespace, name), patch, limits);
  if (answer.status === 422 || answer.status === 404) return;
  bodyOf(answer, `run ${namespace}/${name}`);
}

/** Only the very object that was read. @throws LifecycleError */
export async function deleteRun({ transport }: World, { metadata }: WukongRun, limits: Limits): Promise<void> {
  const { namespace, name, uid } = metadata;
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
  const answer = await transport.call({ method: 'DELETE', path: runPath(namespace, name), body, safe: true }, limits);
  if (answer.status >= 300 && answer.status !== 404 && answer.status !== 409)
    throw answerFailure(answer, `run ${namespace}/${name}`);
}

/** Keeps the newest runs of a schedule in a namespace, so many as it says. @throws LifecycleError */
export async function pruneRuns(
  world: World,
  { namespace, owner, keep }: { namespace: string; owner: WukongSchedule; keep: number },
  limits: Limits,
): Promise<void> {
  const { uid } = owner.metadata;
  const query = { labelSelector: `${scheduleUidKey}=${uid}` };
  const runs = await listAll<WukongRun>(world.transport, runPath(namespace, undefined, query), limits);
  const old = runs.sort((a, b) => (a.spec.dueAt < b.spec.dueAt ? 1 : -1)).slice(keep);
  for (const run of old) await deleteRun(world, run, limits);
}

/** One that is not in the list of current runs although it is there. @throws LifecycleError */
export async function readRun({ transport }: World, namespace: string, name: string, limits: Limits) {
  const answer = await transport.call<WukongRun>({ method: 'GET', path: runPath(namespace, name), safe: true }, limits);
  return answer.status === 404 ? undefined : ours<WukongRun>(bodyOf(answer, `run ${namespace}/${name}`));
}
