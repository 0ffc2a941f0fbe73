import type { Clock } from './clock.ts';

export interface Alarm {
  /** It rings at this instant, where it would not ring before. */
  set(at: number): void;
  end(): void;
}

/** Rings at the earliest of the instants that it was set to since it last rang, and never before `earliest`. */
export function newAlarm(clock: Clock, ring: () => void, earliest = -Infinity): Alarm {
  let next = Infinity;
  let cancel = () => {};
  return {
    set(at) {
      if (at >= next) return;
      cancel();
      next = at;
      cancel = clock.after(Math.max(0, Math.max(earliest, at) - clock.now()), () => ((next = Infinity), ring()));
    },
    end: () => cancel(),
  };
}
