import { describe, expect, it } from 'vitest';

import type { Bus, BusEntry, World } from '../../shared/cluster/world.ts';
import { batched, withBatchedBus } from '../../shared/report/batchedBus.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { t0 } from './machines.ts';

const entry = (name: string): BusEntry => ({ type: 'Outcome', detail: { name }, time: t0 });
const nameOf = ({ detail }: BusEntry) => (detail as { name: string }).name;
const names = (count: number) => Array.from({ length: count }, (_, i) => `vm-${i}`);
const never = () => new Promise<void>(() => {});

/** A bus that answers so, one call after the other, and what it was given when, in ms. */
function busOf(answer: (names: string[], call: number) => Promise<void> = () => Promise.resolve()) {
  const clock = new VirtualClock(t0);
  const calls: [ms: number, ...names: string[]][] = [];
  const put: Bus['put'] = (entries) => {
    calls.push([clock.now() - t0, ...entries.map(nameOf)]);
    return answer(entries.map(nameOf), calls.length);
  };
  const bus = batched({ put }, clock);
  const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [] });
  /** How each put ended, and after how long. */
  const ends = (all: string[]) =>
    run(() =>
      Promise.all(
        all.map(async (name) => {
          const end = await bus.put([entry(name)]).then(
            () => 'taken',
            ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
          );
          return `${name} ${clock.now() - t0} ${end}`;
        }),
      ),
    );
  return { clock, calls, bus, run, ends };
}

describe('the ends of many VMs, put on the bus', () => {
  it('wait a tenth of a second for each other, and go in one call', async () => {
    const { calls, ends, clock } = busOf();
    expect(await ends(['a', 'b', 'c'])).toEqual(['a 100 taken', 'b 100 taken', 'c 100 taken']);
    expect(calls).toEqual([[100, 'a', 'b', 'c']]);
    expect(clock.pending, 'nobody is waited for any more').toBe(0);
  });

  it('wait for nobody when they are ten, and the next wait for their own', async () => {
    const { calls, ends, bus, run } = busOf();
    await ends(names(12));
    expect(calls).toEqual([
      [0, ...names(10)],
      [100, 'vm-10', 'vm-11'],
    ]);
    await run(() => bus.put([entry('later')]));
    expect(calls.at(-1)).toEqual([200, 'later']);
  });

  it('of one who puts several go together, and one of them that is refused is that one’s trouble', async () => {
    const { bus, run, calls } = busOf();
    await run(() => bus.put(['a', 'b'].map(entry)));
    expect(calls).toEqual([[100, 'a', 'b']]);
    const refusing = busOf((all) => (all.includes('bad') ? Promise.reject(new Error('too large')) : Promise.resolve()));
    const both = ['good', 'bad'].map(entry);
    await expect(refusing.run(() => refusing.bus.put(both))).rejects.toMatchObject({ code: 'Unreachable' });
    const naming = busOf((all) => Promise.reject(new Error(`not ${all.join()}`)));
    await expect(
      naming.run(() => naming.bus.put(both)),
      'the first that is refused',
    ).rejects.toThrow('not good');
  });

  it('are put again after half a second and after one more, when the bus throws', async () => {
    const { calls, ends } = busOf((_all, call) => (call < 3 ? Promise.reject(new Error('busy')) : Promise.resolve()));
    expect(await ends(['a', 'b'])).toEqual(['a 1600 taken', 'b 1600 taken']);
    expect(calls.map(([ms]) => ms)).toEqual([100, 600, 1_600]);
  });

  it('are put one by one when the bus has refused them together three times: it keeps back that one only', async () => {
    const { calls, ends } = busOf((all) =>
      all.includes('bad') ? Promise.reject(new Error('large')) : Promise.resolve(),
    );
    expect(await ends(['a', 'bad', 'c'])).toEqual([
      'a 1600 taken',
      'bad 1600 Unreachable: the event bus did not take 1 entries: large',
      'c 1600 taken',
    ]);
    expect(calls.slice(2)).toEqual([
      [1_600, 'a', 'bad', 'c'],
      [1_600, 'a'],
      [1_600, 'bad'],
      [1_600, 'c'],
    ]);
  });

  it('of one VM alone are put three times and no more, and the error says why', async () => {
    const { bus, calls, run } = busOf(() => Promise.reject(new Error('AccessDenied')));
    const thrown = await run(() => bus.put([entry('a')]).catch((error: unknown) => error));
    expect(thrown).toMatchObject({ code: 'Unreachable', cause: { message: 'AccessDenied' } });
    expect(calls.map(([ms]) => ms)).toEqual([100, 600, 1_600]);
  });

  it('are put again when the bus has not answered for two seconds and a half', async () => {
    const { calls, ends } = busOf((_all, call) => (call === 1 ? never() : Promise.resolve()));
    expect(await ends(['a'])).toEqual(['a 3100 taken']);
    expect(calls.map(([ms]) => ms)).toEqual([100, 3_100]);
    const silent = busOf(never);
    const message = 'Unreachable: the event bus did not take 1 entries: no answer within 2.5 s';
    expect(await silent.ends(['a'])).toEqual([`a 9100 ${message}`]);
    expect(silent.clock.pending).toBe(0);
    const thrown = await silent.run(() => silent.bus.put([entry('a')]).catch((error: unknown) => error));
    expect(thrown).toMatchObject({ code: 'Unreachable', cause: { code: 'Unreachable' } });
  });
});

describe('the bus of a world', () => {
  const { bus, clock } = busOf();
  const world = { clock, name: 'world' } as unknown as World;

  it('is made one for many, once, and is none where there is none', () => {
    const plain = { ...world, bus: { put: never } };
    const made = withBatchedBus(plain);
    expect(made).toMatchObject({ name: 'world', bus: { batched: true } });
    expect(withBatchedBus(made)).toBe(made);
    expect(withBatchedBus({ ...world, bus }).bus).toBe(bus);
    expect(withBatchedBus(world)).toBe(world);
  });
});
