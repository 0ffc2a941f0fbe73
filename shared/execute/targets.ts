import { listPages } from '../cluster/list.ts';
import { listEach, readEach, type Unanswered } from '../cluster/namespaces.ts';
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
  /** Named, and not there, or not to be read. */
  missing: Place[];
  /** Where their VMs are to be watched. */
  namespaces: string[] | 'all';
  /** Namespaces in which nobody knows who is meant, and why. */
  unread: Unanswered;
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
        : { wukongs: [], missing: [], namespaces: [], unread: new Map() };
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
  const spaces = target.namespaces ?? world.config.watchNamespaces;
  const unread: Unanswered = new Map();
  const path = (namespace?: string) => `${wukongPath(namespace)}?${selector}`;
  const listed = await listEach<Wukong>({ world, spaces, path, limits, unanswered: unread, keep: slim });
  const found = new Map(listed.map((wukong) => [keyOf(wukong.metadata), wukong]));
  const namespaces = spaces?.filter((namespace) => !unread.has(namespace)) ?? 'all';
  return { wukongs: inOrder(found.values()), missing: [], namespaces, unread };
}

async function named(names: Place[], world: World, limits: Limits): Promise<Targets> {
  const places = new Map(names.map((place) => [keyOf(place), place])).values();
  const spaces = Map.groupBy(places, ({ namespace }) => namespace);
  const unread: Unanswered = new Map();
  const read = await readEach(spaces.keys(), { world, limits, unanswered: unread }, (space, limits) =>
    namedIn(space, spaces.get(space)!, world, limits),
  );
  const found = new Map([...read.values()].flat().map((wukong) => [keyOf(wukong.metadata), wukong]));
  const namespaces = [...read.keys()];
  const missing = namespaces.flatMap((space) => spaces.get(space)!).filter((place) => !found.has(keyOf(place)));
  return { wukongs: inOrder(found.values()), missing, namespaces, unread };
}

/** Those of some in one namespace that are there, one by one or by a LIST. */
async function* namedIn(namespace: string, places: Place[], world: World, limits: Limits): AsyncGenerator<Wukong[]> {
  if (places.length < worthAList) {
    for (const place of places) yield await readWukong(world, place, limits).then((one) => [slim(one)], noneAlone);
    return;
  }
  const wanted = new Set(places.map(keyOf));
  try {
    for await (const { items } of listPages<Wukong>(world.transport, wukongPath(namespace), limits))
      yield items.filter(({ metadata }) => wanted.has(keyOf(metadata))).map(slim);
  } catch (thrown) {
    noneAlone(thrown);
  }
}

/** One that is not there, or that may not be read, is asked for alone, and comes to nothing for itself. */
function noneAlone(thrown: unknown): [] {
  if (!['NotFound', 'Denied'].includes(asLifecycleError(thrown).code)) throw thrown;
  return [];
}

const inOrder = (wukongs: Iterable<Wukong>): Wukong[] =>
  [...wukongs].sort((a, b) => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1));
