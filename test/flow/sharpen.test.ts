import { describe, expect, it } from 'vitest';

import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { mortal } from './mortal.ts';
import { scene, worldOn } from './scene.ts';
import { deaf, deletion, place, record, stopping, told } from './stopping.ts';

describe('a stop that asks for more than the one under way', () => {
  it.each<[string, object, string]>([
    ['a shorter grace', { gracePeriodSeconds: 5 }, 'GracePeriodExceeded'],
    ['force', { force: true }, 'Requested'],
  ])('sharpens it by %s, and both come to the same end', async (_, more, forceReason) => {
    const at = await deaf();
    const first = stopping(at, { gracePeriodSeconds: 120 });
    await at.pass(20_000);
    const asked = at.clock.now();
    const second = stopping(at, more, { id: 'second' });
    const ends = await at.run(Promise.all([first, second]));
    expect(ends).toMatchObject([
      { outcome: 'ForcedOff', forceReason, requestId: 'first' },
      { outcome: 'ForcedOff', forceReason, requestId: 'second' },
    ]);
    expect(at.clock.now() - asked).toBeLessThan(2_000);
    expect(told(at)).toEqual(['first ForcedOff', 'second ForcedOff']);
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ requestId: 'first', outcome: 'ForcedOff' });
  });

  it('counts its grace from the deletion of the VMI, and never forces earlier', async () => {
    const at = await deaf();
    const first = stopping(at);
    await at.pass(3_000);
    const since = deletion(at);
    const second = stopping(at, { gracePeriodSeconds: 30 }, { id: 'second' });
    const [end] = await at.run(Promise.all([first, second]));
    expect(end.finishedAt).toBeGreaterThanOrEqual(since + 30_000);
    expect(end.finishedAt).toBeLessThan(since + 32_000);
    expect(at.calls().map(({ verb }) => verb)).toEqual(['stop', 'stop']);
  });

  it('brings the hour of force forward where KubeVirt does not end the guest, to 15 s after its own grace', async () => {
    const at = await deaf({ hang: 'true' });
    const first = stopping(at);
    await at.pass(10_000);
    const since = deletion(at);
    await at.run(Promise.all([first, stopping(at, { gracePeriodSeconds: 20 }, { id: 'second' })]));
    const forced = at.calls().at(-1)?.at ?? 0;
    expect(forced).toBeGreaterThanOrEqual(since + 35_000);
    expect(forced).toBeLessThan(since + 37_000);
  });

  it('sharpens a stop that another process began, which waits for the end and touches nothing more', async () => {
    const at = await deaf();
    const other = await worldOn(at.sim, at.clock);
    const first = stopping(at, {}, { world: other });
    await at.pass(60_000);
    const ends = await at.run(Promise.all([first, stopping(at, { gracePeriodSeconds: 5 }, { id: 'second' })]));
    expect(ends.map(({ outcome, quiet }) => [outcome, quiet ?? false])).toEqual([
      ['ForcedOff', true],
      ['ForcedOff', false],
    ]);
    expect(at.calls()).toHaveLength(2);
  });

  it('leaves the first process its own time: it says InProgress when that is up', async () => {
    const at = await deaf();
    const first = stopping(at, {}, { leftMs: 30_000 });
    await at.pass(10_000);
    const begun = at.clock.now();
    const second = stopping(at, { gracePeriodSeconds: 60 }, { id: 'second' });
    expect(await at.run(first)).toMatchObject({ outcome: 'InProgress' });
    expect(at.clock.now() - begun).toBeLessThan(21_000);
    expect(await at.run(second)).toMatchObject({ outcome: 'ForcedOff' });
  });

  it('needs nobody: the process that began the stop may be dead', async () => {
    const at = await deaf();
    const { world, death } = mortal(at.world, 6, 'before');
    void stopping(at, {}, { world });
    await at.run(Promise.race([death, at.pass(40_000)]));
    const asked = at.clock.now();
    const end = await at.run(stopping(at, { gracePeriodSeconds: 5 }, { id: 'second' }));
    expect(end).toMatchObject({ outcome: 'ForcedOff', requestId: 'second' });
    expect(at.clock.now() - asked).toBeLessThan(7_000);
  });

  it('is not lost with its own process: the next tick carries the sharper stop on, and answers both', async () => {
    const at = await deaf({ hang: 'true' });
    await at.run(stopping(at, {}, { leftMs: 5_000 }));
    expect(
      await at.run(stopping(at, { deletePodWhenStuck: true, gracePeriodSeconds: 10 }, { id: 'second', leftMs: 500 })),
    ).toMatchObject({
      outcome: 'InProgress',
      requestId: 'second',
    });
    expect(record(at)).toMatchObject({ requestId: 'first', graceSeconds: 10, deletePodWhenStuck: true });
    for (let minute = 0; minute < 4; minute++) {
      await at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
      await at.pass(60_000);
    }
    expect(told(at)).toEqual(['first ForcedOff', 'second ForcedOff']);
    expect(at.vmi('web')).toBeUndefined();
  });

  it.each([
    ['while it waits for the guest', 10_000],
    ['when the guest was forced long since', 165_000],
    ['half a second before it gives up', 194_500],
  ])('gives the stuck stop its last rung %s', async (_, after) => {
    const at = await deaf({ hang: 'true' });
    const first = stopping(at);
    await at.pass(after);
    expect(record(at).step).toBe(after > 140_000 ? 'Forced' : 'Claimed');
    const ends = await at.run(Promise.all([first, stopping(at, { deletePodWhenStuck: true }, { id: 'second' })]));
    for (const end of ends) expect(end).toMatchObject({ outcome: 'ForcedOff', forceReason: 'PodDeleted' });
    expect(at.vmi('web')).toBeUndefined();
  });

  it('comes when the guest was forced already: nothing is forced once more, and the guest has its minute to go', async () => {
    const at = await deaf({ hang: 'true' });
    const first = stopping(at);
    await at.pass(150_000);
    expect(record(at).step).toBe('Forced');
    const forcedAt = at.calls().at(-1)?.at ?? 0;
    const ends = await at.run(
      Promise.all([first, stopping(at, { gracePeriodSeconds: 5, force: true }, { id: 'second' })]),
    );
    for (const end of ends) expect(end).toMatchObject({ outcome: 'Failed', reason: 'Stuck' });
    expect(at.clock.now()).toBeGreaterThanOrEqual(forcedAt + 60_000);
    expect(at.calls().filter(({ at: when }) => when > forcedAt)).toEqual([]);
  });

  it('gives a guest that is forced by it a minute to go before its pod is deleted', async () => {
    const at = await deaf({ hang: 'true' });
    const first = stopping(at);
    await at.pass(100_000);
    const asked = at.clock.now();
    await at.run(Promise.all([first, stopping(at, { force: true, deletePodWhenStuck: true }, { id: 'second' })]));
    const deleted = at.sim.requests.find(({ method, path }) => method === 'DELETE' && path.includes('/pods/'));
    expect(deleted?.at).toBeGreaterThanOrEqual(asked + 60_000);
  });
});

describe('a start that asks for more than the one under way', () => {
  it('is waited for as long as it says, and has its lease', async () => {
    const at = await scene();
    at.sim.createWukong({ ...place, runStrategy: 'Halted', guest: { 'boot-seconds': '100' } });
    await at.pass(1_000);
    const start = (more: object, requestId: string) =>
      performOne(at.command('start', 'web', more, { requestId }), place, at.world, {
        limits: { deadline: at.clock.now() + 3_600_000 },
      });
    const first = start({ waitSeconds: 30 }, 'first');
    await at.pass(20_000);
    const asked = at.clock.now();
    const ends = await at.run(Promise.all([first, start({ waitSeconds: 120, leaseSeconds: 3_600 }, 'second')]));
    expect(ends.map(({ outcome }) => outcome)).toEqual(['Started', 'Started']);
    const lease = at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/lease-until'] ?? '';
    expect(Date.parse(lease)).toBeGreaterThanOrEqual(asked + 3_600_000);
    expect(Date.parse(lease)).toBeLessThan(asked + 3_602_000);
    expect(at.calls()).toHaveLength(1);
  });
});
