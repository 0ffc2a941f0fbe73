import { describe, expect, it } from 'vitest';

import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, write } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { finishUnclaimed } from '../../shared/lifecycle/unclaimed.ts';
import { operation } from '../unit/machines.ts';
import { namespace, type Scene } from './scene.ts';
import { annotate, before, endOf, place, recorded, s, shown, silent, told } from './telling.ts';

type By = Parameters<typeof finishUnclaimed>[3];
/** A VM without an operation, and what becomes of an outcome that needed none. */
async function vm(state?: LifecycleState) {
  const all = await recorded({}, state);
  const { at } = all;
  annotate(at, { [operationKey]: undefined });
  const outcomeOf = (outcome: string, more: object = {}) =>
    ({
      ...{ ...place, action: 'stop', requestId: 'r', trigger: 'direct', message: 'so', forced: false },
      ...{ startedAt: at.clock.now(), finishedAt: at.clock.now(), outcome, ...more },
    }) as unknown as Outcome;
  const finish = (outcome: Outcome, by?: By, wukong: Wukong | undefined = at.wukong('web'), world = at.world) =>
    at.run(finishUnclaimed(world, wukong, outcome, by));
  const unread = (outcome: Outcome) => at.run(finishUnclaimed(at.world, undefined, outcome));
  const events = () => at.sim.list<{ reason: string; reportingInstance: string }>('events', namespace);
  return { ...all, outcomeOf, finish, unread, events };
}
const refuse = (at: Scene, path: RegExp, status = 403) =>
  at.sim.faults.add({ when: { path }, times: 100, does: { kind: 'status', status } });
const state = (of: string, more: object = {}) => ({ state: of, ...more }) as LifecycleState;
/** The bus takes nothing. */
const deaf = (at: Scene, message = 'AccessDenied') =>
  void (at.world.bus = { put: () => Promise.reject(new Error(message)) });

describe('a request that is skipped', () => {
  it.each(['Duplicate', 'DryRun'])('as %s is told nobody, and stands in the log alone', async (reason) => {
    const { at, outcomeOf, finish, events, counted, logged } = await vm();
    const outcome = outcomeOf('Skipped', { reason });
    expect(await finish(outcome)).toEqual({ ...outcome, quiet: true });
    expect([told(at), events(), counted]).toEqual([[], [], []]);
    expect(logged).toEqual([['info', `stop team-a/web: Skipped (${reason})`, { says: 'so' }]]);
  });

  it('by an override is told as an Event and on the bus, and the status stays as it is', async () => {
    const { at, outcomeOf, finish, events, counted } = await vm();
    const outcome = outcomeOf('Skipped', { reason: 'Override' });
    expect(await finish(outcome)).toBe(outcome);
    expect([told(at), counted]).toEqual([['r Skipped'], [['r', 'Skipped', undefined]]]);
    expect(events()).toMatchObject([
      { reason: 'SkippedOverride', reportingInstance: expect.stringMatching(/.{9}/) as string },
    ]);
    expect(shown(at)).toBeUndefined();
  });

  it('has failed where nobody could be told: whoever asked has to ask again', async () => {
    const { at, outcomeOf, finish, counted } = await vm();
    delete at.world.bus;
    refuse(at, /events/);
    const outcome = outcomeOf('Skipped', { reason: 'Override' });
    const end = await finish(outcome);
    expect(end).toMatchObject({ ...place, requestId: 'r', outcome: 'Failed', reason: 'Denied' });
    expect(end.message).toMatch(/^Skipped: so But nobody could be told: Event on/);
    expect(counted).toEqual([['r', 'Failed', undefined]]);
  });

  it('is what it is where a record says so, although nobody else could be told', async () => {
    const { at, outcomeOf, finish, counted } = await vm();
    delete at.world.bus;
    refuse(at, /events/);
    const outcome = outcomeOf('Skipped', { reason: 'Override' });
    expect(await finish(outcome, { remembered: true })).toBe(outcome);
    expect(counted).toEqual([['r', 'Skipped', undefined]]);
  });

  it('keeps nobody waiting for longer than eight seconds', async () => {
    const { at, outcomeOf, finish } = await vm();
    silent(at);
    const begun = at.clock.now();
    await finish(outcomeOf('Skipped', { reason: 'Override' }));
    const waitedMs = at.clock.now() - begun;
    expect(waitedMs).toBeGreaterThan(5 * s);
    expect(waitedMs).toBeLessThanOrEqual(8 * s);
  });
});

describe('a VM that is already as it was wanted', () => {
  it.each([
    ['AlreadyOn', 'Running'],
    ['AlreadyOff', 'Stopped'],
  ])('%s is counted, put on the bus, and in the status where that said something else', async (what, is) => {
    const { at, outcomeOf, finish, events, counted } = await vm();
    const outcome = outcomeOf(what);
    expect(await finish(outcome)).toBe(outcome);
    expect([told(at), events(), counted]).toEqual([[`r ${what}`], [], [['r', what, undefined]]]);
    expect(shown(at)).toMatchObject({ state: is, outcome: what, requestId: 'r' });
  });

  it.each([
    ['AlreadyOn', 'Running'],
    ['AlreadyOff', 'Stopped'],
  ])('%s leaves a status that says so as it is', async (what, is) => {
    const { at, outcomeOf, finish } = await vm(state(is, { requestId: 'old', outcome: 'Started' }));
    await finish(outcomeOf(what));
    expect(shown(at)).toMatchObject({ requestId: 'old' });
  });

  it('is told after the end before it, which nobody had told', async () => {
    const { at, outcomeOf, finish } = await vm();
    const finishedAt = new Date(at.clock.now() - 60 * s).toISOString();
    annotate(at, { [lastKey]: endOf(at, { requestId: 'dead' }, { finishedAt }) });
    await finish(outcomeOf('AlreadyOff'));
    expect([told(at), shown(at)]).toMatchObject([['r AlreadyOff', 'dead Stopped'], { requestId: 'r' }]);
  });

  it('waits for that end no longer than it may', async () => {
    const { at, outcomeOf, finish } = await vm();
    annotate(at, {
      [lastKey]: endOf(at, { requestId: 'dead' }, { finishedAt: new Date(at.clock.now()).toISOString() }),
    });
    const outcome = await finish(outcomeOf('AlreadyOff'), { deadline: at.clock.now() + s });
    expect(outcome).toMatchObject({ outcome: 'InProgress' });
  });

  it('has failed where the status cannot be put right', async () => {
    const { at, outcomeOf, finish } = await vm();
    refuse(at, /wukongs\/web\/status/);
    expect(await finish(outcomeOf('AlreadyOff'))).toMatchObject({ outcome: 'Failed', reason: 'Denied' });
  });

  it.each([
    ['an operation that began', { [operationKey]: write(operation({ requestId: 'newer' })) }],
    ['a newer end', { [lastKey]: JSON.stringify({ requestId: 'newer' }) }],
  ])('does not show itself over %s meanwhile', async (what, annotations) => {
    const { at, outcomeOf, finish } = await vm();
    const newer = what === 'a newer end' ? { [lastKey]: endOf(at, { requestId: 'newer' }) } : annotations;
    const world = before(at, 'PATCH', /status$/, () => annotate(at, newer));
    await finish(outcomeOf('AlreadyOff'), {}, at.wukong('web'), world);
    expect(shown(at)).toBeUndefined();
  });

  it.each([true, false])(
    'shows itself although the Wukong was changed meanwhile (with an end before: %s)',
    async (is) => {
      const { at, outcomeOf, finish } = await vm(state('Running', { requestId: 'old', outcome: 'Stopped' }));
      if (is) annotate(at, { [lastKey]: endOf(at, { requestId: 'old' }) });
      const world = before(at, 'PATCH', /status$/, () => annotate(at, { note: 'x' }));
      await finish(outcomeOf('AlreadyOff'), {}, at.wukong('web'), world);
      expect(shown(at)).toMatchObject({ state: 'Stopped', requestId: 'r' });
    },
  );

  it('waits eight seconds for a status that nobody takes', async () => {
    const { at, outcomeOf, finish } = await vm();
    const begun = at.clock.now();
    at.sim.faults.add({ when: { path: /status$/ }, does: { kind: 'delay', ms: 36_000 * s } });
    await finish(outcomeOf('AlreadyOff'));
    const waitedMs = at.clock.now() - begun;
    expect(waitedMs).toBeGreaterThan(5 * s);
    expect(waitedMs).toBeLessThanOrEqual(8 * s);
  });
});

describe('what came to nothing for a Wukong that nobody read', () => {
  it('is counted once, and put on the bus', async () => {
    const { at, outcomeOf, unread, counted } = await vm();
    const outcome = outcomeOf('Failed', { reason: 'NotFound' });
    expect(await unread(outcome)).toBe(outcome);
    expect([told(at), counted]).toEqual([['r Failed'], [['r', 'Failed', undefined]]]);
    const off = outcomeOf('AlreadyOff');
    expect(await unread(off)).toBe(off);
  });

  it('stays as it is where the bus refuses it, as asking again helps nothing', async () => {
    const { at, outcomeOf, unread, counted } = await vm();
    deaf(at);
    const outcome = outcomeOf('Failed', { reason: 'NotFound' });
    expect(await unread(outcome)).toBe(outcome);
    expect(counted).toHaveLength(1);
    expect(await unread(outcomeOf('Skipped', { reason: 'Override' }))).toMatchObject({
      ...{ outcome: 'Failed', reason: 'Unknown', message: 'Skipped: so But nobody could be told: AccessDenied' },
    });
  });

  it('is asked for again where the bus does not answer', async () => {
    const { at, outcomeOf, unread } = await vm();
    const { LifecycleError } = await import('../../shared/domain/errors.ts');
    at.world.bus = { put: () => Promise.reject(new LifecycleError('Unreachable', 'no answer')) };
    expect(await unread(outcomeOf('Failed', { reason: 'NotFound' }))).toMatchObject({
      ...{ outcome: 'Failed', reason: 'Unreachable', message: 'Failed: so But nobody could be told: no answer' },
    });
    const unreachable = outcomeOf('Failed', { reason: 'Unreachable' });
    expect(await unread(unreachable), 'says so already').toBe(unreachable);
  });
});

describe('a request that failed before anything was claimed', () => {
  /** Neither Event nor bus takes it: only the status is left. */
  async function alone(was?: LifecycleState) {
    const all = await vm(was);
    delete all.at.world.bus;
    all.at.sim.faults.add({ when: { path: /events/ }, times: 100, does: { kind: 'status', status: 500 } });
    return all;
  }
  const failed = { reason: 'Denied' };

  it('is told, and seen in the status, which keeps what the VM is', async () => {
    const { at, outcomeOf, finish } = await vm(state('Running'));
    const outcome = outcomeOf('Failed', failed);
    expect(await finish(outcome)).toBe(outcome);
    expect([told(at), shown(at)]).toMatchObject([
      ['r Failed'],
      { state: 'Running', outcome: 'Failed', requestId: 'r' },
    ]);
  });

  it.each([
    ['NotFound', state('Running'), 'Unknown'],
    ['Denied', undefined, 'Unknown'],
    ['Denied', state('Stopped'), 'Stopped'],
  ])('as %s after %j shows a VM that is %s', async (reason, was, expected) => {
    const { at, outcomeOf, finish } = await vm(was);
    await finish(outcomeOf('Failed', { reason }));
    expect(shown(at)?.state).toBe(expected);
  });

  it('is enough where the status alone says it, and counted', async () => {
    const { outcomeOf, finish, counted } = await alone();
    const outcome = outcomeOf('Failed', failed);
    expect(await finish(outcome)).toBe(outcome);
    expect(counted).toEqual([['r', 'Failed', undefined]]);
  });

  it.each([
    ['it was that cluster’s silence', { reason: 'Unreachable' }, {}],
    ['an operation goes on', failed, { [operationKey]: write(operation({ requestId: 'other' })) }],
    ['an end before it was not told', failed, 'untold'],
  ] as [string, object, object | string][])('is not seen in the status where %s', async (_what, more, annotations) => {
    const { at, outcomeOf, finish } = await alone(state('Running'));
    if (annotations === 'untold') annotate(at, { [lastKey]: endOf(at, { requestId: 'dead' }) });
    else annotate(at, annotations as Record<string, string>);
    const end = await finish(outcomeOf('Failed', more));
    expect(end.message.includes('nobody could be told')).toBe((more as { reason: string }).reason !== 'Unreachable');
    expect(shown(at)).toEqual({ state: 'Running' });
  });

  it('has to be asked for again where the status cannot be written either, which the log says', async () => {
    const { at, outcomeOf, finish, logged } = await alone();
    refuse(at, /wukongs\/web\/status/, 404);
    expect(await finish(outcomeOf('Failed', failed))).toMatchObject({ outcome: 'Failed', reason: 'Unreachable' });
    expect(logged).toContainEqual([
      ...['warn', 'the failure could not be written into the status'],
      { problem: expect.stringContaining('could not find') as string },
    ]);
  });
});
