import type { Transport } from '../cluster/transport.ts';
import type { Bus, World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { bounded, type Limits, orAborted } from '../time/wait.ts';
import { rateLimiterOf, sharesLimiter } from './rateLimiter.ts';

/** How long what is noted after a deadline may take, all together. */
const lastWordsMs = 900;
/** Those of single jobs leave time for what is noted of all of them. */
export const ofJobsMs = 600;
/** Even a call whose own deadline is past has so long (`Transport`). */
const leastMs = 1_000;

/**
 * The same world for work with a deadline. Calls share the pace of their cluster. Whatever is asked of the cluster or
 * the bus is answered or given up 0.9 s after the deadline; in a process that was frozen beyond it, 0.9 s after it goes
 * on. What is given up is on the record still, or is asked for again: so a silent bus or API server keeps nobody.
 */
export function paced(world: World, deadline: number, noteMs = lastWordsMs): World {
  const { bus } = world;
  const { transport } = rateLimiterOf(world);
  const words = lastWords(world.clock, deadline, noteMs);
  const call: Transport['call'] = <T>(...[asked, limits = {}]: Parameters<Transport['call']>) =>
    words.inTime(limits, (signal) => transport.call<T>(asked, { ...limits, signal }));
  const put: Bus['put'] = (entries) => words.inTime({}, () => bus!.put(entries));
  const punctual = sharesLimiter({ ...transport, call }, transport);
  return { ...world, transport: punctual, ...(bus ? { bus: { ...bus, put } } : {}) };
}

function lastWords(clock: Clock, deadline: number, noteMs: number) {
  let end = deadline + noteMs;
  let asked = false;
  let over = false;
  const late = () => {
    over = true; // of what has an order nothing is done after what was given up
    return new LifecycleError('Unreachable', 'no answer before the time was up');
  };
  const endAt = () => {
    // A process that was frozen beyond it has not had its time.
    if (clock.now() >= end && !asked) end = clock.now() + noteMs;
    asked ||= clock.now() >= deadline;
    return end;
  };
  return {
    async inTime<T>(own: Partial<Limits>, work: (signal?: AbortSignal) => Promise<T>): Promise<T> {
      const by = endAt();
      if (over || clock.now() >= by) throw late();
      if (Math.max(own.deadline ?? Infinity, clock.now() + leastMs) <= by) return work(own.signal);
      const limit = bounded(clock, { deadline: by, signal: own.signal }, late);
      return orAborted(work(limit.signal), limit.signal).finally(limit.done);
    },
  };
}
