import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { follow, type Followed, type Source } from './informer.ts';
import { Patience } from './patience.ts';
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
 * One kind in each of these spaces, as if it were in one. Where some of them cannot be watched, or say nothing for five
 * seconds while another is watched, that is theirs alone: who asks for one of these is told why, and it is tried again
 * about every minute. @throws LifecycleError when none of them has its first state within the limits; then none is open.
 */
export async function followIn<V>(
  cluster: Cluster,
  spaces: Iterable<Space>,
  source: SpacedSource<V>,
  limits: Limits,
): Promise<FollowedIn<V>> {
  const informers = new Informers(cluster, source);
  const patience = new Patience(cluster.clock, limits);
  await each(spaces, openedAtOnce, (space) => informers.open(space, patience));
  try {
    limits.signal?.throwIfAborted();
    informers.check();
  } catch (thrown) {
    informers.close();
    throw thrown;
  }
  return informers;
}

/** Each space is open, or lost and to be tried again, or has not been opened yet. */
class Informers<V> implements FollowedIn<V> {
  readonly #cluster: Cluster;
  readonly #source: SpacedSource<V>;
  readonly #open = new Map<Space, Followed<V>>();
  readonly #lost = new Map<Space, LifecycleError>();
  /** How to cancel the next try, of those that were lost once. */
  readonly #retries = new Map<Space, () => void>();
  readonly #closing = new AbortController();

  constructor(cluster: Cluster, source: SpacedSource<V>) {
    this.#cluster = cluster;
    this.#source = source;
  }

  /** Resolves when it has its first state, or is lost. */
  async open(space: Space, patience: Patience): Promise<void> {
    const source = { ...this.#source, path: this.#source.path(space), changed: this.#changedIn(space) };
    try {
      const one = await patience.read((limits, goesOn) => follow(this.#cluster, source, limits, goesOn));
      if (this.#closing.signal.aborted) return one.close();
      this.#open.set(space, one);
      this.#lost.delete(space);
    } catch (thrown) {
      this.#lose(space, thrown);
    }
  }

  /** Tells what the source is told, and without a key, as one that failed for good tells it, looks whether it is lost. */
  #changedIn(space: Space): NonNullable<SpacedSource<V>['changed']> {
    return (key, now, before) => {
      try {
        if (key === undefined) this.#open.get(space)?.check();
      } catch (thrown) {
        this.#lose(space, thrown);
      }
      this.#source.changed?.(key, now, before);
    };
  }

  #lose(space: Space, thrown: unknown): void {
    this.#lost.set(space, asLifecycleError(thrown));
    this.#open.get(space)?.close();
    this.#open.delete(space);
    const { clock, random } = this.#cluster;
    const { signal } = this.#closing;
    if (signal.aborted) return;
    const again = () => {
      // Alone it has all of its time.
      const limits = { deadline: clock.now() + firstStateMs, signal };
      void this.open(space, new Patience(clock, limits));
    };
    this.#retries.set(space, clock.after(againMs * (0.5 + random()), again));
  }

  close(): void {
    this.#closing.abort();
    this.#retries.forEach((cancel) => cancel());
    this.#open.forEach((one) => one.close());
  }

  /** The one that sees this namespace. @throws LifecycleError why it is lost. */
  #of(namespace: string): Followed<V> {
    const one = this.#open.get(namespace) ?? this.#open.get(undefined);
    if (one) return one;
    const why = this.#lost.get(namespace) ?? this.#lost.get(undefined);
    throw why ?? new Error(`namespace ${namespace} is not watched`);
  }

  check(namespace?: string): void {
    if (namespace !== undefined) return this.#of(namespace).check();
    const [why] = this.#lost.values();
    if (why && this.#open.size === 0) throw why;
  }

  get(namespace: string, name: string): V | undefined {
    return this.#of(namespace).get(namespace, name);
  }

  gone(namespace: string, name: string): V | undefined {
    return this.#of(namespace).gone(namespace, name);
  }

  on(namespace: string, name: string, call: () => void): () => void {
    return this.#of(namespace).on(namespace, name, call);
  }

  all(): V[] {
    return [...this.#open.values()].flatMap((one) => one.all());
  }

  lost(): Map<string, LifecycleError> {
    return new Map([...this.#lost].map(([space, why]) => [space ?? '', why]));
  }
}
