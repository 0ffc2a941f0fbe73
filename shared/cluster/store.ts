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

/** What is kept of one kind: the newest state of each object, how deleted ones were at their end, who is told. */
export interface Known<V> {
  get(namespace: string, name: string): V | undefined;
  /** All that there are, in no order. */
  all(): V[];
  /** The last one of that name that is known to be gone, as it was when it was seen last. */
  gone(namespace: string, name: string): V | undefined;
  /** Calls `call` after every later change of that object, and of `tellAll`. Returns its end. */
  on(namespace: string, name: string, call: () => void): () => void;
  /** Keeps its newest state, where it is wanted. */
  put(object: KubeObject): void;
  /** It is gone, and was like this at its end. Returns its key; undefined when it was not known. */
  remove(object: KubeObject): string | undefined;
  /** From now on all that there are is put, until `settle`. */
  begin(): void;
  /** Those put since `begin` are all that there are: what else was known was deleted while nobody looked. */
  settle(): void;
  tellAll(): void;
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

export function newKnown<V>(keeping: Keeping<V>): Known<V> {
  const known = new Map<string, Kept<V>>();
  const gone = new Map<string, V>();
  const listeners = new Map<string, Set<() => void>>();
  let round = 0;
  const call = (key: string) => {
    for (const one of [...(listeners.get(key) ?? [])]) one();
  };
  const tell = (key: string, before: V | undefined) => {
    call(key);
    keeping.changed?.(key, known.get(key)?.value, before);
  };
  const ended = (key: string, atEnd: V) => remember(gone, key, atEnd, mostGone);
  const forget = (key: string, atEnd: V) => {
    ended(key, atEnd);
    known.delete(key);
    tell(key, atEnd);
  };
  return {
    get: (namespace, name) => known.get(keyOf({ namespace, name }))?.value,
    all: () => [...known.values()].map(({ value }) => value),
    gone: (namespace, name) => (gone.size === 0 ? undefined : gone.get(keyOf({ namespace, name }))),
    on(namespace, name, call) {
      const key = keyOf({ namespace, name });
      const calls = listeners.get(key) ?? new Set();
      listeners.set(key, calls.add(call));
      return () => {
        calls.delete(call);
        if (calls.size === 0) listeners.delete(key);
      };
    },
    put(object) {
      const place = placeOf(object);
      const key = keyOf(place);
      if (keeping.wanted && !keeping.wanted(key, place.namespace)) return;
      const { uid, resourceVersion: version } = object.metadata;
      const before = known.get(key);
      // After a reconnect everything is shown once more; what is known already is no change.
      if (before && version !== undefined && before.version === version && before.uid === uid) {
        before.round = round;
        return;
      }
      // Another generation of the name: the end of the one before was missed.
      if (before && before.uid !== uid) ended(key, before.value);
      known.set(key, { uid, version, value: keeping.read(object), round });
      tell(key, before?.value);
    },
    remove(object) {
      const key = keyOf(placeOf(object));
      const before = known.get(key);
      if (!before || before.uid !== object.metadata.uid) return undefined;
      forget(key, keeping.read(object));
      return key;
    },
    begin: () => void round++,
    settle() {
      for (const [key, kept] of known) if (kept.round !== round) forget(key, kept.value);
    },
    tellAll() {
      for (const key of [...listeners.keys()]) call(key);
      keeping.changed?.();
    },
  };
}
