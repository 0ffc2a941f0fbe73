import { follow, type Followed } from '../cluster/informer.ts';
import { slim, wukongPath } from '../cluster/objects.ts';
import { apiPath } from '../cluster/path.ts';
import { type Machines, watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import type { Wukong } from '../domain/model.ts';
import { annotationPrefix, type Annotations, keyOf, type KubeObject, placeOf, vmNameOf } from '../domain/model.ts';
import { lookAround } from '../reconcile/look.ts';
import type { Standing } from '../reconcile/reconcile.ts';
import { schedulePath } from '../reconcile/scheduleInputs.ts';
import { overrideKeys } from '../schedule/override.ts';
import { isClusterSchedule } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/timetable.ts';
import type { Limits } from '../time/wait.ts';

/** All that the server sees, kept by watches: a tick reads none of it again. */
export interface View {
  machines: Machines;
  wukongs(): number;
  /** For a tick of all Wukongs, or of those that have these keys. */
  look(keys?: Iterable<string>): Standing['look'];
  /** The first boundary after `now` that a schedule's status foresees. Instant. */
  nextBoundary(now: number): number | undefined;
  /** @throws LifecycleError when a watch failed for good. */
  check(): void;
  close(): void;
}

export interface Changes {
  /** This Wukong changed, or its VM did, in which case there is no hurry. */
  wukong(key: string, hurry: boolean): void;
  /** Something changed on which schedules depend. */
  all(): void;
  /** A schedule's status foresees other boundaries than before. */
  boundaries(): void;
}

/** Resolves when every watch has its first state. @throws LifecycleError when one cannot have it within the limits. */
export async function openView(world: World, changes: Changes, limits: Limits): Promise<View> {
  const spaces = world.config.watchNamespaces ?? [undefined];
  const wukongOfVm = new Map<string, string>();
  const open: Followed<unknown>[] = [];
  const primes: (() => void)[] = [];
  /** Calls `all` where what schedules depend on is another than it was, not at each of our own writes. */
  const noticing = <V extends KubeObject>(followed: () => Followed<V>[], weighs: (value: V) => unknown) => {
    const before = new Map<string, string>();
    const get = found(followed);
    const known = (value: V) => before.set(keyOf(placeOf(value)), JSON.stringify(weighs(value)));
    // What is there at the beginning is no change; while it is still coming nothing can be looked up.
    primes.push(() => followed().forEach((one) => one.all().forEach(known)));
    return (key = '') => {
      const value = get(...split(key));
      const now = value && JSON.stringify(weighs(value));
      if (before.get(key) === now) return;
      if (value) known(value);
      else before.delete(key);
      changes.all();
    };
  };
  const opened = async <V>(source: Parameters<typeof follow<V>>[1]) => {
    const followed = await follow(world, source, limits);
    open.push(followed);
    return followed;
  };
  const inEach = <V>(
    path: (space?: string) => string,
    read: (object: KubeObject) => V,
    changed: (key?: string) => void,
  ) => Promise.all(spaces.map((space) => opened<V>({ path: path(space), read, changed })));
  const found =
    <V>(all: () => Followed<V>[]) =>
    (namespace: string, name: string) => {
      for (const one of all()) if (one.get(namespace, name)) return one.get(namespace, name);
      return undefined;
    };

  let wukongs: Followed<Wukong>[] = [];
  let schedules: Followed<WukongSchedule>[] = [];
  let namespaces: Followed<KubeObject> | undefined;
  let around: Surroundings | undefined;
  const wukong = found(() => wukongs);
  const weighty = noticing(
    () => wukongs,
    ({ metadata: { labels, annotations } }) => [labels, Object.values(overrideKeys).map((key) => annotations?.[key])],
  );
  const onWukong = (key?: string) => {
    if (key === undefined) return changes.all(); // a watch failed: the next tick says so
    changes.wukong(key, true);
    weighty(key);
  };
  const readWukong = (object: KubeObject) => {
    const slimmed = slim(object as Wukong);
    wukongOfVm.set(keyOf({ ...placeOf(object), name: vmNameOf(slimmed) }), keyOf(object.metadata));
    return slimmed;
  };
  const onVm = (vm?: string) => {
    const key = vm && wukongOfVm.get(vm);
    if (key !== undefined) changes.wukong(key, false);
  };
  const edited = noticing(
    () => schedules,
    ({ metadata }) => [metadata.uid, metadata.generation],
  );
  const onSchedule = (key?: string) => {
    edited(key);
    changes.boundaries();
  };
  const onNamespace = noticing(
    () => (namespaces ? [namespaces] : []),
    ({ metadata }) => metadata.annotations,
  );

  try {
    const scope = { namespaces: world.config.watchNamespaces ?? ('all' as const), changed: onVm };
    wukongs = await inEach(wukongPath, readWukong, onWukong);
    schedules = await inEach(schedulePath, (object) => object as WukongSchedule, onSchedule).catch(absent(world));
    // In a namespace of one's own a Role allows to read it, not to watch it.
    if (!world.config.watchNamespaces)
      namespaces = await opened({
        path: apiPath({ api: 'v1', kind: 'namespaces' }),
        read: ownPart,
        changed: onNamespace,
      });
    const machines = await watchMachines(world, scope, limits);
    const kept: Machines = { ...machines, close() {} };
    primes.forEach((prime) => prime());
    const annotations = () =>
      namespaces && new Map(namespaces.all().map(({ metadata }) => [metadata.name, metadata.annotations ?? {}]));
    const check = () => open.forEach((one) => one.check());
    return {
      machines: kept,
      check,
      wukongs: () => wukongs.reduce((sum, one) => sum + one.all().length, 0),
      look: (keys) => async (at, within, problems) => {
        check();
        const seen = keys
          ? [...keys].flatMap((key) => wukong(...split(key)) ?? [])
          : wukongs.flatMap((one) => one.all());
        const current = schedules.flatMap((one) => one.all());
        const known = keys && around && { ...around, schedules: current };
        const from = { wukongs: seen.map(copy), machines: kept, schedules: current, namespaces: annotations() };
        const looked = await lookAround(at, { ...from, around: known }, within, problems);
        if (!keys) around = looked.blind ? undefined : looked.around;
        return looked;
      },
      nextBoundary(now) {
        // Those of the whole cluster are read by each whole tick, and not watched.
        const wide = around?.schedules.filter(isClusterSchedule) ?? [];
        const all = [...schedules.flatMap((one) => one.all()), ...wide].flatMap(({ status }) => [
          status?.nextStart,
          status?.nextStop,
        ]);
        const later = all.map((text) => Date.parse(text ?? '')).filter((at) => at > now);
        return later.length > 0 ? later.reduce((first, at) => Math.min(first, at)) : undefined;
      },
      close() {
        machines.close();
        for (const one of open) one.close();
      },
    };
  } catch (thrown) {
    for (const one of open) one.close();
    throw thrown;
  }
}

const split = (key: string): [string, string] => [key.split('/')[0] ?? '', key.split('/')[1] ?? ''];

/** What a tick is done with it forgets, and these are kept. */
const copy = (wukong: Wukong): Wukong => ({ ...wukong, metadata: { ...wukong.metadata } });

/** Of a namespace what overrides it; other annotations may be large and change all the time. */
function ownPart({ metadata: { name, uid, annotations } }: KubeObject): KubeObject {
  const own = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith(annotationPrefix));
  const kept: Annotations = Object.fromEntries(own);
  return { metadata: { name, ...(uid ? { uid } : {}), annotations: kept } };
}

/** A cluster without the WukongSchedule CRD has no schedules. */
const absent =
  ({ log }: World) =>
  (thrown: unknown): Followed<WukongSchedule>[] => {
    if (asLifecycleError(thrown).code !== 'NotFound') throw thrown;
    log.warn('the WukongSchedule CRD is not installed, so there are no schedules: install it and start again');
    return [];
  };
