import type { Transport } from '../cluster/transport.ts';
import type { Bus, World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { bounded, Interrupted, type Limits, orAborted } from '../time/wait.ts';
import { rateLimiterOf, sharesLimiter } from './rateLimiter.ts';

/** How long what is noted after a deadline may take, all together. */
const lastWordsMs = 900;
/** Those of single jobs leave time for what is noted of all of them. */
export const ofJobsMs = 600;
/** Even a call whose own deadline is past has so long (`Transport`). */
const leastMs = 1_000;

/**
 * The same world for work with a deadline. Calls share the pace of their cluster. Whatever is asked of the cluster or
 * the bus is answered or given up 0.9 s after the deadline, or after somebody has interrupted this process; in one that
 * was frozen beyond it, 0.9 s after it goes on. What is given up is on the record still, or is asked for again: so a
 * silent bus or API server keeps nobody.
 */
export function paced(world: World, limits: Limits, noteMs = lastWordsMs): World {
  const { bus } = world;
  const { transport } = rateLimiterOf(world);
  const words = lastWords(world.clock, limits, noteMs);
  const call: Transport['call'] = <T>(...[asked, limits = {}]: Parameters<Transport['call']>) =>
    words.inTime(limits, (signal) => transport.call<T>(asked, { ...limits, signal }));
  const put: Bus['put'] = (entries) => words.inTime({}, () => bus!.put(entries));
  const punctual = sharesLimiter({ ...transport, call }, transport);
  return { ...world, transport: punctual, ...(bus ? { bus: { ...bus, put } } : {}) };
}

function lastWords(clock: Clock, { deadline, signal }: Limits, noteMs: number) {
  let end: number | undefined;
  let over = false;
  const late = () => {
    over = true; // of what has an order nothing is done after what was given up
    return new LifecycleError('Unreachable', 'no answer before the time was up');
  };
  const endAt = () => {
    const now = clock.now();
    const due = signal?.reason instanceof Interrupted ? Math.min(deadline, signal.reason.at) : deadline;
    // A process that was frozen beyond it has not had its time.
    if (now >= due) end ??= noteMs + (now >= due + noteMs ? now : due);
    return end ?? deadline + noteMs;
  };
  return {
    async inTime<T>(own: Partial<Limits>, work: (signal?: AbortSignal) => Promise<T>): Promise<T> {
      const by = endAt();
      if (over || clock.now() >= by) throw late();
      const endsInTime = Math.max(own.deadline ?? Infinity, clock.now() + leastMs) <= by;
      if (endsInTime && (own.signal || !signal)) return work(own.signal);
      // What has no signal of its own is a note: it is not ended by an interrupt, but has to be short from then on.
      const limit = own.signal
        ? bounded(clock, { deadline: by, signal: own.signal }, late)
        : bounded(clock, { deadline: by, signal }, late, noteMs);
      return orAborted(work(limit.signal), limit.signal).finally(limit.done);
    },
  };
}
