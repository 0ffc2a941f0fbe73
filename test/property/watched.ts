import type { Answer, Call, Transport } from '../../shared/cluster/transport.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { KubeObject } from '../../shared/domain/model.ts';

export interface Plain {
  uid: string;
  version: number;
}
type Line = { type: string; object: object };

/** How the next initial events are spoilt: after so many lines. */
export interface Spoilt {
  afterLines: number;
  how: 'cut' | 'end';
}

interface Open {
  say(line: Line): void;
  end(): void;
  cut(): void;
  deaf: boolean;
}

const lost = () => new LifecycleError('Unreachable', 'connection lost');
const pageSize = 2;

/** A server of one collection as plain as can be: the truth, its history, and all the ways in which a watch can go wrong. */
export class Watched {
  readonly truth = new Map<string, Plain>();
  /** Those that are gone, as they were at their end: the last of each name. */
  readonly ended = new Map<string, Plain>();
  knowsInitialEvents = true;
  away = false;
  /** A 410 comes as an answer, or as an event in a stream. */
  expiresBy: 'status' | 'event' = 'event';
  spoilt: Spoilt[] = [];
  /** Between two pages of the next list this happens, and the rest is as of then. */
  betweenPages: (() => void) | undefined;
  #revision = 10;
  #compactedTo = 0;
  #generations = 0;
  #history: { revision: number; line: Line }[] = [];
  #open = new Set<Open>();
  #pages = new Map<string, { names: string[]; revision: number }>();

  put(name: string): void {
    const before = this.truth.get(name);
    const now = { uid: before?.uid ?? `uid-${++this.#generations}`, version: ++this.#revision };
    this.truth.set(name, now);
    this.#happen(before ? 'MODIFIED' : 'ADDED', name, now);
  }

  remove(name: string): void {
    const before = this.truth.get(name);
    if (!before) return;
    this.truth.delete(name);
    const end = { ...before, version: ++this.#revision };
    this.ended.set(name, end);
    this.#happen('DELETED', name, end);
  }

  bookmark(): void {
    this.#revision++;
    for (const one of this.#open) one.say({ type: 'BOOKMARK', object: { metadata: { resourceVersion: this.#now } } });
  }

  error(code: number): void {
    for (const one of this.#open) {
      one.say({ type: 'ERROR', object: { kind: 'Status', code, message: 'it is so' } });
      one.end();
    }
  }

  compact(): void {
    this.#compactedTo = ++this.#revision;
    this.#pages.clear();
  }

  cut(how: 'cut' | 'end'): void {
    for (const one of [...this.#open]) one[how]();
  }

  /** What is open stays open, and nothing comes through any more. */
  deafen(): void {
    for (const one of this.#open) one.deaf = true;
  }

  get anyDeaf(): boolean {
    return [...this.#open].some(({ deaf }) => deaf);
  }

  get open(): number {
    return this.#open.size;
  }

  get #now(): string {
    return String(this.#revision);
  }

  #happen(type: string, name: string, plain: Plain): void {
    const line = { type, object: objectOf(name, plain) };
    this.#history.push({ revision: this.#revision, line });
    for (const one of this.#open) one.say(line);
  }

  readonly transport: Transport = {
    call: <T>({ path }: Call) => {
      if (this.away) return Promise.reject(lost());
      return Promise.resolve(this.#page(new URL(path, 'https://server').searchParams.get('continue')) as Answer<T>);
    },
    stream: (path, signal) => {
      if (this.away) return Promise.reject(lost());
      const query = new URL(path, 'https://server').searchParams;
      return Promise.resolve(this.#stream(query, signal));
    },
  };

  #page(token: string | null): Answer {
    const kept = token === null ? undefined : this.#pages.get(token);
    const from = token === null ? [...this.truth.keys()].sort() : kept?.names;
    if (!from) {
      // The rest as of now, by the token that a 410 brings.
      const rest = `rest-${++this.#revision}`;
      this.#pages.set(rest, { names: [...this.truth.keys()].sort().slice(pageSize), revision: this.#revision });
      return { status: 410, body: { reason: 'Expired', metadata: { continue: rest } }, warnings: [] };
    }
    const revision = kept?.revision ?? this.#revision;
    const items = from.slice(0, pageSize).flatMap((name) => {
      const plain = this.truth.get(name);
      return plain ? [objectOf(name, plain)] : [];
    });
    const rest = from.slice(pageSize);
    let more: string | undefined;
    if (rest.length > 0) {
      more = `more-${++this.#generations}`;
      this.#pages.set(more, { names: rest, revision });
      this.betweenPages?.();
      this.betweenPages = undefined;
    }
    return { status: 200, body: { metadata: { resourceVersion: `${revision}`, continue: more }, items }, warnings: [] };
  }

  #stream(query: URLSearchParams, signal: AbortSignal): { status: number; lines: AsyncIterable<string> } {
    const initial = query.has('sendInitialEvents');
    if (initial && !this.knowsInitialEvents) return { status: 422, lines: none() };
    const since = Number(query.get('resourceVersion') ?? 0);
    const stale = !initial && since < this.#compactedTo;
    if (stale && this.expiresBy === 'status') return { status: 410, lines: none() };
    const { lines, open } = this.#opened(signal);
    if (stale) {
      open.say({ type: 'ERROR', object: { kind: 'Status', code: 410 } });
      open.end();
    } else if (initial) this.#begin(open);
    else for (const { revision, line } of this.#history) if (revision > since) open.say(line);
    return { status: 200, lines };
  }

  #begin(open: Open): void {
    const first: Line[] = [...this.truth].map(([name, plain]) => ({ type: 'ADDED', object: objectOf(name, plain) }));
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    first.push({ type: 'BOOKMARK', object: { metadata: { resourceVersion: this.#now, annotations } } });
    const spoilt = this.spoilt.shift();
    for (const line of first.slice(0, spoilt ? Math.min(spoilt.afterLines, first.length - 1) : undefined))
      open.say(line);
    if (spoilt) open[spoilt.how]();
  }

  #opened(signal: AbortSignal): { lines: AsyncIterable<string>; open: Open } {
    const queue: (string | Error | 'end')[] = [];
    let wake = () => {};
    const push = (what: string | Error) => {
      if (open.deaf) return;
      queue.push(what);
      wake();
    };
    const over = (what: string | Error) => {
      if (open.deaf) return; // its end does not come through either
      this.#open.delete(open);
      push(what);
    };
    const open: Open = {
      deaf: false,
      say: (line) => push(JSON.stringify(line)),
      end: () => over('end'),
      cut: () => over(lost()),
    };
    this.#open.add(open);
    const aborted = () => {
      open.deaf = false;
      over(signal.reason as Error);
    };
    signal.addEventListener('abort', aborted, { once: true });
    const lines = (async function* () {
      for (;;) {
        while (queue.length === 0) await new Promise<void>((go) => (wake = go));
        const next = queue.shift();
        if (next === undefined || next === 'end') return;
        if (next instanceof Error) throw next;
        yield next;
      }
    })();
    return { lines, open };
  }
}

async function* none() {}

const objectOf = (name: string, { uid, version }: Plain): KubeObject => ({
  metadata: { namespace: 'a', name, uid, resourceVersion: `${version}` },
});
