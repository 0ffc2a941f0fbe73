import type { Answer, Call, Transport } from '../cluster/transport.ts';
import type { Cluster, World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Action } from '../domain/outcome.ts';
import type { Clock } from '../time/clock.ts';
import { heard, type Limits } from '../time/wait.ts';
import { Gate, Rate } from './rate.ts';
import { Rounds } from './rounds.ts';

/** A start costs the cluster more than a stop (images, disks, memory), so it takes two turns. */
const cost: Record<Action, number> = { stop: 1, start: 2 };
/** A power call that takes so long waits in virt-api's own queue: unhindered it takes some ten milliseconds. */
const lateMs = 1_000;

interface Waiting {
  cost: number;
  go: () => void;
}

/**
 * How fast a cluster may be asked. Power calls stay below a rate that virt-api bears; it halves when answers are late or
 * 429, and grows back by itself. After a 429 nobody asks for a while.
 */
export class RateLimiter {
  /** The same transport, from whose answers the rate learns. A 429 is waited out as long as the limits allow. */
  readonly transport: Transport;
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #gate: Gate;
  readonly #queue = new Rounds<Waiting>();
  #isArmed = false;

  constructor(cluster: Cluster, callsPerSecond: number) {
    const { transport } = cluster;
    this.#clock = cluster.clock;
    this.#rate = new Rate(cluster, callsPerSecond);
    this.#gate = new Gate(cluster);
    this.transport = {
      stream: (path, signal) => transport.stream(path, signal),
      call: (call, limits = {}) => this.#call(transport, call, limits),
    };
  }

  /** Power calls a second, now. */
  rate(): number {
    return this.#rate.now();
  }

  /**
   * Waits for the turn of one power call: the namespaces take turns, and the askers within one.
   * @throws LifecycleError Unreachable when the deadline comes first.
   */
  async turn(action: Action, limits: Limits, namespace = '', asker = ''): Promise<void> {
    const turn = heard(this.#clock, (go) => this.#enqueue({ cost: cost[action], go }, namespace, asker), limits);
    this.#serve();
    if (!(await turn)) throw new LifecycleError('Unreachable', 'its turn did not come in time');
  }

  #enqueue({ go, ...rest }: Waiting, namespace: string, asker: string): () => void {
    let isWaiting = true;
    const waiting = { ...rest, go: () => ((isWaiting = false), go()) };
    this.#queue.add(waiting, namespace, asker);
    return () => isWaiting && this.#queue.remove(waiting);
  }

  /** One timer for all that wait. */
  #serve(): void {
    for (let first = this.#queue.first(); first && this.#rate.take(first.cost); first = this.#queue.first()) {
      this.#queue.shift();
      first.go();
    }
    const next = this.#queue.first();
    if (!next || this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.after(this.#rate.waitMs(next.cost), () => {
      this.#isArmed = false;
      this.#serve();
    });
  }

  async #call<T>(transport: Transport, call: Call, limits: Partial<Limits>): Promise<Answer<T>> {
    const isPower = call.path.startsWith('/apis/subresources.kubevirt.io/');
    const heard = (status: number, ms: number) => this.#learn(status, isPower && ms > lateMs);
    for (;;) {
      await this.#gate.opened(limits);
      const answer = await transport.call<T>({ ...call, heard }, limits);
      if (answer.status !== 429 || !this.#gate.mayOpenBefore(limits.deadline ?? -Infinity)) return answer;
    }
  }

  #learn(status: number, isLate: boolean): void {
    if (status === 429) this.#gate.shut();
    else this.#gate.wentWell();
    if (status === 429 || isLate) this.#rate.halve();
  }
}

const limiters = new WeakMap<Transport, RateLimiter>();

/** The one limiter of this cluster in this process: all that reach it by the same transport share it, whoever asks. */
export function rateLimiterOf(world: World): RateLimiter {
  const limiter = limiters.get(world.transport) ?? new RateLimiter(world, world.config.powerCallsPerSecond);
  limiters.set(world.transport, limiter).set(limiter.transport, limiter);
  return limiter;
}

/** A transport that wraps another is of the same limiter. */
export function sharesLimiter(transport: Transport, wrapped: Transport): Transport {
  const limiter = limiters.get(wrapped);
  if (limiter) limiters.set(transport, limiter);
  return transport;
}
