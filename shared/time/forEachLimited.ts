/** Does `work` for each item, at most so many at once. */
export async function each<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let over = false;
  const worker = async () => {
    for (let next = queue.next(); !(over = next.done === true); next = queue.next()) await work(next.value as T);
  };
  const workers: Promise<void>[] = [];
  while (!over && workers.length < most) workers.push(worker());
  await Promise.all(workers);
}

/**
 * The same, at most so many at once of each namespace: one whose calls are slow, or fail again and again, holds up no
 * other. How many there are of all namespaces is limited by the connections.
 */
export async function eachApart<T>(
  items: Iterable<T>,
  namespaceOf: (item: T) => string | undefined,
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const spaces = Map.groupBy(items, namespaceOf);
  await Promise.all([...spaces.values()].map((mine) => each(mine, most, work)));
}

/** The first of each namespace, then the second of each: so that none fills a list that ends somewhere. */
export function inTurns<T>(items: T[], namespaceOf: (item: T) => string | undefined): T[] {
  const seen = new Map<string | undefined, number>();
  const placed = items.map((item) => {
    const namespace = namespaceOf(item);
    const turn = seen.get(namespace) ?? 0;
    seen.set(namespace, turn + 1);
    return { item, turn };
  });
  return placed.sort((a, b) => a.turn - b.turn).map(({ item }) => item);
}
