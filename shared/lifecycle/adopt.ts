import { isDeepStrictEqual } from 'node:util';

import { answerFailure, bodyOf } from '../cluster/failure.ts';
import { mergePatch, readWukong, wukongPath } from '../cluster/objects.ts';
import { ours } from '../cluster/ours.ts';
import { apiPath } from '../cluster/path.ts';
import type { Answer } from '../cluster/transport.ts';
import { vmPath } from '../cluster/vmInformer.ts';
import type { Cluster } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { adoptedByKey, keyOf, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { lastOf, operationOf } from '../domain/operation.ts';
import { type InstanceType, type RawVm, type Size, sizeOf } from '../domain/vmSize.ts';
import type { Limits } from '../time/wait.ts';
import { type Adoption, type Neighbours, planAdoption, planRelease } from './adoption.ts';

const pathOf = ({ metadata: { namespace, name } }: RawVm) => vmPath('virtualmachines', namespace, name);
const get = <T>(cluster: Cluster, path: string, limits: Partial<Limits>): Promise<Answer<T>> =>
  cluster.transport.call<T>({ method: 'GET', path, safe: true }, limits);

/** CPUs and memory of a VM, its instance type looked up where it names one; what cannot be read of it is noted. */
export async function readSize(cluster: Cluster, vm: RawVm, limits: Partial<Limits>): Promise<Size> {
  const { name, kind } = (vm.spec?.instancetype ?? {}) as { name?: unknown; kind?: unknown };
  if (typeof name !== 'string' || !/^[a-z0-9][-.a-z0-9]{0,252}$/.test(name)) return sizeOf(vm);
  const inCluster = typeof kind !== 'string' || /^virtualmachineclusterinstancetypes?$/i.test(kind);
  const path = apiPath({
    api: 'instancetype.kubevirt.io/v1beta1',
    ...(inCluster
      ? { kind: 'virtualmachineclusterinstancetypes' }
      : { kind: 'virtualmachineinstancetypes', namespace: vm.metadata.namespace }),
    name,
  });
  const answer = await get<InstanceType>(cluster, path, limits);
  if (answer.status === 200) return sizeOf(vm, ours<InstanceType>(answer.body));
  const size = sizeOf(vm);
  return { ...size, note: `its instance type ${name} cannot be read (${answer.status})` };
}

export interface Adopted {
  plan: Adoption;
  size: Size;
}

/**
 * Gives a VM to a Wukong, which is made where there is none: the VM says so first, so that of two who adopt it one wins,
 * and a Wukong is there only for a VM that is given to it. Repeating it completes what was interrupted. `dryRun` asks the
 * API server whether it would take both, and changes nothing.
 * @throws LifecycleError
 */
export async function adopt(
  cluster: Cluster,
  vm: RawVm,
  around: Omit<Neighbours, 'size'>,
  { dryRun = false, ...limits }: Partial<Limits> & { dryRun?: boolean } = {},
): Promise<Adopted> {
  const size = await readSize(cluster, vm, limits);
  const plan = planAdoption(vm, { ...around, size });
  if (plan.do !== 'adopt') return { plan, size };
  const to: Asking = { cluster, query: dryRun ? '?dryRun=All' : '', limits };
  const before = giverOf(vm);
  const marked = await mark(to, vm, plan.name);
  try {
    if (plan.wukong) await make(to, plan.wukong);
  } catch (thrown) {
    const back = given(before ?? null, marked);
    if (!dryRun) await mergePatch(cluster, pathOf(vm), back, {}).catch(() => {}); // adopting again takes it from there
    throw thrown;
  }
  return { plan, size };
}

/** How the cluster is asked: with the query of a dry run, or without. */
interface Asking {
  cluster: Cluster;
  query: string;
  limits: Partial<Limits>;
}

const giverOf = ({ metadata }: RawVm): string | undefined => metadata.annotations?.[adoptedByKey];
const given = (to: string | null, { metadata: { resourceVersion } }: RawVm) => ({
  metadata: { resourceVersion, annotations: { [adoptedByKey]: to } },
});

/** What an adoption was decided by. KubeVirt writes the rest at any time: the status, many times while a guest boots. */
const decisive = (vm: RawVm) => {
  const { uid, labels, ownerReferences, deletionTimestamp } = vm.metadata;
  // Of a list, labels have no prototype; of an answer they have.
  return [uid, { ...labels }, ownerReferences, deletionTimestamp, giverOf(vm), vm.spec];
};
const mostTries = 5;

/** Writes on the VM to whom it is given. What is decisive must be as it was; the rest may change meanwhile. */
async function mark(to: Asking, vm: RawVm, name: string): Promise<RawVm> {
  const what = `VM ${keyOf(vm.metadata)}`;
  const isAsBefore = (seen: RawVm) => isDeepStrictEqual(decisive(seen), decisive(vm));
  const marked = await writeGiver(to, vm, name, isAsBefore);
  if (!marked || marked.status === 409)
    throw new LifecycleError('Refused', `${what} was changed meanwhile; adopt it again`);
  return bodyOf(marked, `${what} cannot be given to Wukong ${name}`);
}

/** Takes off the VM that it was given to `from`. One that does not say so may have been read too late: asked by version. */
async function unmark(to: Asking, vm: RawVm, from: string): Promise<void> {
  const isHis = (seen: RawVm) => [undefined, from].includes(giverOf(seen));
  if (!isHis(vm)) return;
  const answer = await writeGiver(to, vm, null, isHis);
  if (answer && answer.status !== 404) bodyOf(answer, `VM ${keyOf(vm.metadata)} cannot be released`);
}

/**
 * The answer of writing it on the VM as it was seen, and as it is where it has changed meanwhile and `mayWrite` agrees;
 * undefined where that does not.
 */
async function writeGiver(
  { cluster, query, limits }: Asking,
  vm: RawVm,
  name: string | null,
  mayWrite: (seen: RawVm) => boolean,
): Promise<Answer<RawVm> | undefined> {
  const path = pathOf(vm);
  let seen = vm;
  for (let tries = 1; ; tries++) {
    const answer = await mergePatch<RawVm>(cluster, path + query, given(name, seen), limits);
    if (answer.status !== 409 || tries === mostTries) return answer;
    const again = await get<RawVm>(cluster, path, limits);
    if (again.status === 404) return again;
    seen = bodyOf(again, `VM ${keyOf(vm.metadata)}`);
    if (!mayWrite(seen)) return undefined;
  }
}

async function make({ cluster, query, limits }: Asking, wukong: Wukong): Promise<void> {
  const { namespace, name } = wukong.metadata;
  const path = wukongPath(namespace);
  const made = await cluster.transport.call({ method: 'POST', path: path + query, body: wukong, safe: false }, limits);
  if (made.status !== 409) bodyOf(made, `Wukong ${namespace}/${name} cannot be made`);
  else if (vmNameOf(await readWukong(cluster, placeOf(wukong), limits)) !== vmNameOf(wukong))
    throw new LifecycleError('Refused', `a Wukong ${namespace}/${name} was made meanwhile, for another VM`);
  if (query !== '') return;
  // For people and tools; what decides is the annotation.
  const status = { status: { vmName: vmNameOf(wukong) } };
  bodyOf(await mergePatch(cluster, wukongPath(namespace, name, 'status'), status, limits), `status of Wukong ${name}`);
}

export interface Released {
  plan: ReturnType<typeof planRelease>;
  vmName: string;
  /** The strategy that a stop of ours has replaced by Halted. */
  restore?: string | undefined;
}

/**
 * Undoes `adopt`: the VM stays as it is and does not say any more whom it was given to, and the Wukong that was made for
 * it goes. @throws LifecycleError
 */
export async function release(
  cluster: Cluster,
  wukong: Wukong,
  { dryRun = false, ...limits }: Partial<Limits> & { dryRun?: boolean } = {},
): Promise<Released> {
  const { namespace = '', name, uid, resourceVersion } = wukong.metadata;
  const vmName = vmNameOf(wukong);
  const path = pathOf({ metadata: { namespace, name: vmName } });
  const found = await get<RawVm>(cluster, path, limits);
  if (found.status !== 200 && found.status !== 404) throw answerFailure(found, `VM ${namespace}/${vmName}`);
  const vm = found.status === 200 ? found.body : undefined;
  const plan = planRelease(wukong, vm, operationOf(wukong) !== undefined);
  const restore = vm?.spec?.runStrategy === 'Halted' ? lastOf(wukong)?.restore : undefined;
  const released = { plan, vmName, restore };
  if (plan.do === 'refuse' || dryRun) return released;
  if (vm) await unmark({ cluster, query: '', limits }, vm, name);
  if (plan.remove) {
    const body = { preconditions: { uid, resourceVersion } };
    const gone = await cluster.transport.call(
      { method: 'DELETE', path: wukongPath(namespace, name), body, safe: true },
      limits,
    );
    if (gone.status === 409)
      throw new LifecycleError(
        'Refused',
        `Wukong ${keyOf({ namespace, name })} was changed meanwhile; release it again`,
      );
    if (gone.status !== 404) bodyOf(gone, `Wukong ${namespace}/${name} cannot be removed`);
  }
  return released;
}
