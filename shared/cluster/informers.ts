import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { follow, type Followed, type Source } from './informer.ts';
import type { Cluster } from './world.ts';

/** Where a kind is watched: in one namespace, or, undefined, in all of them. */
export type Space = string | undefined;

export interface SpacedSource<V> extends Omit<Source<V>, 'path'> {
  /** The collection there. */
  path(space: Space): string;
}

type Opened = { close(): void } | undefined;

/** Resolves when all of these are open. @throws what one of them throws; then none is open. */
export async function allOpen<T extends Record<string, Promise<Opened> | undefined>>(
  opening: T,
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  const ends = await Promise.allSettled<Opened>(Object.values(opening).map((one) => one ?? Promise.resolve(undefined)));
  const failed = ends.find((one) => one.status === 'rejected');
  const open = ends.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  if (failed) open.forEach((one) => one?.close());
  if (failed) throw failed.reason;
  return Object.fromEntries(Object.keys(opening).map((key, nth) => [key, open[nth]])) as never;
}

/** How many watches of a kind are begun at once. */
const openedAtOnce = 32;

/**
 * One kind in each of these spaces, as if it were in one. @throws LifecycleError when one of them cannot have its first
 * state within the limits; then none is open.
 */
export async function followIn<V>(
  cluster: Cluster,
  spaces: Iterable<Space>,
  source: SpacedSource<V>,
  limits: Limits,
): Promise<Followed<V>> {
  const open = new Map<Space, Followed<V>>();
  let failure: { thrown: unknown } | undefined;
  await each(spaces, openedAtOnce, async (space) => {
    if (failure) return;
    try {
      open.set(space, await follow(cluster, { ...source, path: source.path(space) }, limits));
    } catch (thrown) {
      failure ??= { thrown };
    }
  });
  const close = () => open.forEach((one) => one.close());
  if (failure) close();
  if (failure) throw failure.thrown;
  const of = (namespace: string) => {
    const one = open.get(namespace) ?? open.get(undefined);
    if (!one) throw new Error(`namespace ${namespace} is not watched`);
    return one;
  };
  return {
    get: (namespace, name) => of(namespace).get(namespace, name),
    gone: (namespace, name) => of(namespace).gone(namespace, name),
    on: (namespace, name, call) => of(namespace).on(namespace, name, call),
    all: () => [...open.values()].flatMap((one) => one.all()),
    check: (namespace) => (namespace === undefined ? open.forEach((one) => one.check()) : of(namespace).check()),
    close,
  };
}
