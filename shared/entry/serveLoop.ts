import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { type Alarm, newAlarm } from '../time/alarm.ts';
import { type Limits, sleep } from '../time/wait.ts';
import type { Changed, View } from './serveView.ts';

/** What changes together is decided together; a guest that boots changes its VM ten times in a second or two. */
const gatherMs = 5;
const calmMs = 1_000;
/** How soon a Wukong that is being switched is looked at again for what was declared meanwhile. */
const busyMs = 250;
const everyMs = 60_000;
/** A tick of all makes room for the next one after that time; at the boundary of a schedule or a change sooner. */
const allMs = 50_000;
const leastAllMs = 5_000;
/** What a tick of a few leaves under way the next one of all goes on with. */
const fewMs = 10 * 60_000;

interface Ending extends Limits {
  signal: AbortSignal;
}

/**
 * Ticks of two kinds: of the Wukongs that changed, at once and as many beside each other as come, and of all, one after
 * the other, at boundaries, when something changed on which schedules depend, and every minute.
 */
export function newLoop(world: World) {
  const { clock, log } = world;
  /** Keys of Wukongs that this process carries something out on. */
  const busy = new Set<string>();
  const touched = new Set<string>();
  let turnedAt = clock.now();
  let few: Alarm | undefined;
  let all: Alarm | undefined;

  async function tick(view: View, limits: Ending, keys?: string[]): Promise<void> {
    const foresee = (at: number) => all?.set(at);
    const standing = { look: view.look(keys), runs: view.runs, busy, few: keys !== undefined, foresee };
    await reconcile(world, limits, standing).catch((thrown: unknown) => {
      const { message, code } = asLifecycleError(thrown);
      if (!limits.signal.aborted) log.error(`a tick failed: ${message}`, { reason: code });
      all?.set(clock.now() + leastAllMs);
    });
  }

  async function tickFew(view: View, signal: AbortSignal): Promise<void> {
    const keys = [...touched].filter((key) => !busy.has(key));
    for (const key of keys) touched.delete(key);
    if (touched.size > 0) few?.set(clock.now() + busyMs);
    if (keys.length > 0) await tick(view, { deadline: clock.now() + fewMs, signal }, keys);
  }

  /** One of all, and the time until the next one is due. */
  async function tickAll(view: View, leading: AbortSignal): Promise<void> {
    const begun = (turnedAt = clock.now());
    const due = new AbortController();
    all = newAlarm(clock, () => due.abort(new Error('another tick is due')), begun + leastAllMs);
    const signal = AbortSignal.any([leading, due.signal]);
    await tick(view, { deadline: begun + allMs, signal });
    await sleep(clock, Math.max(0, begun + everyMs - clock.now()), signal).catch(() => {});
    all.end();
  }

  const changed: Changed = (key, hurry = false) => {
    if (key !== undefined) touched.add(key);
    (key === undefined ? all : few)?.set(clock.now() + (hurry ? gatherMs : calmMs));
  };
  return {
    busy,
    changed,
    /** When the last tick of all was begun. Instant. */
    turnedAt: () => turnedAt,
    /** Ticks until the signal is aborted, and resolves when what was under way has been left in progress. */
    async run(view: View, signal: AbortSignal): Promise<void> {
      const ticks = new Set<Promise<void>>();
      few = newAlarm(clock, () => {
        if (signal.aborted) return;
        const one = tickFew(view, signal).finally(() => ticks.delete(one));
        ticks.add(one);
      });
      touched.clear(); // the tick of all at the beginning sees them
      while (!signal.aborted) {
        await tickAll(view, signal);
        view.check();
      }
      few.end();
      await Promise.all(ticks);
    },
  };
}
