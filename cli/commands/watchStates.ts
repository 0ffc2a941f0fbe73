import { follow, type Followed, type Source } from '../../shared/cluster/informer.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { keyOf, type KubeObject, type Place, placeOf, type Wukong } from '../../shared/domain/model.ts';
import { stateFrom, type WukongState } from '../../shared/entry/state.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { aborted } from '../terminal/process.ts';

/** Changes that come together are shown together. */
const settleMs = 50;

export interface Watching {
  namespace?: string;
  name?: string;
  mine: (labels?: Record<string, string>, name?: string) => boolean;
  /** Shows them this often too, though nothing has changed: ages grow. */
  everyMs?: number;
}

/** A Wukong that was shown and is shown no more. */
export interface Left extends Place {
  why: 'Gone' | 'NotSelected';
}

/**
 * Shows the states of a scope now and after every change, and who has left it since, until the signal is aborted.
 * @throws LifecycleError when the first state cannot be had, or the permission is taken away.
 */
export async function watchStates(
  world: World,
  { namespace, name, mine, everyMs }: Watching,
  signal: AbortSignal,
  show: (states: WukongState[], left: Left[]) => void,
): Promise<void> {
  const pace = newPace(world.clock, everyMs);
  const limits = { deadline: world.clock.now() + 30_000, signal };
  const open: Followed<unknown>[] = [];
  const opened = async <V>(source: Source<V>): Promise<Followed<V>> => {
    const followed = await follow(world, { ...source, changed: pace.changed }, limits);
    open.push(followed);
    return followed;
  };
  try {
    const read = (object: KubeObject) => object;
    const wukongs = await opened<Wukong>({ path: wukongPath(namespace), name, read });
    const vms = await opened({ path: vmPath('virtualmachines', namespace), read });
    const vmis = await opened({ path: vmPath('virtualmachineinstances', namespace), read });
    const leaving = newLeaving();
    await pace.run(signal, () => {
      for (const followed of open) followed.check();
      const chosen = wukongs.all().filter(({ metadata }) => mine(metadata.labels, metadata.name));
      const states = chosen.map((wukong) => {
        const { namespace: space } = placeOf(wukong);
        return stateFrom(wukong, (vmName) => ({ vm: vms.get(space, vmName), vmi: vmis.get(space, vmName) }));
      });
      const why = (place: Place) => (wukongs.get(place.namespace, place.name) ? 'NotSelected' : 'Gone');
      show(
        states,
        leaving(states).map((place) => ({ ...place, why: why(place) })),
      );
    });
  } catch (thrown) {
    if (!signal.aborted) throw thrown; // also before the first state was there
  } finally {
    for (const followed of open) followed.close();
  }
}

/** When to look: soon after a change, and every now and then. */
function newPace(clock: Clock, everyMs: number | undefined) {
  let look = () => {};
  const cancels = new Map<string, () => void>();
  const later = (what: string, ms: number, run: () => void) => {
    if (!cancels.has(what))
      cancels.set(
        what,
        clock.after(ms, () => (cancels.delete(what), run())),
      );
  };
  return {
    changed: () => later('change', settleMs, () => look()),
    /** Draws until the signal is aborted. @throws what `draw` throws. */
    async run(signal: AbortSignal, draw: () => void): Promise<void> {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      look = () => {
        try {
          draw();
        } catch (failure) {
          reject(failure as Error);
        }
      };
      const tick = () => {
        look();
        if (everyMs !== undefined) later('tick', everyMs, tick);
      };
      try {
        tick();
        void aborted(signal).then(resolve);
        await promise;
      } finally {
        look = () => {};
        for (const cancel of cancels.values()) cancel();
      }
    },
  };
}

/** Who was shown the last time and is shown no more. */
function newLeaving(): (states: WukongState[]) => Place[] {
  const shown = new Map<string, Place>();
  return (states) => {
    const now = new Map(states.map((state) => [keyOf(state), placeIn(state)]));
    const left = [...shown.values()].filter((place) => !now.has(keyOf(place)));
    for (const place of left) shown.delete(keyOf(place));
    for (const [key, place] of now) shown.set(key, place);
    return left;
  };
}

const placeIn = ({ namespace, name }: Place): Place => ({ namespace, name });
