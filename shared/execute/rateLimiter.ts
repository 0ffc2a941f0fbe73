import { isOfEvents, sharerOf } from '../cluster/connections.ts';
import { namespaceIn } from '../cluster/path.ts';
import type { Answer, Call, Transport } from '../cluster/transport.ts';
import type { Cluster, World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Action } from '../domain/outcome.ts';
import { remember } from '../domain/remember.ts';
import type { Limits } from '../time/wait.ts';
import { Gate, recoveryMs } from './rate.ts';
import { Turns } from './turns.ts';

/** A power call that takes so long waits in virt-api's own queue: unhindered it takes some ten milliseconds. */
const lateMs = 1_000;
/** Nobody waits for longer as two namespaces are refused: to a third that may be nothing. */
const everybodyMs = 2_000;
/** Of so many namespaces it is known how they fare. */
const mostKnown = 10_000;

/**
 * How fast a cluster may be asked. Power calls stay below a rate that virt-api bears. Those of namespaces whose answers
 * are late or 429 go at a rate of their own, which halves then, and grows back by itself: where all suffer, all are slow,
 * and where one does, it alone. After a 429 nobody asks in its namespace for a while, and where several are refused, nobody
 * anywhere. After a 429 to an Event only the Events of its namespace wait.
 */
export class RateLimiter {
  /** The same transport, from whose answers the rate learns. A 429 is waited out as long as the limits allow. */
  readonly transport: Transport;
  readonly #cluster: Cluster;
  readonly #all: Turns;
  readonly #suffering: Turns;
  /** When the last bad answer came from each namespace. Instants. */
  readonly #badAt = new Map<string, number>();
  readonly #gates = new Map<string, Gate>();
  /** Shut where several namespaces were refused, and nobody was well meanwhile. */
  readonly #everybody: Gate;
  readonly #refused = new Set<string>();

  constructor(cluster: Cluster, callsPerSecond: number) {
    const { transport } = cluster;
    this.#cluster = cluster;
    this.#all = new Turns(cluster, callsPerSecond);
    this.#suffering = new Turns(cluster, callsPerSecond);
    this.#everybody = new Gate(cluster, everybodyMs);
    this.transport = {
      stream: (path, signal) => transport.stream(path, signal),
      call: (call, limits = {}) => this.#call(transport, call, limits),
    };
  }

  /** Power calls a second, now, where answers are bad. */
  rate(): number {
    return this.#suffering.rate.now();
  }

  /**
   * Waits for the turn of one power call: the namespaces take turns, and the askers within one.
   * @throws LifecycleError Unreachable when the deadline comes first.
   */
  async turn(action: Action, limits: Limits, namespace = '', asker = ''): Promise<void> {
    const queues = this.#suffers(namespace) ? [this.#suffering, this.#all] : [this.#all];
    for (const queue of queues)
      if (!(await queue.next(action, namespace, asker, limits)))
        throw new LifecycleError('Unreachable', 'its turn did not come in time');
  }

  /** So does whoever does not say where it asks. */
  #suffers(namespace: string): boolean {
    const badAt = namespace === '' ? Infinity : (this.#badAt.get(namespace) ?? -Infinity);
    return this.#cluster.clock.now() < badAt + recoveryMs;
  }

  async #call<T>(transport: Transport, call: Call, limits: Partial<Limits>): Promise<Answer<T>> {
    const namespace = namespaceIn(call.path);
    const isPower = call.path.startsWith('/apis/subresources.kubevirt.io/');
    const ofEvents = isOfEvents(sharerOf(call.path)); // a cluster may limit them alone (EventRateLimit)
    const waits = ofEvents ? `${namespace}/events` : namespace;
    const gate = this.#gates.get(waits) ?? new Gate(this.#cluster);
    remember(this.#gates, waits, gate, mostKnown);
    const heard = (status: number, ms: number) => {
      if (status === 429) gate.shut();
      else this.#letIn(gate);
      if (ofEvents) return;
      if (status === 429) this.#refuse(namespace);
      if (status === 429 || (isPower && ms > lateMs)) this.#suffer(namespace);
    };
    // Many may wait for a connection as the first of them is refused.
    const by = limits.deadline ?? -Infinity;
    const isShut = () => gate.isShut(by) || this.#everybody.isShut(by, gate.isRefusing);
    for (;;) {
      await gate.opened(limits);
      await this.#everybody.opened(limits, gate.isRefusing);
      const answer = await transport.call<T>({ ...call, heard, isShut }, limits);
      if (answer.status !== 429 || !isShut()) return answer;
    }
  }

  #refuse(namespace: string): void {
    this.#refused.add(namespace);
    if (this.#refused.size > 1) this.#everybody.shut();
  }

  #letIn(gate: Gate): void {
    gate.wentWell();
    this.#refused.clear();
    this.#everybody.wentWell();
  }

  #suffer(namespace: string): void {
    remember(this.#badAt, namespace, this.#cluster.clock.now(), mostKnown);
    this.#suffering.rate.halve();
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
