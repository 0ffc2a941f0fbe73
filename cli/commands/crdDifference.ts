import { isDeepStrictEqual } from 'node:util';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const valueOf = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);
const nameOf = (item: unknown): unknown => (isFields(item) ? item['name'] : undefined);
const has = (list: unknown[], item: unknown): boolean => list.some((other) => isDeepStrictEqual(other, item));
const below = (path: string, key: string): string => (path ? `${path}.${key}` : key);

/**
 * Paths at which `found` lacks or contradicts what is `shipped`. What it has besides is its own, but inside a schema
 * that is `whole`ly ours nothing may be added: a default that is not shipped is a difference.
 */
export function differences(shipped: unknown, found: unknown, path: string, whole = false, inSchema = false): string[] {
  if (isFields(shipped) && isFields(found)) {
    const added = whole && inSchema ? Object.keys(found).filter((key) => !Object.hasOwn(shipped, key)) : [];
    const own = Object.keys(shipped).flatMap((key) =>
      differences(shipped[key], valueOf(found, key), below(path, key), whole, inSchema || key === 'openAPIV3Schema'),
    );
    return [...own, ...added.map((key) => below(path, key))];
  }
  if (Array.isArray(shipped) && Array.isArray(found)) return listDifferences(shipped, found, path, whole, inSchema);
  return isDeepStrictEqual(shipped, found) ? [] : [path];
}

function listDifferences(shipped: unknown[], found: unknown[], path: string, whole: boolean, inSchema: boolean) {
  if (shipped.every((item) => nameOf(item) !== undefined))
    return shipped.flatMap((item) => {
      const there = found.find((other) => nameOf(other) === nameOf(item));
      return differences(item, there, `${path}[${String(nameOf(item))}]`, whole, inSchema);
    });
  const covered = shipped.every((item) => has(found, item));
  return covered && (!whole || shipped.length === found.length) ? [] : [path];
}

/** What is shipped, laid over what is there: nothing that is there besides goes, from lists of values neither. */
export function laidOver(there: unknown, shipped: unknown): unknown {
  if (isFields(there) && isFields(shipped)) {
    const result = new Map(Object.entries(there));
    for (const key of Object.keys(shipped)) result.set(key, laidOver(valueOf(there, key), shipped[key]));
    return Object.fromEntries(result);
  }
  if (!Array.isArray(there) || !Array.isArray(shipped)) return shipped;
  return [...(there as unknown[]), ...shipped.filter((item) => !has(there, item))];
}
