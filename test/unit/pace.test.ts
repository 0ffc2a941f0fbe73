import { describe, expect, it } from 'vitest';

import type { Answer, Call, Transport } from '../../shared/cluster/transport.ts';
import { RateLimiter } from '../../shared/execute/rateLimiter.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { dice } from '../dice.ts';

/** A transport that answers as `answer` says, after so many milliseconds. */
function paced(
  perSecond: number,
  answer: (now: number, path: string) => { status: number; ms: number },
  random = () => 0.5,
) {
  const clock = new VirtualClock(0);
  const asked: number[] = [];
  const transport: Transport = {
    call: <T>({ heard, path }: Call) =>
      new Promise<Answer<T>>((resolve) => {
        asked.push(clock.now());
        const { status, ms } = answer(clock.now(), path);
        clock.after(ms, () => {
          heard?.(status, ms);
          resolve({ status, body: undefined as T, warnings: [] });
        });
      }),
    stream: () => Promise.reject(new Error('not asked for')),
  };
  const pace = new RateLimiter({ clock, transport, random }, perSecond);
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  return { clock, pace, asked, run };
}

const stop = (name: string, namespace = 'a'): Call => ({
  method: 'PUT',
  path: `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}/virtualmachines/${name}/stop`,
  safe: false,
});

const ask = async ({ pace, clock }: ReturnType<typeof paced>, limits = { deadline: Infinity }) => {
  await pace.turn('stop', limits.deadline === Infinity ? { deadline: clock.now() + 3_600_000 } : limits);
  return pace.transport.call(stop('x'), { deadline: clock.now() + 3_600_000 });
};

const perSecond = (asked: number[], second: number) => asked.filter((at) => Math.floor(at / 1000) === second).length;

describe('the pace of a fleet', () => {
  it('stays below its rate, after one second that was saved up', async () => {
    const at = paced(20, () => ({ status: 202, ms: 5 }));
    await at.run(() => Promise.all(Array.from({ length: 200 }, () => ask(at))));
    for (let second = 1; second < 9; second++) expect(perSecond(at.asked, second)).toBeLessThanOrEqual(22);
    expect(at.clock.now()).toBeLessThan(10_000);
  });

  it('gives a start two turns', async () => {
    const at = paced(20, () => ({ status: 202, ms: 5 }));
    const limits = { deadline: 3_600_000 };
    await at.run(() => Promise.all(Array.from({ length: 100 }, () => at.pace.turn('start', limits))));
    expect(at.clock.now()).toBeGreaterThan(8_000);
  });

  it('halves when answers are late, and comes back by itself', async () => {
    const at = paced(20, (now) => ({ status: 202, ms: now < 5_000 ? 2_000 : 5 }));
    await at.run(() => Promise.all(Array.from({ length: 300 }, () => ask(at))));
    expect(perSecond(at.asked, 6)).toBeLessThan(12);
    await at.run(() => new Promise<void>((resolve) => at.clock.after(20_000, resolve)));
    expect(at.pace.rate()).toBe(20);
  });

  it('waits out a 429, everybody together', async () => {
    const at = paced(50, (now) => ({ status: now < 10_000 ? 429 : 202, ms: 5 }));
    const answers = await at.run(() => Promise.all(Array.from({ length: 40 }, () => ask(at))));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    expect(at.asked.filter((when) => when < 10_000).length).toBeLessThan(200);
    expect(at.clock.now()).toBeLessThan(25_000);
  });

  it('says so when a turn does not come in time', async () => {
    const at = paced(1, () => ({ status: 202, ms: 5 }));
    const turns = at.run(() =>
      Promise.allSettled(Array.from({ length: 10 }, () => at.pace.turn('stop', { deadline: 3_500 }))),
    );
    const late = (await turns).filter(({ status }) => status === 'rejected');
    expect(late.length).toBeGreaterThan(4);
    expect(late[0]).toMatchObject({ reason: { code: 'Unreachable' } });
  });

  it.each([
    ['late', { status: 202, ms: 3_000 }],
    ['429', { status: 429, ms: 5 }],
  ])('of a namespace whose answers are all %s slows down no other', async (_what, bad) => {
    const at = paced(50, (_now, path) => (path.includes('/namespaces/bad/') ? bad : { status: 202, ms: 5 }));
    const one = async (namespace: string) => {
      const limits = { deadline: at.clock.now() + 60_000 };
      await at.pace.turn('start', limits, namespace);
      await at.pace.transport.call(stop('x', namespace), limits);
      return at.clock.now();
    };
    const ends = await at.run(async () => {
      const bad = Array.from({ length: 100 }, () => one('bad').catch(() => 0));
      await new Promise<void>((resolve) => at.clock.after(20_000, resolve));
      const begun = at.clock.now();
      const good = await Promise.all(Array.from({ length: 60 }, () => one('good')));
      await Promise.all(bad);
      return good.map((end) => end - begun);
    });
    expect(Math.min(...ends)).toBeLessThan(500);
    expect(Math.max(...ends)).toBeLessThan(6_000);
  });

  it('is waited out together where all namespaces are refused', async () => {
    const at = paced(50, (now) => ({ status: now < 10_000 ? 429 : 202, ms: 5 }), dice());
    const one = (i: number) => at.pace.transport.call(stop('x', `n${i}`), { deadline: 60_000 });
    const answers = await at.run(() => Promise.all(Array.from({ length: 100 }, (_, i) => one(i))));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    // All that were under way when the first answer came, and a few each second.
    expect(at.asked.filter((when) => when > 0 && when < 10_000).length).toBeLessThan(60);
  });

  it('that two namespaces are refused for good costs a third three seconds at the most', async () => {
    const at = paced(50, (_now, path) => ({ status: path.includes('/bad') ? 429 : 202, ms: 5 }));
    const one = async (namespace: string) => {
      const limits = { deadline: at.clock.now() + 60_000 };
      const begun = at.clock.now();
      await at.pace.transport.call(stop('x', namespace), limits);
      return at.clock.now() - begun;
    };
    const waited = await at.run(async () => {
      const bad = Array.from({ length: 50 }, (_, i) => one(`bad${i % 2}`));
      const good: number[] = [];
      for (let i = 0; i < 20; i++) {
        await new Promise<void>((resolve) => at.clock.after(2_500, resolve));
        good.push(await one('good'));
      }
      await Promise.all(bad);
      return good;
    });
    expect(Math.max(...waited)).toBeLessThan(3_200);
  });

  it('is nothing to power calls where Events are refused in all namespaces', async () => {
    const refused = { status: 429, ms: 5 };
    const at = paced(20, (_now, path) => (path.endsWith('/events') ? refused : { status: 202, ms: 5 }));
    const tell = (i: number) => {
      const path = `/api/v1/namespaces/n${i % 10}/events`;
      return at.pace.transport.call({ method: 'POST', path, safe: true }, { deadline: 30_000 });
    };
    const waited = await at.run(async () => {
      const told = Array.from({ length: 50 }, (_, i) => tell(i));
      await new Promise<void>((resolve) => at.clock.after(100, resolve));
      const begun = at.clock.now();
      for (let i = 0; i < 10; i++) {
        await at.pace.turn('stop', { deadline: 60_000 }, `n${i}`);
        await at.pace.transport.call(stop('x', `n${i}`), { deadline: 60_000 });
      }
      const ms = at.clock.now() - begun;
      await Promise.all(told);
      return ms;
    });
    expect(waited).toBeLessThan(500);
    expect(at.pace.rate()).toBe(20);
    expect(at.asked.length).toBeLessThan(50 + 10 + 10 * 30);
  });

  it('is low for all whose answers are bad, together', async () => {
    const at = paced(20, () => ({ status: 202, ms: 2_000 }));
    const one = async (namespace: string) => {
      await at.pace.turn('stop', { deadline: 3_600_000 }, namespace);
      await at.pace.transport.call(stop('x', namespace), { deadline: 3_600_000 });
    };
    await at.run(() => Promise.all(Array.from({ length: 200 }, (_, i) => one(`n${i % 10}`))));
    // Those that had asked for their turn before the first answer go at the pace of then.
    await at.run(() => Promise.all(Array.from({ length: 40 }, (_, i) => one(`n${i % 10}`))));
    const begun = at.asked[200]!;
    expect(at.asked.filter((when) => when >= begun && when < begun + 10_000).length).toBeLessThan(60);
  });
});
