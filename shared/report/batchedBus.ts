import type { Bus, BusEntry, World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { bounded, orAborted, sleep } from '../time/wait.ts';

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
 * again when the bus throws, throttles or does not answer. Whoever puts something waits until it was taken; what the bus
 * does not take is the trouble of whoever put it, and of nobody else.
 */
export function batched(bus: Bus, clock: Clock): Bus {
  const waiting: Waiting[] = [];
  let cancel = () => {};
  const send = () => {
    cancel();
    void insist(bus, waiting.splice(0), clock);
  };
  const one = (entry: BusEntry) =>
    new Promise<void>((taken, refused) => {
      if (waiting.push({ entry, taken, refused }) === 1) cancel = clock.after(gatherMs, send);
      if (waiting.length >= most) send();
    });
  return {
    batched: true,
    async put(entries) {
      const ends = await Promise.allSettled(entries.map(one));
      const failed = ends.find(({ status }) => status === 'rejected');
      if (failed) throw (failed as PromiseRejectedResult).reason;
    },
  };
}

/** An entry that somebody put. */
interface Waiting {
  entry: BusEntry;
  taken: () => void;
  /** With LifecycleError Unreachable. */
  refused: (why: LifecycleError) => void;
}

/** Those that the bus does not take together it may take one by one: one that it refuses keeps back no other. */
async function insist(bus: Bus, all: Waiting[], clock: Clock): Promise<void> {
  const failure = await trial(bus, all, clock, attempts);
  if (!failure) return all.forEach(({ taken }) => taken());
  const alone = async (one: Waiting) => {
    const why = all.length === 1 ? failure : await trial(bus, [one], clock, 1);
    if (why) one.refused(why);
    else one.taken();
  };
  await Promise.all(all.map(alone));
}

/** Why the bus did not take these; undefined where it did. */
async function trial(bus: Bus, all: Waiting[], clock: Clock, tries: number): Promise<LifecycleError | undefined> {
  const entries = all.map(({ entry }) => entry);
  for (let attempt = 1; ; attempt++)
    try {
      await inTime(bus.put(entries), clock);
      return undefined;
    } catch (thrown) {
      const { message } = asLifecycleError(thrown);
      if (attempt === tries)
        return new LifecycleError('Unreachable', `the event bus did not take ${all.length} entries: ${message}`, {
          cause: thrown,
        });
      await sleep(clock, 250 * 2 ** attempt);
    }
}

function inTime(putting: Promise<void>, clock: Clock): Promise<void> {
  const late = () => new LifecycleError('Unreachable', `no answer within ${answerMs / 1000} s`);
  const limit = bounded(clock, { deadline: clock.now() + answerMs }, late);
  return orAborted(putting, limit.signal).finally(limit.done);
}
