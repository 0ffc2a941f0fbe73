import { listPages } from '../cluster/list.ts';
import { readWukong, slim, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { keyOf, type Place, type Wukong } from '../domain/model.ts';
import { format } from '../domain/selector.ts';
import type { Limits } from '../time/wait.ts';

/** What a fleet command means. */
export interface Targets {
  wukongs: Wukong[];
  /** Named, and not there. */
  missing: Place[];
  /** Where their VMs are to be watched. */
  namespaces: string[] | 'all';
}

/** With so many names in one namespace a LIST is cheaper than reading each. */
const worthAList = 10;

/**
 * The Wukongs that a fleet command means, by paged LISTs; of each only what is needed, in the order of their names.
 * @throws LifecycleError InvalidAction above maxTargets, with the count.
 */
export async function findTargets({ target, maxTargets }: Command, world: World, limits: Limits): Promise<Targets> {
  const found =
    'names' in target
      ? await named(target.names, world, limits)
      : 'selector' in target
        ? await selected(target, world, limits)
        : { wukongs: [], missing: [], namespaces: [] };
  const count = found.wukongs.length + found.missing.length;
  if (count > maxTargets)
    throw new LifecycleError(
      'InvalidAction',
      `target.selector: matches ${count} Wukongs, more than maxTargets ${maxTargets}`,
    );
  return found;
}

async function selected(
  target: Extract<Command['target'], { selector: unknown }>,
  world: World,
  limits: Limits,
): Promise<Targets> {
  const selector = `labelSelector=${encodeURIComponent(format(target.selector))}`;
  const namespaces = target.namespaces ?? world.config.watchNamespaces;
  const found = new Map<string, Wukong>();
  for (const namespace of new Set(namespaces ?? [undefined]))
    for await (const wukong of listed(world, `${wukongPath(namespace)}?${selector}`, limits))
      found.set(keyOf(wukong.metadata), wukong);
  return { wukongs: inOrder(found.values()), missing: [], namespaces: namespaces ?? 'all' };
}

async function named(names: Place[], world: World, limits: Limits): Promise<Targets> {
  const wanted = new Map(names.map((place) => [keyOf(place), place]));
  const found = new Map<string, Wukong>();
  const missing: Place[] = [];
  for (const [namespace, places] of Map.groupBy(wanted.values(), (place) => place.namespace)) {
    if (places.length >= worthAList) {
      for await (const wukong of listed(world, wukongPath(namespace), limits))
        if (wanted.has(keyOf(wukong.metadata))) found.set(keyOf(wukong.metadata), wukong);
    } else
      for (const place of places) {
        const wukong = await readWukong(world, place, limits).catch((thrown: unknown) => {
          if (asLifecycleError(thrown).code === 'NotFound') return undefined;
          throw thrown;
        });
        if (wukong) found.set(keyOf(place), slim(wukong));
      }
    missing.push(...places.filter((place) => !found.has(keyOf(place))));
  }
  return { wukongs: inOrder(found.values()), missing, namespaces: [...new Set(names.map((one) => one.namespace))] };
}

const inOrder = (wukongs: Iterable<Wukong>): Wukong[] =>
  [...wukongs].sort((a, b) => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1));

async function* listed(world: World, path: string, limits: Limits): AsyncGenerator<Wukong> {
  for await (const { items } of listPages<Wukong>(world.transport, path, limits)) yield* items.map(slim);
}
