import type { Timers } from '../timers.ts';

export interface Pace {
  /** At most so many at a time; Infinity: all at once. */
  workers: number;
  /** How long a worker is busy with one that it has to do something about. */
  busyMs: number;
}

export interface Worker {
  /** Whether there is something to be done that keeps a worker busy. */
  acts(namespace: string, name: string): boolean;
  work(namespace: string, name: string): void;
}

/** Names waiting to be looked at, first come first served, each once: client-go's rate limited queue. */
export class WorkQueue {
  readonly #clock: Timers;
  readonly #pace: Pace;
  readonly #worker: Worker;
  readonly #waiting = new Set<string>();
  /** The earliest instant at which a name joins the queue. */
  readonly #due = new Map<string, number>();
  readonly #working = new Set<string>();

  constructor(clock: Timers, pace: Pace, worker: Worker) {
    this.#clock = clock;
    this.#pace = pace;
    this.#worker = worker;
  }

  add(namespace: string | undefined, name: string, delayMs: number): void {
    const key = `${namespace}/${name}`;
    const at = this.#clock.now() + delayMs;
    if ((this.#due.get(key) ?? Infinity) <= at) return;
    this.#due.set(key, at);
    this.#clock.after(delayMs, () => {
      if (this.#due.get(key) === at) this.#due.delete(key);
      this.#waiting.add(key);
      this.#next();
    });
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#working.size >= this.#pace.workers) return;
      if (this.#working.has(key)) continue;
      this.#waiting.delete(key);
      this.#take(key);
    }
  }

  /** Looking, and writing status, costs a worker nothing. */
  #take(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    if (this.#pace.busyMs === 0 || !this.#worker.acts(namespace, name)) return this.#worker.work(namespace, name);
    this.#working.add(key);
    this.#clock.after(this.#pace.busyMs, () => {
      this.#working.delete(key);
      this.#worker.work(namespace, name);
      this.#next();
    });
  }
}
