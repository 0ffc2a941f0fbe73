import { namespaceIn } from './path.ts';

/** So many calls are under way at once, each on a connection of its own. */
export const mostCalls = 64;
/** So many of them are of Events, of all namespaces together, and as many of statuses. */
const mostOfAShare = 48;
/** So many of both: the rest is for what is not only told. */
const mostTold = 56;

/** What is only told of a namespace: its Events, and the statuses of its objects. */
const told = {
  events: /^\/api\/v1\/namespaces\/[^/?]+\/events(?![^/?])/,
  status: /^[^?]*\/namespaces\/[^/?]+\/[^/?]+\/[^/?]+\/status(?![^/?])/,
};
type Share = 'all else' | keyof typeof told;

/** Whose share a call takes: that of its namespace, or of what is only told of it. */
export const sharerOf = (path: string): string => {
  const share = told.events.test(path) ? '/events' : told.status.test(path) ? '/status' : '';
  return `${namespaceIn(path)}${share}`;
};
export const isOfEvents = (sharer: string): boolean => sharer.endsWith('/events');
const shareOf = (sharer: string): Share =>
  isOfEvents(sharer) ? 'events' : sharer.endsWith('/status') ? 'status' : 'all else';

/**
 * Who may make a call now: a namespace that has fewer under way than could still be made. So one whose calls are not
 * answered holds half of the connections, the next one half of the rest, and nobody all of them. When one is free, the
 * namespace that holds the fewest comes first, and of several the one that has waited longest for its turn. What is of the
 * whole cluster counts as a namespace of its own, and so do the Events of each, and its statuses: where none of these is
 * answered, what is asked of VMs waits for none.
 */
export class Connections {
  #free = mostCalls;
  readonly #told = { events: 0, status: 0 };
  readonly #held = new Map<string, number>();
  /** Whose turn was the longest ago comes first, and so do their calls. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Waits for a connection, and returns how to give it back. @throws the signal's reason when it is aborted before. */
  async take(sharer: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#heldBy(sharer) < this.#free && !this.#isFull(sharer)) this.#hold(sharer, 1);
    else await this.#turn(sharer, signal);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#hold(sharer, -1);
      this.#serve();
    };
  }

  #heldBy(sharer: string): number {
    return this.#held.get(sharer) ?? 0;
  }

  #isFull(sharer: string): boolean {
    const share = shareOf(sharer);
    if (share === 'all else') return false;
    const { events, status } = this.#told;
    return this.#told[share] >= mostOfAShare || events + status >= mostTold;
  }

  #hold(sharer: string, by: 1 | -1): void {
    const held = this.#heldBy(sharer) + by;
    this.#free -= by;
    const share = shareOf(sharer);
    if (share !== 'all else') this.#told[share] += by;
    if (held > 0) this.#held.set(sharer, held);
    else this.#held.delete(sharer);
  }

  #turn(sharer: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = this.#waiting.get(sharer) ?? new Set();
      const go = () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        mine.delete(go);
        if (mine.size === 0) this.#waiting.delete(sharer);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiting.set(sharer, mine.add(go));
    });
  }

  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const mine = this.#waiting.get(next)!;
      const [go] = mine;
      mine.delete(go!);
      this.#waiting.delete(next);
      if (mine.size > 0) this.#waiting.set(next, mine);
      this.#hold(next, 1);
      go!();
    }
  }

  #next(): string | undefined {
    let best: string | undefined;
    let fewest = this.#free;
    for (const sharer of this.#waiting.keys()) {
      const held = this.#heldBy(sharer);
      if (held < fewest && !this.#isFull(sharer)) [best, fewest] = [sharer, held];
      if (fewest === 0) break;
    }
    return best;
  }
}
