import { isDeepStrictEqual } from 'node:util';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const valueOf = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);
const nameOf = (item: unknown): unknown => (isFields(item) ? item['name'] : undefined);
const has = (list: unknown[], item: unknown): boolean => list.some((other) => isDeepStrictEqual(other, item));
const below = (path: string, key: string): string => (path ? `${path}.${key}` : key);

/** Whether the whole schema is ours, and whether this is inside of it. */
interface Own {
  whole?: boolean;
  inSchema?: boolean;
}

/**
 * Paths at which `found` lacks or contradicts what is `shipped`. What it has besides is its own, but inside a schema
 * that is `whole`ly ours nothing may be added: a default that is not shipped is a difference.
 */
export function differences(shipped: unknown, found: unknown, path: string, own: Own = {}): string[] {
  if (isFields(shipped) && isFields(found)) {
    const added = own.whole && own.inSchema ? Object.keys(found).filter((key) => !Object.hasOwn(shipped, key)) : [];
    const inside = (key: string) => (key === 'openAPIV3Schema' ? { ...own, inSchema: true } : own);
    const lacking = Object.keys(shipped).flatMap((key) =>
      differences(shipped[key], valueOf(found, key), below(path, key), inside(key)),
    );
    return [...lacking, ...added.map((key) => below(path, key))];
  }
  if (Array.isArray(shipped) && Array.isArray(found)) return listDifferences(shipped, found, path, own);
  return isDeepStrictEqual(shipped, found) ? [] : [path];
}

function listDifferences(shipped: unknown[], found: unknown[], path: string, own: Own) {
  if (shipped.every((item) => nameOf(item) !== undefined))
    return shipped.flatMap((item) => {
      const there = found.find((other) => nameOf(other) === nameOf(item));
      return differences(item, there, `${path}[${String(nameOf(item))}]`, own);
    });
  const covered = shipped.every((item) => has(found, item));
  return covered && (!own.whole || shipped.length === found.length) ? [] : [path];
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
