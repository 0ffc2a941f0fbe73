import type { World } from '../../shared/cluster/world.ts';

export interface Mortal {
  world: World;
  /** Resolves when it dies. */
  death: Promise<void>;
  /** API calls made so far; a watch counts as one. */
  calls(): number;
}

/**
 * The same world for a process that dies at its nth API call: before it is sent, or after it was carried out and before
 * the answer came. What it waits for then never comes, and it can tell nobody anything.
 */
export function mortal(world: World, nth: number, when: 'before' | 'after'): Mortal {
  let made = 0;
  let dead = false;
  let die = () => {};
  const death = new Promise<void>((resolve) => {
    die = () => {
      dead = true;
      resolve();
    };
  });
  const forever = () => new Promise<never>(() => {});
  const { transport, bus } = world;
  return {
    death,
    calls: () => made,
    world: {
      ...world,
      transport: {
        async call(call, limits) {
          if (dead) return forever();
          const last = ++made === nth;
          if (last && when === 'before') die();
          if (dead) return forever();
          const answer = await transport.call<never>(call, limits);
          if (last) die();
          return dead ? forever() : answer;
        },
        async stream(path, signal) {
          if (dead || ++made === nth) {
            die();
            return forever();
          }
          return transport.stream(path, signal);
        },
      },
      ...(bus ? { bus: { put: (entries) => (dead ? forever() : bus.put(entries)) } } : {}),
    },
  };
}
