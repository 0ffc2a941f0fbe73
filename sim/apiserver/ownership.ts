// Who owns which field. Kept simple: lists belong whole to one manager, and a field that an update changed belongs to
// the one who changed it.
import type { Target } from './call.ts';
import { type Fields, isFields, type ManagedFields, put, stamp, type Thing } from './object.ts';
import { apiVersionOf } from './resources.ts';

const unowned = new Set(['apiVersion', 'kind', 'status']);
const ownedMetadata = new Set(['labels', 'annotations', 'finalizers', 'ownerReferences']);

/** A leaf of an object: where it is, and what. */
export type Leaves = Map<string, { path: string[]; value: unknown }>;

/** Paths of all leaves that a manager may own. */
export function leaves(thing: Thing, subresource: string | undefined): Leaves {
  const found = new Map() as Leaves;
  const walk = (value: unknown, path: string[]) => {
    if (isFields(value) && Object.keys(value).length > 0)
      for (const key of Object.keys(value)) walk(value[key], [...path, key]);
    else if (value !== undefined) found.set(JSON.stringify(path), { path, value });
  };
  for (const key of Object.keys(thing)) {
    if (subresource === 'status') {
      if (key === 'status') walk(thing[key], [key]);
    } else if (key === 'metadata') {
      for (const name of Object.keys(thing.metadata ?? {}))
        if (ownedMetadata.has(name)) walk((thing.metadata as unknown as Fields)[name], ['metadata', name]);
    } else if (!unowned.has(key)) walk(thing[key], [key]);
  }
  return found;
}

function fieldsV1(paths: Iterable<string[]>): Fields {
  const root: Fields = {};
  for (const path of paths) {
    let level = root;
    for (const key of path) {
      if (!isFields(level[`f:${key}`])) put(level, `f:${key}`, {});
      level = level[`f:${key}`] as Fields;
    }
  }
  return root;
}

export function pathsOf(fields: Fields, prefix: string[] = []): string[][] {
  return Object.keys(fields).flatMap((key) => {
    const path = [...prefix, key.slice(2)];
    const deeper = fields[key] as Fields;
    return Object.keys(deeper).length === 0 ? [path] : pathsOf(deeper, path);
  });
}

export interface Owner {
  manager: string;
  operation: 'Apply' | 'Update';
  target: Target;
  paths: string[][];
  /** Takes the fields away from everybody else. */
  clean: boolean;
  now?: number;
}

export function withOwner(entries: ManagedFields[], owner: Owner): ManagedFields[] {
  const { manager, operation, target, paths, clean } = owner;
  const ids = new Set(paths.map((path) => JSON.stringify(path)));
  const mine = (entry: ManagedFields) =>
    entry.manager === manager && entry.operation === operation && entry.subresource === target.subresource;
  const own = entries.find(mine);
  const kept = entries
    .filter((entry) => !mine(entry))
    .flatMap((entry) => {
      if (!clean) return [entry];
      const left = pathsOf(entry.fieldsV1).filter((path) => !ids.has(JSON.stringify(path)));
      return left.length > 0 ? [{ ...entry, fieldsV1: fieldsV1(left) }] : [];
    });
  const all = operation === 'Apply' || !own ? paths : [...pathsOf(own.fieldsV1), ...paths];
  return [
    ...kept,
    {
      manager,
      operation,
      apiVersion: apiVersionOf(target),
      time: stamp(owner.now ?? Date.parse(own?.time ?? '2000-01-01T00:00:00Z')),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1(all),
      ...(target.subresource ? { subresource: target.subresource } : {}),
    },
  ];
}
