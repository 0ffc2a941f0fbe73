import type { Bus, BusEntry } from '../cluster/world.ts';
import type { Clock } from '../time/clock.ts';

/** As many as one call to the bus takes. */
const most = 10;
const gatherMs = 100;

/**
 * The same bus for a fleet that tells many things at about the same time: waits a moment, so that ten go in one call.
 * Whoever puts something waits until it was taken.
 */
export function gathered(bus: Bus, clock: Clock): Bus {
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
        bus.put(mine).then(resolve, reject);
      };
    });
  return {
    async put(more) {
      for (const entry of more) {
        const sent = (sending ??= open());
        entries.push(entry);
        if (entries.length >= most) send();
        if (entry === more.at(-1)) await sent;
        else sent.catch(() => {});
      }
    },
  };
}
