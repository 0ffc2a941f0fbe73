import type { Clock } from '../shared/time/clock.ts';
import { VirtualClock } from './clock.ts';

/** Timers of one owner, all cancelled at once when it closes. */
export class Timers implements Clock {
  #cancels = new Set<() => void>();
  #clock: Clock;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(ms: number, run: () => void): () => void {
    return this.#keep((fire) => this.#clock.after(ms, fire), run);
  }

  background(ms: number, run: () => void): () => void {
    const clock = this.#clock;
    return this.#keep(
      (fire) => (clock instanceof VirtualClock ? clock.background(ms, fire) : clock.after(ms, fire)),
      run,
    );
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #keep(arm: (fire: () => void) => () => void, run: () => void): () => void {
    if (this.#closed) return () => undefined;
    const disarm = arm(() => {
      this.#cancels.delete(cancel);
      run();
    });
    const cancel = () => {
      this.#cancels.delete(cancel);
      disarm();
    };
    this.#cancels.add(cancel);
    return cancel;
  }
}
