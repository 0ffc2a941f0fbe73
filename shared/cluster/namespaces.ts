import { asLifecycleError, type LifecycleError } from '../domain/errors.ts';
import type { Annotations, KubeObject } from '../domain/model.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';
import { bodyOf } from './failure.ts';
import { listPages } from './list.ts';
import { ours } from './ours.ts';
import { apiPath } from './path.ts';
import { Patience } from './patience.ts';
import type { World } from './world.ts';

/** Why something that depends on a namespace is not known, by its name. */
export type Unanswered = Map<string, LifecycleError>;

/** More of them are had by one LIST; who watches some namespaces only may not list them all. */
const worthAList = 10;
const readAtOnce = 16;

/** Of one, or of all. */
export const namespacePath = (name?: string): string => apiPath({ api: 'v1', kind: 'namespaces', name });

export const annotationsOf = (namespaces: KubeObject[]): Map<string, Annotations> =>
  new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.annotations ?? {}]));

/** What is read together: what of it is not known is noted, and keeps nobody from reading the rest. */
export interface Reading {
  world: World;
  limits: Limits;
  /** A sentence for each thing that may not be read, or is not there. */
  problems: string[];
  /**
   * Namespaces for which there was no answer, so that it is nobody's trouble but theirs: what was not seen is not taken
   * for absent. Not given: no answer is an error.
   */
  unanswered?: Unanswered;
  /** Shared by those who read side by side for the same tick. */
  patience?: Patience;
}

/**
 * The annotations of namespaces, where overrides may stand too. What may not be read, or is not there, has none.
 * @throws LifecycleError where nobody answers and `unanswered` is not given, or all are had by one LIST.
 */
export async function readNamespaces(names: Iterable<string>, to: Reading): Promise<Map<string, Annotations>> {
  const { world, limits } = to;
  const wanted = new Set(names);
  const found = new Map<string, Annotations>();
  const keep = ({ metadata }: KubeObject) => found.set(metadata.name, metadata.annotations ?? {});
  if (wanted.size > worthAList && !world.config.watchNamespaces)
    await attempt(to, undefined, async () => {
      for await (const { items } of listPages(world.transport, namespacePath(), limits)) items.forEach(keep);
    });
  else {
    const apart = readingApart(to);
    const readOne = async (name: string, limits: Limits) => {
      const path = namespacePath(name);
      const answer = await world.transport.call<KubeObject>({ method: 'GET', path, safe: true }, limits);
      const namespace = ours(bodyOf(answer, `namespace ${name}`));
      if (namespace) keep(namespace);
    };
    await each(wanted, readAtOnce, (name) => attempt(to, name, () => apart((limits) => readOne(name, limits))));
  }
  return found;
}

/** How what is read in one namespace is waited for: with patience, where no answer is its own trouble alone. */
export function readingApart({ world, limits, unanswered, patience }: Reading) {
  const shared = patience ?? new Patience(world.clock, limits);
  return <T>(read: (limits: Limits) => Promise<T>): Promise<T> => (unanswered ? shared.read(read) : read(limits));
}

/** Reads one namespace, or all of them. */
async function attempt({ limits, problems, unanswered }: Reading, name: string | undefined, read: () => Promise<void>) {
  try {
    await read();
  } catch (thrown) {
    limits.signal?.throwIfAborted();
    const error = asLifecycleError(thrown);
    const isKnown = error.code === 'Denied' || error.code === 'NotFound';
    if (!isKnown && name !== undefined && unanswered) return void unanswered.set(name, error);
    if (!isKnown) throw error;
    const what = name === undefined ? 'namespaces' : `namespace ${name}`;
    problems.push(`annotations of ${what} are not known: ${error.message}`);
  }
}

/** What is listed of one kind. */
export interface Listing<T> {
  world: Pick<World, 'transport' | 'clock'>;
  /** Undefined: everywhere. */
  spaces: string[] | undefined;
  /** The collection there. */
  path: (namespace?: string) => string;
  limits: Limits;
  unanswered: Unanswered;
  /** What is kept of each. */
  keep?: (object: T) => T;
}

/**
 * All objects of a kind in these namespaces, in their order, or everywhere. A namespace in which nobody answers, or that
 * may not be read, is noted in `unanswered`. @throws what the first of them threw, where none of them could be read.
 */
export async function listEach<T extends KubeObject>(listing: Listing<T>): Promise<T[]> {
  const { spaces, limits } = listing;
  if (!spaces) return collected(pagesIn(listing, undefined, limits));
  const found = await readEach(spaces, listing, (space, limits) => pagesIn(listing, space, limits));
  return [...new Set(spaces)].flatMap((space) => found.get(space) ?? []);
}

/**
 * What is in each of these namespaces, in parts. One in which nobody answers, or that may not be read, is noted in
 * `unanswered`, and is its own trouble alone: the others are read side by side with it, and wait for it 5 s at the most,
 * or for its next part. One that is noted there already is not asked again. @throws what the first of them threw, where
 * none could be read.
 */
export async function readEach<T>(
  spaces: Iterable<string>,
  { world, limits, unanswered }: Pick<Listing<KubeObject>, 'world' | 'limits' | 'unanswered'>,
  partsIn: (space: string, limits: Limits) => AsyncIterable<T[]>,
): Promise<Map<string, T[]>> {
  const found = new Map<string, T[]>();
  const failed = new Map<string, LifecycleError>();
  const patience = new Patience(world.clock, limits);
  const names = [...new Set(spaces)].filter((space) => !unanswered.has(space));
  await each(names, readAtOnce, async (space) => {
    try {
      found.set(space, await patience.read((limits, goesOn) => collected(partsIn(space, limits), goesOn)));
    } catch (thrown) {
      limits.signal?.throwIfAborted();
      failed.set(space, asLifecycleError(thrown));
    }
  });
  const first = names.find((space) => failed.has(space));
  if (first !== undefined && found.size === 0) throw failed.get(first)!;
  for (const [space, error] of failed) unanswered.set(space, error);
  return found;
}

async function* pagesIn<T extends KubeObject>(
  { world, path, keep = (object) => object }: Listing<T>,
  space: string | undefined,
  limits: Limits,
): AsyncGenerator<T[]> {
  for await (const { items } of listPages<T>(world.transport, path(space), limits)) yield items.map(keep);
}

async function collected<T>(parts: AsyncIterable<T[]>, goesOn = () => {}): Promise<T[]> {
  const found: T[] = [];
  for await (const items of parts) {
    for (const item of items) found.push(item);
    goesOn();
  }
  return found;
}
