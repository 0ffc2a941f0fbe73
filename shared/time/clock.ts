import { instantText } from '../domain/instant.ts';

/** The only file of shared/ that touches time. Instants are milliseconds since the epoch, durations end in `Ms`. */
export interface Clock {
  now(): number;
  /** Runs `run` once after `ms` milliseconds, unless the returned cancel is called first. */
  after(ms: number, run: () => void): () => void;
}

const longestTimerMs = 2 ** 31 - 1;

/** A step back of the wall's clock is not followed for so long, the longest that a function runs: deadlines are kept. */
const heldMs = 15 * 60_000;
/** Less than this is followed at once. */
const smallMs = 1_000;

/**
 * The wall's time, which may be set, made fit for deadlines by a time that is not. A step forward counts at once: what was
 * due in a frozen process is due. After a step back time goes on as if nothing had been set, for a quarter of an hour.
 */
export function unsetTime(wall: () => number, steady: () => number): () => number {
  let ahead = wall() - steady();
  let heldUntil: number | undefined;
  return () => {
    const [shown, passed] = [wall(), steady()];
    const own = passed + ahead;
    if (shown < own - smallMs) {
      heldUntil ??= passed + heldMs;
      if (passed < heldUntil) return Math.floor(own);
    }
    heldUntil = undefined;
    ahead = shown - passed;
    return shown;
  };
}

const now = unsetTime(
  () => Date.now(),
  () => performance.now(),
);

/**
 * The machine's clock. No timer fires before its instant, as Node's own may by a moment; one of more than 24 days, which
 * Node cannot count, comes in several legs.
 */
export const systemClock: Clock = {
  now,
  after(ms, run) {
    const at = now() + Math.max(0, ms);
    let timer: NodeJS.Timeout;
    const arm = () => {
      timer = setTimeout(() => (now() >= at ? run() : arm()), Math.max(0, Math.min(at - now(), longestTimerMs)));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** An instant as the Kubernetes API writes it: whole seconds, UTC (`2026-03-29T01:00:00Z`). */
export function rfc3339(instant: number): string {
  if (instant !== written.instant) written = { instant, text: `${instantText(instant).slice(0, -5)}Z` };
  return written.text;
}

/** The last one: thousands of Wukongs of one schedule have the same next instant. */
let written = { instant: NaN, text: '' };
