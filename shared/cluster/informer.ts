import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { KubeObject } from '../domain/model.ts';
import { heard, type Limits, sleep } from '../time/wait.ts';
import { answerFailure } from './failure.ts';
import { listPages } from './list.ts';
import { ours } from './ours.ts';
import { silence } from './silence.ts';
import { type Keeping, type Known, newKnown } from './store.ts';
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
export interface Followed<V> extends Pick<Known<V>, 'get' | 'all' | 'gone' | 'on'> {
  /**
   * Of several watches that of this namespace, or all. @throws LifecycleError when it failed for good (the permission was
   * taken away).
   */
  check(namespace?: string): void;
  close(): void;
}

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject & { code?: number; message?: string };
}

const serverTimeoutSeconds = 240;
/** A stream that ends sooner than this has failed, however politely. */
const shortMs = 1_000;
/** A server that is away is back on any day within a second of its return; one that answers, but badly, has its peace. */
const awayMs = 600;
const overloadedMs = 5_000;
/** Refusals in a row: a server that has just come up may refuse for a moment what it allows. */
const mostRefusals = 2;

class Expired extends Error {}
/** Made once, as its stack costs more than all else of closing. */
const closed = new LifecycleError('Unknown', 'the watch was closed');

/**
 * Starts following and resolves when the state of the beginning is complete. Survives cut streams, 410 and servers
 * without initial events (older than Kubernetes 1.32); a server that is away is tried again until `close`.
 * @throws LifecycleError when the first state cannot be had within the limits.
 */
export async function follow<V>(
  { transport, clock, random }: Cluster,
  source: Source<V>,
  limits: Limits,
): Promise<Followed<V>> {
  const known = newKnown(source);
  const closing = new AbortController();
  let failure: LifecycleError | undefined;
  /** Where the next stream goes on; undefined while there is no complete state to go on from. */
  let since: string | undefined;
  let synced = false;
  let failed = 0;
  let onSynced = () => {};

  function settle(moment: string | undefined) {
    known.settle();
    since = moment;
    synced = true;
    onSynced();
  }

  const query = (parts: Record<string, string>) => {
    const all = { ...(source.name === undefined ? {} : { fieldSelector: `metadata.name=${source.name}` }), ...parts };
    return `${source.path}?${new URLSearchParams(all)}`;
  };

  /** One stream, from its opening to its end. `initial`: it begins with the first state, until it has told all of it. */
  async function stream(parts: Record<string, string>, initial = false): Promise<number> {
    const watch = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: `${serverTimeoutSeconds}`, ...parts };
    const quiet = silence(clock, closing.signal);
    try {
      const { status, lines } = await transport.stream(query(watch), quiet.signal);
      quiet.heard();
      let collecting = initial && status === 200;
      if (collecting) known.begin();
      for await (const line of lines) {
        quiet.heard();
        if (status !== 200) continue; // only frees the connection
        collecting = take(JSON.parse(line) as WatchEvent, collecting);
      }
      if (collecting) throw new LifecycleError('Unreachable', 'watch: it ended before its first state was complete');
      return status;
    } finally {
      quiet.done();
    }
  }

  /** Returns whether it is the first state that is still told. */
  function take({ type, object }: WatchEvent, collecting: boolean): boolean {
    if (type === 'ERROR') throw endOf(object);
    const { resourceVersion, annotations } = object?.metadata ?? {};
    if (!collecting) {
      since = resourceVersion ?? since;
      failed = 0;
    }
    if (type === 'BOOKMARK') {
      if (!collecting || annotations?.['k8s.io/initial-events-end'] !== 'true') return collecting;
      settle(resourceVersion);
      return false;
    }
    const one = ours(object);
    if (one && type === 'DELETED') known.remove(one);
    else if (one) known.put(one);
    return collecting;
  }

  /** The state of one moment, page by page. Pages of two moments are none: what came up between them is in neither. */
  async function list() {
    known.begin();
    const limit = { deadline: clock.now() + 60_000, signal: closing.signal };
    let moment: string | undefined;
    for await (const page of listPages(transport, query({}), limit)) {
      moment ??= page.resourceVersion;
      if (page.resourceVersion !== moment) throw new Expired();
      for (const object of page.items) known.put(object);
    }
    settle(moment);
  }

  /**
   * Goes on where the last stream ended. Without such a place the state comes from the watch itself, or from a LIST where
   * the server does not know initial events or they were cut before they were complete.
   */
  async function attempt(): Promise<number> {
    if (since === undefined) {
      const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
      const status = failed >= 2 ? 400 : await stream(initial, true);
      if (status !== 400 && status !== 422) return status;
      await list();
    }
    return stream({ resourceVersion: since ?? '' });
  }

  async function run() {
    while (!closing.signal.aborted) {
      const begun = clock.now();
      let longestMs = awayMs;
      try {
        const status = await attempt();
        if (status === 410) throw new Expired();
        if (status !== 200) throw answerFailure({ status, body: undefined, warnings: [] }, `watch of ${source.path}`);
        countEnd(begun);
      } catch (thrown) {
        if (closing.signal.aborted) return;
        countEnd(begun);
        const error = thrown instanceof Expired ? undefined : asLifecycleError(thrown);
        if (error && isHopeless(error)) return fail(error);
        if (!error || isOfTheFuture(error)) since = undefined;
        if (error?.status !== undefined) longestMs = overloadedMs;
      }
      const pauseMs = Math.round(Math.min(longestMs, 50 * 2 ** failed) * (0.5 + random()));
      await sleep(clock, pauseMs, closing.signal).catch(() => {});
    }
  }

  /** A stream that had its state and lived for a while was well: its end is the first failure of a new series. */
  function countEnd(begun: number) {
    failed = since !== undefined && clock.now() - begun >= shortMs ? 1 : failed + 1;
  }

  function isHopeless({ code, status }: LifecycleError): boolean {
    if (code === 'Denied' || code === 'NotFound') return failed > mostRefusals || (!synced && status !== 401);
    return !synced && failed > 4;
  }

  function fail(error: LifecycleError) {
    failure = error;
    onSynced();
    known.tellAll();
  }

  const followed: Followed<V> = {
    get: known.get,
    all: known.all,
    gone: known.gone,
    on: known.on,
    check() {
      if (failure) throw failure;
    },
    close: () => closing.abort(closed),
  };

  void run();
  try {
    const inTime =
      synced || failure || (await heard(clock, (call) => ((onSynced = call), () => (onSynced = () => {})), limits));
    followed.check();
    if (!inTime) throw new LifecycleError('Unreachable', `watch of ${source.path}: no first state in time`);
    return followed;
  } catch (thrown) {
    followed.close();
    throw thrown;
  }
}

/** A restored backup knows no resourceVersion that is newer than it: that is answered by 504, for ever. */
const isOfTheFuture = ({ status }: LifecycleError): boolean => status === 504;

/** What an ERROR event means. */
function endOf({ code, message }: WatchEvent['object']): Error {
  if (code === 410) return new Expired();
  return new LifecycleError('Unreachable', `watch: ${message ?? 'the server ended it'}`, { status: code });
}
