import { describe, expect, it } from 'vitest';

import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { dice } from '../dice.ts';
import { createSchedule } from '../schedule.ts';
import { namespace, type Scene, scene } from './scene.ts';

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const goTo = (at: Scene, time: string) => at.pass(Date.parse(time) - at.clock.now());
const status = (at: Scene) => at.sim.get<WukongSchedule>('wukongschedules', namespace, 'office')?.status;
const labels = { 'lifecycle.novasphere.dev/holidays': 'true' };
const configMap = (at: Scene, where: string, name: string, data: Record<string, string>) =>
  at.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: where, name, labels }, data });

/** 20:00 UTC of Monday, 23 November 2026; a VM that is up. */
async function office(spec: object): Promise<Scene> {
  const at = await scene();
  delete at.world.bus;
  at.sim.createWukong({ namespace, name: 'web', labels: { env: 'dev' } });
  createSchedule(at.sim, namespace, 'office', { start: '0 8 * * *', stop: '0 22 * * *', ...spec });
  await at.pass(5_000);
  await tick(at);
  return at;
}

describe('an exception', () => {
  it('stops early, holds the start back, and says why and what comes next', async () => {
    const exceptions = [{ from: '2026-11-23T20:30', to: '2026-11-24T10:00', state: 'Stopped', reason: 'move' }];
    const at = await office({ exceptions });
    expect(status(at)).toMatchObject({ nextStop: '2026-11-23T20:30:00Z', nextStart: '2026-11-24T10:00:00Z' });
    await goTo(at, '2026-11-23T20:31:00Z');
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ outcome: 'Stopped', trigger: 'schedule' });
    expect(status(at)?.nextStart).toBe('2026-11-24T10:00:00Z');
    await goTo(at, '2026-11-24T08:01:00Z');
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    await goTo(at, '2026-11-24T10:01:00Z');
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
  });
});

describe('a calendar of holidays', () => {
  const ics = (...lines: string[]) => ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR'].join('\r\n');
  const tuesday = ['BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20261124', 'END:VEVENT'];
  it('as a file in a ConfigMap of all namespaces: no start on its days', async () => {
    const at = await office({ holidays: { configMapRef: { name: 'public', key: 'de.ics', shared: true } } });
    expect(status(at)?.conditions).toMatchObject([{ reason: 'ConfigMapMissing' }]);
    configMap(at, 'wukong-lifecycle', 'public', { 'de.ics': ics(...tuesday) });
    await tick(at);
    expect(status(at)).toMatchObject({ nextStart: '2026-11-25T08:00:00Z', conditions: [{ status: 'True' }] });
  });
  it('is read again when somebody has changed it, and goes on from day to day', async () => {
    const at = await office({ holidays: { configMapRef: { name: 'public', key: 'de.ics' } } });
    const friday = ['BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20261127', 'RRULE:FREQ=YEARLY;COUNT=2', 'END:VEVENT'];
    configMap(at, namespace, 'public', { 'de.ics': ics(...tuesday, ...friday) });
    await tick(at);
    expect(status(at)?.nextStart).toBe('2026-11-25T08:00:00Z');
    at.sim.change<{ data: object }>('configmaps', namespace, 'public', (map) => {
      map.data = { 'de.ics': ics(...friday) };
    });
    await tick(at);
    expect(status(at)?.nextStart).toBe('2026-11-24T08:00:00Z');
    await goTo(at, '2026-11-26T12:00:00Z');
    await tick(at);
    expect(status(at)?.nextStart).not.toBe('2026-11-27T08:00:00Z');
  });
  it('that is wrong in a line says in which, and quotes nothing of it', async () => {
    const at = await office({ holidays: { configMapRef: { name: 'public', key: 'de.ics' } } });
    configMap(at, namespace, 'public', {
      'de.ics': ics(...tuesday, 'BEGIN:VEVENT', 'DTSTART:topsecret', 'END:VEVENT'),
    });
    await tick(at);
    expect(status(at)?.nextStart).toBe('2026-11-25T08:00:00Z');
    const { message = '' } = status(at)?.conditions?.[0] ?? {};
    expect(message).toMatch(/ConfigMap public, de.ics, line 6: /);
    expect(message).not.toContain('topsecret');
  });
  it('one of a namespace is not read from another', async () => {
    const at = await office({ holidays: { configMapRef: { name: 'secret', key: 'holidays' } } });
    configMap(at, 'team-b', 'secret', { holidays: '2026-11-24' });
    await tick(at);
    expect(status(at)?.conditions).toMatchObject([{ reason: 'ConfigMapMissing' }]);
  });
});

describe('the API server refuses at apply', () => {
  const wrong: [string, object][] = [
    ['a state that is none', { exceptions: [{ from: '2026-12-24', to: '2026-12-26', state: 'Off' }] }],
    ['a day that is written otherwise', { exceptions: [{ from: '24.12.2026', to: '2026-12-26', state: 'Stopped' }] }],
    ['an end before the beginning', { exceptions: [{ from: '2026-12-26', to: '2026-12-24', state: 'Stopped' }] }],
    ['an exception without a state', { exceptions: [{ from: '2026-12-24', to: '2026-12-26' }] }],
    [
      'a long reason',
      { exceptions: [{ from: '2026-12-24', to: '2026-12-26', state: 'Stopped', reason: 'x'.repeat(257) }] },
    ],
    ['a hundred and one', { exceptions: Array(101).fill({ from: '2026-12-24', to: '2026-12-26', state: 'Stopped' }) }],
    ['another action on holidays', { holidays: { action: 'sleep' } }],
    ['shared that is a word', { holidays: { configMapRef: { name: 'x', shared: 'yes' } } }],
  ];
  it.each(wrong)('%s', async (_, spec) => {
    const at = await scene();
    const credentials = await credentialsOf(parseKubeConfig(at.sim.kubeconfig()), at.sim.inProcess());
    const transport = transportTo(credentials, at.clock, dice());
    at.sim.createWukong({ namespace, name: 'web' });
    const body = {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { name: 'office' },
      spec: { stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } }, ...spec },
    };
    const path = `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongschedules`;
    const post = (sent: object) => at.run(transport.call({ method: 'POST', path, body: sent, safe: false }));
    expect((await post(body)).status).toBe(422);
    expect((await post({ ...body, spec: { ...body.spec, holidays: {}, exceptions: [] } })).status).toBe(201);
  });
});
