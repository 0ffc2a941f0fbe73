import type { Call } from './apiserver/call.ts';

/** Which calls a fault is for. All that is given must hold. */
export interface When {
  method?: string;
  /** Matched against path and query. */
  path?: RegExp;
  user?: string;
  watch?: boolean;
  /** Only the nth matching call, from 1. */
  nth?: number;
  /** The nth matching call and all after it. */
  from?: number;
  fromInstant?: number;
  untilInstant?: number;
}

export type Harm =
  /** The connection is destroyed before anything was done. */
  | { kind: 'dropBefore' }
  /** Done, then the connection is destroyed without an answer. */
  | { kind: 'dropAfter' }
  | { kind: 'status'; status: number; retryAfterSeconds?: number; message?: string }
  | { kind: 'delay'; ms: number }
  /** Half of the answer, then the connection is destroyed. */
  | { kind: 'cutBody' }
  /** A read is answered from the objects' versions before the newest. */
  | { kind: 'stale' }
  | { kind: 'cutWatch'; afterEvents: number }
  /** 200, then one ERROR event with code 410. */
  | { kind: 'expireWatch' }
  /** The client has died: from this call on, this one carried out or not, nothing of it gets through until cleared. */
  | { kind: 'crash'; before: boolean };

export interface Fault {
  when: When;
  /** How often it acts at the most. */
  times?: number;
  does: Harm;
}

interface Armed {
  fault: Fault;
  matched: number;
  acted: number;
}

/** What faults strike. */
interface Struck {
  now(): number;
  onDeath(user: string): void;
  setVirtApi(down: boolean): void;
  disconnect(): void;
}

/** Faults in the order in which they were added; the first that fits acts. */
export class Faults {
  #armed = new Set<Armed>();
  /** Users whose process has died. */
  #dead = new Set<string>();
  readonly #on: Struck;

  constructor(on: Struck) {
    this.#on = on;
  }

  add(fault: Fault): () => void {
    const armed: Armed = { fault, matched: 0, acted: 0 };
    this.#armed.add(armed);
    return () => this.#armed.delete(armed);
  }

  clear(): void {
    this.#armed.clear();
    this.#dead.clear();
  }

  /** Subresources answer 503, writes to VMs fail at their webhook, reads go on. */
  virtApiDown(on: boolean): void {
    this.#on.setVirtApi(on);
  }

  /** The API server restarts: every connection and watch is lost, and for so long nothing is answered. */
  restart(downMs: number): void {
    this.add({ when: { untilInstant: this.#on.now() + downMs }, does: { kind: 'dropBefore' } });
    this.#on.disconnect();
  }

  isDead(user: string): boolean {
    return this.#dead.has(user);
  }

  kill(user: string): void {
    this.#dead.add(user);
    this.#on.onDeath(user);
  }

  /** What happens to this call; counts it for every fault that it fits. */
  next(call: Pick<Call, 'method' | 'path' | 'query'>, user: string, watch: boolean): Harm | undefined {
    let harm: Harm | undefined;
    for (const armed of this.#armed) {
      const { when, times = Infinity, does } = armed.fault;
      if (!fits(when, call, { user, watch, now: this.#on.now() })) continue;
      armed.matched++;
      const due = (when.nth === undefined || armed.matched === when.nth) && armed.matched >= (when.from ?? 1);
      if (!due || armed.acted >= times || harm) continue;
      armed.acted++;
      harm = does;
    }
    return harm;
  }
}

function fits(
  when: When,
  call: Pick<Call, 'method' | 'path' | 'query'>,
  { user, watch, now }: { user: string; watch: boolean; now: number },
): boolean {
  const query = call.query.toString();
  return (
    (when.method === undefined || when.method === call.method) &&
    (when.path === undefined || when.path.test(query ? `${call.path}?${query}` : call.path)) &&
    (when.user === undefined || when.user === user) &&
    (when.watch === undefined || when.watch === watch) &&
    (when.fromInstant === undefined || now >= when.fromInstant) &&
    (when.untilInstant === undefined || now < when.untilInstant)
  );
}
