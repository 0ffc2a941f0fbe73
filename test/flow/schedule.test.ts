import { describe, expect, it } from 'vitest';

import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { namespace, type Scene, scene } from './scene.ts';

const schedule = (name: string, spec: object) => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind: 'WukongSchedule',
  metadata: { namespace, name, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, ...spec },
});
const dev = { labels: { env: 'dev' } };
const office = { start: '0 8 * * *', stop: '30 20 * * *' };

/** A scene at 20:00 UTC with one running VM and one schedule. */
async function office2030(spec: object = {}, more: object = {}): Promise<Scene> {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', ...dev, ...more });
  at.sim.create(schedule('office', { ...office, ...spec }));
  await at.pass(5_000);
  return at;
}

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const at2 = (clock: string) => Date.parse(`2026-11-23T${clock}:00Z`);
const goTo = (at: Scene, instant: number) => at.pass(instant - at.clock.now());
const state = (at: Scene, name = 'web') => at.wukong(name).status?.lifecycleState;
const status = (at: Scene, name = 'office') => at.sim.get<WukongSchedule>('wukongschedules', namespace, name)?.status;
const annotate = (at: Scene, key: string, value: string, name = 'web') =>
  at.sim.change('wukongs', namespace, name, (o: { metadata: { annotations?: Record<string, string> } }) => {
    o.metadata.annotations = { ...o.metadata.annotations, [`lifecycle.novasphere.dev/${key}`]: value };
  });
const direct = (at: Scene) => {
  delete at.world.bus;
  return at;
};

describe('a schedule', () => {
  it('stops in the evening, once, and says what comes next', async () => {
    const at = direct(await office2030());
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    expect(state(at)).toMatchObject({ nextAction: 'stop', nextActionTime: '2026-11-23T20:30:00Z' });
    await goTo(at, at2('20:30'));
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    expect(state(at)).toMatchObject({
      outcome: 'Stopped',
      trigger: 'schedule',
      requestId: `schedule:${namespace}/office@2026-11-23T20:30:00Z`,
      nextAction: 'start',
      nextActionTime: '2026-11-24T08:00:00Z',
    });
    expect(status(at)).toMatchObject({
      lastHandled: '2026-11-23T20:30:00Z',
      nextStart: '2026-11-24T08:00:00Z',
      matched: 1,
    });
    expect(status(at)?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
    const from = at.sim.requests.length;
    await tick(at);
    expect(at.sim.requests.slice(from).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('respects a change by hand between its boundaries, and under Enforce undoes it', async () => {
    for (const [policy, alive] of [
      ['Respect', true],
      ['Enforce', false],
    ] as const) {
      const at = direct(await office2030({ policy }));
      await goTo(at, at2('20:30'));
      await tick(at);
      await at.perform('start', 'web');
      await goTo(at, at2('21:00'));
      await tick(at);
      expect(at.vmi('web') !== undefined, policy).toBe(alive);
    }
  });

  it('does what was missed once, within its starting deadline, and marks it missed after it', async () => {
    const late = direct(await office2030());
    await goTo(late, at2('21:15'));
    await tick(late);
    expect(state(late)).toMatchObject({ outcome: 'Stopped' });
    const tooLate = direct(await office2030());
    await goTo(tooLate, at2('21:45'));
    await tick(tooLate);
    expect(tooLate.vmi('web')).toBeDefined();
    expect(status(tooLate)).toMatchObject({ lastHandled: '2026-11-23T20:30:00Z' });
    const events = tooLate.sim.list<{ reason: string }>('events', namespace).map(({ reason }) => reason);
    expect(events).toContain('SkippedStale');
  });

  it('skips a protected VM, with an Event', async () => {
    const at = direct(await office2030({}, { annotations: { 'lifecycle.novasphere.dev/protected': 'true' } }));
    await goTo(at, at2('20:31'));
    await tick(at);
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    const events = at.sim
      .list<{ reason: string }>('events', namespace)
      .filter(({ reason }) => reason === 'SkippedProtected');
    expect(events).toHaveLength(1);
  });

  it('waits for an override that keeps the VM running, and rules again when it has expired', async () => {
    const at = direct(await office2030());
    annotate(at, 'keep-running-until', '2026-11-23T22:00:00Z');
    await goTo(at, at2('20:31'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    await goTo(at, at2('22:00'));
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
    await at.perform('start', 'web');
    await goTo(at, at2('22:30'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
  });

  it('stops after all when the override is taken away by hand', async () => {
    const at = direct(await office2030());
    annotate(at, 'keep-running-until', '2026-11-24T06:00:00Z');
    await goTo(at, at2('20:31'));
    await tick(at);
    await tick(at);
    await goTo(at, at2('23:00'));
    at.sim.change('wukongs', namespace, 'web', (o: { metadata: { annotations?: Record<string, string> } }) => {
      delete o.metadata.annotations?.['lifecycle.novasphere.dev/keep-running-until'];
    });
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('skips all of a namespace once with skip-next there, which is used up', async () => {
    const at = direct(await office2030());
    at.sim.change('namespaces', '', namespace, (o: { metadata: { annotations?: Record<string, string> } }) => {
      o.metadata.annotations = { 'lifecycle.novasphere.dev/skip-next': 'true' };
    });
    await goTo(at, at2('20:30'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    const left =
      at.sim.get<{ metadata: { annotations?: object } }>('namespaces', '', namespace)?.metadata.annotations ?? {};
    expect(left).toEqual({});
  });

  it('lets an on-demand start run for its lease', async () => {
    const at = direct(await office2030());
    await goTo(at, at2('20:30'));
    await tick(at);
    await at.perform('start', 'web', { leaseSeconds: 3_600 });
    await goTo(at, at2('21:00'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    await goTo(at, at2('21:45'));
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('skips once with skip-next, which is used up', async () => {
    const at = direct(await office2030());
    annotate(at, 'skip-next', 'true');
    await goTo(at, at2('20:30'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    expect(at.wukong('web').metadata.annotations).not.toHaveProperty(['lifecycle.novasphere.dev/skip-next']);
    await goTo(at, at2('20:45'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    await goTo(at, at2('20:30') + 24 * 3_600_000);
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('does nothing while all is frozen, and what is due afterwards', async () => {
    const at = direct(await office2030());
    at.sim.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'wukong-lifecycle', name: 'wukong-lifecycle' },
      data: { freezeUntil: '2026-11-23T21:00:00Z' },
    });
    await goTo(at, at2('20:31'));
    await tick(at);
    expect(at.vmi('web')).toBeDefined();
    await goTo(at, at2('21:00'));
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('does nothing while nobody answers whether all is frozen', async () => {
    const at = direct(await office2030());
    at.sim.faults.add({ when: { path: /\/configmaps\// }, does: { kind: 'status', status: 503 } });
    await goTo(at, at2('20:31'));
    await expect(tick(at)).rejects.toMatchObject({ code: 'Unreachable' });
    expect(at.vmi('web')).toBeDefined();
    at.sim.faults.clear();
    await tick(at);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('stops wave after wave, the highest first, each when the one before is verified', async () => {
    const at = direct(await office2030());
    for (const [name, wave] of [
      ['db', '10'],
      ['app', '20'],
      ['proxy', '30'],
    ] as const)
      at.sim.createWukong({
        namespace,
        name,
        runStrategy: 'Always',
        ...dev,
        annotations: { 'lifecycle.novasphere.dev/wave': wave },
      });
    await at.pass(5_000);
    await goTo(at, at2('20:30'));
    await tick(at);
    const order = at.sim.requests
      .filter(({ path }) => path.endsWith('/stop'))
      .map(({ path }) => path.split('/').at(-2));
    expect(order).toEqual(['proxy-vm', 'app-vm', 'db-vm', 'web-vm']);
    expect(status(at)).toMatchObject({ lastHandled: '2026-11-23T20:30:00Z' });
  });

  it('puts what is due on the event bus where there is one, each VM a message of its own', async () => {
    const at = await office2030();
    await goTo(at, at2('20:30'));
    const { sent } = await tick(at);
    expect(sent).toBe(1);
    expect(at.bus).toMatchObject([
      {
        type: 'Wukong VM Stop Requested',
        detail: {
          target: { namespace, name: 'web' },
          requestId: `schedule:${namespace}/office@2026-11-23T20:30:00Z`,
          scheduledAt: '2026-11-23T20:30:00.000Z',
          notAfter: '2026-11-23T21:30:00.000Z',
        },
      },
    ]);
    expect((await tick(at)).sent).toBe(0);
  });
});

describe('a bad schedule says which field is wrong, and the others go on', () => {
  it.each([
    ['a cron of four fields', { stop: '0 20 * *' }, 'InvalidCron', 'spec.stop'],
    ['a cron of six fields', { stop: '0 0 20 * * *' }, 'InvalidCron', 'spec.stop'],
    ['steps of ninety', { stop: '*/90 * * * *' }, 'InvalidCron', 'spec.stop'],
    ['an empty cron', { stop: '' }, 'InvalidCron', 'spec.stop'],
    ['H', { stop: 'H 20 * * *' }, 'InvalidCron', 'spec.stop'],
    ['an unknown zone', { timeZone: 'Mars/Olympus' }, 'InvalidTimeZone', 'spec.timeZone'],
    ['start and stop at the same minute', { start: '0 8 * * *', stop: '0 8 * * 1' }, 'SameMinute', 'spec.start'],
    ['a holiday that is no date', { holidays: { dates: ['2026-13-01'] } }, 'InvalidHoliday', 'spec.holidays'],
    [
      'a selector that matches nothing',
      { selector: { matchLabels: { env: 'none' } } },
      'NothingMatched',
      'spec.selector',
    ],
    [
      'a ConfigMap that is missing',
      { holidays: { configMapRef: { name: 'gone' } } },
      'ConfigMapMissing',
      'spec.holidays.configMapRef',
    ],
  ])('%s', async (_what, spec, reason, field) => {
    const at = direct(await office2030());
    at.sim.create(schedule('bad', { ...office, ...spec }));
    await goTo(at, at2('20:30'));
    await tick(at);
    const [condition] = status(at, 'bad')?.conditions ?? [];
    expect(condition).toMatchObject({ type: 'Ready', status: 'False', reason });
    expect(condition?.message).toContain(field);
    expect(state(at)).toMatchObject({ outcome: 'Stopped' });
  });
});
