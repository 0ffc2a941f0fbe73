import { systemClock } from '../../shared/time/clock.ts';
import { Interrupted } from '../../shared/time/wait.ts';
import { interrupt } from '../terminal/process.ts';

/** Namespaces of a slow cluster, or one that does not answer, are given up after that. */
const patienceMs = 120_000;

/**
 * Aborted by whatever would end this process early: Ctrl-C, a signal, a reader of our output that has gone, an error that
 * nobody caught. From then on the process goes on until its caller ends it.
 */
export function ending(): AbortSignal {
  const controller = new AbortController();
  process.stdout.on('error', () =>
    controller.abort(new Interrupted(systemClock.now(), 'nobody reads the output any more')),
  );
  process.stderr.on('error', () => undefined); // what is said at the end may have no listener either
  process.on('uncaughtException', (thrown) => controller.abort(thrown));
  process.on('unhandledRejection', (thrown) => controller.abort(thrown));
  process.on('SIGHUP', () => controller.abort(new Interrupted(systemClock.now(), 'the terminal has gone')));
  return AbortSignal.any([interrupt(patienceMs), controller.signal]);
}

/** What `work` comes to, or the signal's reason as soon as it is aborted; `work` may go on then. */
export async function unless<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
