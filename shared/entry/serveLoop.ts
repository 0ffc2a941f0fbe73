import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { reconcile, type Standing } from '../reconcile/reconcile.ts';
import type { Clock } from '../time/clock.ts';
import { heard } from '../time/wait.ts';
import type { View } from './serveView.ts';

/** What changes together is decided together; a guest that boots changes its VM ten times in a second or two. */
const gatherMs = 5;
const calmMs = 1_000;
/** How soon a Wukong that is being switched is looked at again for what was declared meanwhile. */
const busyMs = 250;
const everyMs = 60_000;
/** A whole tick makes room for the next one after that time; at the boundary of a schedule or a change sooner. */
const wholeMs = 50_000;
const leastWholeMs = 5_000;
/** What a tick of a few leaves under way the next whole one goes on with. */
const fewMs = 10 * 60_000;

export interface Changes {
  /** This Wukong changed, or its VM did; in a hurry where something is asked of it. */
  wukong(key: string, hurry: boolean): void;
  /** Something changed on which schedules depend, or a watch failed. */
  all(): void;
  /** A schedule's status, which ticks write, foresees a boundary at this instant. */
  foreseen(at: number): void;
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
  let fewIn = (_ms: number) => {};
  let wholeIn = (_ms: number) => {};
  let wholeAt = (_at: number) => {};
  const changes: Changes = {
    wukong: (key, hurry) => (touched.add(key), fewIn(hurry ? gatherMs : calmMs)),
    all: () => wholeIn(calmMs),
    foreseen: (at) => wholeAt(at),
  };
  const tick = (deadline: number, signal: AbortSignal, standing: Standing) =>
    reconcile(world, { deadline, signal }, standing).catch((thrown: unknown) => {
      const { message, code } = asLifecycleError(thrown);
      if (!signal.aborted) log.error(`a tick failed: ${message}`, { reason: code });
      wholeIn(leastWholeMs);
    });

  async function few(view: View, signal: AbortSignal): Promise<void> {
    const keys = [...touched].filter((key) => !busy.has(key));
    for (const key of keys) touched.delete(key);
    if (touched.size > 0) fewIn(busyMs);
    if (keys.length > 0) await tick(clock.now() + fewMs, signal, { look: view.look(keys), busy, few: true });
  }

  /** One of all, and the time until the next one: the minute, boundaries and changes only say when that is due. */
  async function whole(view: View, leading: AbortSignal): Promise<void> {
    const begun = (turnedAt = clock.now());
    const due = new AbortController();
    const alarm = newAlarm(clock, () => due.abort(new Error('another tick is due')));
    wholeIn = (ms) => alarm.set(Math.max(begun + leastWholeMs, clock.now() + ms));
    wholeAt = (at) => at > begun && alarm.set(Math.max(begun + leastWholeMs, at));
    const signal = AbortSignal.any([leading, due.signal]);
    const deadline = Math.min(begun + wholeMs, Math.max(begun + leastWholeMs, view.nextBoundary(begun)));
    await tick(deadline, signal, { look: view.look(), runs: view.runs, busy });
    alarm.set(Math.min(begun + everyMs, view.nextBoundary(begun)));
    await heard(clock, () => () => {}, { deadline: begun + everyMs, signal }).catch(() => {});
    alarm.end();
  }

  return {
    busy,
    changes,
    /** When the last tick of all was begun. Instant. */
    turnedAt: () => turnedAt,
    /** Ticks until the signal is aborted, and resolves when what was under way has been left in progress. */
    async run(view: View, signal: AbortSignal): Promise<void> {
      const ticks = new Set<Promise<void>>();
      const alarm = newAlarm(clock, () => {
        const one = few(view, signal).finally(() => ticks.delete(one));
        ticks.add(one);
      });
      fewIn = (ms) => !signal.aborted && alarm.set(clock.now() + ms);
      touched.clear(); // the whole tick of the beginning sees all
      while (!signal.aborted) {
        await whole(view, signal);
        view.check();
      }
      alarm.end();
      await Promise.all(ticks);
    },
  };
}

/** Rings once, at the earliest of the instants that it was set to since it last rang. */
function newAlarm(clock: Clock, ring: () => void) {
  let at = Infinity;
  let cancel = () => {};
  return {
    set(instant: number) {
      if (instant >= at) return;
      cancel();
      at = instant;
      cancel = clock.after(Math.max(0, instant - clock.now()), () => ((at = Infinity), ring()));
    },
    end: () => cancel(),
  };
}
