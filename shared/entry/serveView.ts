import { followIn, type Space, type SpacedSource } from '../cluster/informers.ts';
import { namespacePath } from '../cluster/namespaces.ts';
import { runPath, slim, wukongPath } from '../cluster/objects.ts';
import { watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, type KubeObject, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { leaseKey } from '../domain/operation.ts';
import { currentKey, type WukongRun } from '../domain/run.ts';
import { isAsking, lookAround } from '../reconcile/look.ts';
import type { Standing } from '../reconcile/reconcile.ts';
import { clusterSchedulePath, schedulePath } from '../reconcile/scheduleInputs.ts';
import { zoneKey } from '../schedule/defaultZone.ts';
import { overrideKeys } from '../schedule/override.ts';
import { clusterKind } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/timetable.ts';
import { waveKey } from '../schedule/wave.ts';
import type { Limits } from '../time/wait.ts';
import type { Changes } from './serveLoop.ts';

export type View = Awaited<ReturnType<typeof openView>>;

/**
 * All that the server sees, kept by watches: a tick reads none of it again. Resolves when every watch has its first state.
 * @throws LifecycleError when one cannot have it within the limits.
 */
export async function openView(world: World, changes: Changes, limits: Limits) {
  const { watchNamespaces: chosen } = world.config;
  const wukongOfVm = new Map<string, string>();
  const open: { check?(): void; close(): void }[] = [];
  const kept = <V extends { close(): void }>(one: V): V => (open.push(one), one);
  const close = () => open.forEach((one) => one.close());

  /** Calls `all` where what schedules depend on is another than it was, not at each of our own writes. */
  async function watch<V extends KubeObject>(source: SpacedSource<V>, spaces = chosen ?? [undefined]) {
    const changed: typeof source.changed = (key, now, before) => {
      if (key === undefined || weightOf(now) !== weightOf(before)) changes.all();
      source.changed?.(key, now, before);
    };
    return kept(await followIn<V>(world, spaces, { ...source, changed }, limits));
  }
  /** A cluster without the CRD has none of these. */
  const orNone = (kind: string) => (thrown: unknown) => {
    if (asLifecycleError(thrown).code !== 'NotFound') throw thrown;
    world.log.warn(`there is no ${kind}, as its CRD is not installed: install it and start again`);
    return undefined;
  };
  const foresee = (_key?: string, now?: WukongSchedule) => (now ? foreseenBy(now) : []).forEach(changes.foreseen);
  const watchSchedules = (kind: string, path: SpacedSource<WukongSchedule>['path'], spaces?: undefined[]) => {
    const read = (object: KubeObject) => ({ ...(object as WukongSchedule), kind });
    return watch({ path, read, changed: foresee }, spaces).catch(orNone(kind));
  };

  try {
    const wukongs = await watch<Wukong>({
      path: wukongPath,
      read: (object) => slim(object),
      changed(key, now, before) {
        if (before) wukongOfVm.delete(vmKeyOf(before));
        if (now && key) wukongOfVm.set(vmKeyOf(now), key);
        if (key) changes.wukong(key, now !== undefined && isAsking(now));
      },
    });
    const own = await watchSchedules('WukongSchedule', schedulePath);
    const wide = chosen ? undefined : await watchSchedules(clusterKind, () => clusterSchedulePath(), [undefined]);
    const schedules = () => [...(own?.all() ?? []), ...(wide?.all() ?? [])];
    const runSource = { path: (space: Space) => runPath(space), read: currentRun };
    const runs = await followIn(world, chosen ?? [undefined], runSource, limits)
      .then(kept)
      .catch(orNone('WukongRun'));
    // In a namespace of one's own a Role allows to read it, not to watch it.
    const namespaces = chosen ? undefined : await watch({ path: () => namespacePath(), read: ownPart });
    const changed = (vm?: string) => {
      const key = wukongOfVm.get(vm ?? '');
      if (key) changes.wukong(key, false);
    };
    const watched = kept(await watchMachines(world, { namespaces: chosen ?? 'all', changed }, limits));
    const machines = { ...watched, close() {} }; // a tick closes what it was given
    const check = () => open.forEach((one) => one.check?.());
    let around: Surroundings | undefined;
    return {
      machines,
      /** @throws LifecycleError when a watch failed for good. */
      check,
      close,
      wukongs: () => wukongs.all().length,
      runs: () => runs?.all().flatMap(({ run }) => run ?? []),
      /** For a tick of all Wukongs, or of those that have these keys. */
      look(keys?: string[]): Standing['look'] {
        return async (tick) => {
          check();
          const seen = keys ? keys.flatMap((key) => wukongs.get(...split(key)) ?? []) : wukongs.all();
          const known = { schedules: schedules(), namespaces: namespaces?.all() };
          const before = keys && around && { ...around, schedules: known.schedules };
          const from = { ...known, machines, wukongs: seen.map(copy), around: before };
          const looked = await lookAround(from, tick);
          if (!keys) around = looked.blind ? undefined : looked.around;
          return looked;
        };
      },
      /** The first boundary after `now` that a schedule's status foresees; Infinity: none. Instant. */
      nextBoundary: (now: number): number =>
        schedules()
          .flatMap(foreseenBy)
          .reduce((first, at) => (at > now && at < first ? at : first), Infinity),
    };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

const ownKeys: string[] = [...Object.values(overrideKeys), leaseKey, waveKey, zoneKey];
const vmKeyOf = (wukong: Wukong) => keyOf({ ...placeOf(wukong), name: vmNameOf(wukong) });
const split = (key: string) => key.split('/') as [string, string];

/** What schedules depend on. A Wukong's generation also counts what is declared on it. */
function weightOf(object: KubeObject | undefined): string {
  const { uid, generation, labels, annotations } = object?.metadata ?? {};
  const counted = object?.kind && generation;
  return JSON.stringify(object && [uid, counted, labels, ownKeys.map((key) => annotations?.[key])]);
}

/** Of those that are over, which may be many and long, nothing is kept. */
const currentRun = (run: KubeObject) =>
  (run.metadata.labels?.[currentKey] === 'true' ? { run: run as WukongRun } : {}) as { run?: WukongRun };

/** What a tick is done with it forgets, and these are kept. */
const copy = (wukong: Wukong): Wukong => ({ ...wukong, metadata: { ...wukong.metadata } });

/** Of a namespace what overrides and chooses it; other annotations may be large and change all the time. */
function ownPart({ metadata: { name, uid, labels, annotations = {} } }: KubeObject): KubeObject {
  const own = Object.entries(annotations).filter(([key]) => ownKeys.includes(key));
  return { metadata: { name, ...(uid && { uid }), ...(labels && { labels }), annotations: Object.fromEntries(own) } };
}

/** Instants; NaN where there is none. */
const foreseenBy = ({ status }: WukongSchedule): number[] =>
  [status?.nextStart, status?.nextStop].map((text) => Date.parse(text ?? ''));
