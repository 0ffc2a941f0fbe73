import type { Clock } from './clock.ts';

/** How long anything may take: a passed deadline is an answer, an abort throws. */
export interface Limits {
  /** Instant. */
  deadline: number;
  signal?: AbortSignal | undefined;
}

/** Why a signal is aborted when somebody wants this process to end, as by Ctrl-C: a deadline that has come. */
export class Interrupted extends Error {
  /** Instant. */
  readonly at: number;

  constructor(at: number, message = 'interrupted') {
    super(message);
    this.at = at;
  }
}

/** Resolves after `ms`; throws the signal's reason when it is aborted before. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    const aborted = () => {
      cancel();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

/**
 * Waits until `subscribe` calls back, at most until the deadline: true when it called, false when the deadline came
 * first. Throws when the signal is aborted. `subscribe` returns how to unsubscribe, which is always done.
 */
export function heard(
  clock: Clock,
  subscribe: (call: () => void) => () => void,
  { deadline, signal }: Limits,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const end = (settle: () => void) => {
      cancel();
      unsubscribe();
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    const aborted = () => end(() => reject(signal?.reason as Error));
    const cancel = clock.after(Math.max(0, deadline - clock.now()), () => end(() => resolve(false)));
    const unsubscribe = subscribe(() => end(() => resolve(true)));
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

/**
 * A signal that is aborted with `reason` at the deadline, or with the outer signal; `done` frees its timer. With
 * `interruptedMs` only an Interrupted of the outer signal counts, and it moves the deadline: so long is left from then on.
 */
export function bounded(clock: Clock, { deadline, signal }: Limits, reason: () => Error, interruptedMs?: number) {
  const controller = new AbortController();
  const end = () => controller.abort(reason());
  let cancel = clock.after(Math.max(0, deadline - clock.now()), end);
  const outer = () => {
    if (interruptedMs === undefined) return controller.abort(signal?.reason as Error);
    if (!(signal?.reason instanceof Interrupted)) return;
    cancel();
    cancel = clock.after(Math.max(0, Math.min(deadline - clock.now(), interruptedMs)), end);
  };
  if (signal?.aborted) outer();
  signal?.addEventListener('abort', outer, { once: true });
  return {
    signal: controller.signal,
    done() {
      cancel();
      signal?.removeEventListener('abort', outer);
    },
  };
}

/**
 * The work, or the signal's reason as soon as it is aborted, whether the work hears of that or not. What it comes to
 * afterwards is nobody's.
 */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason as Error);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

/** So many are looked at in a few milliseconds. */
const inOneGo = 200;

/** Looks at these, with a break now and then: what looks at ten thousand makes nobody else in this process wait. */
export async function unhurried<T>(items: Iterable<T>, clock: Clock, look: (item: T) => void): Promise<void> {
  let seen = 0;
  for (const item of items) {
    if (++seen % inOneGo === 0) await sleep(clock, 0);
    look(item);
  }
}
