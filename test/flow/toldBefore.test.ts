import { describe, expect, it } from 'vitest';

import type { LifecycleState, StateName, Wukong } from '../../shared/domain/model.ts';
import { lastKey, type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import { doubted, tellBefore } from '../../shared/lifecycle/tellUntold.ts';
import { namespace, type Scene } from './scene.ts';
import { annotate, endOf, on, place, recorded, s, silent, slow, stopped, told } from './telling.ts';

describe('a stop whose record is somebody else’s', () => {
  const newer = (op: Operation) => write({ ...op, requestId: 'newer', holder: 'other', action: 'start' });

  it.each(['quick', 'slow'])(
    'has come to the end that the other process wrote down, and tells nobody (%s)',
    async (how) => {
      const { at, op, end } = await recorded();
      if (how === 'slow') slow(at);
      annotate(at, { [operationKey]: undefined, [lastKey]: endOf(at, op) });
      for (const result of ['superseded', stopped] as const)
        expect(await end(result)).toMatchObject({ outcome: 'Stopped', message: 'It was another.', quiet: true });
      expect(told(at)).toEqual([]);
    },
  );

  it('has not come to an end that the VM denies, nor to that of a newer wish which is over already', async () => {
    const { at, op, end } = await recorded();
    annotate(at, { [operationKey]: newer(op), [lastKey]: endOf(at, op) });
    expect(await end('superseded', {}, at.world, on)).toMatchObject({ outcome: 'Superseded' });
    annotate(at, { [operationKey]: undefined, [lastKey]: endOf(at, { requestId: 'newer' }) });
    expect(await end('superseded')).toMatchObject({ outcome: 'Superseded', requestId: 'request' });
  });

  it('goes on where that is another process’s of the same request', async () => {
    const { at, op, end } = await recorded({ holder: 'other' });
    annotate(at, { [operationKey]: write({ ...op, holder: 'yet another' }) });
    expect(await end('superseded')).toMatchObject({
      ...{ ...place, outcome: 'InProgress', requestId: 'request', trigger: 'direct', startedAt: op.startedAt },
      ...{ message: 'Another process has taken it over and goes on.', quiet: true },
    });
    expect(told(at)).toEqual([]);
  });

  it.each(['quick', 'slow'])(
    'is superseded by a newer wish, and told so by its own process (%s cluster)',
    async (how) => {
      const { at, op, end } = await recorded();
      annotate(at, { [operationKey]: newer(op) });
      if (how === 'slow') slow(at);
      let followed = 0;
      const outcome = await end('superseded', {
        follow: () => {
          followed++;
          return Promise.reject(new Error('nobody answers'));
        },
      });
      expect(outcome).toMatchObject({ ...place, outcome: 'Superseded', requestId: 'request', forced: false });
      expect([followed, told(at)]).toEqual([1, ['request Superseded']]);
      expect(at.sim.list('events', namespace)).toMatchObject([{ reason: 'Superseded', reportingInstance: 'holder' }]);
      expect(at.wukong('web').metadata.annotations?.[operationKey]).toBe(newer(op));
    },
  );

  it('is superseded as far as anybody knows where nobody answers, and keeps nobody waiting', async () => {
    const { at, end } = await recorded();
    silent(at);
    const begun = at.clock.now();
    expect(await end('superseded')).toMatchObject({ ...place, outcome: 'Superseded' });
    expect(at.clock.now() - begun).toBeLessThanOrEqual(16 * s);
  });
});

describe('before something newer, the end that its process did not tell', () => {
  const reads = (at: Scene) => at.sim.requests.filter(({ method }) => method === 'GET').length;
  const others = {
    superseded: [{ requestId: 'old', action: 'start', trigger: 'event', startedAt: '2026-11-23T19:58:00Z' }],
    sharpenedBy: [{ requestId: 'sharper', action: 'stop', trigger: 'queue', startedAt: '2026-11-23T19:59:00Z' }],
  };
  /** An end of so long ago that the status does not show; and how long is waited before something newer. */
  async function untold(agoMs: number, more: object = {}) {
    const recordedNow = await recorded();
    const { at } = recordedNow;
    const finishedAt = new Date(at.clock.now() - agoMs).toISOString();
    annotate(at, { [operationKey]: undefined, [lastKey]: endOf(at, { requestId: 'dead' }, { finishedAt, ...more }) });
    const waited = async (
      by: Parameters<typeof tellBefore>[3] = {},
      world = at.world,
      state: StateName = 'Stopped',
    ) => {
      const [begun, read] = [at.clock.now(), reads(at)];
      await at.run(tellBefore(world, at.wukong('web'), () => state, by));
      return [at.clock.now() - begun, reads(at) - read];
    };
    return { ...recordedNow, waited };
  }

  it.each(['quick', 'slow'])(
    'is told, with all that it answered, although its Event may be there (%s)',
    async (how) => {
      const { at, logged, waited } = await untold(8 * s, others);
      if (how === 'slow') slow(at);
      const [waitedMs, read] = await waited();
      if (how === 'quick') expect([waitedMs, read]).toEqual([0, 1]);
      expect(logged.filter(([level]) => level === 'warn')).toEqual([]);
      expect(told(at)).toEqual(['old Superseded', 'dead Stopped', 'sharper Stopped']);
      const tellers = at.sim.list<{ reportingInstance: string }>('events', namespace);
      expect(new Set(tellers.map(({ reportingInstance }) => reportingInstance.length > 9))).toEqual(new Set([true]));
      await waited();
      expect(told(at), 'where the Event is there nobody knows of the bus').toHaveLength(6);
    },
  );

  it.each([
    [5 * s, 3 * s],
    [7_999, 1],
    [0, 8 * s],
    [-1 * s, 8 * s],
  ])('is left to its process until eight seconds after it (%i ms ago)', async (agoMs, expected) => {
    const { at, waited } = await untold(agoMs);
    expect(await waited({ deadline: at.clock.now() + expected })).toEqual([expected, 2]);
    expect(told(at)).toEqual(['dead Stopped']);
  });

  it.each([
    ['told it meanwhile', { status: true }],
    ['was followed by a newer one that told its own', { status: false }],
  ])('is not told once more where its process %s', async (_what, { status }) => {
    const { at, waited } = await untold(0);
    at.clock.after(3 * s, () => {
      const shows = { state: 'Stopped', outcome: 'Stopped', requestId: 'dead' } as LifecycleState;
      at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
        if (status) wukong.status = { ...wukong.status, lifecycleState: shows };
        else wukong.metadata.annotations = { ...wukong.metadata.annotations, [lastKey]: endOf(at, { requestId: 'b' }) };
      });
    });
    await waited();
    expect(told(at)).toEqual([]);
  });

  it('ends what is newer as Unreachable where it has not the time to wait', async () => {
    const { at, waited } = await untold(0);
    await expect(waited({ deadline: at.clock.now() + 7_999 })).rejects.toMatchObject({ code: 'Unreachable' });
    expect(told(at)).toEqual([]);
  });

  it('is waited for no longer than somebody wants it', async () => {
    const { at, waited } = await untold(0);
    const wish = new AbortController();
    at.clock.after(2 * s, () => wish.abort(new Error('closed')));
    await expect(waited({ signal: wish.signal })).rejects.toThrow('closed');
  });

  it('is not told while another operation goes on, and as superseded where the VM is on', async () => {
    const { at, op, waited } = await untold(60 * s);
    annotate(at, { [operationKey]: write({ ...op, requestId: 'other' }) });
    expect(await waited()).toEqual([0, 0]);
    annotate(at, { [operationKey]: undefined });
    expect(await waited({}, at.world, 'Running'), 'its Event is looked for').toEqual([0, 1]);
    expect(told(at)).toEqual(['dead Superseded']);
  });

  it('stays superseded once it was told so, although the VM is as its record says by now', async () => {
    const { at, waited } = await untold(60 * s);
    await waited({}, at.world, 'Running');
    await waited();
    expect(told(at)).toEqual(['dead Superseded', 'dead Superseded']);
  });

  it('is held against the VM as it is when its process had its time, not as it was before', async () => {
    const { at } = await untold(0);
    const begun = at.clock.now();
    const stateNow = () => (at.clock.now() < begun + 2 * s ? 'Stopping' : 'Stopped');
    await at.run(tellBefore(at.world, at.wukong('web'), stateNow, {}));
    expect(told(at)).toEqual(['dead Stopped']);
  });

  it('is doubted by nobody who cannot look for its Event; where the VM agrees it needs none', async () => {
    const { at, waited } = await untold(60 * s);
    at.sim.faults.add({ when: { method: 'GET', path: /events/ }, does: { kind: 'status', status: 500 } });
    await expect(waited({}, at.world, 'Running')).rejects.toMatchObject({ code: 'Unreachable' });
    expect(told(at)).toEqual([]);
    await waited();
    expect(told(at)).toEqual(['dead Stopped']);
  });

  it('keeps nobody waiting for a cluster that does not answer', async () => {
    const { at, waited } = await untold(60 * s);
    silent(at);
    expect((await waited())[0]).toBeLessThanOrEqual(8 * s);
  });
});

it('an end that nobody told and the VM denies is superseded, and says what became of the VM', () => {
  const times = { startedAt: 1, finishedAt: 2 };
  const plain = { ...place, action: 'stop', requestId: 'request', trigger: 'direct', ...times, forced: false } as const;
  expect(doubted({ ...plain, outcome: 'Stopped', message: 'off', quiet: true }, 'Running')).toEqual({
    ...{ ...plain, outcome: 'Superseded' },
    message: 'Its record says Stopped, and before that was told the VM became Running.',
  });
});
