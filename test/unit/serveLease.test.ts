import { describe, expect, it } from 'vitest';

import type { Call } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { lead } from '../../shared/entry/serveLease.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

interface Spec {
  holderIdentity?: string;
  renewTime?: string;
  acquireTime?: string;
  leaseDurationSeconds?: number;
  leaseTransitions?: number;
  strategy?: string;
}
interface Lease {
  metadata: { namespace: string; name: string; resourceVersion: string };
  spec?: Spec;
}
const place = { namespace: 'home', name: 'wukong-lifecycle' };
const path = '/apis/coordination.k8s.io/v1/namespaces/home/leases';

/** Servers beside an API server that keeps one Lease; `says` answers in its place. */
function cluster(spec?: Spec) {
  const clock = new VirtualClock(t0);
  let version = 1;
  const made = (of: Spec | undefined): Lease => ({
    metadata: { ...place, resourceVersion: `${++version}` },
    ...(of ? { spec: of } : {}),
  });
  let lease: Lease | undefined = spec && made(spec);
  const asked: { what: string; at: number; limits: Partial<Limits>; safe: boolean; body: unknown }[] = [];
  const warned: unknown[][] = [];
  const informed: unknown[][] = [];
  let says: ((call: Call) => Promise<{ status: number; body: unknown }> | undefined) | undefined;
  const answer = ({ method, path: to, body }: Call): { status: number; body: unknown } => {
    if (method === 'GET') return lease ? { status: 200, body: structuredClone(lease) } : { status: 404, body: {} };
    const given = body as Lease;
    if (method === 'POST' ? lease || to !== path : given.metadata.resourceVersion !== lease?.metadata.resourceVersion)
      return { status: 409, body: {} };
    lease = made(given.spec);
    return { status: 200, body: lease };
  };
  const { world } = worldOf(t0);
  world.log = {
    ...world.log,
    warn: (...words) => void warned.push(words),
    info: (...words) => void informed.push(words),
  };
  const call = async (one: Call, limits: Partial<Limits>) => {
    asked.push({
      what: `${one.method} ${one.path.slice(path.length)}`,
      at: clock.now() - t0,
      limits,
      safe: one.safe,
      body: one.body,
    });
    return { warnings: [], ...((await says?.(one)) ?? answer(one)) };
  };
  Object.assign(world, { clock, transport: { call } });
  const at = (ms: number, happens: () => void) => void clock.after(t0 + ms - clock.now(), happens);
  /** A server that works as long as it leads, until it is ended; when it began and was told to leave off. */
  function server(identity: string, endMs: number, work?: (leading: AbortSignal) => Promise<void>) {
    const ending = new AbortController();
    at(endMs, () => ending.abort(new Error('SIGTERM')));
    const turns: string[] = [];
    const until = (leading: AbortSignal) =>
      new Promise<void>((resolve) => {
        turns.push(`from ${clock.now() - t0}`);
        const left = () => (turns.push(`to ${clock.now() - t0}: ${(leading.reason as Error).message}`), resolve());
        leading.addEventListener('abort', left);
      });
    const over = lead(world as World, { ...place, identity }, ending.signal, work ?? until);
    return { turns, over };
  }
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  return {
    ...{ world, clock, asked, warned, informed, at, server, run },
    spec: () => lease?.spec,
    lease: () => structuredClone(lease),
    write: (of: Spec) => void (lease = made(of)),
    answering: (by: typeof says) => void (says = by),
    remove: () => void (lease = undefined),
  };
}
const time = (ms: number) => new Date(t0 + ms).toISOString().replace('Z', '000Z');
const whole = (identity: string) => (all: ReturnType<typeof cluster>, endMs: number) =>
  all.run(() => all.server(identity, endMs).over);

describe('a server that ticks', () => {
  it('takes the Lease where there is none, says so in it every five seconds, and gives it back at its end', async () => {
    const all = cluster();
    const kept: (Spec | undefined)[] = [];
    for (const ms of [100, 4_999, 5_100]) all.at(ms, () => kept.push(all.spec()));
    const { turns, over } = all.server('one', 7 * s);
    await all.run(() => over);
    const mine = { holderIdentity: 'one', acquireTime: time(0), leaseDurationSeconds: 15, leaseTransitions: 0 };
    expect(kept).toEqual([0, 0, 5_000].map((ms) => ({ ...mine, renewTime: time(ms) })));
    expect(all.spec()).toEqual({ ...mine, renewTime: time(7_000), holderIdentity: '' });
    expect(turns).toEqual(['from 0', 'to 7000: SIGTERM']);
    expect(all.informed).toEqual([['this server ticks now', { holder: 'one' }]]);
    expect(all.asked.map(({ what, at }) => `${what} ${at}`)).toEqual([
      ...['GET /wukong-lifecycle 0', 'POST  0', 'GET /wukong-lifecycle 5000', 'PUT /wukong-lifecycle 5000'],
      ...['GET /wukong-lifecycle 7000', 'PUT /wukong-lifecycle 7000'],
    ]);
    expect(all.asked.map(({ limits }) => limits.deadline! - t0)).toEqual([
      5_000, 5_000, 10_000, 10_000, 12_000, 12_000,
    ]);
    expect(all.asked[1]).toMatchObject({
      safe: false,
      body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: place },
    });
    expect(all.warned).toEqual([]);
  });

  it.each<[string, Spec, number]>([
    ['that nobody holds', { holderIdentity: '', renewTime: time(0), leaseTransitions: 4 }, 0],
    ['that nobody ever held', {}, 0],
    [
      'whose holder has not renewed it for fifteen seconds, by our own clock',
      { holderIdentity: 'two', renewTime: time(3_600_000), leaseTransitions: 4 },
      16_000,
    ],
  ])('takes a Lease %s, and counts that', async (_what, spec, ms) => {
    const all = cluster({ ...spec, strategy: 'theirs' });
    const { turns, over } = all.server('one', 18 * s);
    await all.run(() => over);
    expect(turns[0]).toBe(`from ${ms}`);
    expect(all.spec()).toMatchObject({
      strategy: 'theirs',
      acquireTime: time(ms),
      leaseTransitions: (spec.leaseTransitions ?? 0) + 1,
    });
  });

  it('waits for one that renews it, and asks every two seconds', async () => {
    const all = cluster({ holderIdentity: 'two', renewTime: time(0) });
    for (let ms = 5_000; ms <= 60_000; ms += 5_000)
      all.at(ms - 1, () => all.write({ holderIdentity: 'two', renewTime: time(ms) }));
    const { turns, over } = all.server('one', 20 * s);
    await all.run(() => over);
    expect([turns, all.spec()?.holderIdentity]).toEqual([[], 'two']);
    expect(all.asked.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, i) => i * 2_000));
  });

  it('follows one that has ended within two seconds, and one that is gone within twenty', async () => {
    const all = cluster();
    const [one, two] = [all.server('one', 7 * s), all.server('two', 60 * s)];
    await all.run(() => Promise.all([one.over, two.over]));
    expect([one.turns, two.turns]).toEqual([
      ['from 0', 'to 7000: SIGTERM'],
      ['from 8000', 'to 60000: SIGTERM'],
    ]);
    expect(all.spec()?.leaseTransitions).toBe(1);
  });

  it('takes it not where somebody was faster', async () => {
    const all = cluster();
    all.answering(({ method }) => (method === 'POST' ? Promise.resolve({ status: 409, body: {} }) : undefined));
    all.at(3 * s, () => all.answering(undefined));
    const { turns, over } = all.server('one', 6 * s);
    await all.run(() => over);
    expect(turns[0]).toBe('from 4000');
  });

  it('leaves off as soon as it sees that it is another’s, and does not take that from it', async () => {
    const all = cluster();
    all.at(6 * s, () => all.write({ holderIdentity: 'two', renewTime: time(6_000) }));
    const { turns, over } = all.server('one', 12 * s);
    await all.run(() => over);
    expect(turns).toEqual(['from 0', 'to 10000: the Lease is another server’s']);
    expect(all.spec()?.holderIdentity).toBe('two');
  });

  it('asks once more at once, and then every two seconds', async () => {
    const all = cluster();
    all.at(6 * s, () => all.write({ holderIdentity: 'two', renewTime: time(6_000) }));
    const { over } = all.server('one', 13 * s);
    await all.run(() => over);
    const asked = all.asked.filter(({ at }) => at >= 10_000).map(({ what, at }) => `${what} ${at}`);
    expect(asked).toEqual([10_000, 10_000, 12_000].map((ms) => `GET /wukong-lifecycle ${ms}`));
  });

  it('asks nothing while its work comes to its end', async () => {
    const all = cluster();
    all.at(6 * s, () => all.write({ holderIdentity: 'two', renewTime: time(6_000) }));
    const slowly = (leading: AbortSignal) =>
      new Promise<void>((resolve) =>
        leading.addEventListener('abort', () => void all.clock.after(12 * s, () => resolve())),
      );
    const { over } = all.server('one', 23 * s, slowly);
    await all.run(() => over);
    expect(all.asked.map(({ at }) => at).filter((ms) => ms > 10_000 && ms < 22_000)).toEqual([]);
  });

  it('leaves off where somebody else wrote it in between', async () => {
    const all = cluster();
    all.at(4 * s, () =>
      all.answering(({ method }) => (method === 'PUT' ? Promise.resolve({ status: 409, body: {} }) : undefined)),
    );
    const { turns, over } = all.server('one', 6 * s);
    await all.run(() => over);
    expect(turns[1]).toBe('to 5000: the Lease is another server’s');
    expect(all.warned).toEqual([]);
  });

  it('does not tick where it may not write it, and the log says so', async () => {
    const all = cluster();
    all.answering(({ method }) =>
      method === 'POST' ? Promise.resolve({ status: 403, body: { message: 'no' } }) : undefined,
    );
    const { turns, over } = all.server('one', 1 * s);
    await all.run(() => over);
    expect([turns, all.warned]).toEqual([[], [['the Lease cannot be had: Lease home/wukong-lifecycle: no', place]]]);
  });

  it('gives nothing back that it has not', async () => {
    const all = cluster();
    all.at(6 * s, () => all.write({ holderIdentity: '' }));
    await whole('one')(all, 7 * s);
    expect(all.asked.at(-1)?.what).toBe('GET /wukong-lifecycle');
  });

  it('takes it after fifteen seconds to the very moment', async () => {
    const all = cluster({ holderIdentity: 'two', renewTime: time(0) });
    const slowly = (): Promise<void> => new Promise((resolve) => void all.clock.after(1 * s, resolve));
    const { lease } = all;
    all.answering(({ method }) =>
      method === 'GET' ? slowly().then(() => ({ status: 200, body: lease() })) : undefined,
    );
    const { turns, over } = all.server('one', 18 * s);
    await all.run(() => over);
    expect(turns[0]).toBe('from 16000');
  });

  it('ticks again once it is its own again', async () => {
    const all = cluster();
    all.at(6 * s, () => all.write({ holderIdentity: 'two', renewTime: time(6_000) }));
    all.at(11 * s, () => all.write({ holderIdentity: '' }));
    const { turns, over } = all.server('one', 20 * s);
    await all.run(() => over);
    expect(turns).toEqual(['from 0', 'to 10000: the Lease is another server’s', 'from 12000', 'to 20000: SIGTERM']);
  });

  it('leaves off once nobody has known for ten seconds whose it is, and not before', async () => {
    const all = cluster();
    const away = () => Promise.reject(new LifecycleError('Unreachable', 'silent'));
    all.at(6 * s, () => all.answering(away));
    all.at(12 * s, () => all.answering(undefined));
    all.at(16 * s, () => all.answering(away));
    const { turns, over } = all.server('one', 40 * s);
    await all.run(() => over);
    expect(turns).toEqual(['from 0', 'to 25000: the Lease is another server’s']);
    expect(all.warned[0]).toEqual(['the Lease cannot be had: silent', place]);
  });

  it('ends at once though nobody answers', async () => {
    const all = cluster();
    all.answering(() => Promise.reject(new LifecycleError('Unreachable', 'silent')));
    await whole('one')(all, 3 * s);
    expect(all.clock.now() - t0).toBe(3 * s);
    const leading = cluster();
    leading.at(6 * s, () => leading.answering(() => Promise.reject(new LifecycleError('Unreachable', 'silent'))));
    await whole('one')(leading, 7 * s);
    expect(leading.clock.now() - t0).toBe(7 * s);
  });

  it('gives it back where its work ends, and fails where that fails', async () => {
    const all = cluster();
    let works = 0;
    const { over } = all.server(
      'one',
      7 * s,
      () => (works++, new Promise((resolve) => void all.clock.after(1 * s, () => resolve()))),
    );
    await all.run(() => over);
    expect([works, all.spec()?.holderIdentity]).toEqual([7, '']);
    const failing = all.server('one', 60 * s, () => Promise.reject(new Error('a watch failed')));
    await expect(all.run(() => failing.over)).rejects.toThrow('a watch failed');
  });

  it('asks nothing that was ended before it began', async () => {
    const all = cluster();
    const ended = AbortSignal.abort(new Error('SIGTERM'));
    await all.run(() => lead(all.world, { ...place, identity: 'one' }, ended, () => Promise.resolve()));
    expect(all.asked).toEqual([]);
  });
});
