import { describe, expect, it } from 'vitest';

import { readConfig } from '../../shared/cluster/config.ts';
import type { Answer, Call, Transport } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { RateLimiter, rateLimiterOf, sharesLimiter } from '../../shared/execute/rateLimiter.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { dice } from '../dice.ts';

const s = 1_000;
interface Reply {
  status: number;
  ms: number;
}
const good: Reply = { status: 202, ms: 5 };
const refused: Reply = { status: 429, ms: 5 };

/** A limiter before a transport that answers so, and what it was asked when. */
function limited(answer: (namespace: string, call: number) => Reply, perSecond = 20, random = () => 0.5) {
  const clock = new VirtualClock(0);
  const asked: { namespace: string; at: number }[] = [];
  const shut: boolean[] = [];
  const transport: Transport = {
    call: <T>({ heard, path, isShut }: Call) =>
      new Promise<Answer<T>>((resolve) => {
        const namespace = path.split('/namespaces/')[1]?.split('/')[0] ?? '';
        asked.push({ namespace, at: clock.now() });
        const { status, ms } = answer(namespace, asked.length);
        clock.after(ms, () => {
          heard?.(status, ms);
          shut.push(isShut?.() ?? false);
          resolve({ status, body: undefined as T, warnings: [] });
        });
      }),
    stream: (path) => Promise.reject(new Error(`streams ${path}`)),
  };
  const limiter = new RateLimiter({ clock, transport, random }, perSecond);
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  const pass = (ms: number) => run(() => new Promise<void>((resolve) => clock.after(ms, resolve)));
  const kind = (name: 'power' | 'read', namespace: string) =>
    name === 'power'
      ? `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}/virtualmachines/x/stop`
      : `/api/v1/namespaces/${namespace}/configmaps`;
  const call = (
    namespace = 'a',
    { name = 'power' as 'power' | 'read', limits = { deadline: 3_600 * s } as Partial<Limits> } = {},
  ) => limiter.transport.call({ method: 'PUT', path: kind(name, namespace), safe: false }, limits);
  /** How long so many turns take in a namespace. */
  const turnsMs = (count: number, namespace?: string) =>
    run(async () => {
      const begun = clock.now();
      const limits = { deadline: begun + 3_600 * s };
      for (let i = 0; i < count; i++) await limiter.turn('stop', limits, namespace, 'x');
      return clock.now() - begun;
    });
  const times = (namespace: string) => asked.filter((one) => one.namespace === namespace).map(({ at }) => at);
  return { clock, limiter, asked, shut, run, pass, call, turnsMs, times };
}

describe('how fast the VMs of a namespace may be switched', () => {
  it.each([
    [1_000, 'power', 202, 20],
    [1_001, 'power', 202, 10],
    [1_001, 'read', 200, 20],
    [5, 'read', 429, 10],
    [5, 'power', 429, 10],
    [5, 'power', 500, 20],
  ] as const)('is learnt from an answer after %i ms to a %s call: %i', async (ms, name, status, expected) => {
    const at = limited(() => ({ status, ms }));
    await at.run(() => at.call('a', { name, limits: {} }));
    expect(at.limiter.rate()).toBeCloseTo(expected, 1);
  });

  it('is its own for twenty seconds after a bad answer, and no other’s', async () => {
    const at = limited(() => ({ status: 202, ms: 2 * s }));
    const bad = () => at.run(() => at.call('bad'));
    await bad();
    expect(await at.turnsMs(12, 'good'), 'a second’s turns are saved up').toBe(0);
    expect(await at.turnsMs(12, 'bad')).toBeGreaterThan(500);
    await bad();
    await at.pass(19_999);
    expect(await at.turnsMs(20, 'bad'), 'the last of it').toBe(0);
    await bad();
    await at.pass(20 * s);
    expect(await at.turnsMs(20, 'bad')).toBe(0);
  });

  it('is that of all again the moment those twenty seconds are over, whoever else suffers then', async () => {
    const at = limited(() => ({ status: 202, ms: 2 * s }));
    await at.run(() => at.call('a'));
    await at.pass(18 * s);
    await at.run(() => at.call('b'));
    expect([at.clock.now(), await at.turnsMs(12, 'a')]).toEqual([22 * s, 0]);
    expect(await at.turnsMs(12, 'b')).toBeGreaterThan(500);
  });

  it('is the slow one for who does not say where it asks', async () => {
    const at = limited(() => ({ status: 202, ms: 2 * s }));
    await at.run(() => at.call('bad'));
    await at.pass(600 * s);
    await at.run(() => at.call('bad'));
    expect(await at.turnsMs(12)).toBeGreaterThan(500);
  });

  it('is low for who suffers beside all others’ turns', async () => {
    const at = limited(() => ({ status: 202, ms: 2 * s }));
    await at.run(() => at.call('bad'));
    await at.pass(15 * s);
    expect(await at.turnsMs(20, 'good')).toBe(0);
    expect(await at.turnsMs(1, 'bad'), 'it needs a turn of all, too').toBeGreaterThan(0);
  });

  it('says so where a turn does not come in time', async () => {
    const at = limited(() => good, 1);
    const limits = { deadline: 500 };
    const turns = await at.run(() =>
      Promise.allSettled([at.limiter.turn('stop', limits, 'a'), at.limiter.turn('stop', limits, 'a')]),
    );
    expect(turns).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: 'Unreachable', message: 'its turn did not come in time' } },
    ]);
  });
});

describe('a call that is refused with 429', () => {
  it('is made again after a pause, in its namespace alone', async () => {
    const at = limited((namespace, call) => (namespace === 'bad' && call < 3 ? refused : good));
    const end = at.run(() => at.call('bad'));
    await at.pass(10);
    expect((await at.run(() => at.call('good'))).status).toBe(202);
    expect([(await end).status, at.times('good')]).toEqual([202, [10]]);
    expect(at.times('bad')).toEqual([0, 1_505]);
  });

  it.each([
    [{}, [0]],
    [{ deadline: 1_005 }, [0]],
    [{ deadline: 60 * s }, [0, 1_505]],
  ] as [Partial<Limits>, number[]][])('is waited out as long as the limits allow (%j)', async (limits, expected) => {
    const at = limited((_namespace, call) => (call === 1 ? refused : good));
    const { status } = await at.run(() => at.call('bad', { limits }));
    expect([status === 202, at.times('bad')]).toEqual([expected.length > 1, expected]);
  });

  it('keeps back whoever waits for a connection in its namespace, where there is time', async () => {
    const at = limited((namespace) => (namespace === 'bad' ? refused : good));
    await at.run(() => Promise.all([at.call('bad', { limits: { deadline: 1_005 } }), at.call('good')]));
    expect(at.shut).toEqual([false, false]);
    const one = limited((_namespace, call) => (call === 1 ? refused : good));
    await one.run(() => Promise.all([one.call('bad'), one.call('bad')]));
    expect(one.shut).toEqual([true, true, false]);
  });

  it('keeps nobody else from asking until a second namespace is refused, and then all, for two seconds at most', async () => {
    const at = limited((namespace) => (namespace.startsWith('bad') ? refused : good));
    const limits = { deadline: 9 * s };
    const ask = (namespace: string) => at.call(namespace, { limits }).then(() => at.clock.now());
    const bad = at.run(() => Promise.all([ask('bad-1'), ask('bad-1')]));
    await at.pass(10);
    await at.run(() => ask('good'));
    expect(at.times('good')).toEqual([10]);
    const more = at.run(() => Promise.all([ask('bad-2'), ask('bad-3')]));
    await at.pass(10);
    const begun = at.clock.now();
    await at.run(() => ask('good'));
    const waitedMs = at.times('good')[1]! - begun;
    expect(waitedMs).toBeGreaterThan(900);
    expect(waitedMs).toBeLessThan(3_000);
    await Promise.all([bad, more]);
  });

  it('keeps back all after two namespaces: for one second, then two and no more, and one again after a good answer', async () => {
    const at = limited((namespace) => (namespace.startsWith('bad') ? refused : good));
    /** Both are refused then. */
    const refuse = async (time: number) => {
      await at.pass(time - 5 - at.clock.now());
      const limits = { deadline: time + 100 };
      await at.run(() => Promise.all(['bad-1', 'bad-2'].map((one) => at.call(one, { limits }))));
    };
    const ask = async () => (await at.run(() => at.call('good')), at.times('good').at(-1));
    for (const time of [1_000, 2_100, 4_200]) await refuse(time);
    expect(await ask(), 'half a second after it opens, by that chance').toBe(4_200 + 2_000 + 500);
    await refuse(7_000);
    expect(await ask()).toBe(7_000 + 1_000 + 500);
  });

  it('keeps back also whoever waits for a connection elsewhere, once two namespaces are refused', async () => {
    const at = limited((namespace) => (namespace.startsWith('bad') ? refused : { status: 202, ms: 6 }));
    const limits = { deadline: 60 * s };
    const bad = ['bad-1', 'bad-2'].map((one) => at.call(one, { limits: { deadline: 500 } }));
    await at.run(() => Promise.all([...bad, at.call('good', { limits })]));
    expect(at.shut).toEqual([false, false, true]);
  });

  it('and another that came after a good answer are two troubles, not everybody’s', async () => {
    const at = limited((namespace) => (namespace.startsWith('bad') ? refused : good));
    const limits = { deadline: 500 };
    await at.run(() => at.call('bad-1', { limits }));
    await at.run(() => at.call('good'));
    await at.run(() => at.call('bad-2', { limits }));
    const begun = at.clock.now();
    await at.run(() => at.call('good'));
    expect(at.times('good')[1]).toBe(begun);
  });

  it('has its first pause again after a good answer', async () => {
    const at = limited((_namespace, call) => ([1, 2, 4].includes(call) ? refused : good));
    await at.run(() => at.call('a'));
    await at.run(() => at.call('a'));
    const pauses = at.asked.slice(1).map(({ at: time }, i) => time - at.asked[i]!.at);
    expect(pauses).toEqual([1_505, 2_505, 5, 1_505]);
  });

  it.each([
    [2, 1],
    [2, 25],
    [20, 5],
  ])(
    'of %i namespaces with %i calls each costs another three seconds at the most, by whatever chance',
    async (count, each) => {
      const at = limited((namespace) => (namespace.startsWith('bad') ? refused : good), 20, dice());
      const limits = { deadline: 300 * s };
      const all = Array.from({ length: count * each }, (_, i) => at.call(`bad-${i % count}`, { limits }));
      const waited: number[] = [];
      for (let i = 0; i < 40; i++) {
        await at.pass(2_500);
        const begun = at.clock.now();
        await at.run(() => at.call('good'));
        waited.push(at.times('good').at(-1)! - begun);
      }
      expect(Math.max(...waited)).toBeLessThanOrEqual(3_000);
      await at.run(() => Promise.all(all));
    },
  );
});

describe('the limiter of a cluster', () => {
  const worldOf = (transport: Transport) =>
    ({ clock: new VirtualClock(0), random: () => 0.5, transport, config: readConfig({}) }) as unknown as World;
  const transport = (): Transport => ({
    call: () => Promise.reject(new Error('calls')),
    stream: (path) => Promise.reject(new Error(`streams ${path}`)),
  });

  it('is one for all that reach it by the same transport, or by its own', () => {
    const [one, other] = [transport(), transport()];
    const limiter = rateLimiterOf(worldOf(one));
    expect(rateLimiterOf(worldOf(one))).toBe(limiter);
    expect(rateLimiterOf(worldOf(limiter.transport))).toBe(limiter);
    expect(rateLimiterOf(worldOf(other))).not.toBe(limiter);
    const wrapping = transport();
    expect(sharesLimiter(wrapping, one)).toBe(wrapping);
    expect(rateLimiterOf(worldOf(wrapping))).toBe(limiter);
    const alone = transport();
    expect(sharesLimiter(alone, transport())).toBe(alone);
    expect(rateLimiterOf(worldOf(alone))).not.toBe(limiter);
  });

  it('watches as its transport does', async () => {
    const { limiter } = limited(() => good);
    await expect(limiter.transport.stream('/x', new AbortController().signal)).rejects.toThrow('streams /x');
  });
});
