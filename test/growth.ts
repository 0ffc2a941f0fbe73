const runs = 3;
const times = 8;
/** Below this a run is too short to be measured. */
const leastMicros = 2_000;

/**
 * How much more CPU time eight times as much takes: about 8 where it is read in one pass, 64 where each part is held
 * against each other one. The least of three runs each, so that neither the machine's speed nor its load counts.
 */
export function growth(run: (scale: number) => void): number {
  const cost = (scale: number): number => {
    const begun = process.cpuUsage();
    run(scale);
    const { user, system } = process.cpuUsage(begun);
    return user + system;
  };
  const least = (scale: number) => Math.min(...Array.from({ length: runs }, () => cost(scale)));
  return least(times) / Math.max(least(1), leastMicros);
}

/** Between one pass and each against each. */
export const onePass = 24;
