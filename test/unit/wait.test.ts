import { describe, expect, it } from 'vitest';

import { bounded, heard, Interrupted, orAborted, sleep, unhurried } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';

const s = 1_000;
const t0 = 1_000_000;
/** A clock whose timers are counted. */
function counting() {
  const clock = new VirtualClock(t0);
  let timers = 0;
  return {
    clock: {
      now: () => clock.now(),
      after(ms: number, run: () => void) {
        timers++;
        let on = true;
        const off = () => void (on && (timers--, (on = false)));
        const cancel = clock.after(ms, () => (off(), run()));
        return () => (off(), cancel());
      },
    },
    advance: (ms: number) => clock.advance(ms),
    timers: () => timers,
  };
}
/** What a promise has come to by now. */
async function state(promise: Promise<unknown>): Promise<unknown> {
  await Promise.resolve();
  const settled = promise.then(
    (value) => value ?? 'done',
    (error: Error) => error.message,
  );
  return Promise.race([settled, new Promise((next) => setImmediate(() => next('waits')))]);
}
/** How many listeners a signal has. */
function listened() {
  const wish = new AbortController();
  let count = 0;
  const { signal } = wish;
  const { addEventListener: add, removeEventListener: remove } = signal;
  signal.addEventListener = (...args: Parameters<typeof add>) => (
    (count += args[0] === 'abort' ? 1 : 0),
    add.apply(signal, args)
  );
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (
    (count -= args[0] === 'abort' ? 1 : 0),
    remove.apply(signal, args)
  );
  return { wish, signal, count: () => count };
}
const over = new Error('over');

describe('a sleep', () => {
  it('ends with its time', async () => {
    const { clock, advance } = counting();
    const { signal, count } = listened();
    const slept = sleep(clock, 5 * s, signal);
    advance(5 * s - 1);
    expect(await state(slept)).toBe('waits');
    advance(1);
    expect([await state(slept), count()]).toEqual(['done', 0]);
    const alone = sleep(clock, 0);
    advance(0);
    expect(await state(alone)).toBe('done');
  });

  it('ends at once where it is not wanted any more', async () => {
    const { clock, timers } = counting();
    const { wish, signal } = listened();
    const slept = sleep(clock, 5 * s, signal);
    wish.abort(over);
    expect([await state(slept), timers()]).toEqual(['over', 0]);
    expect([await state(sleep(clock, 5 * s, signal)), timers()]).toEqual(['over', 0]);
  });
});

describe('a wait for a call', () => {
  const waiting = (deadline = 5 * s) => {
    const { clock, advance, timers } = counting();
    const { wish, signal, count } = listened();
    let [call, subscribed] = [() => {}, 0];
    const subscribe = (one: () => void) => ((call = one), subscribed++, () => void subscribed--);
    const end = heard(clock, subscribe, { deadline: t0 + deadline, signal });
    const left = () => [timers(), subscribed, count()];
    return { clock, advance, wish, end, subscribe, left, call: () => call() };
  };

  it('is true when it comes, false when the time is over first', async () => {
    const one = waiting();
    expect([await state(one.end), one.left()]).toEqual(['waits', [1, 1, 1]]);
    one.call();
    expect([await one.end, one.left()]).toEqual([true, [0, 0, 0]]);
    const other = waiting();
    other.advance(5 * s - 1);
    expect(await state(other.end)).toBe('waits');
    other.advance(1);
    expect([await other.end, other.left()]).toEqual([false, [0, 0, 0]]);
    const late = waiting(-1);
    late.advance(0);
    expect(await late.end).toBe(false);
  });

  it('ends where it is not wanted any more', async () => {
    const one = waiting();
    one.wish.abort(over);
    expect([await state(one.end), one.left().slice(0, 2)]).toEqual(['over', [0, 0]]);
    expect(await state(heard(one.clock, one.subscribe, { deadline: t0 + 9 * s, signal: one.wish.signal }))).toBe(
      'over',
    );
    expect(one.left().slice(0, 2)).toEqual([0, 0]);
    const { clock } = counting();
    let call = () => {};
    const alone = heard(clock, (one) => ((call = one), () => {}), { deadline: t0 + 9 * s });
    call();
    expect(await alone).toBe(true);
  });
});

describe('what is bounded', () => {
  const bound = (limits: { deadline: number; signal?: AbortSignal }, interruptedMs?: number) => {
    const { clock, advance, timers } = counting();
    const { signal, done } = bounded(clock, { ...limits, deadline: t0 + limits.deadline }, () => over, interruptedMs);
    return { signal, done, advance, timers };
  };

  it('ends with the deadline, and frees its timer when it is over', () => {
    const one = bound({ deadline: 5 * s });
    one.advance(5 * s - 1);
    expect(one.signal.aborted).toBe(false);
    one.advance(1);
    expect(one.signal.reason).toBe(over);
    const { signal, count } = listened();
    const other = bound({ deadline: 5 * s, signal });
    expect([other.timers(), count()]).toEqual([1, 1]);
    other.done();
    expect([other.timers(), count()]).toEqual([0, 0]);
    const late = bound({ deadline: -1 });
    late.advance(0);
    expect(late.signal.aborted).toBe(true);
    const alone = bound({ deadline: 5 * s });
    alone.done();
    expect(alone.timers()).toBe(0);
  });

  it('ends with the outer signal, also one that was aborted before', () => {
    const { wish, signal } = listened();
    const one = bound({ deadline: 5 * s, signal });
    wish.abort(new Error('outer'));
    expect((one.signal.reason as Error).message).toBe('outer');
    expect((bound({ deadline: 5 * s, signal }).signal.reason as Error).message).toBe('outer');
  });

  it('where it may go on for a while, is ended by an interruption alone, and after that while', () => {
    const interrupted = (deadline: number, reason: unknown) => {
      const { wish, signal } = listened();
      const one = bound({ deadline, signal }, 2 * s);
      one.advance(s);
      wish.abort(reason);
      const ends = (ms: number) => (one.advance(ms), one.signal.aborted);
      return [one.signal.aborted, ends(2 * s - 1), ends(1), one.timers()];
    };
    expect(interrupted(9 * s, new Interrupted(0))).toEqual([false, false, true, 0]);
    expect(interrupted(9 * s, new Error('other'))).toEqual([false, false, false, 1]);
    expect(interrupted(2 * s, new Interrupted(0))).toEqual([false, true, true, 0]);
    const past = listened();
    const none = bound({ deadline: -1, signal: past.signal }, 2 * s);
    past.wish.abort(new Interrupted(0));
    none.advance(0);
    expect(none.signal.aborted).toBe(true);
    const { wish, signal } = listened();
    wish.abort(new Interrupted(7, 'why'));
    const one = bound({ deadline: 9 * s, signal }, 2 * s);
    one.advance(2 * s);
    expect([one.signal.reason, signal.reason]).toMatchObject([over, { at: 7, message: 'why' }]);
    expect(new Interrupted(0).message).toBe('interrupted');
  });
});

describe('work that may be given up', () => {
  it('comes to its end, or to the reason why not', async () => {
    const { wish, signal, count } = listened();
    expect([
      await orAborted(Promise.resolve(7), signal),
      await state(orAborted(Promise.reject(new Error('bad')), signal)),
    ]).toEqual([7, 'bad']);
    await new Promise((next) => setImmediate(next));
    expect(count()).toBe(0);
    const never = orAborted(new Promise(() => {}), signal);
    expect(await state(never)).toBe('waits');
    wish.abort(over);
    expect([await state(never), await state(orAborted(new Promise(() => {}), signal))]).toEqual(['over', 'over']);
  });
});

it('many are looked at with a break after each two hundred', async () => {
  const clock = new VirtualClock(0);
  const breaks: number[] = [];
  let looked = 0;
  const resting = {
    now: () => clock.now(),
    after: (ms: number, run: () => void) => (breaks.push(looked), queueMicrotask(run), expect(ms).toBe(0), () => {}),
  };
  await unhurried(Array(450).keys(), resting, () => looked++);
  expect([looked, breaks]).toEqual([450, [199, 399]]);
});
