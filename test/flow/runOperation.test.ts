import { describe, expect, it } from 'vitest';

import type { Machines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { type Operation, operationKey, operationOf, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { type Performing, runOperation } from '../../shared/lifecycle/runOperation.ts';
import { heard, type Limits } from '../../shared/time/wait.ts';
import { machineOf } from '../unit/machines.ts';
import { annotate, before, place, recorded, s, shown, told } from './telling.ts';

const off = machineOf({ strategy: 'Halted', adoptedBy: 'web' }, null);
const on = machineOf({ adoptedBy: 'web' });
const going = machineOf(
  { strategy: 'Halted', adoptedBy: 'web' },
  { deletingSince: Date.parse('2026-11-23T20:00:00Z') },
);

/** An operation whose VM is as `vm.is` says, or cannot be seen. */
async function begun(more: Partial<Operation>, is: Machine | LifecycleError) {
  const all = await recorded({ vmiUid: 'one', ...more });
  const { at, op } = all;
  const vm: { is: Machine | LifecycleError; watch?: Error } = { is };
  const calls = new Set<() => void>();
  const machines: Machines = {
    get() {
      if (vm.is instanceof LifecycleError) throw vm.is;
      return vm.is;
    },
    changed: (_namespace, _name, limits) =>
      vm.watch
        ? Promise.reject(vm.watch)
        : heard(at.clock, (call) => (calls.add(call), () => void calls.delete(call)), limits),
    close() {},
  };
  const limits: Limits = { deadline: at.clock.now() + 20 * s };
  const run = (to: Partial<Performing> = {}, world: World = at.world) =>
    at.run(runOperation(op, at.wukong('web'), world, { machines, limits, ...to }));
  const shows = (now: Machine) => ((vm.is = now), [...calls].forEach((call) => call()));
  return { ...all, vm, limits, run, shows, record: () => operationOf(at.wukong('web')) };
}

describe('an operation', () => {
  it('waits for its turn, says what it waits for and that its call was made, and shows what comes next', async () => {
    const { at, run, shows } = await begun({}, on);
    const { transport } = at.world;
    const call = <T>(one: Parameters<typeof transport.call>[0], limits?: Partial<Limits>) => {
      if (!one.path.endsWith('/stop')) return transport.call<T>(one, limits);
      at.clock.after(s, () => shows(going));
      at.clock.after(3 * s, () => shows(off));
      return Promise.resolve({ status: 202, body: undefined as T, warnings: [] });
    };
    const seen: string[] = [];
    const outcome = await run(
      {
        watching: (what: string) => void seen.push(`waits for ${what}`),
        turn: () => (seen.push('its turn'), Promise.resolve()),
        begun: () => void seen.push('begun'),
        next: { nextAction: 'start', nextActionTime: '2026-11-24T06:00:00Z' },
      },
      { ...at.world, transport: { ...transport, call } },
    );
    expect(outcome).toMatchObject({ ...place, outcome: 'Stopped' });
    expect(shown(at)).toMatchObject({ nextAction: 'start', nextActionTime: '2026-11-24T06:00:00Z' });
    expect(seen).toEqual(expect.arrayContaining(['its turn', 'begun', expect.stringMatching(/^waits for ./)]));
  });

  it('goes on in its record where the cluster is away', async () => {
    const { vm, run, record, at } = await begun({}, going);
    vm.watch = new LifecycleError('Unreachable', 'nobody answers');
    expect(await run()).toMatchObject({
      ...{ outcome: 'InProgress', message: 'nobody answers; reconcileState goes on.', requestId: 'request' },
    });
    expect([record()?.requestId, told(at)]).toEqual(['request', []]);
  });

  it('has failed where it may not go on', async () => {
    const { vm, run, record, at } = await begun({}, going);
    vm.watch = new LifecycleError('Refused', 'a webhook says no');
    expect(await run()).toMatchObject({ outcome: 'Failed', reason: 'Refused', message: 'a webhook says no' });
    expect([record(), told(at)]).toEqual([undefined, ['request Failed']]);
  });

  it('whose VM is seen no more goes on, and nothing of it is written', async () => {
    const { run, at } = await begun({}, new LifecycleError('Denied', 'VMs may not be watched'));
    const record = at.wukong('web').metadata.annotations?.[operationKey];
    expect(await run()).toMatchObject({
      outcome: 'InProgress',
      message: 'VMs may not be watched; reconcileState goes on.',
    });
    expect(at.wukong('web').metadata.annotations?.[operationKey]).toBe(record);
  });

  it('may take all its time to write down how it ended', async () => {
    const { at, run } = await begun({}, off);
    const late = { kind: 'delay', ms: 36_000 * s } as const;
    at.sim.faults.add({ when: { method: 'PATCH' }, times: 100, does: late });
    const from = at.clock.now();
    await run();
    expect(at.clock.now() - from).toBeGreaterThan(15 * s);
  });
});

describe('a restart', () => {
  const half = { thenStart: true };

  it('of which the start cannot be begun goes on later, and says why', async () => {
    const { at, run, record } = await begun(half, off);
    at.sim.faults.add({
      when: { path: /wukongs\/web$/, method: 'PATCH' },
      times: 1,
      does: { kind: 'status', status: 403 },
    });
    const outcome = await run();
    expect(outcome).toMatchObject({ outcome: 'InProgress', requestId: 'request' });
    expect(outcome.message).toMatch(/ second half of a restart.*; reconcileState goes on\.$/);
    expect(outcome.message).not.toMatch(/^ |comes next/);
    expect(record()).toMatchObject({ action: 'stop', thenStart: true });
  });

  it('that is given up between its halves says that the start comes next', async () => {
    const { at, run, limits } = await begun(half, off);
    const wish = new AbortController();
    const world = before(at, 'PATCH', /wukongs\/web$/, () => wish.abort(new Error('closed')));
    const outcome = await run({ limits: { ...limits, signal: wish.signal } }, world);
    expect(outcome.message).toMatch(/ The start comes next; reconcileState goes on\.$/);
    expect(outcome).toMatchObject({ outcome: 'InProgress' });
  });

  it('whose record is somebody else’s between its halves is superseded', async () => {
    const { at, op, run } = await begun(half, off);
    const newer = write({ ...op, requestId: 'newer', holder: 'other', action: 'start' });
    const world = before(at, 'PATCH', /wukongs\/web$/, () => annotate(at, { [operationKey]: newer }));
    expect(await run({}, world)).toMatchObject({ outcome: 'Superseded', requestId: 'request' });
    expect(told(at)).toEqual(['request Superseded']);
  });

  const second = { action: 'start', restartOf: { uid: 'old', message: 'It went off.' } } as const;

  it('ends with both halves in its message', async () => {
    const { run } = await begun(second, on);
    const message = 'It went off. Another guest is up and ready (VMI uid one).';
    expect(await run()).toMatchObject({ action: 'start', outcome: 'Started', message });
  });

  it('is superseded in its second half as in its first', async () => {
    const { at, op, run } = await begun(second, off);
    annotate(at, { [operationKey]: write({ ...op, requestId: 'newer', holder: 'other', action: 'stop' }) });
    expect(await run()).toMatchObject({ outcome: 'Superseded', requestId: 'request' });
  });
});
