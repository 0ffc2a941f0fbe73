import * as z from 'zod';

import { listAll } from '../cluster/list.ts';
import { readObject, readWukong, wukongPath } from '../cluster/objects.ts';
import { vmPath } from '../cluster/vmInformer.ts';
import type { Cluster } from '../cluster/world.ts';
import { invalid } from '../domain/command.ts';
import { instantText } from '../domain/instant.ts';
import {
  annotationPrefix,
  keyOf,
  type KubeObject,
  type LifecycleState,
  placeOf,
  type StateName,
  type Wukong,
} from '../domain/model.ts';
import { isLabel, isObjectName, labelExpected, objectNameExpected } from '../domain/names.ts';
import { leaseKey, operationOf } from '../domain/operation.ts';
import { ownMachine, vmNameIn, vmNamesOf } from '../domain/ownership.ts';
import { readVm, readVmi } from '../domain/readVm.ts';
import { format, parseSelector } from '../domain/selector.ts';
import { stateOf } from '../domain/vm.ts';
import { lastShown } from '../report/status.ts';
import { overrideKeys } from '../schedule/override.ts';
import type { Limits } from '../time/wait.ts';
import { isHttp, queryIn } from './request.ts';

const text = z.string({ error: 'expected a string' });
const label = text.refine(isLabel, labelExpected);
const query = z.strictObject({
  namespace: label.optional(),
  name: text.refine(isObjectName, objectNameExpected).optional(),
  selector: text.optional(),
  cluster: label.optional(),
});
export type StateQuery = z.output<typeof query>;

export interface WukongState {
  namespace: string;
  name: string;
  /** From the live VM, not from the status. */
  state: StateName;
  vm: { name: string; strategy?: string; label?: string };
  node?: string;
  /** What is being carried out now. */
  operation?: { action: string; requestId: string; step: string; startedAt: string; forceAt?: string };
  last?: LifecycleState;
  /** The annotations on the Wukong itself that overrule its schedules, without their prefix and as they stand there. */
  overrides?: Record<string, string>;
  nextAction?: string;
  nextActionTime?: string;
}

/**
 * What to look at: {namespace, name}, or {namespace?, selector?}, and in which cluster; or a GET request that says so.
 * @throws LifecycleError InvalidAction.
 */
export function parseStateQuery(event: unknown): StateQuery {
  const read = query.safeParse((isHttp(event) ? queryIn(event) : event) ?? {});
  const problems = read.success
    ? []
    : read.error.issues.map((issue) => `${String(issue.path[0] ?? 'query')}: ${issue.message}`);
  const given = read.data ?? {};
  if (given.name !== undefined && given.namespace === undefined)
    problems.push('namespace: expected, because a name is given');
  if (given.name !== undefined && given.selector !== undefined)
    problems.push('selector: expected either a name or a selector, not both');
  if (given.selector !== undefined) {
    try {
      format(parseSelector(given.selector));
    } catch (wrong) {
      problems.push(`selector: ${(wrong as Error).message}`);
    }
  }
  if (problems.length > 0) throw invalid(problems);
  return given;
}

/** The state of one Wukong or of a fleet, read live. @throws LifecycleError NotFound for a name that is not there. */
export async function readStates(
  cluster: Cluster,
  { namespace, name, selector }: StateQuery,
  limits: Limits,
): Promise<WukongState[]> {
  if (namespace !== undefined && name !== undefined) {
    const wukong = await readWukong(cluster, { namespace, name }, limits);
    const found = new Map<string, Pair>();
    for (const vmName of vmNamesOf(wukong)) {
      const [vm, vmi] = await Promise.all([
        readObject(cluster, vmPath('virtualmachines', namespace, vmName), `VM ${vmName}`, limits),
        readObject(cluster, vmPath('virtualmachineinstances', namespace, vmName), `VMI ${vmName}`, limits),
      ]);
      found.set(vmName, { vm, vmi });
    }
    return [stateFrom(wukong, (vmName) => found.get(vmName))];
  }
  // Parsed and written anew, never passed on.
  const where = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(format(parseSelector(selector)))}`;
  const [wukongs, vms, vmis] = await Promise.all([
    listAll<Wukong>(cluster.transport, wukongPath(namespace) + where, limits),
    listAll(cluster.transport, vmPath('virtualmachines', namespace), limits),
    listAll(cluster.transport, vmPath('virtualmachineinstances', namespace), limits),
  ]);
  const byKey = (list: KubeObject[]) => new Map(list.map((object) => [keyOf(object.metadata), object]));
  const [vmByKey, vmiByKey] = [byKey(vms), byKey(vmis)];
  return wukongs.map((wukong) =>
    stateFrom(wukong, (vmName) => {
      const key = keyOf({ ...wukong.metadata, name: vmName });
      return { vm: vmByKey.get(key), vmi: vmiByKey.get(key) };
    }),
  );
}

/** A VM and its VMI as the API has them. */
interface Pair {
  vm?: KubeObject | undefined;
  vmi?: KubeObject | undefined;
}

/** From the three objects as the API has them; of a VM that is not its own nothing but the name. */
export function stateFrom(wukong: Wukong, find: (vmName: string) => Pair | undefined): WukongState {
  const machine = ownMachine(wukong, (vmName) => {
    const { vm, vmi } = find(vmName) ?? {};
    return { ...(vm ? { vm: readVm(vm) } : {}), ...(vmi ? { vmi: readVmi(vmi) } : {}) };
  });
  const { vm, vmi } = machine;
  const op = operationOf(wukong);
  const state = stateOf(machine);
  const last = lastShown(wukong, state);
  return {
    ...placeOf(wukong),
    state,
    vm: { name: vmNameIn(wukong, machine), strategy: vm?.strategy, label: vm?.printableStatus },
    node: vmi?.node,
    ...(op
      ? {
          operation: {
            action: op.action,
            requestId: op.requestId,
            step: op.step,
            startedAt: instantText(op.startedAt),
            ...(op.forceAt ? { forceAt: instantText(op.forceAt) } : {}),
          },
        }
      : {}),
    last,
    overrides: overridesOn(wukong),
    nextAction: last?.nextAction,
    nextActionTime: last?.nextActionTime,
  };
}

function overridesOn({ metadata }: Wukong): Record<string, string> | undefined {
  const found = [...Object.values(overrideKeys), leaseKey].flatMap((key) => {
    const text = metadata.annotations?.[key];
    return text === undefined ? [] : [[key.replace(annotationPrefix, ''), text] as const];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}
