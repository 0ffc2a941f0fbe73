import { allOpen, followIn, type Space, type SpacedSource } from '../cluster/informers.ts';
import { namespacePath } from '../cluster/namespaces.ts';
import { runPath, slim, wukongPath } from '../cluster/objects.ts';
import { watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, type KubeObject, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { currentKey, type WukongRun } from '../domain/run.ts';
import { isAsking, lookAround } from '../reconcile/look.ts';
import type { Standing } from '../reconcile/reconcile.ts';
import { readApart } from '../reconcile/runs.ts';
import { clusterSchedulePath, schedulePath } from '../reconcile/scheduleInputs.ts';
import { ownPart, weightOf } from '../reconcile/weight.ts';
import { clusterKind } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/selecting.ts';
import type { Limits } from '../time/wait.ts';

/**
 * Told of each Wukong that changed, or whose VM did, in a hurry where something is asked of it; without a key when
 * something changed on which schedules depend, or a watch failed.
 */
export type Changed = (key?: string, hurry?: boolean) => void;

export type View = Awaited<ReturnType<typeof openView>>;

/** Every watch of the server, with its first state. @throws LifecycleError when one cannot have it within the limits. */
function openWatches(world: World, changed: Changed, limits: Limits) {
  const { watchNamespaces: chosen } = world.config;
  const everywhere: Space[] = chosen ?? [undefined];
  const wukongOfVm = new Map<string, string>();

  /** Calls `changed` where what schedules depend on is another than it was, not at each of our own writes. */
  function watch<V extends KubeObject>(source: SpacedSource<V>, spaces = everywhere) {
    const weighed: typeof source.changed = (key, now, before) => {
      if (key === undefined || weightOf(now) !== weightOf(before)) changed();
      source.changed?.(key, now, before);
    };
    return followIn<V>(world, spaces, { ...source, changed: weighed }, limits);
  }
  /** A cluster without the CRD has none of these. */
  const orNone = (kind: string) => (thrown: unknown) => {
    if (asLifecycleError(thrown).code !== 'NotFound') throw thrown;
    world.log.warn(`there is no ${kind}, as its CRD is not installed: install it and start again`);
    return undefined;
  };
  const watchSchedules = (kind: string, path: (space: Space) => string, spaces = everywhere) =>
    watch({ path, read: (object) => ({ ...(object as WukongSchedule), kind }) }, spaces).catch(orNone(kind));

  const vmChanged = (vm = '') => {
    const key = wukongOfVm.get(vm);
    if (key) changed(key);
  };
  return allOpen({
    wukongs: watch<Wukong>({
      path: wukongPath,
      read: (object) => slim(object),
      changed(key, now, before) {
        if (key === undefined) return;
        if (before) wukongOfVm.delete(vmKeyOf(before));
        if (now) wukongOfVm.set(vmKeyOf(now), key);
        changed(key, now !== undefined && isAsking(now));
      },
    }),
    own: watchSchedules('WukongSchedule', schedulePath),
    wide: chosen ? undefined : watchSchedules(clusterKind, () => clusterSchedulePath(), [undefined]),
    runs: followIn(world, everywhere, { path: runPath, read: currentRun }, limits).catch(orNone('WukongRun')),
    // In a namespace of one's own a Role allows to read it, not to watch it.
    namespaces: chosen ? undefined : watch({ path: () => namespacePath(), read: ownPart }),
    machines: watchMachines(world, { namespaces: chosen ?? 'all', changed: vmChanged }, limits),
  });
}

/**
 * All that the server sees, kept by watches: a tick reads none of it again. Resolves when every watch has its first state.
 * @throws LifecycleError when one cannot have it within the limits.
 */
export async function openView(world: World, changed: Changed, limits: Limits) {
  const open = await openWatches(world, changed, limits);
  const { wukongs, own, wide, runs, namespaces } = open;
  const machines = { ...open.machines, close() {} }; // a tick closes what it was given
  const kept = [wukongs, own, wide, runs, namespaces];
  let around: Surroundings | undefined;
  const found = (namespace: string, name: string) =>
    wukongs.lost().has(namespace) ? undefined : wukongs.get(namespace, name);
  return {
    machines,
    /** @throws LifecycleError when a watch failed for good. */
    check: () => kept.forEach((one) => one?.check()),
    close: () => Object.values(open).forEach((one) => one?.close()),
    wukongs: () => wukongs.all().length,
    runs: () =>
      readApart(
        runs?.all().flatMap(({ run }) => run ?? []),
        runs?.lost() ?? new Map(),
      ),
    /** For a tick of all Wukongs, or of those that have these keys. */
    look(keys?: string[]): Standing['look'] {
      return async (tick) => {
        kept.forEach((one) => one?.check());
        const seen = keys ? keys.flatMap((key) => found(...split(key)) ?? []) : wukongs.all();
        const schedules = [...(own?.all() ?? []), ...(wide?.all() ?? [])];
        const unanswered = new Map([...wukongs.lost(), ...(own?.lost() ?? [])]);
        const known = { schedules, namespaces: namespaces?.all(), machines, wukongs: seen.map(copy), unanswered };
        const from = { ...known, around: keys && around && { ...around, schedules } };
        const looked = await lookAround(from, tick);
        if (!keys) around = looked.blind ? undefined : looked.around;
        return looked;
      };
    },
  };
}

const vmKeyOf = (wukong: Wukong) => keyOf({ ...placeOf(wukong), name: vmNameOf(wukong) });
const split = (key: string) => key.split('/') as [string, string];

/** Of those that are over, which may be many and long, nothing is kept. */
const currentRun = (run: KubeObject) =>
  (run.metadata.labels?.[currentKey] === 'true' ? { run: run as WukongRun } : {}) as { run?: WukongRun };

/** What a tick is done with it forgets, and these are kept. */
const copy = (wukong: Wukong): Wukong => ({ ...wukong, metadata: { ...wukong.metadata } });
