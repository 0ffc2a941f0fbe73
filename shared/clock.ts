/** The only file of shared/ that touches time. Instants are milliseconds since the epoch, durations end in `Ms`. */
export interface Clock {
  now(): number;
  /** Runs `run` once after `ms` milliseconds, unless the returned cancel is called first. */
  after(ms: number, run: () => void): () => void;
}

const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. A timer of more than 24 days fires in several legs, as Node's own cannot be that long. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      timer =
        leftMs > longestTimerMs
          ? setTimeout(() => arm(leftMs - longestTimerMs), longestTimerMs)
          : setTimeout(run, Math.max(0, leftMs));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};

/** An instant as the Kubernetes API writes it: whole seconds, UTC (`2026-03-29T01:00:00Z`). */
export const rfc3339 = (instant: number): string => new Date(instant).toISOString().replace(/\.\d{3}Z$/, 'Z');
