import { describe, expect, it } from 'vitest';

import { s, t0 } from './machines.ts';
import { stage } from './stage.ts';

const running = { strategy: 'Always' };
const halted = { strategy: 'Halted' };
/** Since when a guest is asked to go. */
const going = (ms: number, more: object = {}) => ({ deletingSince: t0 + ms, ...more });
const iso = (ms: number) => new Date(t0 + ms).toISOString();

/** What the record says at each of its steps. */
const records = (asked: string[]) =>
  asked
    .filter((one) => one.includes(' record '))
    .map((one) => {
      const [at, text] = one.split(' record ');
      return [at, JSON.parse(text ?? '') as object];
    });
const calls = (asked: string[]) => asked.filter((one) => !one.includes(' record ') && !one.includes('GET wukongs'));
const looks = (asked: string[]) => asked.filter((one) => one.includes('GET wukongs')).map((one) => one.split(' ')[0]);

describe('a stop', () => {
  it('asks once, waits while the guest goes, and is told a moment after the VM is off', async () => {
    const { at, show, begins, asked, waits } = stage();
    show(running, {});
    at(500, () => show(halted, going(0)));
    at(4 * s, () => show(halted, going(0, { phase: 'Succeeded' })));
    at(4_050, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'Stopped' }, tookMs: 4_100 });
    expect(asked).toEqual(['0.0 PUT stop {}']);
    expect(waits).toEqual(['the guest to shut down', 'the ended VMI to go']);
  });

  it('is not told where a guest comes up in that moment: that one is asked too, by a record of its own', async () => {
    const { at, show, begins, asked } = stage({ forceAt: t0 + 45 * s, periodSeconds: 30 });
    show(running, {});
    at(1 * s, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    at(1_050, () => show(running, { uid: 'two' }));
    at(1_500, () => show(halted, going(1_500, { uid: 'two' })));
    at(2 * s, () => show(halted, null, going(1_500, { uid: 'two', phase: 'Succeeded' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'Stopped' }, op: { vmiUid: 'two' }, tookMs: 2_100 });
    expect(calls(asked)).toEqual(['0.0 PUT stop {}', '1.1 PUT stop {}']);
    expect(records(asked)).toEqual([['1.1', { step: 'Claimed', stepAt: iso(1_050), comebacks: 1, vmiUid: 'two' }]]);
    expect(looks(asked)).toEqual([]);
  });

  it('of a VM whose guest came up after the claim is of that guest, and the record needs not say so', async () => {
    const { at, show, begins, asked } = stage({ vmiUid: undefined, forceAt: t0 + 45 * s, periodSeconds: 30 });
    show(running, {});
    at(500, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    const { op } = await begins();
    expect(op).toMatchObject({ vmiUid: 'one', comebacks: 0 });
    expect([op.forceAt, op.periodSeconds]).toEqual([undefined, undefined]);
    expect(asked).toEqual(['0.0 PUT stop {}']);
  });

  it('forces the guest when its time is over, and deletes its pod where it may: each is in the record before', async () => {
    const { at, show, begins, asked, waits } = stage({ deletePodWhenStuck: true });
    show(running, { graceSeconds: 10 });
    at(1 * s, () => show(halted, going(1 * s, { graceSeconds: 10 })));
    at(26_010, () => show(halted, going(1 * s, { graceSeconds: 0 })));
    at(87 * s, () => show(halted, null, going(1 * s, { graceSeconds: 0, phase: 'Failed' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'ForcedOff', forceReason: 'PodDeleted' } });
    const known = { comebacks: 0, vmiUid: 'one', forceAt: iso(26 * s), periodSeconds: 10 };
    expect(records(asked)).toEqual([
      ['26.0', { ...known, step: 'Forced', stepAt: iso(26 * s) }],
      ['86.0', { ...known, periodSeconds: 0, step: 'PodDeleted', stepAt: iso(86 * s), forceAt: iso(26 * s) }],
    ]);
    expect(calls(asked)).toEqual([
      '0.0 PUT stop {}',
      '26.0 GET virtualmachineinstances',
      '26.0 PUT stop {"gracePeriod":0}',
      '86.0 GET virtualmachineinstances',
      expect.stringContaining('86.0 GET') as string,
    ]);
    expect(waits).toEqual(['the guest to shut down', 'the forced guest to go']);
    expect(looks(asked)).toEqual([]);
  });

  it('that KubeVirt begins no shutdown for is asked again, as the record says', async () => {
    const { at, show, begins, asked } = stage();
    show(running, {});
    at(100, () => show(halted, {}));
    at(121 * s, () => show(halted, going(121 * s)));
    at(125 * s, () => show(halted, null, going(121 * s, { phase: 'Succeeded' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'Stopped' } });
    expect(records(asked)).toMatchObject([['120.0', { step: 'AskedAgain', stepAt: iso(120 * s) }]]);
    expect(calls(asked)).toEqual(['0.0 PUT stop {}', '120.0 PUT stop {"gracePeriod":29}']);
  });

  it('that is refused is asked again ever more rarely, half a minute at the most; each time it looks whose it is', async () => {
    const { show, begins, asked, replies } = stage();
    show(running, {});
    replies.push(...Array.from({ length: 9 }, () => 409));
    const { result } = await begins(90_001);
    expect(result).toEqual({ outcome: 'InProgress', message: 'Not over yet (next: ask); reconcileState goes on.' });
    const times = ['0.0', '2.0', '6.0', '14.0', '30.0', '60.0', '90.0'];
    expect(calls(asked)).toEqual(times.map((time) => `${time} PUT stop {}`));
    expect(looks(asked)).toEqual(times.slice(1));
  });

  it('touches nothing more when the record is another’s: at a look, or at its next step', async () => {
    const looking = stage();
    looking.show(running, {});
    looking.replies.push(409);
    looking.at(1 * s, looking.take);
    expect(await looking.begins()).toMatchObject({ op: looking.op, result: 'superseded', tookMs: 2 * s });
    expect(calls(looking.asked)).toEqual(['0.0 PUT stop {}']);
    const forcing = stage();
    forcing.show(halted, going(0));
    forcing.at(1 * s, forcing.take);
    expect(await forcing.begins()).toMatchObject({
      op: { requestId: 'request' },
      result: 'superseded',
      tookMs: 45 * s,
    });
    expect(calls(forcing.asked)).toEqual([]);
    const ended = stage();
    ended.show(running, {});
    ended.replies.push(409);
    ended.at(1 * s, ended.end);
    expect(await ended.begins()).toMatchObject({ result: 'superseded', tookMs: 2 * s });
  });

  it('looks whose it is before a guest that is going is given another time', async () => {
    const { at, show, begins, asked } = stage({ graceSeconds: 20 });
    show(halted, going(0));
    at(1 * s, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    await begins();
    expect(asked).toEqual(['0.0 GET wukongs', '0.0 PUT stop {"gracePeriod":20}']);
  });

  it('looks whose it is where its last look was a second ago, and not before', async () => {
    for (const [ms, expected] of [
      [999, 0],
      [1_000, 1],
    ] as const) {
      const { at, show, begins, asked } = stage({ vmiUid: undefined });
      show({ ...halted, observed: false }, null);
      at(ms, () => show(running, {}));
      at(ms + 500, () => show(halted, null, going(0, { phase: 'Succeeded' })));
      await begins(60 * s, { watching: undefined as never });
      expect(looks(asked), `${ms} ms`).toHaveLength(expected);
    }
  });

  it('looks once where it is to ask twice within a second', async () => {
    const { at, show, begins, asked, replies } = stage();
    show(running, {});
    replies.push(409, 409, 409);
    at(2_100, () => show(running, {}));
    await begins(2_500);
    expect(calls(asked)).toEqual(['0.0', '2.0', '2.1'].map((time) => `${time} PUT stop {}`));
    expect(looks(asked)).toEqual(['2.0']);
  });

  it('that forced a guest gives the next one its whole time, and forces it too', async () => {
    const { at, show, begins, asked } = stage();
    show(halted, going(0, { graceSeconds: 10 }));
    at(26 * s, () => show(running, { uid: 'two', graceSeconds: 10 }));
    at(27 * s, () => show(halted, going(27 * s, { uid: 'two', graceSeconds: 10 })));
    at(53 * s, () => show(halted, null, going(27 * s, { uid: 'two', phase: 'Failed' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'ForcedOff' }, tookMs: 53_100 });
    expect(calls(asked).filter((one) => one.includes('stop'))).toEqual([
      '25.0 PUT stop {"gracePeriod":0}',
      '26.0 PUT stop {}',
      '52.0 PUT stop {"gracePeriod":0}',
    ]);
  });

  it('that KubeVirt will not do gracefully is forced, and told so', async () => {
    const { at, show, begins, replies } = stage();
    show(running, {});
    replies.push(400);
    at(3 * s, () => show(halted, null, going(2 * s, { phase: 'Failed' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'ForcedOff', forceReason: 'RefusedGracefully' } });
  });

  it('did not force a guest that was gone by then, though the record says that it was about to', async () => {
    const { at, show, begins, asked, hide } = stage();
    show(halted, going(0));
    at(44 * s, hide);
    at(45_500, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    expect(await begins()).toMatchObject({ result: { outcome: 'Stopped' }, op: { step: 'Forced' } });
    expect(calls(asked)).toEqual(['45.0 GET virtualmachineinstances']);
  });

  it('goes on where its process died between the record and the call: the record says it already', async () => {
    const forcing = stage({ step: 'Forced', stepAt: t0 - 10 * s });
    forcing.show(halted, going(-50 * s));
    await forcing.begins(1 * s);
    expect(calls(forcing.asked)).toContain('0.0 PUT stop {"gracePeriod":0}');
    const deleting = stage({ step: 'PodDeleted', stepAt: t0 - 10 * s, deletePodWhenStuck: true });
    deleting.show(halted, going(-70 * s, { graceSeconds: 0 }));
    await deleting.begins(1 * s);
    expect(calls(deleting.asked)[0]).toBe('0.0 GET virtualmachineinstances');
    expect([records(forcing.asked), records(deleting.asked)]).toEqual([[], []]);
  });

  it.each([
    ['the call to be seen', 'next: ask', 500, running],
    ['the guest to go', 'waiting for the guest to shut down', 500, halted],
    ['the last moment', 'waiting for a last look', 1_050, halted],
  ])('is left at once when nobody waits any more, waiting for %s', async (_what, says, ms, vm) => {
    const { at, show, begins, world } = stage();
    const wish = new AbortController();
    show(vm, vm === running ? {} : going(0));
    at(1 * s, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    at(ms, () => wish.abort(new Error('closed')));
    const { op, result } = await begins(0, { limits: { deadline: t0 + 60 * s, signal: wish.signal } });
    expect(op.requestId).toBe('request');
    expect(result).toEqual({ outcome: 'InProgress', message: `Not over yet (${says}); reconcileState goes on.` });
    expect(world.clock.now() - t0).toBe(ms);
  });

  it('leaves to the next process when the guest will be forced, and what it is waited for', async () => {
    const { at, show, begins, waits } = stage();
    show(running, {});
    at(700, () => show(halted, going(500, { graceSeconds: 20 })));
    const { op, result, tookMs } = await begins(5 * s);
    expect([op.forceAt, op.periodSeconds, tookMs]).toEqual([t0 + 35_500, 20, 5 * s]);
    const message = 'Not over yet (waiting for the guest to shut down); reconcileState goes on.';
    expect(result).toEqual({ outcome: 'InProgress', message });
    expect(waits).toEqual(['the guest to shut down']);
  });

  it('leaves what was said of force as it is once the guest was forced, or another guest is there', async () => {
    const forced = stage({ step: 'Forced', stepAt: t0, forceAt: t0 - 1 * s });
    forced.show(halted, going(-30 * s, { graceSeconds: 0 }));
    expect((await forced.begins(5 * s)).op).toMatchObject({ forceAt: t0 - 1 * s, periodSeconds: 0 });
    const ended = stage({ forceAt: t0 + 9 * s });
    ended.show(halted, going(0, { phase: 'Succeeded', graceSeconds: 7 }));
    const { op } = await ended.begins(5 * s);
    expect([op.forceAt, op.periodSeconds]).toEqual([t0 + 9 * s, undefined]);
  });

  it('asks KubeVirt’s own Events how a guest ended that nobody saw, once, though the time is up', async () => {
    const { show, begins, asked, tracing } = stage({ step: 'AskedAgain' });
    show(halted, null);
    expect(await begins(-1)).toMatchObject({ result: { outcome: 'Stopped', observed: false }, tookMs: 100 });
    expect(asked).toEqual(['0.0 GET events', '0.0 GET events']);
    expect(tracing.map(({ deadline }) => deadline)).toEqual([t0 + 2 * s, t0 + 2 * s]);
    const patient = stage({ step: 'AskedAgain' });
    patient.show(halted, null);
    const limits = { deadline: t0 + 60 * s, signal: new AbortController().signal };
    await patient.begins(0, { limits });
    expect(patient.tracing).toEqual([limits, limits]);
  });

  it('asks nobody how a guest ended that there was none of', async () => {
    const { show, begins, asked } = stage({ step: 'AskedAgain', vmiUid: undefined });
    show(halted, null);
    expect(await begins()).toMatchObject({ result: { outcome: 'Stopped' } });
    expect(asked).toEqual([]);
  });

  it('takes its turn before each call, and says when it loads the cluster no longer', async () => {
    const { at, show, begins, asked } = stage();
    const said: string[] = [];
    show(running, {});
    at(500, () => show(halted, going(0)));
    at(1 * s, () => show(halted, null, going(0, { phase: 'Succeeded' })));
    await begins(60 * s, {
      turn: ({ deadline }) =>
        Promise.resolve(void said.push(`turn until ${(deadline - t0) / s}, asked ${asked.length}`)),
      begun: () => void said.push('begun'),
    });
    expect(said[0]).toBe('turn until 60, asked 0');
    expect(said.slice(1).every((one) => one === 'begun')).toBe(true);
    expect(said.length).toBeGreaterThan(1);
  });

  it('ends with the fault of a call, and not before', async () => {
    const { show, begins, replies } = stage();
    show(running, {});
    replies.push(403);
    const plain = stage();
    plain.show(running, {});
    plain.replies.push(403);
    await expect(plain.begins()).rejects.toMatchObject({ code: 'Denied' });
    const wish = new AbortController();
    const unheard: unknown[] = [];
    const hear = (reason: unknown) => unheard.push(reason);
    process.on('unhandledRejection', hear);
    const limits = { deadline: t0 + 60 * s, signal: wish.signal };
    await expect(begins(0, { limits })).rejects.toMatchObject({ code: 'Denied' });
    wish.abort();
    await new Promise((next) => setImmediate(next));
    process.off('unhandledRejection', hear);
    expect(unheard, 'nobody waits for the answer any more').toEqual([]);
  });
});

it('a VM that cannot be looked at fails as it is, given up or not', async () => {
  const limits = { deadline: t0 + s, signal: AbortSignal.abort(new Error('given up')) };
  const get = () => {
    throw new Error('nobody can see it');
  };
  const machines = { get, changed: () => Promise.resolve(false), close() {} };
  await expect(stage().begins(s, { machines, limits })).rejects.toThrow('nobody can see it');
});
