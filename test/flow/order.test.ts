import { describe, expect, it } from 'vitest';

import { performOne } from '../../shared/lifecycle/perform.ts';
import { namespace, scene } from './scene.ts';

const limits = (at: { clock: { now(): number } }) => ({ deadline: at.clock.now() + 3_600_000 });

describe('many events, one truth', () => {
  it('acts once when the same event comes three times, one after the other and at once', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const command = at.command('stop', 'web', {}, { requestId: 'event-1' });
    const place = { namespace, name: 'web' };
    const both = await at.run(
      Promise.all([1, 2].map(() => performOne(command, place, at.world, { limits: limits(at) }))),
    );
    const third = await at.run(performOne(command, place, at.world, { limits: limits(at) }));
    const outcomes = [...both, third].map((one) => ('reason' in one ? one.reason : one.outcome)).sort();
    expect(outcomes).toEqual(['Duplicate', 'Duplicate', 'Stopped']);
    expect(at.calls()).toHaveLength(1);
    expect(at.bus).toHaveLength(1);
  });

  it('lets one of two stops act', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const place = { namespace, name: 'web' };
    const stops = [1, 2].map(() => performOne(at.command('stop', 'web'), place, at.world, { limits: limits(at) }));
    const outcomes = (await at.run(Promise.all(stops))).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(['Skipped', 'Stopped']);
    expect(at.calls()).toHaveLength(1);
  });

  it('lets a newer start supersede a running stop', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '20' } });
    await at.pass(5_000);
    const place = { namespace, name: 'web' };
    const stop = performOne(at.command('stop', 'web'), place, at.world, { limits: limits(at) });
    const start = at
      .pass(5_000)
      .then(() => performOne(at.command('start', 'web'), place, at.world, { limits: limits(at) }));
    const [first, second] = await at.run(Promise.all([stop, start]));
    expect([first.outcome, second.outcome]).toEqual(['Superseded', 'Started']);
    expect(at.vmi('web')?.status['phase']).toBe('Running');
    expect(at.bus.map(({ detail }) => (detail as { outcome: string }).outcome).sort()).toEqual([
      'Started',
      'Superseded',
    ]);
  });

  it('does nothing for an event that is older than what was done', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted' });
    await at.pass(5_000);
    const old = at.clock.now() - 60_000;
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
    expect(await at.perform('stop', 'web', {}, { requestedAt: old })).toMatchObject({ outcome: 'Superseded' });
    expect(at.vmi('web')?.status['phase']).toBe('Running');
  });

  it('does nothing for an event that comes too late', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web', { notAfter: '2026-11-23T19:00:00Z' })).toMatchObject({
      outcome: 'Skipped',
      reason: 'Stale',
    });
    expect(at.calls()).toEqual([]);
  });

  it('is not undone by an operator that rewrites the VM spec on every change', async () => {
    const at = await scene({ operator: true });
    at.sim.createWukong({ namespace, name: 'web', running: true });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    at.sim.change('wukongs', namespace, 'web', (o: { metadata: { annotations?: Record<string, string> } }) => {
      o.metadata.annotations = { ...o.metadata.annotations, touched: 'yes' };
    });
    await at.pass(30_000);
    expect(at.vmi('web')).toBeUndefined();
    expect(at.vm('web').spec['running']).toBe(false);
  });

  it('is not confused by a status that another writer wiped', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const wipe = () => at.sim.change('wukongs', namespace, 'web', (o: { status?: unknown }) => delete o.status);
    expect(await at.perform('stop', 'web', {}, { leftMs: 300 })).toMatchObject({ outcome: 'InProgress' });
    wipe();
    await at.pass(10_000);
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
    wipe();
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    expect(at.wukong('web').status?.lifecycleState?.state).toBe('Stopped');
  });
});
