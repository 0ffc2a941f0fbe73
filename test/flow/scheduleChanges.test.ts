import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { createSchedule } from '../schedule.ts';
import { namespace, type Scene, scene } from './scene.ts';

const office = { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, start: '0 8 * * *', stop: '30 20 * * *' };
const clock = (text: string) => Date.parse(`2026-11-23T${text}:00Z`);
const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const goTo = (at: Scene, text: string) => at.pass(clock(text) - at.clock.now());
const tickAt = async (at: Scene, text: string) => {
  await goTo(at, text);
  return tick(at);
};
const one = (at: Scene) => at.sim.get<WukongSchedule>('wukongschedules', namespace, 'office')!;
const edit = (at: Scene, spec: object) =>
  at.sim.change('wukongschedules', namespace, 'office', (o: WukongSchedule) => {
    o.spec = { ...(o.spec as object), ...spec };
  });
const label = (at: Scene, name: string) =>
  at.sim.change('wukongs', namespace, name, (o: KubeObject) => {
    o.metadata.labels = { env: 'dev' };
  });

/** At 20:00, the VM `web` runs and `office` selects it; nothing goes over a bus. */
async function atOffice(spec: object = {}, names = ['web'], labels: Record<string, string> = { env: 'dev' }) {
  const at = await scene();
  delete at.world.bus;
  for (const name of names) at.sim.createWukong({ namespace, name, runStrategy: 'Always', labels });
  const metadata = { namespace, name: 'office', creationTimestamp: '2026-01-01T00:00:00Z' };
  const [apiVersion, kind] = ['vm.novasphere.dev/v1alpha1', 'WukongSchedule'];
  at.sim.create({ apiVersion, kind, metadata, spec: { ...office, ...spec } } as KubeObject);
  await at.pass(5_000);
  return at;
}

describe('a change of a schedule stops and starts nothing by itself', () => {
  it.each([
    ['its stop is moved to a minute that is past', { stop: '15 20 * * *' }],
    ['its zone is moved', { timeZone: 'Europe/Berlin', stop: '15 21 * * *' }],
    ['its holidays are', { stop: '20 20 * * *', holidays: { dates: ['2026-12-25'] } }],
  ])('when %s', async (_what, change) => {
    const at = await atOffice({ stop: '10 20 * * *' });
    await tickAt(at, '20:10');
    expect(at.vmi('web')).toBeUndefined();
    await at.perform('start', 'web');
    await goTo(at, '20:25');
    edit(at, change);
    for (const minute of ['20:26', '20:27', '20:40']) await tickAt(at, minute);
    expect(at.vmi('web')).toBeDefined();
    expect(one(at).status).toMatchObject({ observedGeneration: 2, observedSince: '2026-11-23T20:26:00Z' });
    // What kubectl shows, and what the Wukong says, is the next evening.
    expect(one(at).status?.nextStop).toMatch(/^2026-11-24T20/);
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ nextAction: 'start' });
    await at.pass(24 * 3_600_000);
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('but what falls due after the change is done', async () => {
    const at = await atOffice();
    await tickAt(at, '20:10');
    edit(at, { stop: '15 20 * * *' });
    await tickAt(at, '20:11');
    expect(at.vmi('web')).toBeDefined();
    await tickAt(at, '20:15');
    expect(at.vmi('web')).toBeUndefined();
  });

  it('when it is resumed after a stop that fell due while it was suspended', async () => {
    const at = await atOffice({ suspend: true });
    for (const minute of ['20:29', '20:31']) await tickAt(at, minute);
    edit(at, { suspend: false });
    for (const minute of ['20:35', '20:36']) await tickAt(at, minute);
    expect(at.vmi('web')).toBeDefined();
    expect(one(at).status).toMatchObject({ nextStop: '2026-11-24T20:30:00Z' });
  });

  it('when a Wukong gets its label after the stop', async () => {
    const at = await atOffice({}, ['web', 'late'], {});
    for (const minute of ['20:29', '20:30']) await tickAt(at, minute);
    label(at, 'late');
    for (const minute of ['20:35', '20:36']) await tickAt(at, minute);
    expect(at.vmi('late')).toBeDefined();
    expect(at.wukong('late').status?.lifecycleState).toMatchObject({ nextActionTime: '2026-11-24T08:00:00Z' });
  });

  it('and under Enforce what should be so counts from then on', async () => {
    const at = await atOffice({ policy: 'Enforce' });
    await tickAt(at, '20:10');
    edit(at, { stop: '5 20 * * *' });
    await tickAt(at, '20:11');
    expect(at.vmi('web')).toBeUndefined();
  });

  it('where ticks were away a schedule that was never changed is still done late', async () => {
    const at = await atOffice();
    await tickAt(at, '21:15');
    expect(at.vmi('web')).toBeUndefined();
  });
});

describe('a bad schedule is told', () => {
  const events = (at: Scene) =>
    at.sim
      .list<{ reason: string; involvedObject: { kind: string } }>('events', namespace)
      .filter(({ involvedObject }) => involvedObject.kind === 'WukongSchedule')
      .map(({ reason }) => reason);

  it.each([
    ['a cron', { stop: 'x' }, 'InvalidCron'],
    ['its selector', { selector: { matchLabels: { env: 'none' } } }, 'NothingMatched'],
    ['its holidays', { holidays: { dates: ['x'] } }, 'InvalidHoliday'],
  ])('where %s is wrong, once by an Event, in every answer of the tick', async (_what, spec, reason) => {
    const at = await atOffice(spec);
    for (let i = 0; i < 3; i++) {
      const { schedules, problems } = await tick(at);
      expect(schedules).toEqual([expect.stringContaining(`schedule ${namespace}/office: ${reason}`)]);
      expect(problems).toEqual([]);
    }
    expect(events(at)).toEqual([reason]);
  });

  it('where there is no Wukong at all', async () => {
    const at = await atOffice({ stop: 'x' }, []);
    expect((await tick(at)).schedules).toHaveLength(1);
    expect(one(at).status?.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'InvalidCron' }]);
    expect(events(at)).toEqual(['InvalidCron']);
  });

  it.each([
    ['a line that is no date', { holidays: '25.12.2026\n2026-11-24 day off' }, {}],
    ['130,000 lines of junk', { holidays: 'x\n'.repeat(130_000) }, {}],
    ...['constructor', '__proto__', 'toString'].map((key) => [`the key ${key}`, { holidays: '' }, { key }] as const),
  ] as const)('and with a ConfigMap of %s stops in the evening all the same', async (_what, data, ref) => {
    const at = await atOffice({ holidays: { configMapRef: { name: 'days', ...ref } } });
    const metadata = { namespace, name: 'days', labels: { 'lifecycle.novasphere.dev/holidays': 'true' } };
    at.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data } as KubeObject);
    const { schedules } = await tickAt(at, '20:30');
    expect(schedules).toHaveLength(1);
    expect(at.vmi('web')).toBeUndefined();
    expect(JSON.stringify(one(at).status)).not.toContain('25.12');
  });

  it('and uses no ConfigMap that its owner has not labelled, nor tells whether there is one', async () => {
    const messages: string[] = [];
    for (const labels of [undefined, { 'lifecycle.novasphere.dev/holidays': 'false' }, 'none at all'] as const) {
      const at = await atOffice({ holidays: { configMapRef: { name: 'days' } } });
      const data = { holidays: '2026-11-24\nhunter2' };
      if (labels !== 'none at all')
        at.sim.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'days', labels }, data });
      const { schedules } = await tickAt(at, '20:30');
      messages.push(schedules.join());
    }
    expect(messages[0]).toContain('ConfigMap days with the label lifecycle.novasphere.dev/holidays=true');
    expect(new Set(messages).size).toBe(1);
  });

  it('and beside it a namespace that names a ConfigMap in each of a hundred schedules has ten of them read', async () => {
    const at = await atOffice({ holidays: { configMapRef: { name: 'days' } } });
    for (let i = 0; i < 100; i++)
      createSchedule(at.sim, 'x', `s-${i}`, { holidays: { configMapRef: { name: `days-${i}`, shared: i % 2 > 0 } } });
    const from = at.sim.requests.length;
    const { problems } = await tickAt(at, '20:30');
    const asked = at.sim.requests.slice(from).filter(({ path }) => /configmaps\/days/.test(path));
    expect(asked.filter(({ path }) => path.endsWith('days'))).toHaveLength(1);
    expect(asked).toHaveLength(11);
    expect(problems).toContainEqual(expect.stringMatching(/namespace x name more than 10 ConfigMaps/));
  });

  it.each(['..', '../../secrets/x', '\ud800', 'x'.repeat(300), 'a b'])(
    'and where its ConfigMap is called %j asks for none, and stops all the same',
    async (name) => {
      const at = await atOffice({ holidays: { configMapRef: { name } } });
      const from = at.sim.requests.length;
      const { schedules, problems } = await tickAt(at, '20:30');
      expect([schedules.length, problems]).toEqual([1, []]);
      expect(at.vmi('web')).toBeUndefined();
      const asked = at.sim.requests.slice(from).filter(({ path }) => path.includes('/configmaps'));
      expect(asked.map(({ path }) => path)).toEqual([
        '/api/v1/namespaces/wukong-lifecycle/configmaps/wukong-lifecycle',
      ]);
    },
  );

  it('goes on with the starts of all days but the holidays that could be read', async () => {
    const at = await atOffice({ holidays: { dates: ['2026-11-24 day off', 'x'] } });
    await tickAt(at, '20:30');
    await at.pass(clock('20:00') + 12 * 3_600_000 - at.clock.now());
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    await at.pass(24 * 3_600_000);
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
  });
});
