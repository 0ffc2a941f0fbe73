import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { heard, type Limits, sleep } from '../time/wait.ts';
import { answerFailure } from './failure.ts';
import { listPages } from './list.ts';
import { ours } from './ours.ts';
import { type Keeping, Store } from './store.ts';
import { Expired, watch, type WatchEvent, watchQuery } from './watch.ts';
import type { Cluster } from './world.ts';

export interface Source<V> extends Keeping<V> {
  /** The collection, without a query: `/apis/kubevirt.io/v1/virtualmachines`. */
  path: string;
  /** Only `metadata.name`: under a label selector DELETED may be a changed label (KUBEVIRT §3), so none is offered. */
  name?: string;
}

/**
 * The newest known state of one kind in one scope, for any number of waiters, kept by a single watch. They are called
 * when the watch failed for good, too.
 */
export interface Followed<V> extends Pick<Store<V>, 'get' | 'all' | 'gone' | 'on'> {
  /**
   * Of several watches that of this namespace, or all. @throws LifecycleError when it failed for good (the permission was
   * taken away).
   */
  check(namespace?: string): void;
  close(): void;
}

/** A stream that ends sooner than this has failed, however politely. */
const shortMs = 1_000;
/** A server that is away is back on any day within a second of its return; one that answers, but badly, has its peace. */
const awayMs = 600;
const overloadedMs = 5_000;
/** Refusals in a row: a server that has just come up may refuse for a moment what it allows. */
const mostRefusals = 2;

/** Made once, as its stack costs more than all else of closing. */
const closed = new LifecycleError('Unknown', 'the watch was closed');

/**
 * Starts following and resolves when the state of the beginning is complete. Survives cut streams, 410 and servers
 * without initial events (older than Kubernetes 1.32); a server that is away is tried again until `close`. Calls
 * `goesOn` for each part of the first state that has come.
 * @throws LifecycleError when the first state cannot be had within the limits.
 */
export async function follow<V>(
  cluster: Cluster,
  source: Source<V>,
  limits: Limits,
  goesOn = () => {},
): Promise<Followed<V>> {
  const informer = new Informer(cluster, source, goesOn);
  const { store } = informer;
  void informer.run();
  try {
    await informer.synced(limits);
  } catch (thrown) {
    informer.close();
    throw thrown;
  }
  return {
    get: (namespace, name) => store.get(namespace, name),
    all: () => store.all(),
    gone: (namespace, name) => store.gone(namespace, name),
    on: (namespace, name, call) => store.on(namespace, name, call),
    check: () => informer.check(),
    close: () => informer.close(),
  };
}

class Informer<V> {
  readonly store: Store<V>;
  readonly #cluster: Cluster;
  readonly #source: Source<V>;
  readonly #goesOn: () => void;
  readonly #what: string;
  readonly #closing = new AbortController();
  /** Where the next stream goes on; undefined while there is no complete state to go on from. */
  #since: string | undefined;
  #isSynced = false;
  #onSynced = () => {};
  /** Streams that have failed in a row. */
  #failed = 0;
  #failure: LifecycleError | undefined;

  constructor(cluster: Cluster, source: Source<V>, goesOn: () => void) {
    this.#cluster = cluster;
    this.#source = source;
    this.#goesOn = goesOn;
    this.#what = `watch of ${source.path}`;
    this.store = new Store(source);
  }

  /** Resolves when the first state is complete. @throws LifecycleError */
  async synced(limits: Limits): Promise<void> {
    const subscribe = (call: () => void) => ((this.#onSynced = call), () => (this.#onSynced = () => {}));
    const inTime = this.#isSynced || this.#failure || (await heard(this.#cluster.clock, subscribe, limits));
    this.check();
    if (!inTime) throw new LifecycleError('Unreachable', `${this.#what}: no first state in time`);
  }

  check(): void {
    if (this.#failure) throw this.#failure;
  }

  close(): void {
    this.#closing.abort(closed);
  }

  async run(): Promise<void> {
    const { clock, random } = this.#cluster;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const begun = clock.now();
      let longestMs = awayMs;
      try {
        const status = await this.#attempt();
        if (status === 410) throw new Expired();
        if (status !== 200) throw answerFailure({ status, body: undefined, warnings: [] }, this.#what);
        this.#countEnd(begun);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#countEnd(begun);
        const error = thrown instanceof Expired ? undefined : asLifecycleError(thrown);
        if (error && this.#isHopeless(error)) return this.#fail(error);
        if (!error || isOfTheFuture(error)) this.#since = undefined;
        if (error?.status !== undefined) longestMs = overloadedMs;
      }
      const pauseMs = Math.round(Math.min(longestMs, 50 * 2 ** this.#failed) * (0.5 + random()));
      await sleep(clock, pauseMs, signal).catch(() => {});
    }
  }

  /**
   * Goes on where the last stream ended. Without such a place the state comes from the watch itself, or from a LIST where
   * the server does not know initial events or they were cut before they were complete.
   */
  async #attempt(): Promise<number> {
    if (this.#since === undefined) {
      const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
      const status = this.#failed >= 2 ? 400 : await this.#stream(initial, true);
      if (status !== 400 && status !== 422) return status;
      await this.#list();
    }
    return this.#stream({ resourceVersion: this.#since ?? '' });
  }

  /** One stream, from its opening to its end. `initial`: it begins with the first state, until it has told all of it. */
  async #stream(parts: Record<string, string>, initial = false): Promise<number> {
    let collecting = initial;
    if (initial) this.store.begin();
    const path = this.#query({ ...watchQuery, ...parts });
    const take = (event: WatchEvent) => void (collecting = this.#take(event, collecting));
    const status = await watch(this.#cluster, path, this.#closing.signal, take, () => collecting);
    if (status === 200 && collecting)
      throw new LifecycleError('Unreachable', 'watch: it ended before its first state was complete');
    return status;
  }

  #query(parts: Record<string, string>): string {
    const { path, name } = this.#source;
    const all = { ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }), ...parts };
    return `${path}?${new URLSearchParams(all)}`;
  }

  /** Returns whether it is the first state that is still told. */
  #take({ type, object }: WatchEvent, collecting: boolean): boolean {
    const { resourceVersion, annotations } = object?.metadata ?? {};
    if (collecting) this.#goesOn();
    else {
      this.#since = resourceVersion ?? this.#since;
      this.#failed = 0;
    }
    if (type === 'BOOKMARK') {
      if (!collecting || annotations?.['k8s.io/initial-events-end'] !== 'true') return collecting;
      this.#settle(resourceVersion);
      return false;
    }
    const one = ours(object);
    if (one && type === 'DELETED') this.store.remove(one);
    else if (one) this.store.put(one);
    return collecting;
  }

  /** The state of one moment, page by page. Pages of two moments are none: what came up between them is in neither. */
  async #list(): Promise<void> {
    const { clock, transport } = this.#cluster;
    this.store.begin();
    const limit = { deadline: clock.now() + 60_000, signal: this.#closing.signal };
    let moment: string | undefined;
    for await (const page of listPages(transport, this.#query({}), limit)) {
      moment ??= page.resourceVersion;
      if (page.resourceVersion !== moment) throw new Expired();
      for (const object of page.items) this.store.put(object);
      this.#goesOn();
    }
    this.#settle(moment);
  }

  #settle(moment: string | undefined): void {
    this.store.settle();
    this.#since = moment;
    this.#isSynced = true;
    this.#onSynced();
  }

  /** A stream that had its state and lived for a while was well: its end is the first failure of a new series. */
  #countEnd(begun: number): void {
    const wasWell = this.#since !== undefined && this.#cluster.clock.now() - begun >= shortMs;
    this.#failed = wasWell ? 1 : this.#failed + 1;
  }

  #isHopeless({ code, status }: LifecycleError): boolean {
    if (code === 'Denied' || code === 'NotFound')
      return this.#failed > mostRefusals || (!this.#isSynced && status !== 401);
    return !this.#isSynced && this.#failed > 4;
  }

  #fail(error: LifecycleError): void {
    this.#failure = error;
    this.#onSynced();
    this.store.tellAll();
  }
}

/** A restored backup knows no resourceVersion that is newer than it: that is answered by 504, for ever. */
const isOfTheFuture = ({ status }: LifecycleError): boolean => status === 504;
