import type { KubeObject } from './model.ts';

interface Guest {
  cpu?: unknown;
  memory?: unknown;
}

/** A VirtualMachine as far as its size and its owners are read. */
export interface RawVm extends KubeObject {
  metadata: KubeObject['metadata'] & {
    ownerReferences?: { apiVersion?: string; kind?: string; name?: string; uid?: string; controller?: boolean }[];
  };
  spec?: {
    running?: boolean;
    runStrategy?: string;
    instancetype?: { name?: string; kind?: string };
    template?: { spec?: { domain?: Domain } };
  };
}

interface Domain {
  cpu?: { cores?: unknown; sockets?: unknown; threads?: unknown };
  memory?: { guest?: unknown };
  resources?: { requests?: Guest; limits?: Guest };
}

/** Of an instance type, namespaced or of the cluster. */
export interface InstanceType extends KubeObject {
  spec?: { cpu?: { guest?: unknown }; memory?: { guest?: unknown } };
}

/** What a Wukong says of its VM; `note` where it cannot say what is so. */
export interface Size {
  cpu: number;
  memory: string;
  note?: string;
}

/** What the schema of a Wukong takes. */
const mostCpus = 64;
const memoryPattern = /^\d+(\.\d+)?(Ki|Mi|Gi|Ti|Pi|Ei|K|M|G|T|P|E)?$/;

/**
 * CPUs and memory of a VM: of its instance type, else of its domain, else of its resources (requests before limits). A
 * VM that says nothing has one CPU; one that says nothing of memory is noted.
 */
export function sizeOf(vm: RawVm, instanceType?: InstanceType): Size {
  const { cpu, memory, resources } = vm.spec?.template?.spec?.domain ?? {};
  const { requests, limits } = resources ?? {};
  const cpus =
    countOf(instanceType?.spec?.cpu?.guest) ?? topology(cpu) ?? countOf(requests?.cpu) ?? countOf(limits?.cpu) ?? 1;
  const size = [instanceType?.spec?.memory?.guest, memory?.guest, requests?.memory, limits?.memory]
    .map(memoryText)
    .find((text) => text !== undefined);
  const notes = [
    ...(cpus > mostCpus ? [`it has ${cpus} CPUs, and a Wukong can say ${mostCpus} at most`] : []),
    ...(size === undefined ? ['it does not say how much memory it has'] : []),
  ];
  const note = notes.length > 0 ? { note: notes.join('; ') } : {};
  return { cpu: Math.min(cpus, mostCpus), memory: size ?? '0', ...note };
}

/** KubeVirt multiplies sockets, cores and threads; what is absent is one. */
function topology(cpu: Domain['cpu']): number | undefined {
  const given = [cpu?.cores, cpu?.sockets, cpu?.threads].map(countOf).filter((n) => n !== undefined);
  return given.length === 0 ? undefined : given.reduce((product, n) => product * n, 1);
}

/** What is neither text nor number says nothing. */
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 64) : '';

/** Whole CPUs of `2`, `"2"`, `"500m"`, rounded up. */
function countOf(value: unknown): number | undefined {
  const [, digits, milli] = /^(\d{1,9}(?:\.\d{1,9})?)(m?)$/.exec(textOf(value)) ?? [];
  const count = Math.ceil(Number(digits) / (milli ? 1_000 : 1));
  return count >= 1 ? count : undefined;
}

/** A quantity as a Wukong may have it; `k`, `m` and exponents are written out in bytes. */
function memoryText(value: unknown): string | undefined {
  const text = textOf(value);
  if (memoryPattern.test(text)) return text;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?)([km]?)$/.exec(text) ?? [];
  const bytes = Math.ceil(Number(number) * (unit === 'k' ? 1_000 : unit === 'm' ? 0.001 : 1));
  return Number.isSafeInteger(bytes) && bytes > 0 ? String(bytes) : undefined;
}
