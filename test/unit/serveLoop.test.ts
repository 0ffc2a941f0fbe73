import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import { newLoop } from '../../shared/entry/serveLoop.ts';
import type { View } from '../../shared/entry/serveView.ts';
import type { Seen } from '../../shared/reconcile/look.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

/** What a tick sees: nothing, after so long, or an error. */
type Sight = { ms?: number; error?: Error; schedules?: WukongSchedule[] };

/** A loop over a cluster in which nothing is to be done, and when it looked at what. */
function looping({ all = () => ({}), few = () => ({}) }: { all?: () => Sight; few?: () => Sight } = {}) {
  const clock = new VirtualClock(t0);
  const { world } = worldOf(t0);
  const errors: unknown[][] = [];
  world.log = { ...world.log, error: (...words) => void errors.push(words) };
  Object.assign(world, { clock, transport: { call: () => Promise.resolve({ status: 200, body: {}, warnings: [] }) } });
  const waiting = new Set<() => void>();
  const after = clock.after.bind(clock);
  clock.after = (ms, ring) => {
    const one = after(ms, () => (waiting.delete(cancel), ring()));
    const cancel = () => (waiting.delete(cancel), one());
    waiting.add(cancel);
    return cancel;
  };
  const loop = newLoop(world);
  const ticks: string[] = [];
  const ended: string[] = [];
  const limits: { deadline: number; signal?: AbortSignal | undefined }[] = [];
  let [checks, runs] = [0, 0];
  let broken: Error | undefined;
  const now = () => clock.now() - t0;
  const view = {
    check() {
      checks++;
      if (broken) throw broken;
    },
    runs: () => (runs++, {}),
    look: (keys?: string[]) => async (to: { limits: (typeof limits)[number] }) => {
      ticks.push(`${now()} ${keys?.join(' ') ?? 'all'}`);
      limits.push(to.limits);
      const { ms = 0, error, schedules = [] } = keys ? few() : all();
      if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
      ended.push(`${now()} ${keys?.join(' ') ?? 'all'}`);
      if (error) throw error;
      const machines = { get: () => ({}), changed: () => Promise.resolve(false), close() {} };
      const around = { schedules, findText: () => undefined, namespaces: new Map() };
      return { wukongs: [], machines, around, declaring: new Map(), unanswered: new Map() } as Seen;
    },
  } as unknown as View;
  const at = (ms: number, happens: () => void) => void clock.after(t0 + ms - clock.now(), happens);
  const run = (endMs: number) => {
    const ending = new AbortController();
    at(endMs, () => ending.abort(new Error('SIGTERM')));
    return clock.run(() => loop.run(view, ending.signal), { sims: [] });
  };
  return {
    ...{ loop, ticks, ended, limits, errors, at, run, now, clock, waiting },
    counted: () => ({ checks, runs }),
    breakdown: (error: Error) => void (broken = error),
  };
}
const quarter = (minute: string): WukongSchedule =>
  ({
    ...{ kind: 'WukongSchedule', metadata: { namespace: 'team-a', name: 'office', uid: 'o', generation: 1 } },
    spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, stop: `${minute} 20 * * *` },
  }) as unknown as WukongSchedule;

describe('a server that ticks', () => {
  it('looks at all Wukongs each minute, for fifty seconds at most', async () => {
    const { run, ticks, limits, counted, loop, at } = looping();
    const turns: number[] = [];
    for (const ms of [0, 59_000, 61_000]) at(ms, () => turns.push(loop.turnedAt() - t0));
    expect(loop.turnedAt()).toBe(t0);
    await run(125 * s);
    expect(ticks).toEqual(['0 all', '60000 all', '120000 all']);
    expect(limits.map(({ deadline }) => deadline - t0)).toEqual([50_000, 110_000, 170_000]);
    expect([turns, counted()]).toEqual([[0, 0, 60_000], { checks: 3, runs: 3 }]);
  });

  it('looks at those that changed within a second, all together, and for as long as ten minutes', async () => {
    const { run, ticks, loop, at, limits, counted } = looping();
    for (const [ms, key] of [
      [10_000, 'a/web'],
      [10_500, 'a/mail'],
      [10_900, 'a/web'],
      [20_000, 'b/web'],
    ] as const)
      at(ms, () => loop.changed(key));
    await run(30 * s);
    expect(ticks).toEqual(['0 all', '11000 a/web a/mail', '21000 b/web']);
    expect(limits[1]?.deadline).toBe(t0 + 611_000);
    expect(counted()).toEqual({ checks: 1, runs: 1 });
  });

  it('looks at once at what asks for something', async () => {
    const { run, ticks, loop, at } = looping();
    at(10_000, () => loop.changed('a/calm'));
    at(10_100, () => loop.changed('a/web', true));
    await run(20 * s);
    expect(ticks).toEqual(['0 all', '10105 a/calm a/web']);
  });

  it('looks at all again where what schedules depend on has changed, not more often than each five seconds', async () => {
    const { run, ticks, loop, at } = looping();
    at(1_000, () => loop.changed());
    at(30_000, () => loop.changed(undefined, true));
    at(32_000, () => loop.changed());
    await run(80 * s);
    expect(ticks).toEqual(['0 all', '5000 all', '30005 all', '35005 all']);
  });

  it('looks at all again at the boundary of a schedule', async () => {
    const minutes = ['2', '3', '59'];
    const { run, ticks, clock } = looping({ all: () => ({ schedules: [quarter(minutes.shift() ?? '59')] }) });
    clock.advance(90 * s);
    await run(240 * s);
    expect(ticks).toEqual(['90000 all', '120000 all', '180000 all']);
  });

  it('ends one of all for the next one that is due, and not what a few ask for', async () => {
    const { run, loop, at, limits } = looping({ all: () => ({ ms: 20_000 }), few: () => ({ ms: 20_000 }) });
    at(6_000, () => loop.changed('a/web'));
    at(6_000, () => loop.changed());
    const aborted: unknown[] = [];
    at(7_500, () => aborted.push(...limits.map(({ signal }) => signal?.aborted)));
    await run(30 * s);
    expect(aborted).toEqual([true, false]);
    expect((limits[0]?.signal?.reason as Error).message).toBe('another tick is due');
  });

  it('looks at what it is switching itself once that is over, and at the others meanwhile', async () => {
    const { run, ticks, loop, at } = looping();
    at(10_000, () => (loop.busy.add('a/web'), loop.changed('a/web'), loop.changed('a/mail')));
    at(12_100, () => loop.busy.delete('a/web'));
    await run(20 * s);
    expect(ticks).toEqual(['0 all', '11000 a/mail', '12250 a/web']);
  });

  it('looks at all again at once where that took longer than a minute', async () => {
    const sights: Sight[] = [{ ms: 70_000 }];
    const { run, ticks } = looping({ all: () => sights.shift() ?? {} });
    await run(80 * s);
    expect(ticks).toEqual(['0 all', '70000 all']);
  });

  it('looks at those that changed and no others, though something else changed before', async () => {
    const { run, ticks, loop, at } = looping();
    at(1_000, () => loop.changed());
    at(10_000, () => loop.changed('a/web'));
    await run(20 * s);
    expect(ticks).toEqual(['0 all', '5000 all', '11000 a/web']);
  });

  it('sees in its first tick what changed before', async () => {
    const { run, ticks, loop, at } = looping();
    loop.changed('a/web');
    at(1_000, () => loop.changed('a/mail'));
    await run(30 * s);
    expect(ticks).toEqual(['0 all', '2000 a/mail']);
  });
});

describe('a tick that fails', () => {
  const error = new LifecycleError('Denied', 'no');
  it('is logged, and done again five seconds later', async () => {
    const sights: Sight[] = [{ error }];
    const { run, ticks, errors } = looping({ all: () => sights.shift() ?? {} });
    await run(30 * s);
    expect(ticks).toEqual(['0 all', '5000 all']);
    expect(errors).toEqual([['a tick failed: no', { reason: 'Denied' }]]);
  });

  it('of a few is made good by one of all', async () => {
    const { run, ticks, loop, at, errors } = looping({ few: () => ({ error }) });
    at(10_000, () => loop.changed('a/web'));
    await run(30 * s);
    expect([ticks, errors.length]).toEqual([['0 all', '11000 a/web', '16000 all'], 1]);
  });

  it('because it is ended is no failure', async () => {
    const { run, errors } = looping({ all: () => ({ ms: 5_000, error }) });
    await run(3 * s);
    expect(errors).toEqual([]);
  });
});

describe('a server that ends', () => {
  it('waits for the ticks that are under way, and begins none', async () => {
    const { run, loop, at, ended, ticks, now } = looping({ few: () => ({ ms: 20_000 }) });
    at(10_000, () => loop.changed('a/web'));
    at(14_500, () => loop.changed('a/mail'));
    at(15_500, () => loop.changed('a/late'));
    await run(15 * s);
    expect([ended, now()]).toEqual([['0 all', '31000 a/web'], 31_000]);
    expect(ticks).toEqual(['0 all', '11000 a/web']);
  });

  it('begins none while one of all comes to its end', async () => {
    const { run, loop, at, ticks } = looping({ all: () => ({ ms: 20_000 }) });
    at(14_500, () => loop.changed('a/web'));
    await run(15 * s);
    expect(ticks).toEqual(['0 all']);
  });

  it('waits for nobody who changed last, nor for the boundary of a schedule', async () => {
    const { run, waiting, loop, at } = looping({ all: () => ({ schedules: [quarter('59')] }) });
    at(14_500, () => loop.changed('a/web'));
    await run(15 * s);
    expect(waiting.size).toBe(0);
  });

  it('ends with the watch that failed for good', async () => {
    const { run, breakdown } = looping();
    breakdown(new Error('a watch failed'));
    await expect(run(200 * s)).rejects.toThrow('a watch failed');
  });
});
