import { describe, expect, it } from 'vitest';

import type { Scene } from './scene.ts';
import {
  ask,
  asked,
  boundary,
  deliver,
  furnishIn,
  minuteMs,
  prepared,
  scheduleIn,
  sleep,
  ticks,
  ways,
} from './ways.ts';

const wave = (number: number) => ({ annotations: { 'lifecycle.novasphere.dev/wave': `${number}` } });
const limit = { timeout: 120_000 };
const hour = 3_600_000;

type Declaring = { spec: { lifecycleAction?: unknown } };
const declare = (at: Scene, namespace: string, name: string, action: string) =>
  at.sim.change('wukongs', namespace, name, (o: Declaring) => void (o.spec.lifecycleAction = { action }));

/** How a namespace may go wrong: what it has, and what its people ask for, again and again. */
const troubles: Record<string, (at: Scene) => (minute: number) => void> = {
  'a guest that ignores ACPI is stopped each minute': (at) => {
    furnishIn(at, 'x', 20, { guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 600 });
    return (minute) => declare(at, 'x', `vm-${minute}`, 'stop');
  },
  'sixty hang when they are stopped': (at) => {
    furnishIn(at, 'x', 60, { guest: { hang: 'true' } });
    return (minute) => {
      for (let i = 0; minute === 0 && i < 60; i++) declare(at, 'x', `vm-${i}`, 'stop');
    };
  },
  'sixty fit on no node': (at) => {
    furnishIn(at, 'x', 60, { runStrategy: 'Halted', guest: { unschedulable: 'true' } });
    return (minute) => {
      for (let i = 0; minute === 0 && i < 60; i++) declare(at, 'x', `vm-${i}`, 'start');
    };
  },
  'sixty never come up': (at) => {
    furnishIn(at, 'x', 60, { runStrategy: 'Halted', guest: { 'boot-seconds': '100000' } });
    return (minute) => {
      for (let i = 0; minute === 0 && i < 60; i++) declare(at, 'x', `vm-${i}`, 'start');
    };
  },
  'sixty crash soon after they came up': (at) => {
    furnishIn(at, 'x', 60, { runStrategy: 'Halted', guest: { 'boot-seconds': '5', 'crash-after-seconds': '1' } });
    return (minute) => {
      for (let i = 0; i < 60; i++) declare(at, 'x', `vm-${i}`, minute % 2 ? 'stop' : 'start');
    };
  },
};

async function neighbour(way: 'schedule' | 'bus', trouble?: (at: Scene) => (minute: number) => void) {
  let happen: ((minute: number) => void) | undefined;
  const at = await prepared((at) => {
    furnishIn(at, 'y', 1, {}, 'on');
    furnishIn(at, 'z', 1, { runStrategy: 'Halted' }, 'off');
    happen = trouble?.(at);
  });
  scheduleIn(at, 'y', { stop: '30 20 * * *' });
  scheduleIn(at, 'z', { start: '30 20 * * *' });
  await at.run(async () => {
    if (way === 'schedule') delete at.world.bus;
    const bus = way === 'bus' ? deliver(at) : undefined;
    await sleep(at, boundary - 6 * minuteMs - at.clock.now());
    for (let minute = 0; happen && minute < 12; minute++)
      at.clock.after(minute * minuteMs - 1_000 + 1_000, () => happen?.(minute));
    await ticks(at, 8);
    void bus;
  }, hour);
  const mine = asked(at).filter(({ namespace }) => namespace !== 'x');
  const requests = at.sim.requests
    .filter(({ path }) => /\/(on|off)-0/.test(path))
    .map(({ method, path }) => `${method} ${path}`)
    .sort();
  const state = (namespace: string, name: string) =>
    at.sim.get<{ metadata: never; status?: { lifecycleState?: { outcome?: string } } }>('wukongs', namespace, name)
      ?.status?.lifecycleState?.outcome;
  return { asked: mine, requests, outcomes: [state('y', 'on-0'), state('z', 'off-0')] };
}

describe.each(['schedule', 'bus'] as const)(
  'whatever goes wrong in a namespace is nothing to its neighbours: by %s',
  (way) => {
    it.each(Object.entries(troubles))('%s', limit, async (_what, trouble) => {
      const alone = await neighbour(way);
      const beside = await neighbour(way, trouble);
      expect(alone.outcomes).toEqual(['Stopped', 'Started']);
      expect(beside.outcomes).toEqual(alone.outcomes);
      expect(beside.requests).toEqual(alone.requests);
      for (const { namespace, at } of alone.asked) {
        const other = beside.asked.find((one) => one.namespace === namespace);
        expect(Math.abs((other?.at ?? Infinity) - at)).toBeLessThan(5_000);
      }
    });
  },
);

describe.each(ways)('many at once: by %s', (way) => {
  it('asks sixty good VMs within twenty seconds of sixty that fit on no node', limit, async () => {
    const at = await prepared((at) => {
      furnishIn(at, 'x', 60, { runStrategy: 'Halted', guest: { unschedulable: 'true' } }, 'bad');
      furnishIn(at, 'x', 60, { runStrategy: 'Halted' }, 'good');
    });
    await at.run(() => ask(at, way, { action: 'start', namespaces: ['x'], minutes: 8 }), hour);
    const good = asked(at, 'start').filter(({ name }) => name.startsWith('good'));
    expect(good).toHaveLength(60);
    expect(Math.max(...good.map((one) => one.at)) - boundary).toBeLessThan(20_000);
  });

  it('asks three hundred guests that take two minutes within a minute', limit, async () => {
    const slow = { guest: { 'shutdown-seconds': '120' }, terminationGracePeriodSeconds: 180 };
    const at = await prepared((at) => furnishIn(at, 'x', 300, slow), { limits: 'limited' });
    await at.pass(60_000);
    await at.run(() => ask(at, way, { action: 'stop', namespaces: ['x'], minutes: 6 }), hour);
    const all = asked(at, 'stop');
    expect(all).toHaveLength(300);
    expect(Math.max(...all.map((one) => one.at)) - boundary).toBeLessThan(62_000);
    expect(at.sim.list('virtualmachineinstances', 'x')).toEqual([]);
  });

  it('asks the one VM of a small team among the first ten, beside five hundred of a large one', limit, async () => {
    const at = await prepared((at) => {
      furnishIn(at, 'large', 500, { guest: { 'shutdown-seconds': '2' } });
      furnishIn(at, 'small', 1);
    });
    await at.run(() => ask(at, way, { action: 'stop', namespaces: ['large', 'small'], minutes: 4 }), hour);
    const order = asked(at, 'stop').map(({ namespace }) => namespace);
    expect(order).toHaveLength(501);
    expect(order.indexOf('small')).toBeLessThan(10);
  });

  it('begins a wave when the one before has ended, whatever one of it lacks', limit, async () => {
    const at = await prepared((at) => {
      const slow = { guest: { 'shutdown-seconds': '90' }, terminationGracePeriodSeconds: 180 };
      furnishIn(at, 'x', 3, { ...slow, ...wave(30) }, 'proxy');
      furnishIn(at, 'x', 1, wave(30), 'gone');
      furnishIn(at, 'x', 3, { ...slow, ...wave(20) }, 'app');
      furnishIn(at, 'x', 3, wave(10), 'db');
    });
    at.sim.remove('virtualmachines', 'x', 'gone-0-vm');
    await at.run(() => ask(at, way, { action: 'stop', namespaces: ['x'], minutes: 8 }), hour);
    const when = (prefix: string) =>
      asked(at, 'stop')
        .filter(({ name }) => name.startsWith(prefix))
        .map((one) => one.at);
    expect([when('proxy'), when('app'), when('db')].map(({ length }) => length)).toEqual([3, 3, 3]);
    expect(Math.min(...when('app'))).toBeGreaterThanOrEqual(Math.max(...when('proxy')) + 90_000);
    expect(Math.min(...when('app'))).toBeLessThan(Math.max(...when('proxy')) + 160_000);
    expect(Math.min(...when('db'))).toBeGreaterThanOrEqual(Math.max(...when('app')) + 90_000);
  });

  it('lets the next wave begin after ten minutes, although a guest of the one before hangs', limit, async () => {
    const at = await prepared((at) => {
      furnishIn(
        at,
        'x',
        2,
        { ...wave(20), guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 1_800 },
        'deaf',
      );
      furnishIn(at, 'x', 2, wave(10), 'db');
    });
    await at.run(() => ask(at, way, { action: 'stop', namespaces: ['x'], minutes: 14 }), hour);
    const db = asked(at, 'stop').filter(({ name }) => name.startsWith('db'));
    expect(db).toHaveLength(2);
    for (const one of db) {
      expect(one.at - boundary).toBeGreaterThan(10 * minuteMs - 1_000);
      expect(one.at - boundary).toBeLessThan(12 * minuteMs);
    }
  });

  it('starts no more than maxInFlight at once', limit, async () => {
    const at = await prepared((at) =>
      furnishIn(at, 'x', 8, { runStrategy: 'Halted', guest: { 'boot-seconds': '30' } }),
    );
    await at.run(() => ask(at, way, { action: 'start', namespaces: ['x'], maxInFlight: 2, minutes: 12 }), hour);
    const times = asked(at, 'start').map((one) => one.at);
    expect(times).toHaveLength(8);
    for (const time of times)
      expect(times.filter((other) => other <= time && other > time - 29_000).length).toBeLessThanOrEqual(2);
  });
});
