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
