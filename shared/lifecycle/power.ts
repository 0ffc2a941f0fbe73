import { answerFailure, messageOf } from '../cluster/failure.ts';
import { jsonPatch, type JsonPatchStep } from '../cluster/objects.ts';
import { apiPath } from '../cluster/path.ts';
import type { Answer } from '../cluster/transport.ts';
import { vmPath } from '../cluster/vmInformer.ts';
import type { Cluster } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { VmiView, VmView } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';

/**
 * What came of a call to KubeVirt. `refused` is a question, not an answer: 409, a lost race inside virt-api, a failed
 * test; look again, then decide (KUBEVIRT §1). `missed`: the guest that was meant is not there any more, so nothing was
 * asked. `absent`: there is no such API. `lost`: nobody knows if it was done.
 */
export type Said =
  | { kind: 'accepted' }
  | { kind: 'refused'; message: string }
  | { kind: 'missed' }
  | { kind: 'invalid'; message: string }
  | { kind: 'absent' }
  | { kind: 'lost'; message: string };

const placeOfVm = ({ namespace, name }: VmView) => ({ namespace, name });
const subresource = (vm: VmView, verb: string) =>
  apiPath({ api: 'subresources.kubevirt.io/v1', ...placeOfVm(vm), kind: 'virtualmachines', subresource: verb });

interface Asking {
  /** KubeVirt says what it would do, and does nothing. */
  dryRun?: boolean;
}

/** KubeVirt's start. @throws LifecycleError Denied. */
export const askStart = (cluster: Cluster, vm: VmView, { dryRun }: Asking, limits: Partial<Limits>): Promise<Said> =>
  put(cluster, vm, { verb: 'start', body: dryRun ? { dryRun: ['All'] } : {} }, limits);

/**
 * KubeVirt's stop; `graceSeconds` 0 ends the guest at once, undefined leaves the VMI's own period. @throws LifecycleError
 * Denied; a RangeError for a negative period, which KubeVirt would take for "at once" (KUBEVIRT §1).
 */
export function askStop(
  cluster: Cluster,
  vm: VmView,
  { graceSeconds, dryRun }: Asking & { graceSeconds?: number | undefined },
  limits: Partial<Limits>,
): Promise<Said> {
  if (graceSeconds !== undefined && !(graceSeconds >= 0)) throw new RangeError(`grace period ${graceSeconds}`);
  // The field is gracePeriod: gracePeriodSeconds would be ignored in silence.
  const body = { gracePeriod: graceSeconds, ...(dryRun ? { dryRun: ['All'] } : {}) };
  return put(cluster, vm, { verb: 'stop', body }, limits);
}

function put(
  { transport }: Cluster,
  vm: VmView,
  { verb, body }: { verb: string; body: object },
  limits: Partial<Limits>,
): Promise<Said> {
  const call = { method: 'PUT', path: subresource(vm, verb), body, safe: false } as const;
  return saidTo(() => transport.call(call, limits), `${verb} VM ${vm.namespace}/${vm.name}`);
}

async function saidTo(ask: () => Promise<Answer>, doing: string): Promise<Said> {
  try {
    return said(await ask(), doing);
  } catch (thrown) {
    if (thrown instanceof LifecycleError && thrown.code === 'Unreachable')
      return { kind: 'lost', message: thrown.message };
    throw thrown;
  }
}

function said(answer: Answer, doing: string): Said {
  const { status } = answer;
  if (status < 300) return { kind: 'accepted' };
  if (status === 401 || status === 403) throw answerFailure(answer, doing);
  const message = `${messageOf(answer)} (${status})`;
  if (status === 404) return /virtualmachine\S* "/.test(message) ? { kind: 'refused', message } : { kind: 'absent' };
  if (status === 422 || status === 409 || status >= 500 || status === 429) return { kind: 'refused', message };
  return { kind: 'invalid', message };
}

const strategyField = (vm: VmView, strategy: string): [path: string, old: unknown, value: unknown] =>
  vm.field === 'running'
    ? ['/spec/running', vm.strategy === 'Always', strategy !== 'Halted']
    : ['/spec/runStrategy', vm.strategy, strategy];

/** Writes the strategy into whichever of the two exclusive fields the VM uses, only if it is still what was seen. */
export function setStrategy(cluster: Cluster, vm: VmView, strategy: string, limits: Partial<Limits>): Promise<Said> {
  const [path, old, value] = strategyField(vm, strategy);
  const steps: JsonPatchStep[] = [
    { op: 'test', path, value: old },
    { op: 'replace', path, value },
  ];
  return patchVm(cluster, vm, { steps }, limits);
}

/** Takes queued requests away through /status, only if they are still what was seen: a queued Start beats a stop. */
export function clearQueue(cluster: Cluster, vm: VmView, limits: Partial<Limits>): Promise<Said> {
  const path = '/status/stateChangeRequests';
  const steps: JsonPatchStep[] = [
    { op: 'test', path, value: vm.queue },
    { op: 'remove', path },
  ];
  return patchVm(cluster, vm, { sub: 'status', steps }, limits);
}

function patchVm(
  cluster: Cluster,
  vm: VmView,
  { sub, steps }: { sub?: string; steps: JsonPatchStep[] },
  limits: Partial<Limits>,
): Promise<Said> {
  const path = vmPath('virtualmachines', vm.namespace, vm.name, sub);
  const doing = `patch VM ${vm.namespace}/${vm.name}${sub ? `/${sub}` : ''}`;
  return saidTo(() => jsonPatch(cluster, path, steps, limits), doing);
}

/** Deletes the launcher pod of a VMI with grace 0. On a partitioned node the guest may still run. */
export async function deleteLauncher(cluster: Cluster, vmi: VmiView, limits: Partial<Limits>): Promise<Said> {
  const pods = { api: 'v1', namespace: vmi.namespace, kind: 'pods' };
  const query = { labelSelector: `kubevirt.io/created-by=${vmi.uid}` };
  const found = await cluster.transport.call<{ items?: { metadata: { name: string } }[] }>(
    { method: 'GET', path: apiPath({ ...pods, query }), safe: true },
    limits,
  );
  if (found.status !== 200) return said(found, `list launcher pods of ${vmi.namespace}/${vmi.name}`);
  for (const pod of found.body.items ?? []) {
    const path = apiPath({ ...pods, name: pod.metadata.name });
    const body = { gracePeriodSeconds: 0 };
    const gone = await cluster.transport.call({ method: 'DELETE', path, body, safe: true }, limits);
    if (gone.status !== 404 && gone.status >= 300) return said(gone, `delete pod ${pod.metadata.name}`);
  }
  return { kind: 'accepted' };
}
