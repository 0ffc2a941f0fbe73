import { keyOf, type KubeObject, placeOf } from '../domain/model.ts';
import { remember } from '../domain/remember.ts';

/** How objects of one kind are read and which are wanted; the rest costs no memory. */
export interface Keeping<V> {
  read(object: KubeObject): V;
  /** By its key, `namespace/name`. */
  wanted?(key: string, namespace: string): boolean;
  /** Called after every change of any object, with what it is now and was before; without a key when the watch failed for good. */
  changed?(key?: string, now?: V, before?: V): void;
}

interface Kept<V> {
  uid: string | undefined;
  version: string | undefined;
  value: V;
  /** When it was put last, counted in calls of `begin`. */
  round: number;
}

/** A process that stays sees VMs of ever new names end: of so many it is remembered how. */
const mostGone = 10_000;

/** What is kept of one kind: the newest state of each object, how deleted ones were at their end, who is told. */
export class Store<V> {
  readonly #keeping: Keeping<V>;
  readonly #known = new Map<string, Kept<V>>();
  readonly #gone = new Map<string, V>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #round = 0;

  constructor(keeping: Keeping<V>) {
    this.#keeping = keeping;
  }

  get(namespace: string, name: string): V | undefined {
    return this.#known.get(keyOf({ namespace, name }))?.value;
  }

  /** All that there are, in no order. */
  all(): V[] {
    return [...this.#known.values()].map(({ value }) => value);
  }

  /** The last one of that name that is known to be gone, as it was when it was seen last. */
  gone(namespace: string, name: string): V | undefined {
    return this.#gone.size === 0 ? undefined : this.#gone.get(keyOf({ namespace, name }));
  }

  /** Calls `call` after every later change of that object, and of `tellAll`. Returns its end. */
  on(namespace: string, name: string, call: () => void): () => void {
    const key = keyOf({ namespace, name });
    const calls = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, calls.add(call));
    return () => {
      calls.delete(call);
      if (calls.size === 0) this.#listeners.delete(key);
    };
  }

  /** Keeps its newest state, where it is wanted. */
  put(object: KubeObject): void {
    const place = placeOf(object);
    const key = keyOf(place);
    if (this.#keeping.wanted && !this.#keeping.wanted(key, place.namespace)) return;
    const { uid, resourceVersion: version } = object.metadata;
    const before = this.#known.get(key);
    // After a reconnect everything is shown once more; what is known already is no change.
    if (before && version !== undefined && before.version === version && before.uid === uid) {
      before.round = this.#round;
      return;
    }
    // Another generation of the name: the end of the one before was missed.
    if (before && before.uid !== uid) this.#ended(key, before.value);
    this.#known.set(key, { uid, version, value: this.#keeping.read(object), round: this.#round });
    this.#tell(key, before?.value);
  }

  /** It is gone, and was like this at its end. Returns its key; undefined when it was not known. */
  remove(object: KubeObject): string | undefined {
    const key = keyOf(placeOf(object));
    const before = this.#known.get(key);
    if (!before || before.uid !== object.metadata.uid) return undefined;
    this.#forget(key, this.#keeping.read(object));
    return key;
  }

  /** From now on all that there are is put, until `settle`. */
  begin(): void {
    this.#round++;
  }

  /** Those put since `begin` are all that there are: what else was known was deleted while nobody looked. */
  settle(): void {
    for (const [key, { value, round }] of this.#known) if (round !== this.#round) this.#forget(key, value);
  }

  tellAll(): void {
    for (const key of [...this.#listeners.keys()]) this.#call(key);
    this.#keeping.changed?.();
  }

  #forget(key: string, atEnd: V): void {
    this.#ended(key, atEnd);
    this.#known.delete(key);
    this.#tell(key, atEnd);
  }

  #ended(key: string, atEnd: V): void {
    remember(this.#gone, key, atEnd, mostGone);
  }

  #tell(key: string, before: V | undefined): void {
    this.#call(key);
    this.#keeping.changed?.(key, this.#known.get(key)?.value, before);
  }

  #call(key: string): void {
    for (const one of [...(this.#listeners.get(key) ?? [])]) one();
  }
}
