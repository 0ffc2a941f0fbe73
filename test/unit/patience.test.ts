import { describe, expect, it } from 'vitest';

import { Patience } from '../../shared/cluster/patience.ts';
import { sleep } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';

/** Reads that answer after so many milliseconds for each of their parts; null: never. When each ended, and how. */
async function read(
  reads: Record<string, (number | null)[]>,
  { begin = {} as Record<string, number>, answeredMs = Infinity } = {},
) {
  const clock = new VirtualClock(0);
  const from = clock.now();
  const patience = new Patience(clock, { deadline: from + 45_000 });
  if (answeredMs < Infinity) clock.after(answeredMs, () => patience.answered());
  const ends: Record<string, string> = {};
  const all = Object.entries(reads).map(async ([name, parts]) => {
    await sleep(clock, begin[name] ?? 0);
    const how = await patience
      .read(async ({ deadline, signal }, goesOn) => {
        for (const ms of parts) {
          await sleep(clock, ms ?? deadline - clock.now(), signal);
          if (ms === null) throw new Error('too late');
          goesOn();
        }
      })
      .then(
        () => 'read',
        (thrown: Error) => thrown.message,
      );
    ends[name] = `${how} after ${clock.now() - from}`;
  });
  await clock.run(Promise.all(all), { sims: [] });
  return ends;
}
const silent = 'no answer for 5 s, while others had theirs';

describe('of several namespaces, one', () => {
  it('that is silent is waited for five seconds after the first was read', async () =>
    expect(await read({ a: [100], b: [null], c: [null] })).toEqual({
      ...{ a: 'read after 100', b: `${silent} after 5100`, c: `${silent} after 5100` },
    }));

  it('that is read later than that has five seconds of its own', async () =>
    expect(await read({ a: [100], b: [null], c: [4_900] }, { begin: { b: 9_000, c: 9_000 } })).toEqual({
      ...{ a: 'read after 100', b: `${silent} after 14000`, c: 'read after 13900' },
    }));

  it('that answers part by part has so long for each', async () =>
    expect(await read({ a: [100], b: [4_000, 4_000, 4_000], c: [4_000, 4_000, null] })).toEqual({
      ...{ a: 'read after 100', b: 'read after 12000', c: `${silent} after 13000` },
    }));

  it('of a cluster that is slow everywhere has all the time there is', async () =>
    expect(await read({ a: [3_000, 6_000], b: [13_500], c: [null] })).toEqual({
      ...{ a: 'read after 9000', b: 'read after 13500', c: `${silent} after 14000` },
    }));

  it('that alone is read is waited for as long, from when the cluster has shown that it answers', async () =>
    expect(await read({ a: [null] }, { answeredMs: 2_000 })).toEqual({ a: `${silent} after 7000` }));

  it('of a cluster that answers nobody too', async () =>
    expect(await read({ a: [null], b: [null] })).toEqual({ a: 'too late after 45000', b: 'too late after 45000' }));

  it('that has failed is waited for no more', async () => {
    const clock = new VirtualClock(0);
    const patience = new Patience(clock, { deadline: 9_000 });
    await expect(patience.read(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    patience.answered();
    await Promise.resolve();
    expect(clock.pending).toBe(0);
  });

  it('that is given up is Unreachable', async () => {
    const clock = new VirtualClock(0);
    const patience = new Patience(clock, { deadline: 9_000 });
    patience.answered();
    const work = patience.read(({ signal }) => sleep(clock, 8_000, signal));
    await expect(clock.run(work, { sims: [] })).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('that nobody wants any more is given up at once', async () => {
    const clock = new VirtualClock(0);
    const signal = AbortSignal.abort(new Error('closed'));
    const patience = new Patience(clock, { deadline: 9_000, signal });
    await expect(patience.read(({ signal }) => sleep(clock, 1_000, signal))).rejects.toThrow('closed');
  });
});
