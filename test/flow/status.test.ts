import { describe, expect, it } from 'vitest';

import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { readStates } from '../../shared/entry/state.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { mortal } from './mortal.ts';
import { namespace, type Scene, scene } from './scene.ts';

const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const shown = (at: Scene) => at.wukong('web').status?.lifecycleState;
const told = (at: Scene) => at.bus.map(({ detail }) => (detail as Outcome).outcome);
const byHand = (at: Scene, runStrategy: string) =>
  at.sim.change<{ spec: object }>('virtualmachines', namespace, 'web-vm', (vm) => {
    vm.spec = { ...vm.spec, runStrategy };
  });
const writeState = (at: Scene, state: object) =>
  at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
    wukong.status = { ...wukong.status, lifecycleState: state as LifecycleState };
  });

describe('the status of a Wukong shows the newest outcome', () => {
  it('when a VM that was stopped was started by hand, and then by us: the stop is not told again', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    await at.perform('stop', 'web');
    byHand(at, 'Always');
    await at.pass(5_000);
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'AlreadyOn' });
    const before = shown(at);
    expect(before).toMatchObject({ lastAction: 'start', outcome: 'AlreadyOn', state: 'Running' });
    expect((await tick(at)).outcomes).toEqual([]);
    expect(shown(at)).toEqual(before);
    expect(told(at)).toEqual(['Stopped', 'AlreadyOn']);
  });

  it('when a VM that was started went off by itself, and then was to be stopped', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Once', guest: { 'poweroff-after-seconds': '20' } });
    await at.pass(30_000);
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Started' });
    await at.pass(40_000);
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'AlreadyOff' });
    expect((await tick(at)).outcomes).toEqual([]);
    expect(shown(at)).toMatchObject({ lastAction: 'stop', outcome: 'AlreadyOff', state: 'Stopped' });
    expect(told(at)).toEqual(['Started', 'AlreadyOff']);
  });

  it('and the end before it, whose process had died with it, as superseded, where live state says otherwise', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const { world, death } = mortal(at.world, 7, 'after'); // GET, namespace, two watches, claim, stop, end of the record
    const stop = at.command('stop', 'web', {}, { requestId: 'died' });
    void performOne(stop, { namespace, name: 'web' }, world, { limits: { deadline: at.clock.now() + 600_000 } });
    await at.run(death);
    expect(at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/last-operation']).toContain('died');
    expect(told(at)).toEqual([]);
    byHand(at, 'Always');
    await at.pass(5_000);
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'AlreadyOn' });
    expect(told(at)).toEqual(['AlreadyOn', 'Superseded']);
    expect((await tick(at)).outcomes).toEqual([]);
    expect(shown(at)).toMatchObject({ outcome: 'AlreadyOn', state: 'Running' });
  });

  it('when a declared action was refused while a stop went on', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '10' } });
    await at.pass(5_000);
    const stop = at.perform('stop', 'web');
    await stop;
    at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
      wukong.spec = { ...wukong.spec, lifecycleAction: { action: 'explode' } };
    });
    await tick(at);
    expect(shown(at)).toMatchObject({ outcome: 'Failed', reason: 'InvalidAction' });
    expect((await tick(at)).outcomes).toEqual([]);
    expect(shown(at)).toMatchObject({ outcome: 'Failed', reason: 'InvalidAction' });
    expect(told(at)).toEqual(['Stopped', 'Failed']);
  });

  it('of a Wukong that has no VM: it failed, and with an Event', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Halted' });
    at.sim.remove('virtualmachines', namespace, 'web-vm');
    expect(await at.perform('start', 'web')).toMatchObject({ outcome: 'Failed', reason: 'NotFound' });
    const wanted = { state: 'Unknown', lastAction: 'start', outcome: 'Failed', reason: 'NotFound' };
    expect(shown(at)).toMatchObject(wanted);
    expect(at.wukong('web').status?.conditions).toMatchObject([
      { type: 'LifecycleReady', status: 'False', reason: 'NotFound' },
    ]);
    await tick(at);
    expect(shown(at)).toMatchObject(wanted);
  });
});

describe('the next action in the status', () => {
  const evening = { timeZone: 'UTC', stop: '0 22 * * *', selector: { matchLabels: { app: 'web' } } };
  it.each<[string, (at: Scene) => unknown]>([
    ['its schedule is deleted', (at) => at.sim.remove('wukongschedules', namespace, 'daily')],
    ['its schedule is suspended', (at) => schedule(at, { suspend: true })],
    ['its schedule becomes invalid', (at) => schedule(at, { stop: 'tonight' })],
    ['its label is taken off', (at) => change(at, (wukong) => delete wukong.metadata.labels)],
    [
      'it is protected, and its schedule has only a stop',
      (at) =>
        change(at, ({ metadata }) => {
          metadata.annotations = { ...metadata.annotations, 'lifecycle.novasphere.dev/protected': 'true' };
        }),
    ],
  ])('is taken away when %s', async (_, end) => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { app: 'web' } });
    at.sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name: 'daily', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: evening,
    });
    await at.pass(5_000);
    await tick(at);
    expect(shown(at)).toMatchObject({ nextAction: 'stop', nextActionTime: '2026-11-23T22:00:00Z' });
    end(at);
    await tick(at);
    expect(shown(at)?.nextAction).toBeUndefined();
    expect(shown(at)?.nextActionTime).toBeUndefined();
    expect((await tick(at)).repaired).toBe(0);
  });
  const change = (at: Scene, edit: (wukong: Wukong) => unknown) =>
    at.sim.change<Wukong>('wukongs', namespace, 'web', (one) => void edit(one));
  const schedule = (at: Scene, spec: object) =>
    at.sim.change<{ spec: object; metadata: { generation?: number } }>('wukongschedules', namespace, 'daily', (one) => {
      one.spec = { ...one.spec, ...spec };
    });
});

describe('what somebody else wrote into the status', () => {
  it.each<[string, object]>([
    ['an outcome that is no word', { state: 'Running', outcome: 'It went rather well!', message: 'x' }],
    ['an outcome that nobody knows', { state: 'Running', outcome: 'Exploded', requestId: 'other' }],
    ['a reason that is no word', { state: 'Running', outcome: 'Failed', lastAction: 'stop', reason: 'no idea, sorry' }],
    ['a message longer than a condition takes', { state: 'Running', outcome: 'Started', message: 'x'.repeat(40_000) }],
    ['an action that nobody knows', { state: 'Running', lastAction: 'dance', outcome: 'Failed', reason: 'Stuck' }],
    ['words of Object.prototype', { state: 'Running', outcome: 'constructor', reason: '__proto__' }],
    ['an empty request', { state: 'Running', outcome: 'Started', requestId: '', trigger: '' }],
  ])('jams no tick and no stop: %s', async (_, state) => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    await tick(at);
    writeState(at, state);
    expect((await tick(at)).problems).toEqual([]);
    expect((await tick(at)).repaired).toBe(0);
    expect(shown(at)?.state).toBe('Running');
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
    expect(shown(at)).toMatchObject({ state: 'Stopped', outcome: 'Stopped' });
    writeState(at, { ...state, state: 'Stopped' });
    expect((await tick(at)).problems).toEqual([]);
    expect(
      (await at.run(readStates(at.world, { namespace, name: 'web' }, { deadline: at.clock.now() + 5_000 })))[0]?.state,
    ).toBe('Stopped');
  });

  it('as the name of its VM leads nowhere: it is the one by the rule', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
      wukong.status = { ...wukong.status, vmName: '../../team-b/virtualmachines/theirs' };
    });
    expect(await at.perform('stop', 'web')).toMatchObject({ outcome: 'Stopped' });
  });
});
