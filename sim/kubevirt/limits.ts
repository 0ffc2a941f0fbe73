import type { Timers } from '../timers.ts';
import type { Pace } from './power.ts';

/** How the real control plane was measured (KUBEVIRT.md §1). */
export const limitedWorkers = 3;
export const limitedBusyMs = 400;
const perSecond = 200;
const burst = 400;
const costOfPowerCall = 3;

export const unlimitedPace: Pace = { wait: () => Promise.resolve() };

/** virt-api's own client limit: a token bucket that every power call takes three from. */
export class LimitedPace implements Pace {
  #clock: Timers;
  #tokens = burst;
  #at: number;

  constructor(clock: Timers) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  async wait(sleep: (ms: number) => Promise<void>): Promise<void> {
    const now = this.#clock.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    this.#tokens -= costOfPowerCall; // below zero is debt: whoever comes now waits until it is paid
    if (this.#tokens < 0) await sleep((-this.#tokens / perSecond) * 1000);
  }
}
