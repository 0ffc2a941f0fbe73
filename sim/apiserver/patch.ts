import { clone, equal, type Fields, isFields, put } from './object.ts';
import { badRequest, PatchTestFailed, Refusal } from './refusal.ts';

/** RFC 7386: null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key];
    else put(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, patch[key]));
  }
  return result;
}

export interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: unknown;
}

const mostOperations = 10_000;

/** RFC 6902. @throws PatchTestFailed, or a Refusal for a path that is not there. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > mostOperations)
    throw new Refusal(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${mostOperations}, got ${patch.length}`,
    );
  if (!patch.every(isFields))
    throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type handlers.jsonPatchOp');
  const root = { value: clone(target) };
  for (const operation of patch as unknown as Operation[]) perform(root, operation);
  return root.value;
}

function perform(root: { value: unknown }, { op, path, from, value }: Operation): void {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) throw inapplicable();
  switch (op) {
    case 'add':
      return edit(root, path, (parent, key) => {
        if (Array.isArray(parent) && key !== '-' && Number(key) > parent.length) throw inapplicable();
        if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : Number(key), 0, clone(value));
        else put(parent, key, clone(value));
      });
    case 'replace':
      if (read(root.value, path) === undefined && !exists(root.value, path)) throw inapplicable();
      return edit(root, path, (parent, key) => {
        if (Array.isArray(parent)) parent[Number(key)] = clone(value);
        else put(parent, key, clone(value));
      });
    case 'remove':
      if (!exists(root.value, path)) throw inapplicable();
      return edit(root, path, (parent, key) => {
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
      });
    case 'test':
      // A key that is absent equals null, as in the library that the API server uses; where it would stand must be there.
      if (!exists(root.value, parentOf(path))) throw new PatchTestFailed();
      if (!equal(read(root.value, path) ?? null, value ?? null)) throw new PatchTestFailed();
      return;
    case 'move':
    case 'copy': {
      if (from === undefined || !exists(root.value, from)) throw inapplicable();
      const moved = clone(read(root.value, from));
      if (op === 'move') perform(root, { op: 'remove', path: from });
      return perform(root, { op: 'add', path, value: moved });
    }
    default:
      throw inapplicable();
  }
}

/** Whatever an operation stumbles over, all that is said of it is this (apiserver's handlers/patch.go). */
const inapplicable = (): Refusal => new PatchTestFailed();

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const keysOf = (path: string): string[] =>
  path === ''
    ? []
    : path
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

function read(value: unknown, path: string): unknown {
  for (const key of keysOf(path)) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isFields(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

function exists(value: unknown, path: string): boolean {
  const keys = keysOf(path);
  const last = keys.pop();
  if (last === undefined) return true;
  const parent = read(value, keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
  if (Array.isArray(parent)) return Number(last) < parent.length;
  return isFields(parent) && Object.hasOwn(parent, last);
}

function edit(root: { value: unknown }, path: string, change: (parent: Fields | unknown[], key: string) => void): void {
  const keys = keysOf(path);
  const last = keys.pop();
  if (last === undefined) {
    const box: Fields = { value: root.value };
    change(box, 'value');
    root.value = box['value'];
    return;
  }
  const parent = read(root.value, keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
  if (!Array.isArray(parent) && !isFields(parent)) throw inapplicable();
  if (Array.isArray(parent) && last !== '-' && !/^\d+$/.test(last)) throw inapplicable();
  change(parent, last);
}

/** Lists of built-in kinds that merge by a key; all others are replaced whole. */
const mergeKeys: Record<string, string> = {
  conditions: 'type',
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  ports: 'port',
  ownerReferences: 'uid',
  imagePullSecrets: 'name',
  secrets: 'name',
};

/** Strategic merge patch, as far as the built-in kinds served here need it. */
export function strategicPatch(target: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) return mergeList(Array.isArray(target) ? target : [], patch, field);
  if (!isFields(patch)) return patch;
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const name = key.slice(key.indexOf('/') + 1);
      result[name] = ((result[name] as unknown[] | undefined) ?? []).filter(
        (item) => !(value as unknown[]).includes(item),
      );
    } else if (key.startsWith('$')) continue;
    else if (value === null || (isFields(value) && value['$patch'] === 'delete')) delete result[key];
    else put(result, key, strategicPatch(Object.hasOwn(result, key) ? result[key] : undefined, value, key));
  }
  return result;
}

function mergeList(target: unknown[], patch: unknown[], field: string): unknown[] {
  if (field === 'finalizers') return [...new Set([...target, ...patch])];
  const key = mergeKeys[field];
  if (!key || !patch.every(isFields)) return patch;
  if (patch.some((item) => isFields(item) && item['$patch'] === 'replace'))
    return patch.filter((item) => isFields(item) && !item['$patch']);
  const merged = [...target];
  for (const item of patch as Fields[]) {
    const index = merged.findIndex((old) => isFields(old) && old[key] === item[key]);
    if (item['$patch'] === 'delete') {
      if (index >= 0) merged.splice(index, 1);
    } else if (index >= 0) merged[index] = strategicPatch(merged[index], item);
    else merged.push(withoutDirectives(item));
  }
  return merged;
}

const withoutDirectives = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => !key.startsWith('$')));
