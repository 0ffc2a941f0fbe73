import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { heard, sleep } from '../time/wait.ts';
import type { Changes, View } from './serveView.ts';

/** What changes together is decided together. */
const gatherMs = 5;
/** A guest that boots changes its VM ten times in a second or two. */
const calmMs = 1_000;
/** How soon a Wukong that is being switched is looked at again for what was declared meanwhile. */
const busyMs = 250;
const everyMs = 60_000;
/** A whole tick makes room for the next one after that time, at the boundary of a schedule, or when schedules change. */
const wholeMs = 50_000;
const leastWholeMs = 5_000;
/** What a tick of a few leaves under way the next whole one goes on with. */
const fewMs = 10 * 60_000;
const afterFailureMs = 5_000;

export interface Loop extends Changes {
  /** Keys of Wukongs that this process carries something out on. */
  busy: Set<string>;
  /** Ticks until the signal is aborted, and resolves when what was under way has been left in progress. */
  run(view: View, signal: AbortSignal): Promise<void>;
  /** When it last turned. Instant. */
  turnedAt(): number;
}

/**
 * Ticks of two kinds: of the Wukongs that changed, at once and as many beside each other as come, and of all, one after
 * the other, at boundaries, when something changed on which schedules depend, and every minute.
 */
export function newLoop(world: World): Loop {
  const { clock, log } = world;
  const busy = new Set<string>();
  const touched = new Set<string>();
  let turnedAt = clock.now();
  let wake = () => {};
  let foreseen = () => {};
  let woken = false;
  let arm = (_ms: number) => {};

  async function some(view: View, signal: AbortSignal): Promise<void> {
    const keys = [...touched].filter((key) => !busy.has(key));
    for (const key of keys) touched.delete(key);
    if (touched.size > 0) arm(busyMs);
    if (keys.length === 0) return;
    const limits = { deadline: clock.now() + fewMs, signal };
    await reconcile(world, limits, { look: view.look(keys), busy, few: true }).catch((thrown: unknown) => {
      if (signal.aborted) return;
      log.error(`a tick of ${keys.length} failed: ${asLifecycleError(thrown).message}`, {
        reason: asLifecycleError(thrown).code,
      });
      wake();
    });
  }

  /**
   * A whole tick; it ends sooner when another one is due. Returns when the next one is: what this one has written of
   * boundaries comes back by the watch a moment later.
   */
  async function whole(view: View, signal: AbortSignal): Promise<() => number> {
    const begun = clock.now();
    const sooner = new AbortController();
    const cut = () => sooner.abort(new Error('another tick is due'));
    let cancel = () => {};
    woken = false;
    wake = () => {
      woken = true;
      cancel();
      cancel = clock.after(Math.max(0, begun + leastWholeMs - clock.now()), cut);
    };
    const boundary = Math.max(begun + leastWholeMs, view.nextBoundary(begun) ?? Infinity);
    const limits = { deadline: Math.min(begun + wholeMs, boundary), signal: AbortSignal.any([signal, sooner.signal]) };
    try {
      await reconcile(world, limits, { look: view.look(), busy });
      return () => Math.min(begun + everyMs, view.nextBoundary(begun) ?? Infinity);
    } catch (thrown) {
      if (!limits.signal.aborted)
        log.error(`a tick failed: ${asLifecycleError(thrown).message}`, { reason: asLifecycleError(thrown).code });
      const again = clock.now() + (limits.signal.aborted ? 0 : afterFailureMs);
      return () => again;
    } finally {
      cancel();
      turnedAt = clock.now();
    }
  }

  return {
    busy,
    turnedAt: () => turnedAt,
    all: () => wake(),
    boundaries: () => foreseen(),
    wukong(key, hurry) {
      touched.add(key);
      arm(hurry ? gatherMs : calmMs);
    },
    async run(view, signal) {
      const ticks = new Set<Promise<void>>();
      let armedAt = Infinity;
      let cancel = () => {};
      arm = (ms) => {
        if (signal.aborted || clock.now() + ms >= armedAt) return;
        cancel();
        armedAt = clock.now() + ms;
        cancel = clock.after(ms, () => {
          armedAt = Infinity;
          const tick = some(view, signal);
          ticks.add(tick);
          void tick.then(() => ticks.delete(tick));
        });
      };
      touched.clear(); // the whole tick of the beginning sees all
      while (!signal.aborted) {
        const due = await whole(view, signal);
        const subscribe = (call: () => void) => {
          wake = () => ((woken = true), call());
          foreseen = call;
          return () => (foreseen = () => {});
        };
        while (!woken && !signal.aborted && clock.now() < due())
          await heard(clock, subscribe, { deadline: due(), signal }).catch(() => {});
        // Changes come in swarms: a label on a hundred Wukongs is one tick more, not a hundred.
        if (clock.now() < due()) await sleep(clock, Math.min(calmMs, due() - clock.now()), signal).catch(() => {});
        view.check();
      }
      cancel();
      await Promise.all(ticks);
    },
  };
}
