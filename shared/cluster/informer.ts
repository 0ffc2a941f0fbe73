import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { KubeObject } from '../domain/model.ts';
import type { Clock } from '../time/clock.ts';
import { heard, type Limits, sleep } from '../time/wait.ts';
import { answerFailure } from './failure.ts';
import { listPages } from './list.ts';
import { type Known, newKnown } from './store.ts';
import type { Transport } from './transport.ts';

export interface Source<V> {
  /** The collection, without a query: `/apis/kubevirt.io/v1/virtualmachines`. */
  path: string;
  /** Only `metadata.name`: under a label selector DELETED may be a changed label (KUBEVIRT §3), so none is offered. */
  name?: string;
  read(object: KubeObject): V;
  /** What is kept; the rest costs no memory. */
  wanted?(namespace: string, name: string): boolean;
}

/**
 * The newest known state of one kind in one scope, for any number of waiters, kept by a single watch. They are called
 * when the watch failed for good, too.
 */
export interface Followed<V> extends Pick<Known<V>, 'get' | 'gone' | 'on'> {
  /** @throws LifecycleError when the watch failed for good (the permission was taken away). */
  check(): void;
  close(): void;
}

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject & { code?: number; message?: string };
}

const serverTimeoutSeconds = 240;
const silenceMs = 90_000; // bookmarks come about every 60 s
const longestPauseMs = 5_000;

class Expired extends Error {}

/**
 * Starts following and resolves when the state of the beginning is complete. Survives cut streams, 410 and servers
 * without initial events (older than Kubernetes 1.32); a server that is away is tried again until `close`.
 * @throws LifecycleError when the first state cannot be had within the limits.
 */
export async function follow<V>(
  { transport, clock, random }: { transport: Transport; clock: Clock; random: () => number },
  source: Source<V>,
  limits: Limits,
): Promise<Followed<V>> {
  const known = newKnown(source);
  const closing = new AbortController();
  let failure: LifecycleError | undefined;
  let since: string | undefined;
  let synced = false;
  let onSynced = () => {};

  const settle = (present: Set<string>) => {
    known.settle(present);
    synced = true;
    onSynced();
  };

  const query = (parts: Record<string, string>) => {
    const all = { ...(source.name === undefined ? {} : { fieldSelector: `metadata.name=${source.name}` }), ...parts };
    return `${source.path}?${new URLSearchParams(all)}`;
  };

  /** One stream, from its opening to its end. `present` collects the first state where the stream brings it. */
  async function stream(parts: Record<string, string>, present?: Set<string>): Promise<number> {
    const watch = { watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: `${serverTimeoutSeconds}`, ...parts };
    const quiet = silence(clock, closing.signal);
    try {
      const { status, lines } = await transport.stream(query(watch), quiet.signal);
      if (status !== 200) {
        for await (const _line of lines); // frees the connection
        return status;
      }
      for await (const line of lines) {
        quiet.heard();
        const event = JSON.parse(line) as WatchEvent;
        if (event.type === 'ERROR') {
          if (event.object.code === 410) throw new Expired();
          throw new LifecycleError('Unreachable', `watch: ${event.object.message ?? 'the server ended it'}`);
        }
        since = event.object.metadata.resourceVersion ?? since;
        take(event, present);
      }
      return status;
    } finally {
      quiet.done();
    }
  }

  function take({ type, object }: WatchEvent, present?: Set<string>) {
    if (type === 'BOOKMARK') {
      if (present && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true') settle(present);
      return;
    }
    if (type === 'DELETED') return void present?.delete(known.remove(object));
    const kept = known.put(object);
    if (kept) present?.add(kept);
  }

  /**
   * The first state: from the watch itself, or from a LIST, page by page, where the server does not know initial events
   * or they were cut before they were complete. Pages of two moments are no state: what came up between them is in none.
   */
  async function sync(byList: boolean): Promise<number> {
    const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
    const status = byList ? 400 : await stream(initial, new Set());
    if (status !== 400 && status !== 422) return status;
    const present = new Set<string>();
    const limit = { deadline: clock.now() + 60_000, signal: closing.signal };
    let moment: string | undefined;
    for await (const page of listPages(transport, query({}), limit)) {
      moment ??= page.resourceVersion;
      if (page.resourceVersion !== moment) throw new Expired();
      for (const object of page.items) {
        const kept = known.put(object);
        if (kept) present.add(kept);
      }
    }
    since = moment;
    settle(present);
    return 200;
  }

  async function run() {
    for (let failed = 0; !closing.signal.aborted;) {
      try {
        const afresh = since === undefined || !synced;
        const status = afresh ? await sync(failed >= 2) : await stream({ resourceVersion: since as string });
        if (status === 410) throw new Expired();
        if (status !== 200) throw answerFailure({ status, body: undefined, warnings: [] }, `watch of ${source.path}`);
        failed = 0;
      } catch (thrown) {
        if (closing.signal.aborted) return;
        failed++;
        if (thrown instanceof Expired) {
          since = undefined;
        } else {
          const error = asLifecycleError(thrown);
          const hopeless =
            error.code === 'NotFound' || (error.code === 'Denied' && (error.status !== 401 || failed > 2));
          if (hopeless || (!synced && failed > 4)) return fail(error);
        }
      }
      const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failed) * (0.5 + random());
      await sleep(clock, pauseMs, closing.signal).catch(() => {});
    }
  }

  function fail(error: LifecycleError) {
    failure = error;
    onSynced();
    known.tellAll();
  }

  const followed: Followed<V> = {
    get: known.get,
    gone: known.gone,
    on: known.on,
    check() {
      if (failure) throw failure;
    },
    close: () => closing.abort(new LifecycleError('Unknown', 'the watch was closed')),
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

/** Aborts a stream that says nothing for too long: half-open connections look like that. */
function silence(clock: Clock, outer: AbortSignal) {
  const controller = new AbortController();
  const stop = () => controller.abort(outer.reason as Error);
  outer.addEventListener('abort', stop, { once: true });
  let last = clock.now();
  let cancel = clock.after(silenceMs, look);
  function look() {
    const quietMs = clock.now() - last;
    if (quietMs >= silenceMs) controller.abort(new LifecycleError('Unreachable', 'the watch fell silent'));
    else cancel = clock.after(silenceMs - quietMs, look);
  }
  return {
    signal: controller.signal,
    heard: () => (last = clock.now()),
    done() {
      cancel();
      outer.removeEventListener('abort', stop);
      controller.abort();
    },
  };
}
