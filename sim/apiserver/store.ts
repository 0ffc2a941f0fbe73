import { randomUUID } from 'node:crypto';

import type { Thing } from './object.ts';
import { keyOf, type Resource } from './resources.ts';

export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  revision: number;
  object: Thing;
  /** What stood there before: a label selector may have matched that, and not this. */
  previous: Thing | undefined;
}

export type Listener = (event: StoreEvent) => void;
/** Hears of every kind; `key` is the kind's plural and group. */
export type Observer = (event: StoreEvent, key: string) => void;

interface Shelf {
  key: string;
  objects: Map<string, Thing>;
  /** The version before the newest, for reads that are answered from a stale cache. */
  previous: Map<string, Thing | undefined>;
  events: StoreEvent[];
  /** Watches from before this revision are told that it is gone. */
  compactedTo: number;
  listeners: Set<Listener>;
}

/** Events kept a kind at the most, and of those that are old. A watch from before them is told 410. */
const historyKept = 20_000;
const oldHistoryKept = 2_000;

/** Where a cluster's revisions begin: what was before has been compacted long ago. */
const firstRevision = 1000;

const idOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;
const idIn = ({ metadata: { namespace, name } }: Thing): string => idOf(namespace, name);

/** Objects by kind, one counter of revisions for all, and what happened, as etcd keeps them. */
export class Store {
  #revision = firstRevision;
  #shelves = new Map<string, Shelf>();
  #ofResource = new WeakMap<object, Shelf>();
  #texts = new WeakMap<Thing, string>();
  #observers: Observer[] = [];

  get revision(): number {
    return this.#revision;
  }

  #shelf(resource: { group: string; plural: string }): Shelf {
    const known = this.#ofResource.get(resource);
    if (known) return known;
    const key = keyOf(resource);
    let shelf = this.#shelves.get(key);
    if (!shelf) {
      shelf = {
        key,
        objects: new Map(),
        previous: new Map(),
        events: [],
        compactedTo: firstRevision,
        listeners: new Set(),
      };
      this.#shelves.set(key, shelf);
    }
    this.#ofResource.set(resource, shelf);
    return shelf;
  }

  get(resource: Resource, namespace: string | undefined, name: string): Thing | undefined {
    return this.#shelf(resource).objects.get(idOf(namespace, name));
  }

  /** The version before the newest; undefined when there was none. */
  stale(resource: Resource, namespace: string | undefined, name: string): Thing | undefined {
    return this.#shelf(resource).previous.get(idOf(namespace, name));
  }

  /** All of a kind, ordered by namespace and name. */
  list(resource: Resource, namespace?: string): Thing[] {
    const all: [string, Thing][] = [];
    const prefix = namespace === undefined ? undefined : `${namespace}/`;
    for (const entry of this.#shelf(resource).objects)
      if (prefix === undefined || entry[0].startsWith(prefix)) all.push(entry);
    all.sort(([a], [b]) => (a < b ? -1 : 1));
    return all.map(([, thing]) => thing);
  }

  /** As `list` would have found it at a revision that is not compacted: what happened since is taken back. */
  at(resource: Resource, namespace: string | undefined, revision: number): Thing[] {
    const found = new Map(this.list(resource, namespace).map((thing) => [idIn(thing), thing]));
    for (const { object, previous } of this.since(resource, revision).reverse()) {
      if (namespace !== undefined && object.metadata.namespace !== namespace) continue;
      if (previous) found.set(idIn(object), previous);
      else found.delete(idIn(object));
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, thing]) => thing);
  }

  /** Unordered, for controllers that go through all of a kind. */
  each(resource: Resource): Iterable<Thing> {
    return this.#shelf(resource).objects.values();
  }

  /** Stores the object under a new revision; the stored object is the one returned. */
  put(resource: Resource, object: Thing): Thing {
    const { shelf, id, previous, revision, revised: stored } = this.#revised(resource, object);
    if (!stored.metadata.uid) stored.metadata.uid = randomUUID();
    shelf.objects.set(id, stored);
    shelf.previous.set(id, previous);
    this.#happened(shelf, { type: previous ? 'MODIFIED' : 'ADDED', revision, object: stored, previous });
    return stored;
  }

  delete(resource: Resource, object: Thing): Thing {
    const { shelf, id, previous, revision, revised: last } = this.#revised(resource, object);
    shelf.objects.delete(id);
    shelf.previous.delete(id);
    this.#happened(shelf, { type: 'DELETED', revision, object: last, previous });
    return last;
  }

  /** The object under a new revision, where it stands, and what stood there before. */
  #revised(resource: Resource, object: Thing) {
    const shelf = this.#shelf(resource);
    const id = idIn(object);
    const revision = ++this.#revision;
    const revised: Thing = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    return { shelf, id, previous: shelf.objects.get(id), revision, revised };
  }

  #happened(shelf: Shelf, event: StoreEvent): void {
    shelf.events.push(event);
    if (shelf.events.length > historyKept * 1.2) this.#trim(shelf, shelf.events.length - historyKept);
    for (const listener of [...shelf.listeners]) listener(event);
    for (const observer of this.#observers) observer(event, shelf.key);
  }

  /** Forgets what happened up to now: watches from earlier revisions get 410. */
  compact(): void {
    for (const shelf of this.#shelves.values()) {
      shelf.events.length = 0;
      shelf.compactedTo = this.#revision;
    }
  }

  /** Forgets what happened up to `revision`, but for the newest of each kind. */
  forget(revision: number): void {
    for (const shelf of this.#shelves.values()) {
      const count = Math.min(after(shelf.events, revision), shelf.events.length - oldHistoryKept);
      if (count > 0) this.#trim(shelf, count);
    }
  }

  #trim(shelf: Shelf, count: number): void {
    shelf.compactedTo = shelf.events.splice(0, count).at(-1)?.revision ?? shelf.compactedTo;
  }

  /** The revision from which on a kind's history is complete. */
  compactedTo(resource: Resource): number {
    return this.#shelf(resource).compactedTo;
  }

  since(resource: Resource, revision: number): StoreEvent[] {
    const { events } = this.#shelf(resource);
    return events.slice(after(events, revision));
  }

  subscribe(resource: { group: string; plural: string }, listener: Listener): () => void {
    const shelf = this.#shelf(resource);
    shelf.listeners.add(listener);
    return () => shelf.listeners.delete(listener);
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  /** The object as JSON, made once a version. */
  text(thing: Thing): string {
    let text = this.#texts.get(thing);
    if (text === undefined) {
      text = JSON.stringify(thing);
      this.#texts.set(thing, text);
    }
    return text;
  }
}

/** The index of the first event after a revision. */
function after(events: StoreEvent[], revision: number): number {
  let low = 0;
  for (let high = events.length; low < high;) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as StoreEvent).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
