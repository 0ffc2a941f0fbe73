import { follow } from '../../shared/cluster/informer.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { type KubeObject, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { stateFrom, type WukongState } from '../../shared/entry/state.ts';

/** Changes that come together are shown together. */
const settleMs = 50;

export interface Watching {
  namespace?: string;
  name?: string;
  mine: (labels?: Record<string, string>) => boolean;
  /** Shows them this often too, though nothing has changed: ages grow. */
  everyMs?: number;
}

/** Shows the states of a scope now and after every change, until the signal is aborted. @throws LifecycleError */
export async function watchStates(
  world: World,
  { namespace, name, mine, everyMs }: Watching,
  signal: AbortSignal,
  show: (states: WukongState[]) => void,
): Promise<void> {
  const limits = { deadline: world.clock.now() + 30_000, signal };
  const keys = new Set<string>();
  let pending: (() => void) | undefined;
  let ready = false;
  const changed = () => {
    if (ready) pending ??= world.clock.after(settleMs, draw);
  };
  const read = (object: KubeObject) => (changed(), object);
  const wukongs = await follow<Wukong>(
    world,
    {
      path: wukongPath(namespace),
      name,
      read(object) {
        keys.add(`${object.metadata.namespace}/${object.metadata.name}`);
        changed();
        return object;
      },
    },
    limits,
  );
  const vms = await follow(world, { path: vmPath('virtualmachines', namespace), read }, limits);
  const vmis = await follow(world, { path: vmPath('virtualmachineinstances', namespace), read }, limits);
  function draw() {
    pending = undefined;
    const states = [...keys].flatMap((key) => {
      const [space = '', own = ''] = key.split('/');
      const wukong = wukongs.get(space, own);
      if (!wukong || !mine(wukong.metadata.labels)) return [];
      const vmName = vmNameOf(wukong);
      return [stateFrom(wukong, vms.get(space, vmName), vmis.get(space, vmName))];
    });
    show(states);
  }
  let again: (() => void) | undefined;
  const tick = () => {
    draw();
    if (everyMs !== undefined) again = world.clock.after(everyMs, tick);
  };
  ready = true;
  tick();
  await new Promise<void>((end) => {
    if (signal.aborted) end();
    signal.addEventListener('abort', () => end(), { once: true });
  });
  again?.();
  pending?.();
  for (const followed of [wukongs, vms, vmis]) followed.close();
}
