import { describe, expect, it } from 'vitest';

import { stopVm } from '../../functions/stopVm/handler.ts';
import type { BusEntry } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { namespace, type Scene } from './scene.ts';
import { asked, boundary, deliver, furnishIn, minuteMs, prepared, scheduleIn, sleep, ticks } from './ways.ts';

const limit = { timeout: 120_000 };
const hour = 3_600_000;

type Put = (entries: BusEntry[]) => Promise<void>;
/** How a bus may go wrong: `put` is what it does when it works. */
const faults: Record<string, (at: Scene, put: Put) => Put> = {
  'throws once': (_at, put) => {
    let calls = 0;
    return (entries) => (++calls === 1 ? Promise.reject(new Error('socket hang up')) : put(entries));
  },
  'throttles for ten seconds': (at, put) => {
    let since: number | undefined;
    return (entries) => {
      since ??= at.clock.now();
      return at.clock.now() < since + 10_000 ? Promise.reject(new Error('ThrottlingException')) : put(entries);
    };
  },
  'takes half and throws, each second time': (_at, put) => {
    let calls = 0;
    return async (entries) => {
      if (++calls % 2 === 0) return put(entries);
      await put(entries.slice(0, Math.floor(entries.length / 2)));
      throw new Error('did not take all');
    };
  },
  'answers after twenty seconds': (at, put) => async (entries) => {
    await put(entries);
    await sleep(at, 20_000);
  },
  'never answers, and takes nothing': () => () => new Promise(() => {}),
};

const ends = (at: Scene) =>
  Map.groupBy(at.sim.list<Wukong>('wukongs', namespace), ({ status }) => status?.lifecycleState?.outcome ?? 'none');

/** Delivers an event as EventBridge does: again, when the function throws. */
async function event(at: Scene, detail: object) {
  const sent = {
    'detail-type': 'Wukong VM Stop Requested',
    id: 'evening',
    time: new Date(at.clock.now()).toISOString(),
    detail,
  };
  let threw = 0;
  for (let attempt = 1; attempt <= 4; attempt++) {
    const done = await stopVm(sent, at.invocation('i', 50_000)).then(
      () => true,
      () => false,
    );
    if (done) return threw;
    threw++;
    await sleep(at, minuteMs);
  }
  return threw;
}

describe('a fleet of four hundred, and a bus that', () => {
  it.each(Object.entries(faults))('%s: all come to an end, none twice', limit, async (_what, fault) => {
    const at = await prepared((at) => furnishIn(at, namespace, 400, { guest: { 'shutdown-seconds': '5' } }), {
      limits: 'limited',
    });
    await at.pass(60_000);
    await at.run(async () => {
      const bus = deliver(at, { leftMs: 50_000 });
      const { put } = at.world.bus!;
      at.world.bus = { put: fault(at, put) };
      const ticking = ticks(at, 10);
      await event(at, { target: { selector: 'env=dev' } });
      await ticking;
      await bus.settled();
      await ticks(at, 2);
    }, hour);
    expect([...ends(at)].map(([outcome, all]) => [outcome, all.length])).toEqual([['Stopped', 400]]);
    expect(asked(at)).toHaveLength(400);
  });

  it('takes nothing for good makes the invocation throw, after what could be done was done', limit, async () => {
    const at = await prepared((at) => furnishIn(at, namespace, 400), { limits: 'limited' });
    await at.pass(60_000);
    at.world.bus = { put: () => Promise.reject(new Error('AccessDenied')) };
    const sent = { 'detail-type': 'Wukong VM Stop Requested', id: 'e', detail: { target: { selector: 'env=dev' } } };
    await expect(at.run(() => stopVm(sent, at.invocation('i', 40_000)))).rejects.toMatchObject({ name: 'Retry' });
    expect(asked(at).length).toBeGreaterThan(80);
  });
});

describe('a schedule, and a bus that', () => {
  it.each(Object.entries(faults).filter(([what]) => !/never/.test(what)))(
    '%s: all come to an end',
    limit,
    async (_what, fault) => {
      const at = await prepared((at) => furnishIn(at, namespace, 120, { guest: { 'shutdown-seconds': '5' } }));
      scheduleIn(at, namespace, { stop: '30 20 * * *' });
      await at.run(async () => {
        const bus = deliver(at);
        const { put } = at.world.bus!;
        at.world.bus = { put: fault(at, put) };
        await sleep(at, boundary - at.clock.now());
        await ticks(at, 8);
        await bus.settled();
      }, hour);
      expect([...ends(at)].map(([outcome, all]) => [outcome, all.length])).toEqual([['Stopped', 120]]);
      expect(asked(at)).toHaveLength(120);
    },
  );

  it('refuses what one namespace sends, and all that goes with it: the others lose nobody', limit, async () => {
    const at = await prepared((at) => ['x', 'y', 'z'].forEach((each) => furnishIn(at, each, each === 'x' ? 1 : 12)));
    for (const each of ['x', 'y', 'z']) scheduleIn(at, each, { stop: '30 20 * * *' });
    await at.run(async () => {
      const bus = deliver(at);
      const { put } = at.world.bus!;
      const isBad = ({ detail }: BusEntry) => JSON.stringify(detail).includes('"namespace":"x"');
      at.world.bus = { put: (all) => (all.some(isBad) ? Promise.reject(new Error('over the limit')) : put(all)) };
      await sleep(at, boundary - at.clock.now());
      const [tick] = await ticks(at, 1);
      expect(tick).toMatchObject({ message: expect.stringMatching(/^1 things are left undone: x\/vm-0/) as string });
      await bus.settled();
    }, hour);
    expect(asked(at)).toHaveLength(24);
    expect(Math.max(...asked(at).map((one) => one.at)) - boundary).toBeLessThan(5_000);
  });

  it(
    'takes nothing: the tick fails and says why, nothing is marked as handled, and the next one hands it over',
    limit,
    async () => {
      const at = await prepared((at) => furnishIn(at, namespace, 3));
      scheduleIn(at, namespace, { stop: '30 20 * * *' });
      const handled = () =>
        at.sim.get<{ metadata: never; status?: { lastHandled?: string } }>('wukongschedules', namespace, 'office')
          ?.status?.lastHandled;
      await at.run(async () => {
        const bus = deliver(at);
        const works = at.world.bus!;
        at.world.bus = { put: () => Promise.reject(new Error('AccessDenied')) };
        await sleep(at, boundary - at.clock.now());
        const [tick] = await ticks(at, 1);
        expect(tick).toMatchObject({ name: 'Retry', message: expect.stringContaining('AccessDenied') as string });
        expect(handled()).not.toBe('2026-11-23T20:30:00Z');
        at.world.bus = works;
        await ticks(at, 2);
        await bus.settled();
      }, hour);
      expect(handled()).toBe('2026-11-23T20:30:00Z');
      expect(asked(at)).toHaveLength(3);
    },
  );
});

describe('a message that is long on its way', () => {
  const story = async (policy: string, tickAt: number, afterMs: number, prepare: (at: Scene) => void = () => {}) => {
    const at = await prepared((at) => furnishIn(at, namespace, 1));
    scheduleIn(at, namespace, { stop: '30 20 * * *', policy, startingDeadlineSeconds: 3_600 });
    prepare(at);
    await at.run(async () => {
      const bus = deliver(at, { afterMs });
      await sleep(at, tickAt - at.clock.now());
      await ticks(at, 3);
      await bus.settled();
    }, 8 * hour);
    return asked(at).length;
  };
  const direct = async (policy: string, tickAt: number) => {
    const at = await prepared((at) => furnishIn(at, namespace, 1));
    scheduleIn(at, namespace, { stop: '30 20 * * *', policy, startingDeadlineSeconds: 3_600 });
    delete at.world.bus;
    await at.run(async () => {
      await sleep(at, tickAt - at.clock.now());
      await ticks(at, 3);
    }, 8 * hour);
    return asked(at).length;
  };

  it.each([
    ['Respect', 'within the deadline', 59.5 * minuteMs, 1],
    ['Respect', 'just past it', 61 * minuteMs, 0],
    ['Respect', 'hours later', 5 * hour, 0],
    ['Enforce', 'within the deadline', 59.5 * minuteMs, 1],
    ['Enforce', 'just past it', 61 * minuteMs, 1],
    ['Enforce', 'hours later', 5 * hour, 1],
  ])('%s, %s: here and over the bus come to the same', limit, async (policy, _when, lateMs, expected) => {
    expect(await direct(policy, boundary + lateMs)).toBe(expected);
    expect(await story(policy, boundary + lateMs, 90_000)).toBe(expected);
  });

  it('what an override held back does not expire with the boundary', limit, async () => {
    const at = await prepared((at) => furnishIn(at, namespace, 1));
    scheduleIn(at, namespace, { stop: '30 20 * * *' });
    const annotate = (until: string | undefined) =>
      at.sim.change(
        'wukongs',
        namespace,
        'vm-0',
        (o: { metadata: { annotations?: Record<string, string | undefined> } }) => {
          o.metadata.annotations = { ...o.metadata.annotations, 'lifecycle.novasphere.dev/keep-running-until': until };
          if (until === undefined) delete o.metadata.annotations['lifecycle.novasphere.dev/keep-running-until'];
        },
      );
    annotate('2026-11-24T06:00:00Z');
    await at.run(async () => {
      const bus = deliver(at);
      await sleep(at, boundary - at.clock.now());
      await ticks(at, 2);
      await sleep(at, 4 * hour);
      annotate(undefined);
      await ticks(at, 3);
      await bus.settled();
    }, 8 * hour);
    expect(asked(at)).toHaveLength(1);
  });

  it('a command that was sent in time and delivered hours later does nothing under Respect', limit, async () => {
    expect(await story('Respect', boundary, 3 * hour)).toBe(0);
  });
});
