import { describe, expect, it } from 'vitest';

import type { Machines } from '../../shared/cluster/vmInformer.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, lastOf, type Operation, operationKey, operationOf, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { giveUp, reportAgain, resume } from '../../shared/lifecycle/resume.ts';
import { heard, type Limits } from '../../shared/time/wait.ts';
import { machineOf } from '../unit/machines.ts';
import { annotate, before, endOf, on, place, recorded, s, shown, told } from './telling.ts';

const off = machineOf({ strategy: 'Halted', adoptedBy: 'web' }, null);

/** A stop that another process left behind, and a VM that is so. */
async function left(more: Partial<Operation> = {}, machine: Machine = off) {
  const all = await recorded({ vmiUid: 'one', ...more });
  const { at, op } = all;
  const machines: Machines = {
    get: () => machine,
    changed: (_namespace, _name, limits) => heard(at.clock, () => () => {}, limits),
    close() {},
  };
  const records: Operation[] = [];
  const { transport } = at.world;
  const call = async <T>(one: Parameters<typeof transport.call>[0], limits?: Partial<Limits>) => {
    const answer = await transport.call<T>(one, limits);
    const now = operationOf(at.wukong('web'));
    if (one.method === 'PATCH' && now) records.push(now);
    return answer;
  };
  const world = { ...at.world, transport: { ...transport, call } };
  const options = { machines, limits: { deadline: at.clock.now() + 5 * s } };
  return { ...all, machines, world, options, records, go: () => at.run(resume(op, at.wukong('web'), world, options)) };
}

describe('the stop that another process left behind', () => {
  it('is taken over as it is, by a process with a name of its own, and ends', async () => {
    const { at, op, go, records } = await left();
    expect(await go()).toMatchObject({ ...place, outcome: 'Stopped', requestId: 'request', startedAt: op.startedAt });
    const { holder, ...same } = records[0]!;
    expect(holder).toMatch(/^[0-9a-z]{10,}$/);
    expect(holder).not.toBe('holder');
    expect({ ...same, holder: 'holder' }).toEqual(
      operationOf({ metadata: { annotations: { [operationKey]: write(op) } } } as unknown as Wukong),
    );
    expect(told(at)).toEqual(['request Stopped']);
  });

  it.each([
    [45, 465 * s + 15 * s],
    [undefined, 465 * s],
  ])('has another try, and new time, where its own was over (a grace of %s s)', async (graceSeconds, lasts) => {
    const { at, op, go, records } = await left({ ...(graceSeconds ? { graceSeconds } : {}), attempts: 2 });
    await at.pass(op.deadline - at.clock.now());
    const now = at.clock.now();
    await go();
    expect(records[0]).toMatchObject({ attempts: 3, startedAt: now, stepAt: now, deadline: now + lasts });
  });

  it('has none a moment before that', async () => {
    const { at, op, go, records } = await left();
    await at.pass(op.deadline - 1 - at.clock.now());
    await go();
    expect(records[0]).toMatchObject({ attempts: 1, startedAt: op.startedAt, deadline: op.deadline });
  });

  it('is left to whoever has taken it meanwhile', async () => {
    const { at, op, world, options } = await left();
    const meanwhile = before(at, 'PATCH', /wukongs\/web$/, () =>
      annotate(at, { [operationKey]: write({ ...op, holder: 'quicker' }) }),
    );
    const to = { ...world, transport: meanwhile.transport };
    expect(await at.run(resume(op, at.wukong('web'), to, options))).toBeUndefined();
    expect([operationOf(at.wukong('web'))?.holder, told(at)]).toEqual(['quicker', []]);
  });

  it('ends where protection holds it back by now', async () => {
    const { at, go } = await left({ trigger: 'schedule' }, on);
    annotate(at, { 'lifecycle.novasphere.dev/protected': 'true' });
    expect(await go()).toMatchObject({ outcome: 'Skipped', reason: 'Protected', requestId: 'request' });
    expect([operationOf(at.wukong('web')), told(at)]).toEqual([undefined, ['request Skipped']]);
    expect(lastOf(at.wukong('web'))).toMatchObject({ outcome: 'Skipped' });
  });
});

describe('an operation that is given up', () => {
  it.each([
    ['stop', 'AskedAgain', 'Stuck'],
    ['stop', 'Claimed', 'TimedOut'],
    ['start', 'Claimed', 'TimedOut'],
    ['start', 'AskedAgain', 'TimedOut'],
  ] as const)('a %s at step %s has failed: %s', async (action, step, reason) => {
    const { at, op, machines } = await left({ action, step, attempts: 3 });
    const outcome = await at.run(giveUp(op, at.wukong('web'), at.world, machines));
    const message = `Given up after 3 attempts, the last one at step ${step}.`;
    expect(outcome).toMatchObject({ action, outcome: 'Failed', reason, message });
  });

  it.each([
    ['start', 'NotFound'],
    ['stop', 'TimedOut'],
  ] as const)('a %s of a Wukong that is being deleted: %s', async (action, reason) => {
    const { at, op, machines } = await left({ action });
    const wukong = structuredClone(at.wukong('web'));
    wukong.metadata.deletionTimestamp = '2026-11-23T20:00:00Z';
    expect(await at.run(giveUp(op, wukong, at.world, machines))).toMatchObject({ outcome: 'Failed', reason });
  });
});

describe('an end that its process recorded and did not live to tell', () => {
  it('is told, and shown in the status', async () => {
    const { at, world, options } = await left();
    annotate(at, { [operationKey]: undefined, [lastKey]: endOf(at, { requestId: 'dead' }) });
    const last = lastOf(at.wukong('web'))!;
    expect(await at.run(reportAgain(last, at.wukong('web'), world, options))).toMatchObject({ outcome: 'Stopped' });
    expect([told(at), shown(at)]).toMatchObject([['dead Stopped'], { state: 'Stopped', requestId: 'dead' }]);
  });

  it('is not shown over what is newer', async () => {
    const { at, options } = await left();
    annotate(at, { [operationKey]: undefined, [lastKey]: endOf(at, { requestId: 'dead' }) });
    const last = lastOf(at.wukong('web'))!;
    const world = before(at, 'PATCH', /status$/, () => annotate(at, { [lastKey]: endOf(at, { requestId: 'newer' }) }));
    await at.run(reportAgain(last, at.wukong('web'), world, options));
    expect([told(at), shown(at)]).toEqual([['dead Stopped'], undefined]);
  });
});
