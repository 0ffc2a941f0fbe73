import { follow, type Followed, type Source } from '../../shared/cluster/informer.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { keyOf, type KubeObject, type Place, placeOf, type Wukong } from '../../shared/domain/model.ts';
import { stateFrom, type WukongState } from '../../shared/entry/state.ts';

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
  const limits = { deadline: world.clock.now() + 30_000, signal };
  const open: Followed<unknown>[] = [];
  const cancels = new Map<() => void, () => void>();
  const later = (ms: number, run: () => void) => {
    if (!cancels.has(run))
      cancels.set(
        run,
        world.clock.after(ms, () => (cancels.delete(run), run())),
      );
  };
  let ready = false;
  let end: (failure?: unknown) => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = (failure) => (failure === undefined ? resolve() : reject(failure as Error));
  });
  ended.catch(() => {});
  const look = () => {
    try {
      draw();
    } catch (failure) {
      end(failure);
    }
  };
  const changed = () => {
    if (ready) later(settleMs, look);
  };
  const tick = () => {
    look();
    if (everyMs !== undefined) later(everyMs, tick);
  };
  const opened = async <V>(source: Source<V>): Promise<Followed<V>> => {
    const followed = await follow(world, { ...source, changed }, limits);
    open.push(followed);
    return followed;
  };
  const shown = new Map<string, Place>();
  let draw = () => {};
  try {
    const read = (object: KubeObject) => object;
    const wukongs = await opened<Wukong>({ path: wukongPath(namespace), name, read });
    const vms = await opened({ path: vmPath('virtualmachines', namespace), read });
    const vmis = await opened({ path: vmPath('virtualmachineinstances', namespace), read });
    draw = () => {
      for (const followed of open) followed.check();
      const states = wukongs
        .all()
        .filter(({ metadata }) => mine(metadata.labels, metadata.name))
        .map((wukong) => {
          const { namespace: space } = placeOf(wukong);
          return stateFrom(wukong, (vmName) => ({ vm: vms.get(space, vmName), vmi: vmis.get(space, vmName) }));
        });
      const now = new Map(states.map((state) => [keyOf(state), placeIn(state)]));
      const left = [...shown.values()].filter((place) => !now.has(keyOf(place)));
      for (const place of left) shown.delete(keyOf(place));
      for (const [key, place] of now) shown.set(key, place);
      const why = (place: Place) => (wukongs.get(place.namespace, place.name) ? 'NotSelected' : 'Gone');
      show(
        states,
        left.map((place) => ({ ...place, why: why(place) })),
      );
    };
    ready = true;
    tick();
    if (signal.aborted) end();
    signal.addEventListener('abort', () => end(), { once: true });
    await ended;
  } catch (thrown) {
    if (!signal.aborted) throw thrown; // also before the first state was there
  } finally {
    for (const cancel of cancels.values()) cancel();
    for (const followed of open) followed.close();
  }
}

const placeIn = ({ namespace, name }: Place): Place => ({ namespace, name });
