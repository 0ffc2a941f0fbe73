import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { reasonOf } from '../../shared/domain/outcome.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace } from './scene.ts';
import { deaf, record, stopping, told } from './stopping.ts';

describe('a stop that asks for more', () => {
  it.each([1_900, 2_000, 2_050, 2_100, 2_150, 2_200, 2_300])(
    'finds it off, or done, when it comes as the guest goes: after %i ms',
    async (ms) => {
      const at = await deaf({ 'shutdown-seconds': '2' });
      const first = stopping(at);
      await at.pass(ms);
      const ends = await at.run(Promise.all([first, stopping(at, { force: true }, { id: 'second' })]));
      for (const { outcome } of ends) expect(['Stopped', 'ForcedOff', 'AlreadyOff']).toContain(outcome);
      expect(record(at)).toBeNull();
    },
  );

  it('meets another change of the Wukong: it reads it again, and is not lost', async () => {
    const at = await deaf();
    const first = stopping(at);
    await at.pass(5_000);
    let changed = 0;
    const changing: World = {
      ...at.world,
      transport: {
        ...at.world.transport,
        call(call, limits) {
          if (call.method === 'PATCH' && call.path.endsWith('/wukongs/web') && changed++ < 2)
            at.sim.change<{ metadata: { labels?: object } }>('wukongs', namespace, 'web', ({ metadata }) => {
              metadata.labels = { turn: `${changed}` };
            });
          return at.world.transport.call(call, limits);
        },
      },
    };
    const asked = at.clock.now();
    const ends = await at.run(Promise.all([first, stopping(at, { force: true }, { id: 'second', world: changing })]));
    for (const end of ends) expect(end).toMatchObject({ outcome: 'ForcedOff', forceReason: 'Requested' });
    expect(at.clock.now() - asked).toBeLessThan(3_000);
  });

  it('is sharpened once more by a third, and a fourth that asks for less joins', async () => {
    const at = await deaf();
    const stops = [stopping(at)];
    for (const [id, more] of [
      ['second', { gracePeriodSeconds: 60 }],
      ['third', { gracePeriodSeconds: 20 }],
      ['fourth', { gracePeriodSeconds: 90 }],
    ] as const) {
      await at.pass(2_000);
      stops.push(stopping(at, more, { id }));
    }
    const ends = await at.run(Promise.all(stops));
    expect(ends.map((end) => reasonOf(end) ?? end.outcome)).toEqual([
      'ForcedOff',
      'ForcedOff',
      'ForcedOff',
      'Duplicate',
    ]);
    expect(told(at).sort()).toEqual(['first ForcedOff', 'second ForcedOff', 'third ForcedOff']);
  });

  it('is known when it is delivered again, while the stop goes on and after its end', async () => {
    const at = await deaf();
    const first = stopping(at);
    await at.pass(2_000);
    const second = stopping(at, { gracePeriodSeconds: 10 }, { id: 'second' });
    await at.pass(2_000);
    const duplicate = { outcome: 'Skipped', reason: 'Duplicate' };
    const more = { gracePeriodSeconds: 10 };
    expect(await at.run(stopping(at, more, { id: 'second' }))).toMatchObject(duplicate);
    await at.run(Promise.all([first, second]));
    expect(await at.run(stopping(at, more, { id: 'second' }))).toMatchObject(duplicate);
  });

  it('is superseded together with it by a newer start, and so is one that joined: each has its Event', async () => {
    const at = await deaf();
    const stops = [stopping(at)];
    await at.pass(1_000);
    stops.push(stopping(at, {}, { id: 'joined' }));
    await at.pass(1_000);
    stops.push(stopping(at, { gracePeriodSeconds: 20 }, { id: 'sharper' }));
    await at.pass(1_000);
    const start = at.perform('start', 'web', {}, { requestId: 'start' });
    expect(await start).toMatchObject({ outcome: 'Started' });
    await at.run(Promise.all(stops));
    expect(told(at).sort()).toEqual(['first Superseded', 'joined Superseded', 'sharper Superseded', 'start Started']);
    const events = at.sim
      .list<{ reason: string; message: string }>('events', namespace)
      .map(({ reason, message }) => [reason, /request (\w+)/.exec(message)?.[1]]);
    for (const id of ['first', 'joined', 'sharper']) expect(events).toContainEqual(['Superseded', id]);
  });

  it('does not sharpen a stop that was asked for after it', async () => {
    const at = await deaf();
    const before = at.clock.now() - 10_000;
    const first = stopping(at);
    await at.pass(1_000);
    const late = await at.perform('stop', 'web', { force: true }, { requestedAt: before });
    expect(late).toMatchObject({ outcome: 'Superseded' });
    expect(at.calls()).toHaveLength(1);
    await at.run(first);
  });

  it('of a protected VM is left alone', async () => {
    const at = await deaf();
    const first = stopping(at);
    await at.pass(1_000);
    at.sim.change<{ metadata: { annotations: object } }>('wukongs', namespace, 'web', ({ metadata }) => {
      Object.assign(metadata.annotations, { 'lifecycle.novasphere.dev/protected': 'true' });
    });
    expect(await at.perform('stop', 'web', { force: true })).toMatchObject({ outcome: 'Skipped', reason: 'Protected' });
    await at.run(first);
    expect(at.calls()).toHaveLength(1);
  });

  it('in spec.lifecycleAction sharpens too, and is removed', async () => {
    const at = await deaf();
    const first = stopping(at);
    await at.pass(5_000);
    at.sim.change<{ spec: { lifecycleAction?: unknown } }>('wukongs', namespace, 'web', ({ spec }) => {
      spec.lifecycleAction = { action: 'stop', force: true };
    });
    const asked = at.clock.now();
    await at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
    expect(at.clock.now() - asked).toBeLessThan(2_000);
    expect(await at.run(first)).toMatchObject({ outcome: 'ForcedOff' });
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
  });

  it('has its grace though a call of the first process comes through after it, and lengthens it again', async () => {
    const at = await deaf();
    const first = stopping(at);
    await at.pass(10_000);
    const asked = at.clock.now();
    const second = stopping(at, { gracePeriodSeconds: 20 }, { id: 'second' });
    await at.pass(500);
    expect(at.calls()).toHaveLength(2);
    // KubeVirt writes the period even where it refuses the stop (409).
    at.sim.change<{ spec: object }>('virtualmachineinstances', namespace, 'web-vm', (vmi) => {
      vmi.spec = { ...vmi.spec, terminationGracePeriodSeconds: 140 };
    });
    const ends = await at.run(Promise.all([first, second]));
    for (const end of ends) expect(end).toMatchObject({ outcome: 'ForcedOff', forceReason: 'GracePeriodExceeded' });
    expect(at.clock.now() - asked).toBeLessThan(12_000);
  });

  it('by a fleet sharpens those that are going, and stops the others', async () => {
    const at = await deaf();
    at.sim.createWukong({ namespace, name: 'other', runStrategy: 'Always', labels: { env: 'dev' } });
    at.sim.change<{ metadata: { labels?: object } }>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.labels = { env: 'dev' };
    });
    await at.pass(2_000);
    const first = stopping(at);
    await at.pass(5_000);
    const fleet = at.command('stop', 'web', { target: { selector: 'env=dev' }, force: true });
    const asked = at.clock.now();
    const report = await at.run(executeCommand(fleet, at.world, { limits: { deadline: asked + 600_000 } }));
    expect(report.counts).toEqual({ ForcedOff: 2 });
    expect(at.clock.now() - asked).toBeLessThan(3_000);
    expect(await at.run(first)).toMatchObject({ outcome: 'ForcedOff' });
  });
});
