import type { Credentials } from '../../shared/cluster/credentials.ts';
import { type Call, type Transport, transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Clock } from '../../shared/time/clock.ts';

/** At which of its API calls a process dies: before it is sent, or after it was carried out. */
export interface Death {
  nth: number;
  when: 'before' | 'after';
}

export interface Born {
  base: World;
  credentials: Credentials;
  /** By the code of another version. */
  connect?: ((clock: Clock) => Transport) | undefined;
  /** How much its clock is ahead of the cluster's. */
  skewMs?: number;
  dies?: Death | undefined;
  /** Sees every call as it is sent. */
  onCall?: (call: Call) => void;
}

/**
 * A process of its own: its clock may be wrong, it may die, and with it go its connections. What a dead one waits for
 * never comes, and it can tell nobody anything.
 */
export function bear({ base, credentials, connect, skewMs = 0, dies, onCall }: Born): {
  world: World;
  death: Promise<void>;
  /** Ends it as a power cut does. */
  kill: () => void;
} {
  const clock: Clock = {
    now: () => base.clock.now() + skewMs,
    after: (ms, run) => base.clock.after(ms, () => !dead() && run()),
  };
  const transport = connect?.(clock) ?? transportTo(credentials, clock, base.random);
  const end = new AbortController();
  const dead = () => end.signal.aborted;
  const forever = () => new Promise<never>(() => {});
  const death = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
  let made = 0;
  const { bus } = base;
  const world: World = {
    ...base,
    clock,
    transport: {
      async call<T>(call: Call, limits: object | undefined) {
        if (dead()) return forever();
        const last = ++made === dies?.nth;
        if (last && dies?.when === 'before') {
          end.abort();
          return forever();
        }
        onCall?.(call);
        const answer = await transport.call<T>(call, limits).catch((thrown: unknown) => {
          if (last) end.abort();
          if (dead()) return forever();
          throw thrown;
        });
        if (last) end.abort();
        return dead() ? forever() : answer;
      },
      async stream(path, signal) {
        if (++made === dies?.nth) end.abort();
        if (dead()) return forever();
        return transport.stream(path, AbortSignal.any([signal, end.signal]));
      },
    },
    ...(bus ? { bus: { put: (entries) => (dead() ? forever() : bus.put(entries)) } } : {}),
  };
  return { world, death, kill: () => end.abort() };
}
