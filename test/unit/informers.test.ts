import { describe, expect, it } from 'vitest';

import { allOpen, followIn, type Space } from '../../shared/cluster/informers.ts';
import type { Answer, Transport } from '../../shared/cluster/transport.ts';
import type { LifecycleError } from '../../shared/domain/errors.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { VirtualClock } from '../../sim/clock.ts';

const s = 1_000;
const pathOf = (space: Space) => `/watch/${space ?? 'all'}`;
const thing = (namespace: string) => ({ metadata: { namespace, name: 'web', uid: namespace, resourceVersion: '5' } });
const initial = (namespace: string) => [
  { type: 'ADDED', object: thing(namespace) },
  {
    type: 'BOOKMARK',
    object: { metadata: { resourceVersion: '7', annotations: { 'k8s.io/initial-events-end': 'true' } } },
  },
];

/** Watches of VMs in namespaces, each as the server has it by then. */
function watched(random = 0.5) {
  const clock = new VirtualClock(0);
  const asked: { space: string; at: number; signal: AbortSignal }[] = [];
  /** How the watch of a namespace is answered; none: 200 and its VM. */
  const status = new Map<string, number>();
  const slowMs = new Map<string, number>();
  /** Before each part of the first state. */
  const pauseMs = new Map<string, number>();
  const state = { opening: 0, most: 0 };
  const cuts = new Map<string, () => void>();
  const wait = (ms: number, signal: AbortSignal, space?: string) =>
    new Promise<void>((resolve, reject) => {
      const cancel = clock.after(ms, resolve);
      if (space) cuts.set(space, () => (cancel(), resolve()));
      signal.addEventListener('abort', () => (cancel(), reject(signal.reason as Error)), { once: true });
    });
  async function* lines(space: string, signal: AbortSignal) {
    for (const event of initial(space)) {
      await wait(pauseMs.get(space) ?? 0, signal);
      yield JSON.stringify(event);
    }
    await wait(1e9, signal, space);
  }
  async function* refusal() {
    yield await Promise.resolve(JSON.stringify({ kind: 'Status', message: 'no' }));
  }
  const transport: Transport = {
    call: <T>() => Promise.resolve({ status: 403, warnings: [] } as unknown as Answer<T>),
    async stream(path, signal) {
      const space = path.split('?')[0]!.split('/').at(-1)!;
      asked.push({ space, at: clock.now(), signal });
      state.most = Math.max(state.most, ++state.opening);
      try {
        await wait(slowMs.get(space) ?? 1, signal);
      } finally {
        state.opening--;
      }
      const answer = status.get(space) ?? 200;
      return { status: answer, lines: answer === 200 ? lines(space, signal) : refusal() };
    },
  };
  const changes: string[] = [];
  const source = {
    path: pathOf,
    read: ({ metadata }: { metadata: { name: string } }) => metadata.name,
    changed: ((key) => void changes.push(key ?? 'failed')) as ((key?: string) => void) | undefined,
  };
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  const follow = (spaces: Space[], limits: Limits = { deadline: 30 * s }, { changed, ...rest } = source) =>
    run(() => {
      const from = changed ? { ...rest, changed } : rest;
      return followIn({ transport, clock, random: () => random }, spaces, from, limits);
    });
  const pass = (ms: number) => run(() => new Promise<void>((resolve) => clock.after(ms, resolve)));
  const times = (space: string) => asked.filter((one) => one.space === space).map(({ at }) => at);
  return { clock, asked, status, slowMs, pauseMs, state, cuts, changes, source, follow, pass, times };
}
const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
};
const codes = (lost: Map<string, LifecycleError>) => [...lost].map(([space, { code }]) => `${space} ${code}`);

describe('the VMs of several namespaces', () => {
  it('are seen as if they were in one', async () => {
    const at = watched();
    const vms = await at.follow(['a', 'b']);
    expect([vms.get('a', 'web'), vms.get('b', 'web'), vms.get('a', 'db')]).toEqual(['web', 'web', undefined]);
    expect([vms.all(), vms.lost(), at.changes]).toEqual([['web', 'web'], new Map(), ['a/web', 'b/web']]);
    expect(vms.gone('a', 'web')).toBeUndefined();
    expect(() => vms.check()).not.toThrow();
    expect(() => vms.check('a')).not.toThrow();
    const looks = [() => vms.get('c', 'web'), () => vms.gone('c', 'web'), () => vms.check('c')];
    for (const look of [...looks, () => vms.on('c', 'web', () => {})])
      expect(thrownBy(look)).toEqual(new Error('namespace c is not watched'));
    vms.close();
    expect(at.asked.every(({ signal }) => signal.aborted)).toBe(true);
    await at.pass(1);
    expect(at.clock.pending).toBe(0);
  });

  it('are seen although nobody is told of their changes', async () => {
    const at = watched();
    const vms = await at.follow(['a'], { deadline: 30 * s }, { ...at.source, changed: undefined });
    expect([vms.get('a', 'web'), vms.lost(), at.asked.length]).toEqual(['web', new Map(), 1]);
    vms.close();
  });

  it('are seen in all namespaces by one watch', async () => {
    const at = watched();
    const vms = await at.follow([undefined]);
    expect([vms.get('all', 'web'), vms.get('else', 'web'), at.asked.length]).toEqual(['web', undefined, 1]);
    vms.close();
  });

  it('are watched thirty-two at once to begin with', async () => {
    const at = watched();
    const vms = await at.follow(Array.from({ length: 80 }, (_, i) => `n${i}`));
    expect([at.state.most, vms.all().length]).toEqual([32, 80]);
    vms.close();
  });
});

describe('a namespace that says nothing', () => {
  it('is waited for five seconds when another has been seen, and is its own trouble', async () => {
    const at = watched();
    at.slowMs.set('silent', 1e6);
    const vms = await at.follow(['silent', 'good']);
    expect([at.clock.now(), vms.all(), codes(vms.lost())]).toEqual([1 + 5 * s, ['web'], ['silent Unreachable']]);
    vms.close();
  });

  it('has all the time that there is while no other is seen, and while its state comes in parts', async () => {
    const alone = watched();
    alone.slowMs.set('slow', 8 * s);
    (await alone.follow(['slow'])).close();
    expect(alone.clock.now()).toBe(8 * s);
    const large = watched();
    large.pauseMs.set('large', 4 * s);
    const vms = await large.follow(['good', 'large']);
    expect([large.clock.now(), vms.all(), vms.lost()]).toEqual([1 + 8 * s, ['web', 'web'], new Map()]);
    vms.close();
  });
});

describe('a namespace whose VMs may not be watched', () => {
  const lost = async (random?: number) => {
    const at = watched(random);
    at.status.set('bad', 403);
    const vms = await at.follow(['good', 'bad']);
    return { ...at, vms, begun: at.clock.now() };
  };

  it('is that one’s trouble: the others are seen, and who asks for it is told why', async () => {
    const { vms } = await lost();
    expect([vms.get('good', 'web'), vms.all(), codes(vms.lost())]).toEqual(['web', ['web'], ['bad Denied']]);
    expect(() => vms.check()).not.toThrow();
    for (const look of [() => vms.get('bad', 'web'), () => vms.check('bad')])
      expect(look).toThrow(expect.objectContaining({ code: 'Denied' }));
    vms.close();
  });

  it.each([
    [0, 30 * s],
    [0.5, 60 * s],
    [1, 90 * s],
  ])(
    'is tried again after about a minute, by chance sooner or later (%d), until it may be',
    async (random, afterMs) => {
      const { vms, times, status, pass, begun, clock } = await lost(random);
      const before = times('bad').length;
      await pass(afterMs - 1 - (clock.now() - begun));
      expect(times('bad')).toHaveLength(before);
      await pass(10 * s);
      expect(times('bad').length).toBeGreaterThan(before);
      expect(codes(vms.lost())).toEqual(['bad Denied']);
      status.delete('bad');
      await pass(200 * s);
      expect([vms.get('bad', 'web'), vms.lost()]).toEqual(['web', new Map()]);
      vms.close();
    },
  );

  it('is given thirty seconds for that, and tried again then', async () => {
    const { vms, times, status, slowMs, pass, begun } = await lost(0);
    status.delete('bad');
    slowMs.set('bad', 1e9);
    await pass(31 * s);
    expect(codes(vms.lost())).toEqual(['bad Denied']);
    await pass(30 * s);
    expect(codes(vms.lost())).toEqual(['bad Unreachable']);
    slowMs.delete('bad');
    const before = times('bad').length;
    await pass(35 * s);
    expect([times('bad').slice(before), vms.get('bad', 'web')]).toEqual([[begun + 90 * s], 'web']);
    vms.close();
  });

  it('is not tried again once nobody looks any more', async () => {
    const { vms, times, pass, clock } = await lost();
    vms.close();
    const before = times('bad').length;
    await pass(1);
    expect(clock.pending).toBe(0);
    await pass(300 * s);
    expect(times('bad')).toHaveLength(before);
  });
});

describe('a namespace whose watch fails later', () => {
  it('is lost from then on, and found again', async () => {
    const at = watched(0);
    const vms = await at.follow(['a', 'b']);
    at.changes.length = 0;
    await at.pass(10 * s);
    at.status.set('b', 403);
    at.cuts.get('b')!();
    await at.pass(20 * s);
    expect([codes(vms.lost()), vms.get('a', 'web'), vms.all()]).toEqual([['b Denied'], 'web', ['web']]);
    expect(at.changes).toContain('failed');
    expect(() => vms.check()).not.toThrow();
    at.status.set('a', 403);
    at.cuts.get('a')!();
    await at.pass(20 * s);
    expect(() => vms.check(), 'none is left').toThrow(expect.objectContaining({ code: 'Denied' }));
    at.status.clear();
    await at.pass(100 * s);
    expect([vms.lost(), vms.all()]).toEqual([new Map(), ['web', 'web']]);
    vms.close();
  });

  it('of all namespaces is told to whoever asks for any', async () => {
    const at = watched(0);
    const vms = await at.follow([undefined]);
    await at.pass(10 * s);
    at.status.set('all', 403);
    at.cuts.get('all')!();
    await at.pass(20 * s);
    expect(() => vms.get('a', 'web')).toThrow(expect.objectContaining({ code: 'Denied' }));
    expect(codes(vms.lost())).toEqual([' Denied']);
    vms.close();
  });
});

describe('namespaces of which none may be watched', () => {
  it('fail with the first reason, and none stays open', async () => {
    const at = watched();
    at.status.set('a', 403).set('b', 401);
    await expect(at.follow(['a', 'b'])).rejects.toMatchObject({ code: 'Denied' });
    await at.pass(1);
    expect([at.asked.every(({ signal }) => signal.aborted), at.clock.pending]).toEqual([true, 0]);
  });

  it('are none where none is wanted', async () => {
    const vms = await watched().follow([]);
    expect([vms.all(), vms.lost()]).toEqual([[], new Map()]);
    expect(() => vms.check()).not.toThrow();
  });

  it('are given up with the wish, also where one is open already', async () => {
    const at = watched();
    const wish = new AbortController();
    at.slowMs.set('slow', 1e9);
    const closed = new Error('closed');
    at.clock.after(5 * s, () => wish.abort(closed));
    await expect(at.follow(['quick', 'slow'], { deadline: 30 * s, signal: wish.signal })).rejects.toBe(closed);
    await at.pass(1);
    expect([at.asked.every(({ signal }) => signal.aborted), at.clock.pending]).toEqual([true, 0]);
  });
});

describe('watches that are opened together', () => {
  const one = () => {
    const state = { open: true };
    return { state, close: () => void (state.open = false) };
  };

  it('are all open, and what is not wanted is none', async () => {
    const [a, b] = [one(), one()];
    const all = await allOpen({ a: Promise.resolve(a), none: undefined, b: Promise.resolve(b) });
    expect(all).toEqual({ a, none: undefined, b });
    expect([a.state.open, b.state.open]).toEqual([true, true]);
  });

  it('are none where one fails, whichever ends first', async () => {
    const [a, late] = [one(), one()];
    const later = new Promise<typeof late>((resolve) => setImmediate(() => resolve(late)));
    const opening = {
      a: Promise.resolve(a),
      wrong: Promise.reject(new Error('refused')),
      none: undefined,
      late: later,
    };
    await expect(allOpen(opening)).rejects.toThrow('refused');
    expect([a.state.open, late.state.open]).toEqual([false, false]);
    const both = { a: Promise.reject(new Error('first')), b: Promise.reject(new Error('second')) };
    await expect(allOpen(both)).rejects.toThrow('first');
  });
});
