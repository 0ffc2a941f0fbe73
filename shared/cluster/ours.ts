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
  const { spec, status } = raw;
  const kept = {
    ...metadata,
    name,
    namespace,
    uid: text(metadata['uid']),
    resourceVersion: text(metadata['resourceVersion']),
    generation: Number.isSafeInteger(metadata['generation']) ? metadata['generation'] : undefined,
    creationTimestamp: text(metadata['creationTimestamp'], 64),
    deletionTimestamp: text(metadata['deletionTimestamp'], 64),
    labels: textsOf(metadata['labels']),
    annotations,
    finalizers: listOf(metadata['finalizers'], (one): one is string => text(one) !== undefined),
    ownerReferences: listOf(metadata['ownerReferences'], isObject),
  };
  return Object.assign(raw, {
    metadata: withoutAbsent(kept),
    ...('spec' in raw ? { spec: isObject(spec) ? spec : undefined } : {}),
    ...('status' in raw ? { status: isObject(status) ? withConditions(status) : undefined } : {}),
  }) as unknown as T;
}

/** Others' conditions go back up with ours, so they stay as they are. */
const withConditions = (status: Record<string, unknown>): Record<string, unknown> =>
  status['conditions'] === undefined ? status : { ...status, conditions: listOf(status['conditions'], isObject) ?? [] };

function listOf<V>(value: unknown, isOne: (one: unknown) => one is V): V[] | undefined {
  return Array.isArray(value) ? value.slice(0, mostInList).filter(isOne) : undefined;
}

/** Of a hundred thousand objects: without lists on the way. */
function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) if (fields[key] !== undefined && key !== '__proto__') kept[key] = fields[key]; // which would be its prototype
  return kept;
}
