import { asLifecycleError } from '../domain/errors.ts';
import type { Tick } from './reconcile.ts';

/**
 * One tick over several clusters at once; what one cannot do is a problem of its own.
 * @throws LifecycleError when none of them could be read.
 */
export async function tickEach(clusters: string[], tick: (cluster: string) => Promise<Tick>): Promise<Tick> {
  const all: Tick = { wukongs: 0, outcomes: [], repaired: 0, sent: 0, problems: [], schedules: [], undone: 0 };
  const failures: Error[] = [];
  await Promise.all(
    clusters.map(async (cluster) => {
      try {
        const one = await tick(cluster);
        all.wukongs += one.wukongs;
        all.repaired += one.repaired;
        all.sent += one.sent;
        all.undone += one.undone;
        for (const outcome of one.outcomes) all.outcomes.push(outcome);
        for (const problem of one.problems) all.problems.push(`${cluster}: ${problem}`);
        for (const trouble of one.schedules) all.schedules.push(`${cluster}: ${trouble}`);
      } catch (thrown) {
        const error = asLifecycleError(thrown);
        failures.push(error);
        all.undone++;
        all.problems.push(`${cluster}: ${error.message}`);
      }
    }),
  );
  if (failures[0] && failures.length === clusters.length) throw failures[0];
  return all;
}
