/** So many calls are under way at once, each on a connection of its own. */
export const mostCalls = 64;

/**
 * Who may make a call now: a namespace that has fewer under way than could still be made. So one whose calls are not
 * answered holds half of the connections, the next one half of the rest, and nobody all of them. When one is free, the
 * namespace that holds the fewest comes first, and of several the one that has waited longest for its turn. What is of the
 * whole cluster counts as a namespace of its own.
 */
export class Connections {
  #free = mostCalls;
  readonly #held = new Map<string, number>();
  /** Whose turn was the longest ago comes first, and so do their calls. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Waits for a connection, and returns how to give it back. @throws the signal's reason when it is aborted before. */
  async take(namespace: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#heldBy(namespace) < this.#free) this.#hold(namespace, 1);
    else await this.#turn(namespace, signal);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#hold(namespace, -1);
      this.#serve();
    };
  }

  #heldBy(namespace: string): number {
    return this.#held.get(namespace) ?? 0;
  }

  #hold(namespace: string, by: 1 | -1): void {
    const held = this.#heldBy(namespace) + by;
    this.#free -= by;
    if (held > 0) this.#held.set(namespace, held);
    else this.#held.delete(namespace);
  }

  #turn(namespace: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = this.#waiting.get(namespace) ?? new Set();
      const go = () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        mine.delete(go);
        if (mine.size === 0) this.#waiting.delete(namespace);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiting.set(namespace, mine.add(go));
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
    for (const namespace of this.#waiting.keys()) {
      const held = this.#heldBy(namespace);
      if (held < fewest) [best, fewest] = [namespace, held];
      if (fewest === 0) break;
    }
    return best;
  }
}
