import type { Clock } from '../time/clock.ts';
import { heard, type Limits } from '../time/wait.ts';

/** Room for so many at once. */
export interface Slots {
  /** Waits for room: how to give it back, however often that is called; undefined when the deadline came first. */
  take(limits: Limits): Promise<(() => void) | undefined>;
}

/** For one that takes, and any number that give back. */
export function newSlots(clock: Clock, most: number): Slots {
  let taken = 0;
  let onFree = () => {};
  const subscribe = (call: () => void) => {
    onFree = call;
    return () => (onFree = () => {});
  };
  return {
    async take(limits) {
      limits.signal?.throwIfAborted();
      if (clock.now() >= limits.deadline) return undefined;
      if (taken >= most && !(await heard(clock, subscribe, limits))) return undefined;
      taken++;
      let mine = true;
      return () => {
        if (!mine) return;
        mine = false;
        taken--;
        onFree();
      };
    },
  };
}
