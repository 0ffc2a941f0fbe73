import { type Clock, systemClock } from '../../shared/time/clock.ts';

/** The machine's clock, which can be put forward: what was to happen until then happens at once, in order. */
export class JumpClock implements Clock {
  #aheadMs = 0;
  readonly #timers = new Set<{ at: number; run: () => void; cancel: () => void }>();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now() + Math.max(0, ms), run, cancel: () => {} };
    this.#arm(timer);
    this.#timers.add(timer);
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  }

  jumpTo(instant: number): void {
    this.#aheadMs += Math.max(0, instant - this.now());
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      timer.cancel();
      this.#arm(timer);
    }
  }

  #arm(timer: { at: number; run: () => void; cancel: () => void }): void {
    timer.cancel = systemClock.after(timer.at - this.now(), () => {
      this.#timers.delete(timer);
      timer.run();
    });
  }
}
