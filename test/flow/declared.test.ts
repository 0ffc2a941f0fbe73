import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, operationOf, write } from '../../shared/domain/operation.ts';
import { declaredId, parseDeclared, performDeclared } from '../../shared/lifecycle/declared.ts';
import { machineOf, operation, t0 } from '../unit/machines.ts';
import { namespace, scene } from './scene.ts';
import { annotate, endOf, place, s, silent, told } from './telling.ts';

const declaring = (lifecycleAction: unknown, more: object = {}): Wukong =>
  ({ metadata: { ...place, uid: 'u', generation: 3, ...more }, spec: { lifecycleAction } }) as Wukong;

describe('a declared action', () => {
  it('is a command like any other, and another one every time that it is written', () => {
    const read = parseDeclared(declaring({ action: 'stop', gracePeriodSeconds: 20 }), t0);
    const whose = { action: 'stop', trigger: 'declared', requestId: 'declared:u.3', requestedAt: t0 };
    expect(read).toMatchObject({ ...whose, target: place, force: false, gracePeriodSeconds: 20 });
    expect(parseDeclared(declaring({ action: 'stop', force: true }), t0)).toMatchObject({ ...whose, force: true });
    expect(parseDeclared(declaring({ action: 'start' }), t0).action).toBe('start');
    expect(declaredId({ metadata: place })).toBe('declared:.0');
  });

  it.each<[unknown, string]>([
    [
      { action: 'explode', force: 'yes' },
      'spec.lifecycleAction.action: expected start or stop; spec.lifecycleAction.force: expected true or false',
    ],
    [{ action: 'stop', when: 'now' }, 'spec.lifecycleAction: Unrecognized key: "when"'],
    [
      { action: 'start', force: true, gracePeriodSeconds: 5 },
      'spec.lifecycleAction.force: only for stop; spec.lifecycleAction.gracePeriodSeconds: only for stop',
    ],
  ])('names every field that is wrong: %j', (value, message) => {
    expect(() => parseDeclared(declaring(value), t0)).toThrow(
      expect.objectContaining({ code: 'InvalidAction', message }) as Error,
    );
  });

  it('that is not there is none', () => {
    const { spec: _, ...bare } = declaring({});
    expect(() => parseDeclared(bare, t0)).toThrow(expect.objectContaining({ code: 'InvalidAction' }) as Error);
  });
});

async function declared(
  value: unknown,
  { state, runStrategy = 'Always' }: { state?: LifecycleState; runStrategy?: string } = {},
) {
  const at = await scene();
  at.sim.createWukong({ ...place, runStrategy: runStrategy as 'Always' });
  await at.pass(5_000);
  const declare = (lifecycleAction: unknown) =>
    at.sim.change<Wukong>('wukongs', namespace, 'web', (one) => {
      one.spec = { ...one.spec, lifecycleAction } as never;
      if (state) one.status = { ...one.status, lifecycleState: state };
    });
  declare(value);
  const strategy = runStrategy as 'Always';
  const machine = { now: machineOf({ adoptedBy: 'web', strategy }, strategy === 'Always' ? {} : null) };
  const machines = { get: () => machine.now, changed: () => Promise.resolve(false), close() {} };
  const perform = (world: World = at.world, { leftMs = 600 * s, wukong = at.wukong('web'), real = false } = {}) =>
    at.run(
      performDeclared(wukong, world, {
        limits: { deadline: at.clock.now() + leftMs },
        ...(real ? {} : { machines }),
      } as Parameters<typeof performDeclared>[2]),
    );
  const left = () => at.wukong('web').spec?.lifecycleAction;
  const shown = () => at.wukong('web').status?.lifecycleState;
  return { at, declare, perform, left, shown, machine };
}
const stop = { action: 'stop' };

describe('a declared action that is carried out', () => {
  it('is removed once that has ended, and told as declared', async () => {
    const { perform, left, at } = await declared(stop);
    const requestId = declaredId(at.wukong('web'));
    const outcome = await perform(at.world, { real: true });
    expect(outcome).toMatchObject({ outcome: 'Stopped', trigger: 'declared', requestId });
    expect(left()).toBeUndefined();
  });

  it('is removed where nothing was to be done, and where it failed', async () => {
    const fulfilled = await declared(stop, { runStrategy: 'Halted' });
    expect([(await fulfilled.perform()).outcome, fulfilled.left()]).toEqual(['AlreadyOff', undefined]);
    const failed = await declared(stop);
    failed.machine.now = machineOf(null, null);
    expect([await failed.perform(), failed.left()]).toEqual([
      expect.objectContaining({ outcome: 'Failed', reason: 'NotFound' }),
      undefined,
    ]);
  });

  it('stays while that goes on, and where the cluster was not reached', async () => {
    const going = await declared(stop);
    expect((await going.perform(going.at.world, { real: true, leftMs: 100 })).outcome).toBe('InProgress');
    expect(going.left()).toEqual(stop);
    expect(operationOf(going.at.wukong('web'))).toMatchObject({ declared: stop });
    const silenced = await declared(stop);
    silent(silenced.at);
    expect(await silenced.perform(silenced.at.world, { leftMs: 2 * s })).toMatchObject({ reason: 'Unreachable' });
    expect(silenced.left()).toEqual(stop);
  });

  it('stays while it is carried out already, and is removed where its end is known', async () => {
    const { at, perform, left } = await declared(stop);
    const mine = { requestId: declaredId(at.wukong('web')), declared: stop };
    const now = at.clock.now();
    annotate(at, {
      [operationKey]: write(
        operation({ ...mine, startedAt: now, stepAt: now, requestedAt: now, deadline: now + 600 * s }),
      ),
    });
    const wukong = at.wukong('web');
    expect(await perform(at.world, { wukong })).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate' });
    expect(left()).toEqual(stop);
    annotate(at, { [operationKey]: undefined, [lastKey]: endOf(at, mine) });
    const again = await perform(at.world, { wukong: at.wukong('web') });
    expect([again, left()]).toEqual([expect.objectContaining({ outcome: 'Skipped', reason: 'Duplicate' }), undefined]);
  });

  it('is removed where that is not allowed, whatever else is being done', async () => {
    const { at, perform, left } = await declared(stop);
    const now = at.clock.now();
    const times = { startedAt: now, stepAt: now, requestedAt: now - s, deadline: now + 600 * s };
    annotate(at, { [operationKey]: write(operation({ requestId: 'other', action: 'start', ...times })) });
    annotate(at, { 'lifecycle.novasphere.dev/protected': 'true' });
    expect(await perform(at.world, { wukong: at.wukong('web') })).toMatchObject({ reason: 'Protected' });
    expect(left()).toBeUndefined();
  });

  it('is that of the Wukong as it was read', async () => {
    const { at, perform } = await declared(stop, { runStrategy: 'Halted' });
    const from = at.sim.requests.length;
    await perform();
    const read = at.sim.requests.slice(from).filter(({ method, path }) => method === 'GET' && path.endsWith('/web'));
    expect(read).toEqual([]);
  });

  it('stays where it is another one by then', async () => {
    const { at, declare, perform, left } = await declared(stop, { runStrategy: 'Halted' });
    const wukong = structuredClone(at.wukong('web'));
    declare({ action: 'explode' });
    const broken = { ...wukong, spec: { ...wukong.spec, lifecycleAction: { action: 'other' } } } as Wukong;
    expect((await perform(at.world, { wukong: broken })).outcome).toBe('Failed');
    expect(left()).toEqual({ action: 'explode' });
  });
});

describe('a declared action that nobody knows', () => {
  const wrong = { action: 'explode' };
  const message = 'spec.lifecycleAction.action: expected start or stop';

  it('is removed, and told as what it is', async () => {
    const { at, perform, left, shown } = await declared(wrong);
    const now = at.clock.now();
    const id = declaredId(at.wukong('web'));
    const outcome = await perform();
    expect(outcome).toEqual({
      ...{ ...place, action: 'stop', outcome: 'Failed', reason: 'InvalidAction', message, forced: false },
      ...{ requestId: id, trigger: 'declared', startedAt: now, finishedAt: now },
    });
    expect([left(), told(at)]).toEqual([undefined, [`${id} Failed`]]);
    expect(shown()).toMatchObject({ state: 'Running', outcome: 'Failed', reason: 'InvalidAction', message });
    expect(shown()?.lastAction).toBeUndefined();
    const [event] = at.sim.list<{ metadata: object; reportingInstance: string }>('events', namespace).slice(-1);
    expect(event?.reportingInstance).toMatch(/.{9}/);
  });

  it('is none where there is none', async () => {
    const { at, perform } = await declared(wrong);
    const { spec: _, ...bare } = at.wukong('web');
    expect(await perform(at.world, { wukong: bare })).toMatchObject({ outcome: 'Failed', reason: 'InvalidAction' });
  });

  it('leaves the last action, and what comes next, as they were', async () => {
    const before = {
      ...{ state: 'Running', lastAction: 'start', lastActionTime: '2026-11-23T08:00:00Z' },
      ...{ nextAction: 'stop', nextActionTime: '2026-11-24T20:00:00Z' },
    } as const;
    const ended = {
      ...{ outcome: 'Started', message: 'so', forced: false, requestId: 'r', trigger: 'direct' },
      ...{ startedAt: '2026-11-23T08:00:00Z', finishedAt: '2026-11-23T08:01:00Z' },
    } as const;
    const { perform, shown } = await declared(wrong, { state: { ...before, ...ended } as LifecycleState });
    await perform();
    expect(shown()).toMatchObject({ ...before, outcome: 'Failed' });
  });

  it('is not told for longer than there is time', async () => {
    const { at, perform } = await declared(wrong);
    silent(at);
    const begun = at.clock.now();
    await perform(at.world, { leftMs: 3 * s }).catch(() => {});
    expect(at.clock.now() - begun).toBeLessThanOrEqual(15 * s);
  });
});
