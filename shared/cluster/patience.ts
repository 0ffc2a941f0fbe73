import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';

/** So long all wait for a namespace that does not answer. */
const silentMs = 5_000;

/**
 * For what is read in several namespaces side by side. As soon as one of them has been read, or something else that shows
 * that the cluster answers, each of the others is given up that says nothing for five seconds. Until then the whole
 * cluster is slow, and each has the time that the limits allow.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #first = Promise.withResolvers<void>();

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The cluster has answered somebody. */
  answered(): void {
    this.#first.resolve();
  }

  /**
   * What is read in one namespace. The reader calls `goesOn` where a part of it has come and the next one is awaited.
   * @throws LifecycleError Unreachable where it is given up.
   */
  async read<T>(reader: (limits: Limits, goesOn: () => void) => Promise<T>): Promise<T> {
    const { signal } = this.#limits;
    const silence = new AbortController();
    let cancel: (() => void) | undefined;
    let over = false;
    const wait = () => {
      cancel?.();
      if (!over) cancel = this.#clock.after(silentMs, () => silence.abort(silent()));
    };
    void this.#first.promise.then(wait);
    const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    try {
      const had = await reader({ ...this.#limits, signal: either }, () => cancel && wait());
      this.answered();
      return had;
    } finally {
      over = true;
      cancel?.();
    }
  }
}

const silent = () => new LifecycleError('Unreachable', `no answer for ${silentMs / 1000} s, while others had theirs`);
