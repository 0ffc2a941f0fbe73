import type { Clock } from '../shared/time/clock.ts';

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const at = Date.now() + Math.max(0, ms);
    let timer: NodeJS.Timeout;
    // Node's timers count on another clock and may fire a moment before this one has reached the instant.
    const arm = () => {
      const leftMs = Math.max(0, Math.min(at - Date.now(), 2 ** 31 - 1));
      timer = setTimeout(() => (Date.now() >= at ? run() : arm()), leftMs);
    };
    arm();
    return () => clearTimeout(timer);
  },
};

interface Timer {
  at: number;
  order: number;
  run: () => void;
  /** Does not count as something to wait for: bookmarks, periodic looks. */
  background: boolean;
}

/** Anything whose requests and answers can be under way: a Sim, or another fake server of a test. */
export interface Traffic {
  quiet(): boolean;
}

export interface RunOptions {
  sims: Traffic[];
  /** Virtual time that the work may take; default six hours. */
  limitMs?: number;
}

interface Work {
  sims: Traffic[];
  limit: number;
  fail: (error: Error) => void;
}

/** Turns of the event loop without traffic after which every chain of promises has run out; with sockets open. */
const quietTurns = { without: 3, with: 12 };

/**
 * A clock that jumps: time passes only when everything that it serves is quiet. Whether it is, is counted in requests
 * and bytes, never in milliseconds of the machine, so that the same story takes the same virtual time everywhere.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #timers: Timer[] = [];
  #foreground = 0;
  #works = new Set<Work>();
  #driving = false;

  constructor(start: number | string) {
    this.#now = typeof start === 'number' ? start : Date.parse(start);
    if (!Number.isFinite(this.#now)) throw new Error(`not an instant: ${start}`);
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    return this.#add(ms, run, false);
  }

  /** A timer that alone does not keep `run` waiting. */
  background(ms: number, run: () => void): () => void {
    return this.#add(ms, run, true);
  }

  /** Fires what is due up to `instant`, in order, and stands there. */
  jumpTo(instant: number): void {
    for (let next = this.#timers[0]; next && next.at <= instant; next = this.#timers[0]) {
      this.#now = Math.max(this.#now, next.at);
      this.#fire();
    }
    this.#now = Math.max(this.#now, instant);
  }

  advance(ms: number): void {
    this.jumpTo(this.#now + ms);
  }

  /** Timers that are waiting: none may be left after a closed story. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Awaits `work`, jumping to the next timer whenever all is quiet. Several may run at once.
   * @throws Error when nothing is left that could end the work, or the limit is passed.
   */
  run<T>(work: Promise<T> | (() => Promise<T>), { sims, limitMs = 6 * 3_600_000 }: RunOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Work = { sims, limit: this.#now + limitMs, fail: (error) => end(() => reject(error)) };
      const end = (settle: () => void) => {
        this.#works.delete(entry);
        settle();
      };
      this.#works.add(entry);
      const begun = (async () => (typeof work === 'function' ? await work() : await work))();
      begun.then(
        (value) => end(() => resolve(value)),
        (error: Error) => end(() => reject(error)),
      );
      if (!this.#driving) void this.#drive();
    });
  }

  async #drive(): Promise<void> {
    this.#driving = true;
    for (let calm = 0, doubts = 0; this.#works.size > 0;) {
      await new Promise((next) => setImmediate(next));
      calm = this.#quiet() ? calm + 1 : 0;
      if (calm !== quietTurns.without && calm < quietTurns.with) continue;
      const { busy, sockets } = machine();
      if (busy || (sockets && calm < quietTurns.with)) continue;
      calm = 0;
      // Before anything is given up, the machine gets a moment: a module may still be on its way.
      if (this.#hopeless() && doubts++ < 100) {
        await new Promise((next) => setTimeout(next, 2));
        continue;
      }
      doubts = 0;
      this.#step();
    }
    this.#driving = false;
  }

  #quiet(): boolean {
    for (const work of this.#works) if (!work.sims.every((sim) => sim.quiet())) return false;
    return true;
  }

  /** Some work cannot go on, or is over its limit. */
  #hopeless(): boolean {
    const next = this.#timers[0];
    return !next || this.#foreground === 0 || [...this.#works].some(({ limit }) => next.at > limit);
  }

  /** One instant: whatever is due then, and no more. */
  #step(): void {
    const next = this.#timers[0];
    const stuck = this.#foreground === 0;
    for (const work of [...this.#works]) {
      if (stuck || !next) work.fail(new Error('the work waits for something that never comes: no timer is left'));
      else if (next.at > work.limit)
        work.fail(new Error(`the work is not done at ${new Date(work.limit).toISOString()}, its virtual time limit`));
    }
    if (!next || this.#works.size === 0) return;
    this.#now = Math.max(this.#now, next.at);
    const last = this.#order;
    while (this.#timers[0] && this.#timers[0].at <= this.#now && this.#timers[0].order <= last) this.#fire();
  }

  #fire(): void {
    const timer = this.#timers.shift();
    if (timer && !timer.background) this.#foreground--;
    try {
      timer?.run();
    } catch (error) {
      for (const work of [...this.#works]) work.fail(error as Error);
    }
  }

  #add(ms: number, run: () => void, background: boolean): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: ++this.#order, run, background };
    this.#timers.splice(this.#placeAfter(timer.at), 0, timer);
    if (!background) this.#foreground++;
    return () => {
      for (let index = this.#placeAfter(timer.at) - 1; this.#timers[index]?.at === timer.at; index--)
        if (this.#timers[index] === timer) {
          this.#timers.splice(index, 1);
          if (!background) this.#foreground--;
          return;
        }
    };
  }

  /** The index behind all timers that are due up to `at`. */
  #placeAfter(at: number): number {
    let low = 0;
    for (let high = this.#timers.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle] as Timer).at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Files being read, names being looked up: their answers come in their own time, and must be in before time passes. And
 * whether anything can arrive that is counted nowhere.
 */
function machine(): { busy: boolean; sockets: boolean } {
  const active = process.getActiveResourcesInfo();
  return {
    busy: active.some((name) => /^(FSReq|GetAddrInfo|GetNameInfo|TCPConnect|WriteWrap)/.test(name)),
    sockets: active.some((name) => /^(TCPSocket|TLS|HTTP|Process)/i.test(name)),
  };
}
