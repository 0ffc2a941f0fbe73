import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';

/** A server that accepts a stream answers at once; one that hangs is tried again. */
const openingMs = 15_000;
const silenceMs = 90_000; // bookmarks come about every 60 s
/** Made once: an abort without a reason makes one each time, and there are two watches for each tick. */
const over = new LifecycleError('Unknown', 'the watch has ended');

/** Aborts a stream that is not answered, or says nothing for too long: half-open connections look like that. */
export function silence(clock: Clock, outer: AbortSignal) {
  const controller = new AbortController();
  const stop = () => controller.abort(outer.reason as Error);
  if (outer.aborted) stop();
  outer.addEventListener('abort', stop, { once: true });
  let last = clock.now();
  let longestMs = openingMs;
  let cancel = clock.after(longestMs, look);
  function look() {
    const quietMs = clock.now() - last;
    if (quietMs >= longestMs) controller.abort(new LifecycleError('Unreachable', 'the watch fell silent'));
    else cancel = clock.after(Math.max(1, longestMs - quietMs), look);
  }
  return {
    signal: controller.signal,
    /** `isQuiet`: from now on it says something only when something changes. */
    heard(isQuiet = true) {
      last = clock.now();
      if (isQuiet) longestMs = silenceMs;
    },
    done() {
      cancel();
      outer.removeEventListener('abort', stop);
      controller.abort(over);
    },
  };
}
