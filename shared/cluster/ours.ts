import type { KubeObject } from '../domain/model.ts';
import { isLabel, isObjectName } from '../domain/names.ts';

/**
 * The one place where an object of the API becomes ours. Whoever may write one may write anything there: what is not of
 * its type counts as absent, what is too large is left out, and no look-up finds what every object has (`constructor`).
 * What stands in `spec`, `status` and `data` is read by one function for each kind: readVm, readVmi, lifecycleStateOf,
 * operationOf, parseDeclared, checkSchedule, textOf.
 */

/** Above what any value of ours is; the API server takes 256 KB of annotations together. */
const longestValue = 64 * 1024;
const longestId = 256;
const mostEntries = 1_000;
const mostInList = 100;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown, most = longestId): string | undefined =>
  typeof value === 'string' && value.length <= most ? value : undefined;

/** Texts by their keys, without a prototype, so that every look-up finds its own. */
export function textsOf(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const found = Object.create(null) as Record<string, string>;
  const keys = Object.keys(value);
  for (const key of keys.length > mostEntries ? keys.slice(0, mostEntries) : keys) {
    const one = value[key];
    if (typeof one === 'string' && one.length <= longestValue) found[key] = one;
  }
  return found;
}

const applied = 'kubectl.kubernetes.io/last-applied-configuration';

/** The same object, put in order. Undefined for what has no name that Kubernetes would have given it: nothing can be asked of that. */
export function ours<T extends KubeObject>(raw: unknown): T | undefined {
  if (!isObject(raw) || !isObject(raw['metadata'])) return undefined;
  const { metadata } = raw;
  const name = text(metadata['name'], 253);
  const namespace = text(metadata['namespace'], 63);
  if (name === undefined || !isObjectName(name)) return undefined;
  if (metadata['namespace'] !== undefined && (namespace === undefined || !isLabel(namespace))) return undefined;
  const annotations = textsOf(metadata['annotations']);
  if (annotations) delete annotations[applied];
  keep(metadata, 'namespace', namespace);
  keep(metadata, 'uid', text(metadata['uid']));
  keep(metadata, 'resourceVersion', text(metadata['resourceVersion']));
  keep(metadata, 'generation', Number.isSafeInteger(metadata['generation']) ? metadata['generation'] : undefined);
  keep(metadata, 'creationTimestamp', text(metadata['creationTimestamp'], 64));
  keep(metadata, 'deletionTimestamp', text(metadata['deletionTimestamp'], 64));
  keep(metadata, 'labels', textsOf(metadata['labels']));
  keep(metadata, 'annotations', annotations);
  keep(
    metadata,
    'finalizers',
    listOf(metadata['finalizers'], (one): one is string => text(one) !== undefined),
  );
  keep(metadata, 'ownerReferences', listOf(metadata['ownerReferences'], isObject));
  if (Object.hasOwn(metadata, '__proto__')) delete metadata['__proto__']; // which would be a copy's prototype
  const { spec, status } = raw;
  if ('spec' in raw) raw['spec'] = isObject(spec) ? spec : undefined;
  if ('status' in raw) raw['status'] = isObject(status) ? status : undefined;
  // Others' conditions go back up with ours, so they stay as they are.
  if (isObject(status) && status['conditions'] !== undefined)
    keep(status, 'conditions', listOf(status['conditions'], isObject) ?? []);
  return raw as unknown as T;
}

/** In its place: a tick reads a hundred thousand objects, and a copy of each would be most of what it costs. */
function keep(fields: Record<string, unknown>, key: string, value: unknown): void {
  if (fields[key] === value) return;
  if (value === undefined) delete fields[key];
  else fields[key] = value;
}

function listOf<V>(value: unknown, isOne: (one: unknown) => one is V): V[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.length <= mostInList && value.every(isOne) ? value : value.slice(0, mostInList).filter(isOne);
}
