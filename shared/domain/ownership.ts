import { adoptedByKey, group, type KubeObject, placeOf, vmNameOf, type Wukong } from './model.ts';
import type { Machine, VmView } from './vm.ts';

export { adoptedByKey } from './model.ts';

interface OwnerReference {
  apiVersion?: unknown;
  kind?: unknown;
  uid?: unknown;
}

const none: string[] = [];

/** The uids of the Wukongs that own an object. */
export function owningWukongs({ metadata }: KubeObject): string[] {
  const { ownerReferences } = metadata as { ownerReferences?: OwnerReference[] };
  if (!Array.isArray(ownerReferences)) return none;
  return ownerReferences.flatMap(({ apiVersion, kind, uid }) =>
    kind === 'Wukong' && typeof uid === 'string' && String(apiVersion).startsWith(`${group}/`) ? [uid] : [],
  );
}

/** Whether a VM is this very Wukong's: owned by its uid, or given to it by name. */
export const isOwnedBy = ({ metadata }: Wukong, { owners, adoptedBy }: Pick<VmView, 'owners' | 'adoptedBy'>): boolean =>
  (metadata.uid !== undefined && owners?.includes(metadata.uid)) || adoptedBy === metadata.name;

/** What a Wukong's VM may be called: as its status says, where that VM is its own, else by the operator's rule. */
export function vmNamesOf(wukong: Wukong): string[] {
  const [said, ruled] = [vmNameOf(wukong), vmNameOf({ metadata: wukong.metadata })];
  return said === ruled ? [said] : [said, ruled];
}

/** What is there of a Wukong's own VM; of one that is another's only the name. `find` looks a VM up by its name. */
export function ownMachine(wukong: Wukong, find: (vmName: string) => Machine): Machine {
  let foreign: string | undefined;
  for (const vmName of vmNamesOf(wukong)) {
    const machine = find(vmName);
    if (machine.vm && isOwnedBy(wukong, machine.vm)) return machine;
    if (machine.vm) foreign ??= vmName;
  }
  return foreign === undefined ? {} : { foreign };
}

/** Under which name changes of its VM are to be waited for. */
export const vmNameIn = (wukong: Wukong, { vm, foreign }: Machine): string => vm?.name ?? foreign ?? vmNameOf(wukong);

/** Why there is no VM to switch. */
export function lacksVm(wukong: Wukong, { foreign }: Machine): { reason: 'NotFound' | 'NotOwned'; message: string } {
  const { namespace, name } = placeOf(wukong);
  if (foreign === undefined) return { reason: 'NotFound', message: `Wukong ${namespace}/${name} has no VM.` };
  const message = `VM ${namespace}/${foreign} is not Wukong ${name}'s: it is neither owned by it nor annotated ${adoptedByKey}: ${name}.`;
  return { reason: 'NotOwned', message };
}
