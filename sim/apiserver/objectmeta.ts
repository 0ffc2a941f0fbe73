// The metadata that every object has: its fields, of which types they are, and what they may say.
import { missing, wrong } from './fielderror.ts';
import { type Fields, isFields, type Metadata, put } from './object.ts';
import type { FieldError } from './refusal.ts';

const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion', 'selfLink'];
const maps = ['labels', 'annotations'];
const lists = ['finalizers', 'ownerReferences', 'managedFields'];
const others = ['generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'];
const known = new Set([...texts, ...maps, ...lists, ...others]);

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

/** Why metadata cannot even be read, in the words of Go's encoding/json; undefined where it can. */
export function unreadable(metadata: unknown): string | undefined {
  const cannot = (value: unknown, field: string, type: string) =>
    `json: cannot unmarshal ${typeOf(value)} into Go struct field ObjectMeta.metadata${field} of type ${type}`;
  if (metadata === undefined || metadata === null) return undefined;
  if (!isFields(metadata)) return cannot(metadata, '', 'v1.ObjectMeta');
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined || value === null) continue;
    if (texts.includes(key) && typeof value !== 'string') return cannot(value, `.${key}`, 'string');
    if (maps.includes(key) && !isFields(value)) return cannot(value, `.${key}`, 'map[string]string');
    if (lists.includes(key) && !Array.isArray(value)) return cannot(value, `.${key}`, '[]string');
    const items = maps.includes(key) || key === 'finalizers' ? Object.values(value as Fields) : [];
    const odd = items.find((item) => typeof item !== 'string' && item !== null);
    if (odd !== undefined) return cannot(odd, `.${key}`, 'string');
  }
  return undefined;
}

/** Metadata without what it does not know; the paths of that are added to `unknown`. */
export function prunedMetadata(metadata: unknown, unknown: string[], path: string): unknown {
  if (!isFields(metadata) || Object.keys(metadata).every((key) => known.has(key))) return metadata;
  const kept: Fields = {};
  for (const key of Object.keys(metadata))
    if (known.has(key)) put(kept, key, metadata[key]);
    else unknown.push(`${path}.${key}`);
  return kept;
}

/** Owners that cannot be found (apimachinery's ValidateOwnerReferences). */
export function ownerFaults({ ownerReferences = [] }: Partial<Metadata>): FieldError[] {
  const field = 'metadata.ownerReferences';
  const faults = ownerReferences.flatMap((owner) => [
    ...(owner.apiVersion ? [] : [wrong(`${field}.apiVersion`, '', 'version must not be empty')]),
    ...(['kind', 'name', 'uid'] as const)
      .filter((key) => !owner[key])
      .map((key) => wrong(`${field}.${key}`, '', 'must not be empty')),
  ]);
  const controllers = ownerReferences.filter(({ controller }) => controller);
  if (controllers.length < 2) return faults;
  return [...faults, wrong(field, ownerReferences, 'Only one reference can have Controller set to true')];
}

/** What an update must say of an object that may not be replaced unread. */
export const unrevised: FieldError = {
  field: 'metadata.resourceVersion',
  message: 'Invalid value: 0x0: must be specified for an update',
};
export const unnamedObject = missing('metadata.name', 'name or generateName is required');
