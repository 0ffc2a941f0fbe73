/** Far below the 6 MB that Lambda answers with, and what people and programs read at once. */
const mostBytes = 900_000;

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '') + 1;
const hasFailed = (one: unknown): boolean => (one as { outcome?: unknown } | null)?.outcome === 'Failed';

/**
 * An answer of less than a megabyte: where its lists would make it larger, each has as many entries as fit into its share,
 * those that failed first, and `omitted` says how many are left out of which. What is counted beside them stays true.
 */
export function shortened<T extends object>(answer: T): T & { omitted?: Record<string, number> } {
  if (bytesOf(answer) <= mostBytes) return answer;
  const lists = Object.entries(answer).filter((field): field is [string, unknown[]] => Array.isArray(field[1]));
  const omitted: Record<string, number> = {};
  const kept = lists.map(([field, list]) => {
    const some = fitting(list, mostBytes / lists.length);
    if (some.length < list.length) omitted[field] = list.length - some.length;
    return [field, some];
  });
  return { ...answer, ...Object.fromEntries(kept), omitted };
}

function fitting(list: unknown[], room: number): unknown[] {
  const some: unknown[] = [];
  let bytes = 0;
  for (const one of [...list.filter(hasFailed), ...list.filter((each) => !hasFailed(each))]) {
    bytes += bytesOf(one);
    if (bytes > room) break;
    some.push(one);
  }
  return some;
}
