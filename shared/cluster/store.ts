import { keyOf, type KubeObject, placeOf } from '../domain/model.ts';

/** What is kept of one kind: the newest state of each object, how deleted ones were at their end, who is told. */
export interface Known<V> {
  get(namespace: string, name: string): V | undefined;
  /** The last one of that name that was seen to go, as it was at its end. */
  gone(namespace: string, name: string): V | undefined;
  /** Calls `call` after every later change of that object, and of `tellAll`. Returns its end. */
  on(namespace: string, name: string, call: () => void): () => void;
  /** Keeps its newest state, and returns its key; undefined when it is not wanted. */
  put(object: KubeObject): string | undefined;
  /** It is gone, and was like this at its end. Returns its key. */
  remove(object: KubeObject): string;
  /** Those that are present are all that there are: what else was known was deleted while nobody looked. */
  settle(present: Set<string>): void;
  tellAll(): void;
}

/** @param keeping How an object is read, and which are wanted; the rest costs no memory. */
export function newKnown<V>(keeping: {
  read(object: KubeObject): V;
  wanted?(namespace: string, name: string): boolean;
}): Known<V> {
  const known = new Map<string, V>();
  const gone = new Map<string, V>();
  const listeners = new Map<string, Set<() => void>>();
  const tell = (key: string) => {
    for (const call of [...(listeners.get(key) ?? [])]) call();
  };
  const forget = (key: string, atEnd: V) => {
    gone.set(key, atEnd);
    known.delete(key);
    tell(key);
  };
  return {
    get: (namespace, name) => known.get(keyOf({ namespace, name })),
    gone: (namespace, name) => gone.get(keyOf({ namespace, name })),
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
      const { namespace, name } = placeOf(object);
      if (keeping.wanted && !keeping.wanted(namespace, name)) return undefined;
      const key = keyOf({ namespace, name });
      known.set(key, keeping.read(object));
      tell(key);
      return key;
    },
    remove(object) {
      const key = keyOf(placeOf(object));
      if (known.has(key)) forget(key, keeping.read(object));
      return key;
    },
    settle(present) {
      for (const [key, before] of [...known]) if (!present.has(key)) forget(key, before);
    },
    tellAll() {
      for (const key of [...listeners.keys()]) tell(key);
    },
  };
}
