/** So many calls are under way at once, each on a connection of its own. */
export const mostCalls = 64;

/**
 * Who may make a call now: a namespace that has fewer under way than could still be made. So one whose calls are not
 * answered holds half of the connections, the next one half of the rest, and nobody all of them. When one is free, the
 * namespace that holds the fewest comes first.
 */
export class Connections {
  #free = mostCalls;
  readonly #held = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Waits for a connection, and returns how to give it back. @throws the signal's reason when it is aborted before. */
  async take(namespace: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.#mayCall(namespace)) await this.#turn(namespace, signal);
    else this.#hold(namespace, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#hold(namespace, -1);
      this.#serve();
    };
  }

  #mayCall(namespace: string): boolean {
    return this.#free > this.#heldBy(namespace);
  }

  /** What is of the whole cluster is nobody's in particular. */
  #heldBy(namespace: string): number {
    return namespace === '' ? 0 : (this.#held.get(namespace) ?? 0);
  }

  #hold(namespace: string, by: 1 | -1): void {
    const held = (this.#held.get(namespace) ?? 0) + by;
    this.#free -= by;
    if (held > 0) this.#held.set(namespace, held);
    else this.#held.delete(namespace);
  }

  #turn(namespace: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = this.#waiting.get(namespace) ?? [];
      const go = () => {
        signal.removeEventListener('abort', aborted);
        resolve();
      };
      const aborted = () => {
        const left = (this.#waiting.get(namespace) ?? []).filter((one) => one !== go);
        if (left.length > 0) this.#waiting.set(namespace, left);
        else this.#waiting.delete(namespace);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
      mine.push(go);
      this.#waiting.set(namespace, mine);
    });
  }

  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const mine = this.#waiting.get(next)!;
      const go = mine.shift()!;
      if (mine.length === 0) this.#waiting.delete(next);
      this.#hold(next, 1);
      go();
    }
  }

  #next(): string | undefined {
    let best: string | undefined;
    let fewest = this.#free;
    for (const namespace of this.#waiting.keys()) {
      const held = this.#heldBy(namespace);
      if (held < fewest) [best, fewest] = [namespace, held];
    }
    return best;
  }
}
