import type { Call, Transport } from '../cluster/transport.ts';
import type { Cluster, World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Action } from '../domain/outcome.ts';
import { type Limits, sleep } from '../time/wait.ts';
import { Rounds } from './rounds.ts';

/**
 * How fast a cluster may be asked. Power calls stay below a rate that virt-api bears; it halves when answers are late or
 * 429, and grows back by itself. After a 429 nobody asks for a while.
 */
export interface RateLimiter {
  /**
   * Waits for the turn of one power call: the namespaces take turns, and the askers within one.
   * @throws LifecycleError Unreachable when the deadline comes first.
   */
  turn(action: Action, limits: Limits, namespace?: string, asker?: string): Promise<void>;
  /** The same transport, from whose answers the rate learns. A 429 is waited out as long as the limits allow. */
  transport: Transport;
  /** Power calls a second, now. */
  rate(): number;
}

/** A start costs the cluster more than a stop (images, disks, memory), so it takes two turns. */
const cost: Record<Action, number> = { stop: 1, start: 2 };
/** From the lowest rate back to the highest. */
const recoveryMs = 20_000;
const lowest = 1;
/** One cut answers for all that was under way when it was made. */
const cutEveryMs = 1_000;
/** A power call that takes so long waits in virt-api's own queue: unhindered it takes some ten milliseconds. */
const lateMs = 1_000;
const firstPauseMs = 1_000;
const longestPauseMs = 8_000;

interface Waiting {
  cost: number;
  go: () => void;
}

const limiters = new WeakMap<Transport, RateLimiter>();

/** The one limiter of this cluster in this process: all that reach it by the same transport share it, whoever asks. */
export function rateLimiterOf(world: World): RateLimiter {
  const limiter = limiters.get(world.transport) ?? newRateLimiter(world, world.config.powerCallsPerSecond);
  limiters.set(world.transport, limiter).set(limiter.transport, limiter);
  return limiter;
}

/** A transport that wraps another is of the same limiter. */
export function sharesLimiter(transport: Transport, wrapped: Transport): Transport {
  const limiter = limiters.get(wrapped);
  if (limiter) limiters.set(transport, limiter);
  return transport;
}

export function newRateLimiter({ transport, clock, random }: Cluster, callsPerSecond: number): RateLimiter {
  let rate = callsPerSecond;
  let tokens = callsPerSecond;
  let at = clock.now();
  let cutAt = -Infinity;
  let closedUntil = -Infinity;
  let pauseMs = firstPauseMs;
  let armed = false;
  const queue = new Rounds<Waiting>();

  function refill() {
    const now = clock.now();
    const passedMs = now - at;
    at = now;
    rate = Math.min(callsPerSecond, rate + (callsPerSecond * passedMs) / recoveryMs);
    tokens = Math.min(rate, tokens + (rate * passedMs) / 1000);
  }

  /** One timer for all that wait. */
  function serve() {
    refill();
    for (let first = queue.first(); first && tokens >= Math.min(first.cost, rate); first = queue.first()) {
      tokens -= first.cost;
      queue.shift();
      first.go();
    }
    const next = queue.first();
    if (!next || armed) return;
    armed = true;
    // Between half and one and a half of its time: starts that come in step make storms.
    const waitMs = ((next.cost - tokens) / rate) * 1000 * (0.5 + random());
    clock.after(Math.max(1, waitMs), () => {
      armed = false;
      serve();
    });
  }

  function slower() {
    const now = clock.now();
    if (now < cutAt + cutEveryMs) return;
    refill();
    cutAt = now;
    rate = Math.max(lowest, rate / 2);
    tokens = Math.min(tokens, 0);
  }

  function heard(power: boolean, status: number, ms: number) {
    const now = clock.now();
    if (status === 429) {
      slower();
      if (now < closedUntil) return;
      closedUntil = now + pauseMs;
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    } else {
      if (now >= closedUntil) pauseMs = firstPauseMs;
      if (power && ms > lateMs) slower();
    }
  }

  /** Waits while nobody may ask; those that waited come one after the other. */
  async function opened({ deadline = Infinity, signal }: Partial<Limits>) {
    for (let now = clock.now(); now < closedUntil; now = clock.now()) {
      const waitMs = closedUntil - now + 1_000 * random();
      if (now + waitMs >= deadline) return;
      await sleep(clock, waitMs, signal);
    }
  }

  return {
    rate: () => (refill(), rate),
    turn: (action, { deadline, signal }, namespace = '', asker = '') =>
      new Promise((resolve, reject) => {
        let cancel = () => {};
        const end = (settle: () => void) => {
          cancel();
          signal?.removeEventListener('abort', aborted);
          settle();
        };
        const waiting: Waiting = { cost: cost[action], go: () => end(resolve) };
        const leave = (why: unknown) => queue.remove(waiting) && end(() => reject(why as Error));
        const aborted = () => leave(signal?.reason);
        const late = () => leave(new LifecycleError('Unreachable', 'its turn did not come in time'));
        signal?.addEventListener('abort', aborted, { once: true });
        cancel = clock.after(Math.max(0, deadline - clock.now()), late);
        queue.add(waiting, namespace, asker);
        serve();
      }),
    transport: {
      stream: (path, signal) => transport.stream(path, signal),
      async call<T>(call: Call, limits: Partial<Limits> = {}) {
        const power = call.path.startsWith('/apis/subresources.kubevirt.io/');
        const { deadline = clock.now() } = limits;
        for (;;) {
          await opened(limits);
          const answer = await transport.call<T>({ ...call, heard: (...told) => heard(power, ...told) }, limits);
          if (answer.status !== 429 || clock.now() + firstPauseMs >= deadline) return answer;
        }
      },
    },
  };
}
