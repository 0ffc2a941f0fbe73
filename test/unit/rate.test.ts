import { describe, expect, it } from 'vitest';

import { Gate, Rate } from '../../shared/execute/rate.ts';
import { VirtualClock } from '../../sim/clock.ts';

/** A rate, and how many turns one gets of it at an instant, one after the other. */
function rateOf(perSecond: number) {
  const time = { now: 0, random: 0.5 };
  const clock = { now: () => time.now, after: () => () => undefined };
  const rate = new Rate({ clock, random: () => time.random }, perSecond);
  const at = (now: number) => ((time.now = now), rate);
  const turnsAt = (now: number, cost = 1): number => {
    let count = 0;
    while (count < 100 && at(now).take(cost)) count++;
    return count;
  };
  return { time, at, turnsAt };
}

describe('the rate at which VMs are switched', () => {
  it('has a second saved up, and no more, however long nothing was asked for', () => {
    const { turnsAt } = rateOf(20);
    expect([turnsAt(0), turnsAt(49), turnsAt(50), turnsAt(10_000), turnsAt(10_050)]).toEqual([20, 0, 1, 20, 1]);
  });

  it('gives what costs more than it ever has, on credit', () => {
    const { turnsAt } = rateOf(1);
    expect([turnsAt(0, 2), turnsAt(1_999), turnsAt(2_000)]).toEqual([1, 0, 1]);
    const two = rateOf(4);
    expect([two.turnsAt(0, 2), two.turnsAt(250, 2), two.turnsAt(500, 2)]).toEqual([2, 0, 1]);
  });

  it('halves, has nothing saved up then, and grows back in a line', () => {
    const { at, turnsAt } = rateOf(20);
    at(0).halve();
    expect([at(0).now(), turnsAt(0), at(1_000).now()]).toEqual([10, 0, 11]);
    expect(at(9_999).now()).toBeCloseTo(19.999, 6);
    expect([at(10_000).now(), at(60_000).now()]).toEqual([20, 20]);
  });

  it('halves once for all that was under way, and owes what it owed', () => {
    const { at, turnsAt } = rateOf(16);
    at(0).halve();
    at(999).halve();
    expect(at(1_000).now()).toBeCloseTo(8.8);
    at(1_000).halve();
    expect(at(1_000).now()).toBeCloseTo(4.4);
    const one = rateOf(1);
    one.turnsAt(0, 2);
    one.at(0).halve();
    expect([one.turnsAt(1_999), one.turnsAt(2_000), turnsAt(1_000)]).toEqual([0, 1, 0]);
  });

  it('is never less than one', () => {
    const { at } = rateOf(3);
    at(0).halve();
    expect(at(0).now()).toBe(1.5);
    at(1_000).halve();
    expect(at(1_000).now()).toBe(1);
    const low = rateOf(2);
    low.at(0).halve();
    low.at(1_000).halve();
    expect(low.at(1_000).now()).toBe(1);
  });

  it('is waited for by chance, for half the time up to one and a half', () => {
    const { time, at, turnsAt } = rateOf(20);
    expect(at(0).waitMs(1)).toBe(1);
    turnsAt(0);
    expect([at(0).waitMs(1), at(0).waitMs(2)]).toEqual([50, 100]);
    time.random = 0;
    expect(at(0).waitMs(1)).toBe(25);
    time.random = 1;
    expect(at(0).waitMs(1)).toBe(75);
  });
});

describe('the gate that a 429 shuts', () => {
  /** When it was opened for somebody who came at an instant, with that chance and these limits. */
  const gateAt = () => {
    const clock = new VirtualClock(0);
    const time = { random: 0 };
    const gate = new Gate({ clock, random: () => time.random });
    const opened = (limits: { deadline?: number; signal?: AbortSignal } = {}) =>
      clock.run(async () => (await gate.opened(limits), clock.now()), { sims: [] });
    return { clock, time, gate, opened };
  };

  it('is open at first, and a second after it was shut, by chance up to one later', async () => {
    const { gate, time, opened } = gateAt();
    expect(await opened()).toBe(0);
    gate.shut();
    expect(await opened()).toBe(1_000);
    gate.shut();
    time.random = 0.5;
    expect(await opened()).toBe(3_500);
  });

  it('stays shut twice as long each time, and eight seconds at the most', async () => {
    const { gate, opened } = gateAt();
    const until: number[] = [];
    for (let i = 0; i < 6; i++) {
      gate.shut();
      gate.shut();
      until.push(await opened());
    }
    expect(until).toEqual([1_000, 3_000, 7_000, 15_000, 23_000, 31_000]);
  });

  it('begins anew with one second once something went well while it was open, not before', async () => {
    const { gate, clock, opened } = gateAt();
    gate.shut();
    gate.wentWell();
    await opened();
    gate.shut();
    expect(await opened()).toBe(3_000);
    gate.wentWell();
    gate.shut();
    expect(await opened()).toBe(4_000);
    expect(clock.now()).toBe(4_000);
  });

  it('is not waited for beyond a deadline', async () => {
    const { gate, opened } = gateAt();
    gate.shut();
    expect(await opened({ deadline: 1_000 })).toBe(0);
    expect([gate.isShut(2_000), gate.isShut(2_001)]).toEqual([false, true]);
    expect(await opened({ deadline: 1_001 })).toBe(1_000);
    expect(gate.isShut(Infinity)).toBe(false);
  });

  it('opens a second later for whoever is refused, so that all others come before he shuts it again', async () => {
    const { gate, clock, opened } = gateAt();
    expect(gate.isRefusing).toBe(false);
    gate.shut();
    expect([gate.isRefusing, gate.isShut(3_000, true), gate.isShut(3_001, true)]).toEqual([true, false, true]);
    expect(await opened()).toBe(1_000);
    expect([gate.isShut(60_000), gate.isShut(60_000, true)]).toEqual([false, true]);
    await clock.run(() => gate.opened({}, true), { sims: [] });
    expect([clock.now(), gate.isShut(60_000, true)]).toEqual([2_000, false]);
    gate.wentWell();
    expect(gate.isRefusing).toBe(false);
  });

  it('is to be waited for while it is shut, where all that wait go on before the deadline', async () => {
    const { gate, clock, opened } = gateAt();
    expect(gate.isShut(Infinity)).toBe(false);
    gate.shut();
    expect([gate.isShut(2_000), gate.isShut(2_001)]).toEqual([false, true]);
    await clock.run(() => new Promise<void>((resolve) => clock.after(999, resolve)), { sims: [] });
    expect(gate.isShut(2_001)).toBe(true);
    await opened();
    expect([clock.now(), gate.isShut(2_001)]).toEqual([1_000, false]);
  });

  it('is not waited for by whoever has given up', async () => {
    const { gate, opened } = gateAt();
    gate.shut();
    await expect(opened({ signal: AbortSignal.abort(new Error('given up')) })).rejects.toThrow('given up');
  });
});
