import { describe, expect, it } from 'vitest';

import type { Answer, Transport } from '../../shared/cluster/transport.ts';
import { ofJobsMs, paced } from '../../shared/execute/paced.ts';
import { rateLimiterOf } from '../../shared/execute/rateLimiter.ts';
import { Interrupted, type Limits } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { s } from './machines.ts';

const late = expect.objectContaining({ code: 'Unreachable', message: 'no answer before the time was up' }) as Error;
const path = '/api/v1/namespaces/a/configmaps';

/** Work that has ten seconds, beside an API server and a bus that answer after so many milliseconds. */
function working({
  answerMs = Infinity,
  signal,
  noteMs,
  bus = true,
}: { answerMs?: number; signal?: AbortSignal; noteMs?: number; bus?: boolean } = {}) {
  const clock = new VirtualClock(0);
  const asked: Partial<Limits>[] = [];
  const sent: unknown[] = [];
  const answer = <T>(value: T) =>
    new Promise<T>((resolve) => void (answerMs < Infinity && clock.after(answerMs, () => resolve(value))));
  const transport: Transport = {
    call: <T>(_call: unknown, limits: Partial<Limits> = {}) => (
      asked.push(limits),
      answer<Answer<T>>({ status: 200, body: undefined as T, warnings: [] })
    ),
    stream: (one) => Promise.reject(new Error(`streams ${one}`)),
  };
  const put = (entries: unknown[]) => (sent.push(...entries), answer<void>(undefined));
  const { world } = worldOf(0);
  Object.assign(world, { clock, transport, bus: bus ? { batched: true, put } : undefined });
  const own = paced(world, { deadline: 10 * s, signal }, noteMs);
  /** When it was answered, or given up. */
  const call = async (limits?: Partial<Limits>): Promise<string> => {
    const end = own.transport.call({ method: 'GET', path, safe: true }, limits);
    return end
      .then(() => `answered at ${clock.now()}`)
      .catch((thrown: Error) => (expect(thrown).toEqual(late), `given up at ${clock.now()}`));
  };
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  const at = (ms: number) => new Promise<void>((resolve) => clock.after(ms - clock.now(), resolve));
  return { clock, world, own, asked, sent, call, run, at };
}

describe('work that has a deadline', () => {
  it('is answered or given up nine tenths of a second after it', async () => {
    const { run, call } = working();
    expect(await run(() => call())).toBe('given up at 10900');
    const quick = working({ answerMs: 300 });
    expect(await quick.run(() => quick.call())).toBe('answered at 300');
    const job = working({ noteMs: ofJobsMs });
    expect(await job.run(() => job.call())).toBe('given up at 10600');
  });

  it('asks within the limits of its own as long as those end in time', async () => {
    const { run, call, at, asked } = working({ answerMs: 10 });
    const { signal } = new AbortController();
    await run(async () => {
      await call({ deadline: 10_900 });
      await call({ deadline: 10_900, signal });
      await call({ deadline: 10_901 });
      await at(9_900);
      await call({ deadline: 5 * s });
      await call({ deadline: 5 * s });
    });
    const given = asked.map((limits) => [
      limits.deadline,
      limits.signal === undefined ? 'none' : limits.signal === signal ? 'own' : 'ours',
    ]);
    expect(given).toEqual([
      [10_900, 'none'],
      [10_900, 'own'],
      [10_901, 'ours'],
      [5 * s, 'none'],
      [5 * s, 'ours'],
    ]);
  });

  it('notes what it has to between its deadline and then, and asks nothing afterwards', async () => {
    const { run, call, at, asked } = working({ answerMs: 300 });
    const told = await run(async () => {
      await at(10_500);
      const two = [await call(), await call()];
      return [...two, await call()];
    });
    expect(told).toEqual(['answered at 10800', 'given up at 10900', 'given up at 10900']);
    expect(asked).toHaveLength(2);
  });

  it('asks nothing after that time, though nothing was given up', async () => {
    const { run, call, at, asked } = working({ answerMs: 300 });
    expect(await run(async () => (await at(10_500), call()))).toBe('answered at 10800');
    for (const ms of [10_900, 11_000]) expect(await run(async () => (await at(ms), call()))).toBe(`given up at ${ms}`);
    expect(asked).toHaveLength(1);
  });

  it('that its process was frozen beyond has that time from when it goes on, once', async () => {
    const { clock, run, call, at, asked } = working({ answerMs: 500 });
    clock.jumpTo(20 * s);
    expect(await run(async () => [await call(), await call()])).toEqual(['answered at 20500', 'given up at 20900']);
    expect(await run(async () => (await at(21 * s), call()))).toBe('given up at 21000');
    expect(asked).toHaveLength(2);
    const before = working({ answerMs: 500 });
    await before.run(() => before.call());
    before.clock.jumpTo(20 * s);
    expect(await before.run(() => before.call())).toBe('answered at 20500');
    const exactly = working();
    exactly.clock.jumpTo(10_900);
    expect(await exactly.run(() => exactly.call())).toBe('given up at 11800');
  });

  it('ends what has a signal of its own with that', async () => {
    const { clock, own, run, asked } = working();
    const closing = new AbortController();
    clock.after(1 * s, () => closing.abort(new Error('closed')));
    const limits = { deadline: 60 * s, signal: closing.signal };
    await expect(run(() => own.transport.call({ method: 'GET', path, safe: true }, limits))).rejects.toThrow('closed');
    expect(asked[0]?.signal?.aborted, 'who asks hears of it').toBe(true);
    const { run: again, call } = working();
    expect(await again(() => call({ deadline: 60 * s, signal: new AbortController().signal }))).toBe(
      'given up at 10900',
    );
  });

  it('sends what it puts on the bus in the same time', async () => {
    const quick = working({ answerMs: 300 });
    await quick.run(() => quick.own.bus!.put([{} as never]));
    expect([quick.sent, quick.own.bus?.batched]).toEqual([[{}], true]);
    const { run, own } = working();
    await expect(run(() => own.bus!.put([]))).rejects.toEqual(late);
    expect(working({ bus: false }).own.bus).toBeUndefined();
  });

  it('is in the same world, and shares the pace of its cluster, and its streams', async () => {
    const { world, own } = working();
    expect([own.config, own.log]).toEqual([world.config, world.log]);
    expect(rateLimiterOf(own)).toBe(rateLimiterOf(world));
    await expect(own.transport.stream('x', new AbortController().signal)).rejects.toThrow('streams x');
  });
});

describe('work that somebody interrupts', () => {
  const interrupted = (answerMs = Infinity, ms = 2 * s, reason: Error = new Interrupted(ms)) => {
    const ending = new AbortController();
    const all = working({ answerMs, signal: ending.signal });
    all.clock.after(ms, () => ending.abort(reason));
    return all;
  };

  it('has what it notes answered or given up in the same time from then on, and asks nothing more', async () => {
    const { run, call, asked } = interrupted();
    expect(await run(async () => [await call(), await call()])).toEqual(['given up at 2900', 'given up at 2900']);
    expect(asked).toHaveLength(1);
  });

  it('notes afterwards what it has to', async () => {
    const { run, call, at } = interrupted(300);
    expect(await run(async () => (await at(2_500), [await call(), await call()]))).toEqual([
      'answered at 2800',
      'given up at 2900',
    ]);
  });

  it('has no more time than it had', async () => {
    const { run, call } = interrupted(Infinity, 10_500);
    expect(await run(() => call())).toBe('given up at 10900');
  });

  it('goes on where the end of something else is meant', async () => {
    const { run, call } = interrupted(3 * s, 2 * s, new Error('closed'));
    expect(await run(async () => [await call(), await call()])).toEqual(['answered at 3000', 'answered at 6000']);
  });

  it('ends in time what it asks at that very moment, though that has a signal of its own', async () => {
    const { run, call, at } = interrupted();
    const limits = { deadline: 60 * s, signal: new AbortController().signal };
    expect(await run(async () => (await at(2 * s), call(limits)))).toBe('given up at 2900');
  });

  it('asks with the signal of its own what ends in time', async () => {
    const { run, call, asked } = interrupted(10);
    const { signal } = new AbortController();
    await run(() => call({ deadline: 5 * s, signal }));
    expect(asked[0]?.signal).toBe(signal);
  });

  it('ends what has a limit of its own beyond then, too', async () => {
    const { run, call } = interrupted();
    expect(await run(() => call({ deadline: 5 * s }))).toBe('given up at 2900');
  });
});
