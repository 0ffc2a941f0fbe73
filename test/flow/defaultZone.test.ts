import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { createSchedule } from '../schedule.ts';
import { namespace, type Scene, scene } from './scene.ts';

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const status = (at: Scene) => at.sim.get<WukongSchedule>('wukongschedules', namespace, 'office')?.status;
const annotate = (at: Scene, zone: string) =>
  at.sim.change<KubeObject>('namespaces', '', namespace, ({ metadata }) => {
    metadata.annotations = { 'lifecycle.novasphere.dev/time-zone': zone };
  });

/** 20:00 UTC; a VM that is up, and a stop at 21:30 of a zone that the schedule does not name. */
async function office(env: Record<string, string> = {}, spec: object = {}): Promise<Scene> {
  const at = await scene({}, env);
  delete at.world.bus;
  at.sim.createWukong({ namespace, name: 'web', labels: { env: 'dev' } });
  createSchedule(at.sim, namespace, 'office', { stop: '30 21 * * *', ...spec });
  await at.pass(5_000);
  return at;
}

describe('a schedule that names no zone', () => {
  it('is in UTC, in DEFAULT_TIME_ZONE, or in that of its namespace, and says whose word it is', async () => {
    const at = await office();
    await tick(at);
    expect(status(at)).toMatchObject({ timeZone: 'UTC', nextStop: '2026-11-23T21:30:00Z' });
    const configured = await office({ DEFAULT_TIME_ZONE: 'Europe/Berlin' });
    await tick(configured);
    expect(status(configured)).toMatchObject({ timeZone: 'Europe/Berlin', nextStop: '2026-11-23T20:30:00Z' });
    expect(status(configured)?.conditions?.[0]?.message).toBe(
      '1 Wukongs are selected; in Europe/Berlin, by DEFAULT_TIME_ZONE',
    );
    annotate(configured, 'America/New_York');
    await tick(configured);
    expect(status(configured)).toMatchObject({ timeZone: 'America/New_York', nextStop: '2026-11-24T02:30:00Z' });
  });

  it('that names one keeps it', async () => {
    const at = await office({ DEFAULT_TIME_ZONE: 'Europe/Berlin' }, { timeZone: 'Asia/Tokyo' });
    annotate(at, 'America/New_York');
    await tick(at);
    expect(status(at)?.nextStop).toBe('2026-11-24T12:30:00Z');
  });

  it('is not switched by a change of the default: what fell due before is not made up for', async () => {
    const at = await office();
    await tick(at);
    await at.pass(45 * 60_000);
    annotate(at, 'Europe/Berlin'); // where 21:30 was a quarter of an hour ago
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    expect(status(at)?.nextStop).toBe('2026-11-24T20:30:00Z');
  });

  it('does nothing while the default is no zone, and says so', async () => {
    const at = await office();
    annotate(at, 'Middle-earth');
    await at.pass(2 * 3_600_000);
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    expect(status(at)?.conditions).toMatchObject([
      { reason: 'InvalidTimeZone', message: expect.stringContaining('annotation') as string },
    ]);
  });
});
