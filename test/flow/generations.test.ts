import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { namespace, type Scene, scene } from './scene.ts';

type Vm = KubeObject & { spec: Record<string, unknown> };

const setAlways = (at: Scene) =>
  at.sim.change<Vm>('virtualmachines', namespace, 'web-vm', ({ spec }) => void (spec['runStrategy'] = 'Always'));

async function running(shutdown = '2'): Promise<Scene> {
  const at = await scene();
  const guest = { 'shutdown-seconds': shutdown };
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest });
  await at.pass(5_000);
  return at;
}

describe('a VM that somebody switches on during its stop', () => {
  it('is asked to stay off at once', async () => {
    const at = await running();
    const began = at.clock.now();
    at.clock.after(1_000, () => setAlways(at));
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    const [, second] = at.calls();
    expect((second?.at ?? 0) - began).toBeGreaterThanOrEqual(1_000);
    expect((second?.at ?? 0) - began).toBeLessThan(1_200);
  });

  it.each(Array.from({ length: 16 }, (_, i) => 1_850 + i * 25))(
    'is not told as stopped while KubeVirt makes a new guest (after %i ms)',
    async (ms) => {
      const at = await running();
      at.clock.after(ms, () => setAlways(at));
      const outcome = await at.perform('stop', 'web');
      expect(outcome).toMatchObject({ outcome: 'Stopped' });
      if (outcome.finishedAt < outcome.startedAt + ms) return; // whoever switches on after the end has the last word
      for (let i = 0; i < 100; i++, await at.pass(5))
        expect([at.vmi('web')?.metadata.uid, at.vm('web').spec['runStrategy']]).toEqual([undefined, 'Halted']);
      await at.pass(30_000);
      expect(at.vmi('web')).toBeUndefined();
    },
  );

  it('again and again is answered at once some times, and then at a pace', async () => {
    const at = await running('60');
    const again = () => {
      if (at.vm('web').spec['runStrategy'] === 'Halted') setAlways(at);
      at.clock.after(50, again);
    };
    again();
    await at.perform('stop', 'web', {}, { leftMs: 20_000 });
    expect(at.calls().length).toBeGreaterThan(4);
    expect(at.calls().length).toBeLessThan(20);
  });
});

it('a VM whose template was edited while it ran is off all the same, although KubeVirt never says that it has seen that', async () => {
  const at = await running();
  at.sim.change<Vm>('virtualmachines', namespace, 'web-vm', ({ spec }) => {
    spec['template'] = { ...(spec['template'] as object), metadata: { labels: { edited: 'yes' } } };
  });
  await at.pass(1_000);
  const outcome = await at.perform('stop', 'web');
  expect(outcome).toMatchObject({ outcome: 'Stopped' });
  expect(outcome.finishedAt - outcome.startedAt).toBeLessThan(6_000);
});

it('a start of a Once VM whose guest failed waits for nothing', async () => {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Once', guest: { 'crash-after-seconds': '20' } });
  await at.pass(30_000);
  expect(at.vmi('web')?.status['phase']).toBe('Failed');
  const outcome = await at.perform('start', 'web');
  expect(outcome).toMatchObject({ outcome: 'Started' });
  expect(at.vm('web').spec['runStrategy']).toBe('Once');
  expect(outcome.finishedAt - outcome.startedAt).toBeLessThan(2_500);
});

describe('a guest that dies as soon as it is ready', () => {
  const dying = { 'crash-after-seconds': '0.02' };

  it('is not told as started', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'crashy', runStrategy: 'Halted', guest: dying });
    const outcome = await at.perform('start', 'crashy', { waitSeconds: 20 });
    expect(outcome).toMatchObject({ outcome: 'Failed', reason: 'GuestCrashLoop' });
  });

  it('leaves in the record that it died, for the process that goes on', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'crashy', runStrategy: 'Halted', guest: dying });
    await at.perform('start', 'crashy', {}, { leftMs: 8_000 });
    const record = at.wukong('crashy').metadata.annotations?.['lifecycle.novasphere.dev/operation'] ?? '';
    expect((JSON.parse(record) as { died: number }).died).toBeGreaterThan(1);
  });

  it('is started when one of its lives has lasted for ten seconds', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'crashy', runStrategy: 'Halted', guest: dying });
    at.clock.after(10_000, () =>
      at.sim.change<Vm>('virtualmachines', namespace, 'crashy-vm', ({ metadata, spec }) => {
        delete metadata.annotations?.['sim.novasphere.dev/crash-after-seconds'];
        const template = spec['template'] as { metadata?: { annotations?: Record<string, string> } };
        delete template.metadata?.annotations?.['sim.novasphere.dev/crash-after-seconds'];
      }),
    );
    const outcome = await at.perform('start', 'crashy');
    expect(outcome).toMatchObject({ outcome: 'Started' });
    expect(outcome.finishedAt - outcome.startedAt).toBeGreaterThanOrEqual(20_000);
    expect(outcome.finishedAt - outcome.startedAt).toBeLessThan(25_000);
  });
});
