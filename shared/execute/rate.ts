import type { Cluster } from '../cluster/world.ts';
import { type Limits, sleep } from '../time/wait.ts';

/** From the lowest rate back to the highest. */
export const recoveryMs = 20_000;
const lowest = 1;
/** One cut answers for all that was under way when it was made. */
const cutEveryMs = 1_000;
const firstPauseMs = 1_000;
const longestPauseMs = 8_000;
/** Those that waited for a gate go on within so long, each at an instant of its own. */
const spreadMs = 1_000;

export type Timing = Pick<Cluster, 'clock' | 'random'>;

/** A rate of turns a second, below which one is saved up at the most; it halves when told to, and grows back by itself. */
export class Rate {
  readonly #timing: Timing;
  readonly #highest: number;
  #rate: number;
  #tokens: number;
  #at: number;
  #cutAt = -Infinity;

  constructor(timing: Timing, perSecond: number) {
    this.#timing = timing;
    this.#highest = this.#rate = this.#tokens = perSecond;
    this.#at = timing.clock.now();
  }

  now(): number {
    this.#refill();
    return this.#rate;
  }

  /** Takes so many turns at once; false where there are not enough. */
  take(turns: number): boolean {
    this.#refill();
    if (this.#tokens < Math.min(turns, this.#rate)) return false;
    this.#tokens -= turns;
    return true;
  }

  /** Between half and one and a half of the time until there are so many: starts that come in step make storms. */
  waitMs(turns: number): number {
    return Math.max(1, ((turns - this.#tokens) / this.#rate) * 1000 * (0.5 + this.#timing.random()));
  }

  halve(): void {
    const now = this.#timing.clock.now();
    if (now < this.#cutAt + cutEveryMs) return;
    this.#refill();
    this.#cutAt = now;
    this.#rate = Math.max(lowest, this.#rate / 2);
    this.#tokens = Math.min(this.#tokens, 0);
  }

  #refill(): void {
    const now = this.#timing.clock.now();
    const passedMs = now - this.#at;
    this.#at = now;
    this.#rate = Math.min(this.#highest, this.#rate + (this.#highest * passedMs) / recoveryMs);
    this.#tokens = Math.min(this.#rate, this.#tokens + (this.#rate * passedMs) / 1000);
  }
}

/** Shut for a while after a 429, each time for longer. */
export class Gate {
  readonly #timing: Timing;
  #closedUntil = -Infinity;
  #pauseMs = firstPauseMs;
  readonly #longestMs: number;

  constructor(timing: Timing, longestMs = longestPauseMs) {
    this.#timing = timing;
    this.#longestMs = longestMs;
  }

  shut(): void {
    const now = this.#timing.clock.now();
    if (now < this.#closedUntil) return;
    this.#closedUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#longestMs);
  }

  /** Whether what came through it last was refused. */
  get isRefusing(): boolean {
    return this.#pauseMs > firstPauseMs;
  }

  #opensAt(late: boolean): number {
    return this.#closedUntil + (late ? spreadMs : 0);
  }

  /** An answer came that is no 429. */
  wentWell(): void {
    if (this.#timing.clock.now() >= this.#closedUntil) this.#pauseMs = firstPauseMs;
  }

  /** Whether it is shut, and opens for whoever waits for it before that deadline. */
  isShut(deadline: number, late = false): boolean {
    const opensAt = this.#opensAt(late);
    return this.#timing.clock.now() < opensAt && opensAt + spreadMs < deadline;
  }

  /**
   * Waits while it is shut, where the limits allow; those that waited go on one after the other, and whoever is `late`
   * after all others: it is for them that it would be shut again.
   */
  async opened({ deadline = Infinity, signal }: Partial<Limits>, late = false): Promise<void> {
    const { clock, random } = this.#timing;
    for (let now = clock.now(); now < this.#opensAt(late); now = clock.now()) {
      const waitMs = this.#opensAt(late) - now + spreadMs * random();
      if (now + waitMs >= deadline) return;
      await sleep(clock, waitMs, signal);
    }
  }
}
