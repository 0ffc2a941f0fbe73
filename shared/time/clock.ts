/** The only file of shared/ that touches time. Instants are milliseconds since the epoch, durations end in `Ms`. */
export interface Clock {
  now(): number;
  /** Runs `run` once after `ms` milliseconds, unless the returned cancel is called first. */
  after(ms: number, run: () => void): () => void;
}

const longestTimerMs = 2 ** 31 - 1;

/**
 * The machine's clock. No timer fires before its instant, as Node's own may by a moment; one of more than 24 days, which
 * Node cannot count, comes in several legs.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const at = Date.now() + Math.max(0, ms);
    let timer: NodeJS.Timeout;
    const arm = () => {
      timer = setTimeout(
        () => (Date.now() >= at ? run() : arm()),
        Math.max(0, Math.min(at - Date.now(), longestTimerMs)),
      );
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** An instant as the Kubernetes API writes it: whole seconds, UTC (`2026-03-29T01:00:00Z`). */
export const rfc3339 = (instant: number): string => new Date(instant).toISOString().replace(/\.\d{3}Z$/, 'Z');
