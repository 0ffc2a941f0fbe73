import type { Action } from '../domain/outcome.ts';
import { heard, type Limits } from '../time/wait.ts';
import { Rate, type Timing } from './rate.ts';
import { Rounds } from './rounds.ts';

/** A start costs the cluster more than a stop (images, disks, memory), so it takes two turns. */
const cost: Record<Action, number> = { stop: 1, start: 2 };

interface Waiting {
  cost: number;
  go: () => void;
}

/** Turns at a rate: the namespaces go round, and the askers within one. */
export class Turns {
  readonly rate: Rate;
  readonly #timing: Timing;
  readonly #queue = new Rounds<Waiting>();
  #isArmed = false;

  constructor(timing: Timing, perSecond: number) {
    this.#timing = timing;
    this.rate = new Rate(timing, perSecond);
  }

  /** Waits for a turn; false when the deadline comes first. */
  async next(action: Action, namespace: string, asker: string, limits: Limits): Promise<boolean> {
    const subscribe = (go: () => void) => this.#enqueue({ cost: cost[action], go }, namespace, asker);
    const turn = heard(this.#timing.clock, subscribe, limits);
    this.#serve();
    return turn;
  }

  #enqueue({ go, ...rest }: Waiting, namespace: string, asker: string): () => void {
    let isWaiting = true;
    const waiting = { ...rest, go: () => ((isWaiting = false), go()) };
    this.#queue.add(waiting, namespace, asker);
    return () => isWaiting && this.#queue.remove(waiting);
  }

  /** One timer for all that wait. */
  #serve(): void {
    for (let first = this.#queue.first(); first && this.rate.take(first.cost); first = this.#queue.first()) {
      this.#queue.shift();
      first.go();
    }
    const next = this.#queue.first();
    if (!next || this.#isArmed) return;
    this.#isArmed = true;
    this.#timing.clock.after(this.rate.waitMs(next.cost), () => {
      this.#isArmed = false;
      this.#serve();
    });
  }
}
