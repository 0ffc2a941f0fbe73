import {
  adoptedByKey,
  adoptsKey,
  group,
  isOperated,
  type KubeObject,
  version,
  vmNameOf,
  type Wukong,
} from '../domain/model.ts';
import { oneLine } from '../domain/oneLine.ts';
import type { RawVm, Size } from '../domain/vmSize.ts';

/** What is to be done with one VM. Decided without effects. */
export type Adoption =
  /** `wukong` is to be made; absent where there is one already that only the VM does not know of. */
  { do: 'adopt'; name: string; wukong?: Wukong } | { do: 'already'; name: string } | { do: 'refuse'; because: string };

/** What is known of a VM's namespace. */
export interface Neighbours {
  wukongs: Wukong[];
  /** The name that somebody wants for the Wukong. */
  name?: string | undefined;
  size: Size;
}

/**
 * Whether a VM may be given to a Wukong, and to which: `web-vm` to `web`, any other to one of its own name, with the VM's
 * labels, so that schedules select it. Refused is what somebody else owns: a Wukong, its operator, a pool, any controller.
 */
export function planAdoption(vm: RawVm, { wukongs, name: wanted, size }: Neighbours): Adoption {
  const { name: vmName, namespace = '', annotations = {} } = vm.metadata;
  const owned = ownerOf(vm) ?? operatorIn(wukongs, namespace);
  if (owned) return { do: 'refuse', because: owned };
  const byName = new Map(wukongs.map((one) => [one.metadata.name, one]));
  const giver = annotations[adoptedByKey];
  const holder = giver === undefined ? undefined : byName.get(giver);
  if (holder && vmNameOf(holder) === vmName && (wanted ?? giver) === giver) return { do: 'already', name: giver! };
  if (holder) return { do: 'refuse', because: `Wukong ${giver} has adopted it; wukong release ${giver} gives it back` };
  const other = wukongs.find((one) => vmNameOf(one) === vmName);
  if (other && (wanted ?? other.metadata.name) === other.metadata.name)
    return { do: 'adopt', name: other.metadata.name };
  if (other) return { do: 'refuse', because: `Wukong ${other.metadata.name} stands for it already` };
  const name = wanted ?? freeName(vmName, giver, byName);
  const taken = byName.get(name);
  if (taken)
    return {
      do: 'refuse',
      because: `there is a Wukong ${name} already, for VM ${vmNameOf(taken)}; --name gives this one another`,
    };
  return { do: 'adopt', name, wukong: wukongFor(vm, name, size) };
}

/** `giver`: named by an adoption that did not come to its end. */
function freeName(vmName: string, giver: string | undefined, taken: Map<string, unknown>): string {
  const short = vmName.replace(/-vm$/, '') || vmName;
  return giver ?? (taken.has(short) ? vmName : short);
}

function ownerOf(vm: RawVm): string | undefined {
  const { ownerReferences = [], deletionTimestamp } = vm.metadata;
  if (deletionTimestamp !== undefined) return 'it is being deleted';
  const text = (value: unknown): string => (typeof value === 'string' ? oneLine(value, 253) : 'something');
  const named = ({ kind, name }: { kind?: unknown; name?: unknown }) => `${text(kind)} ${text(name)}`;
  const wukong = ownerReferences.find(
    ({ apiVersion, kind }) => kind === 'Wukong' && text(apiVersion).startsWith(`${group}/`),
  );
  if (wukong) return `it belongs to Wukong ${text(wukong.name)}, which switches it as it is`;
  const pool = ownerReferences.find(({ kind }) => kind === 'VirtualMachinePool');
  if (pool) return `${named(pool)} owns it and decides itself which of its VMs run; scale the pool instead`;
  const owner = ownerReferences.find(({ controller }) => controller === true);
  return owner && `${named(owner)} owns it, and would undo what is done with it`;
}

/** An operator makes a VM of its own for each Wukong, or rewrites one that has its name. */
function operatorIn(wukongs: Wukong[], namespace: string): string | undefined {
  const operated = wukongs.find(isOperated);
  return (
    operated &&
    `the Wukong operator looks after namespace ${namespace} (Wukong ${operated.metadata.name}) and would make or rewrite the VM of a new Wukong; let the operator make it`
  );
}

/** Of controllers and deployment tools, which would take the Wukong for something of theirs. */
const othersLabels =
  /^(([\w.-]+\.)?(kubevirt\.io|harvesterhci\.io|helm\.sh|openshift\.io|cattle\.io|argoproj\.io|toolkit\.fluxcd\.io)\/|app\.kubernetes\.io\/(instance|managed-by)$)/;

function wukongFor(
  { metadata }: RawVm,
  name: string,
  { cpu, memory }: Size,
): Wukong & { apiVersion: string; kind: string } {
  const labels = Object.entries(metadata.labels ?? {}).filter(([key]) => !othersLabels.test(key));
  return {
    apiVersion: `${group}/${version}`,
    kind: 'Wukong',
    metadata: {
      name,
      namespace: metadata.namespace,
      labels: Object.fromEntries(labels),
      annotations: { [adoptsKey]: metadata.name },
    },
    spec: { cpu, memory },
  };
}

/** What is to be undone for a Wukong: `remove` where adopting it has made it. */
export type Release = { do: 'release'; remove: boolean } | { do: 'refuse'; because: string };

export function planRelease(wukong: Wukong, vm: KubeObject | undefined, underWay: boolean): Release {
  const { name, annotations = {} } = wukong.metadata;
  const mine = vm?.metadata.annotations?.[adoptedByKey] === name;
  const remove = annotations[adoptsKey] !== undefined && !isOperated(wukong);
  if (!mine && !remove)
    return { do: 'refuse', because: 'it was not made by adopting a VM; delete it where it was made' };
  if (underWay) return { do: 'refuse', because: 'it is being switched; release it once that has ended (wukong state)' };
  return { do: 'release', remove };
}
