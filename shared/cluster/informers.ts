import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
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
/** A namespace whose watch has failed is tried again after so long, by chance half of it sooner or later: not all at once. */
const againMs = 60_000;
const firstStateMs = 30_000;

/** One kind in several spaces. */
export interface FollowedIn<V> extends Followed<V> {
  /** The namespaces that are not watched now, and why: of them nothing is known. */
  lost(): Map<string, LifecycleError>;
}

/**
 * One kind in each of these spaces, as if it were in one. Where some of them cannot be watched, that is theirs alone: who
 * asks for one of these is told why, and it is tried again about every minute. @throws LifecycleError when none of them
 * has its first state within the limits; then none is open.
 */
export async function followIn<V>(
  cluster: Cluster,
  spaces: Iterable<Space>,
  source: SpacedSource<V>,
  limits: Limits,
): Promise<FollowedIn<V>> {
  const open = new Map<Space, Followed<V>>();
  const lost = new Map<Space, LifecycleError>();
  const retries = new Map<Space, () => void>();
  const closing = new AbortController();
  const { signal } = closing;
  const lose = (space: Space, thrown: unknown) => {
    lost.set(space, asLifecycleError(thrown));
    open.get(space)?.close();
    open.delete(space);
    if (signal.aborted) return;
    const again = () => void openOne(space, { deadline: cluster.clock.now() + firstStateMs, signal });
    retries.set(space, cluster.clock.after(againMs * (0.5 + cluster.random()), again));
  };
  async function openOne(space: Space, within: Limits): Promise<void> {
    const changed: typeof source.changed = (key, now, before) => {
      const one = open.get(space);
      try {
        if (key === undefined) one?.check();
      } catch (thrown) {
        lose(space, thrown);
      }
      source.changed?.(key, now, before);
    };
    try {
      const one = await follow(cluster, { ...source, path: source.path(space), changed }, within);
      if (signal.aborted) return one.close();
      open.set(space, one);
      lost.delete(space);
    } catch (thrown) {
      lose(space, thrown);
    }
  }
  const close = () => {
    closing.abort();
    retries.forEach((cancel) => cancel());
    open.forEach((one) => one.close());
  };
  await each(spaces, openedAtOnce, (space) => openOne(space, limits));
  const [why] = lost.values();
  if (limits.signal?.aborted || (why && open.size === 0)) {
    close();
    limits.signal?.throwIfAborted();
    throw why!;
  }
  const of = (namespace: string) => {
    const one = open.get(namespace) ?? open.get(undefined);
    if (one) return one;
    throw lost.get(namespace) ?? lost.get(undefined) ?? new Error(`namespace ${namespace} is not watched`);
  };
  return {
    get: (namespace, name) => of(namespace).get(namespace, name),
    gone: (namespace, name) => of(namespace).gone(namespace, name),
    on: (namespace, name, call) => of(namespace).on(namespace, name, call),
    all: () => [...open.values()].flatMap((one) => one.all()),
    lost: () => new Map([...lost].map(([space, why]) => [space ?? '', why])),
    check(namespace) {
      if (namespace !== undefined) return of(namespace).check();
      const [why] = lost.values();
      if (why && open.size === 0) throw why;
    },
    close,
  };
}
