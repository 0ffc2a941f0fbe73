import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, type Scene, scene } from './scene.ts';

const prefix = 'lifecycle.novasphere.dev/';

/** 20:00 UTC; `web` and `db` are stopped every hour at half past. */
async function hourly(annotations: Record<string, string> = {}, spec: object = {}): Promise<Scene> {
  const at = await scene();
  const labels = { env: 'dev' };
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels, annotations });
  at.sim.createWukong({ namespace, name: 'db', runStrategy: 'Always', labels });
  at.sim.create({
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { namespace, name: 'hourly', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { timeZone: 'UTC', selector: { matchLabels: labels }, stop: '30 * * * *', ...spec },
  });
  delete at.world.bus;
  await at.pass(5_000);
  return at;
}
const tick = (at: Scene, world: World = at.world) => at.run(reconcile(world, { deadline: at.clock.now() + 50_000 }));
const goTo = (at: Scene, clock: string) => at.pass(Date.parse(`2026-11-23T${clock}:00Z`) - at.clock.now());
const byHand = (at: Scene, runStrategy: string, name = 'web') =>
  at.sim.change<{ spec: object }>('virtualmachines', namespace, `${name}-vm`, (vm) => {
    vm.spec = { ...vm.spec, runStrategy };
  });
const annotate = (at: Scene, key: string, value: string | undefined) =>
  at.sim.change<Wukong>('wukongs', namespace, 'web', ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations };
    if (value === undefined) delete metadata.annotations[`${prefix}${key}`];
    else metadata.annotations[`${prefix}${key}`] = value;
  });
const annotateNamespace = (at: Scene, key: string, value: string) =>
  at.sim.change<Wukong>('namespaces', '', namespace, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [`${prefix}${key}`]: value };
  });
const isUp = (at: Scene, name = 'web') => at.vmi(name)?.status['phase'] === 'Running';

describe('a stop that an override had held back', () => {
  it.each<[string, (at: Scene) => void]>([
    ['ended', () => {}],
    ['was taken away by hand', (at) => annotate(at, 'keep-running-until', undefined)],
  ])('is settled where its VM is off when that %s, and a start by hand after it stays', async (_, end) => {
    const at = await hourly({ [`${prefix}keep-running-until`]: '2026-11-23T20:40:00Z' });
    await goTo(at, '20:31');
    await tick(at);
    byHand(at, 'Halted');
    await goTo(at, '20:41');
    end(at);
    await tick(at);
    byHand(at, 'Always');
    await goTo(at, '20:45');
    await tick(at);
    await tick(at);
    expect(isUp(at)).toBe(true);
    await goTo(at, '21:31');
    await tick(at);
    expect(isUp(at)).toBe(false);
  });

  it('is settled where the override stood on the namespace', async () => {
    const at = await hourly();
    annotateNamespace(at, 'keep-running-until', '2026-11-23T20:40:00Z');
    await goTo(at, '20:31');
    await tick(at);
    byHand(at, 'Halted');
    await goTo(at, '20:41');
    await tick(at);
    const requests = at.sim.requests.length;
    byHand(at, 'Always');
    await goTo(at, '20:45');
    await tick(at);
    expect(isUp(at)).toBe(true);
    expect(at.sim.requests.slice(requests).filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  it('and then is skipped, as it is protected by now, is told once and not at every tick', async () => {
    const at = await hourly({ [`${prefix}keep-running-until`]: '2026-11-23T20:40:00Z' });
    await goTo(at, '20:31');
    await tick(at);
    annotate(at, 'protected', 'true');
    await goTo(at, '20:41');
    await tick(at);
    await tick(at);
    const requests = at.sim.requests.length;
    await tick(at);
    await tick(at);
    const made = at.sim.requests.slice(requests).filter(({ path }) => path.includes('/events'));
    expect(made).toEqual([]);
    expect(isUp(at)).toBe(true);
  });
});

/** A world in which somebody writes the Wukong just before each of our first `times` patches of it. */
function meddled(at: Scene, name: string, times: number): World {
  let done = 0;
  const { transport } = at.world;
  return {
    ...at.world,
    transport: {
      ...transport,
      call(call, limits) {
        if (call.method === 'PATCH' && call.path.endsWith(`/wukongs/${name}`) && done++ < times)
          at.sim.change<Wukong>('wukongs', namespace, name, ({ metadata }) => {
            metadata.labels = { ...metadata.labels, turn: `${done}` };
          });
        return transport.call(call, limits);
      },
    },
  };
}

describe('skip-next', () => {
  it('skips one boundary and no more, though somebody writes the Wukong meanwhile', async () => {
    const at = await hourly({ [`${prefix}skip-next`]: 'true' });
    await goTo(at, '20:31');
    await tick(at, meddled(at, 'web', 2));
    expect([isUp(at), isUp(at, 'db')]).toEqual([true, false]);
    expect(at.wukong('web').metadata.annotations).not.toHaveProperty([`${prefix}skip-next`]);
    await goTo(at, '21:31');
    await tick(at);
    expect(isUp(at)).toBe(false);
  });

  it('that could not be remembered at all comes again at the next tick, and those that skipped stay on', async () => {
    const at = await hourly({ [`${prefix}skip-next`]: 'true' });
    await goTo(at, '20:31');
    expect((await tick(at, meddled(at, 'web', 100))).problems).toEqual([expect.stringContaining('changes faster')]);
    await tick(at);
    expect(at.wukong('web').metadata.annotations).not.toHaveProperty([`${prefix}skip-next`]);
    await tick(at);
    expect(isUp(at)).toBe(true);
  });

  it('on a namespace is not used up as long as a skip there failed, and then by all at once', async () => {
    const at = await hourly();
    annotateNamespace(at, 'skip-next', 'true');
    const onNamespace = () =>
      at.sim.get<Wukong>('namespaces', '', namespace)?.metadata.annotations?.[`${prefix}skip-next`];
    await goTo(at, '20:31');
    await tick(at, meddled(at, 'web', 100));
    expect(onNamespace()).toBe('true');
    await tick(at);
    expect(onNamespace()).toBeUndefined();
    await tick(at);
    expect([isUp(at), isUp(at, 'db')]).toEqual([true, true]);
    await goTo(at, '21:31');
    await tick(at);
    expect([isUp(at), isUp(at, 'db')]).toEqual([false, false]);
  });
});

describe('a Wukong that is being deleted', () => {
  const deleting = (at: Scene) => {
    at.sim.change<Wukong>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.finalizers = ['owner.example/backup'];
    });
    at.sim.remove('wukongs', namespace, 'web');
  };

  it('is not started: not by a command, a declared action or a schedule', async () => {
    const at = await hourly({}, { start: '35 * * * *' });
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    deleting(at);
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Failed', reason: 'NotFound' });
    at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
      wukong.spec = { ...wukong.spec, lifecycleAction: { action: 'start' } };
    });
    await tick(at);
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
    await goTo(at, '20:36');
    await tick(at);
    expect(at.calls().filter(({ verb }) => verb === 'start')).toEqual([]);
    expect(at.vmi('web')).toBeUndefined();
  });

  it('is not started by a record that was left behind either, and may be stopped', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted', guest: { 'boot-seconds': '30' } });
    await at.pass(1_000);
    at.sim.faults.virtApiDown(true);
    await at.perform('start', 'web', {}, { leftMs: 1_000 });
    deleting(at);
    at.sim.faults.virtApiDown(false);
    expect((await tick(at)).outcomes).toMatchObject([{ outcome: 'Failed', reason: 'NotFound' }]);
    expect(at.calls().filter(({ status }) => status === 202)).toEqual([]);
    byHand(at, 'Always');
    await at.pass(60_000);
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
  });
});

it('an AlreadyOff that never finds the Wukong unchanged gives up in time, and opens no more watches', async () => {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted' });
  await at.pass(1_000);
  Object.assign(at.world, meddled(at, 'web', 1_000));
  const begun = at.clock.now();
  expect(await at.perform('stop', 'web', {}, { leftMs: 1_000 })).toMatchObject({
    outcome: 'Failed',
    reason: 'Refused',
  });
  expect(at.clock.now() - begun).toBeLessThan(10_000);
  expect(at.sim.requests.filter(({ watch }) => watch)).toHaveLength(2);
});
