import { expect, test } from 'vitest';

import { startSim, VirtualClock } from '../../sim/sim.ts';
import { clientOf, story, wait } from './client.ts';

const instant = '2026-03-02T19:00:00Z';
const sims: [] = [];

test('jumps from timer to timer, in order, and only as far as the work needs', async () => {
  const clock = new VirtualClock(instant);
  const told: number[] = [];
  clock.after(5000, () => told.push(5));
  clock.after(1000, () => told.push(1));
  clock.after(1000, () => told.push(2));
  await clock.run(() => wait(clock, 3000), { sims });
  expect([told, clock.now() - Date.parse(instant)]).toEqual([[1, 2], 3000]);
});

test('work that waits for nothing fails instead of hanging', async () => {
  const clock = new VirtualClock(instant);
  clock.background(1000, () => undefined);
  await expect(clock.run(new Promise(() => undefined), { sims })).rejects.toThrow('no timer is left');
});

test('work that takes too long fails at its limit', async () => {
  const clock = new VirtualClock(instant);
  const forever = async () => {
    for (;;) await wait(clock, 60_000);
  };
  await expect(clock.run(forever, { sims, limitMs: 3_600_000 })).rejects.toThrow('virtual time limit');
});

test('several works share the time', async () => {
  const clock = new VirtualClock(instant);
  const done: string[] = [];
  const work = (name: string, ms: number) => clock.run(() => wait(clock, ms).then(() => done.push(name)), { sims });
  await Promise.all([work('slow', 3_600_000), work('quick', 10)]);
  expect(done).toEqual(['quick', 'slow']);
});

test('the same story takes the same virtual time every time, over two clusters', async () => {
  const told = async () => {
    const clock = new VirtualClock(instant);
    const pair = await Promise.all([startSim({ clock }), startSim({ clock, limits: 'limited' })]);
    const marks: number[] = [];
    const stop = async (sim: (typeof pair)[number]) => {
      const { power } = clientOf(sim);
      sim.createWukong({ namespace: 'dev', name: 'web' });
      await wait(clock, 3000);
      await power('dev', 'web-vm', 'stop', { gracePeriod: 5 });
      while (sim.list('virtualmachineinstances').length > 0) await wait(clock, 7);
      marks.push(clock.now());
    };
    await clock.run(() => Promise.all(pair.map(stop)), { sims: pair });
    await Promise.all(pair.map((sim) => sim.close()));
    return [marks, clock.pending];
  };
  const [first, second] = [await told(), await told()];
  expect(first).toEqual(second);
  expect(first[1]).toBe(0);
});

test('more calls at once than there are connections do not stop the clock', () =>
  story({}, async ({ sim, power, sleep }) => {
    const names = Array.from({ length: 200 }, (_, i) => `vm${i}`);
    for (const name of names) sim.createWukong({ namespace: 'dev', name });
    await sleep(5000);
    const replies = await Promise.all(names.map((name) => power('dev', `${name}-vm`, 'stop')));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
  }));

test('every request is recorded once, with what it cost', () =>
  story({}, async ({ sim, send }) => {
    sim.createWukong({ namespace: 'dev', name: 'web' });
    await send('GET', '/apis/vm.novasphere.dev/v1alpha1/wukongs?limit=5');
    expect(sim.requests).toMatchObject([
      {
        method: 'GET',
        path: '/apis/vm.novasphere.dev/v1alpha1/wukongs',
        query: 'limit=5',
        status: 200,
        user: 'admin',
        watch: false,
      },
    ]);
    expect(sim.requests[0]?.bytesOut).toBeGreaterThan(100);
  }));
