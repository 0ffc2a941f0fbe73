import type { Bus, BusEntry, World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { sleep } from '../time/wait.ts';

/** As many as one call to the bus takes. */
const most = 10;
const gatherMs = 100;
const attempts = 3;
/** A bus that has not answered by then is asked again: what it took after all comes twice, and is known by its request. */
const answerMs = 2_500;

/** The same world with a bus for many who put things at about the same time. */
export const withBatchedBus = (world: World): World =>
  world.bus && !world.bus.batched ? { ...world, bus: batched(world.bus, world.clock) } : world;

/**
 * The same bus for many who put things at about the same time: waits a moment, so that ten go in one call, and tries
 * again when the bus throws, throttles or does not answer. Whoever puts something waits until it was taken.
 */
export function batched(bus: Bus, clock: Clock): Bus {
  let entries: BusEntry[] = [];
  let sending: Promise<void> | undefined;
  let send = () => {};
  const open = () =>
    new Promise<void>((resolve, reject) => {
      const cancel = clock.after(gatherMs, () => send());
      send = () => {
        cancel();
        const mine = entries;
        entries = [];
        sending = undefined;
        insist(bus, mine, clock).then(resolve, reject);
      };
    });
  return {
    batched: true,
    async put(more) {
      const all: Promise<void>[] = [];
      for (const entry of more) {
        all.push((sending ??= open()));
        entries.push(entry);
        if (entries.length >= most) send();
      }
      const ends = await Promise.allSettled(new Set(all));
      const failed = ends.find(({ status }) => status === 'rejected');
      if (failed) throw (failed as PromiseRejectedResult).reason;
    },
  };
}

/** @throws LifecycleError Unreachable when the bus does not take them. */
async function insist(bus: Bus, entries: BusEntry[], clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      return await inTime(clock, bus.put(entries));
    } catch (thrown) {
      const { message } = asLifecycleError(thrown);
      if (attempt === attempts)
        throw new LifecycleError('Unreachable', `the event bus did not take ${entries.length} entries: ${message}`, {
          cause: thrown,
        });
      await sleep(clock, 250 * 2 ** attempt);
    }
}

function inTime(clock: Clock, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new LifecycleError('Unreachable', `no answer within ${answerMs / 1000} s`));
    const cancel = clock.after(answerMs, late);
    void work.then(resolve, reject).finally(cancel);
  });
}
