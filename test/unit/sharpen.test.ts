import { describe, expect, it } from 'vitest';

import { type Command, parseCommand } from '../../shared/domain/command.ts';
import type { Operation } from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { asksForMore, lookAgainAt, mayLengthen, sharpened } from '../../shared/lifecycle/sharpen.ts';
import { nothingSeen } from '../../shared/lifecycle/step.ts';
import { deleting, machineOf, operation, s, t0 } from './machines.ts';
import { stage } from './stage.ts';

const command = (action: Action, more: object = {}, trigger = 'http'): Command =>
  parseCommand(
    { target: { namespace: 'team-a', name: 'web' }, ...more },
    { action, trigger, requestId: 'second', requestedAt: t0 + s },
  );
const stop = (more: object = {}, trigger?: string) => command('stop', more, trigger);

describe('a later stop asks for', () => {
  it.each<[string, boolean, Command, Partial<Operation>, number?]>([
    ['no more with nothing to say', false, stop(), {}],
    ['more with force', true, stop({ force: true }), {}],
    ['no more with force once it is forced', false, stop({ force: true }), { force: true }],
    ['more with a shorter grace', true, stop({ gracePeriodSeconds: 5 }), { graceSeconds: 6 }],
    ['no more with the same grace', false, stop({ gracePeriodSeconds: 6 }), { graceSeconds: 6 }],
    ['no more with a longer grace', false, stop({ gracePeriodSeconds: 7 }), { graceSeconds: 6 }],
    [
      'no more with a shorter grace than the one that is forced',
      false,
      stop({ gracePeriodSeconds: 5 }),
      { force: true },
    ],
    ['perhaps more with a grace, where nobody has looked at the guest', true, stop({ gracePeriodSeconds: 99 }), {}],
    ['more with a shorter grace than the guest has', true, stop({ gracePeriodSeconds: 29 }), {}, 30],
    ['no more with the grace that the guest has', false, stop({ gracePeriodSeconds: 30 }), {}, 30],
    ['more with the last rung', true, stop({ deletePodWhenStuck: true }), { force: true }],
    ['no more with a rung that is there', false, stop({ deletePodWhenStuck: true }), { deletePodWhenStuck: true }],
    [
      'no more when a schedule gives its own grace',
      false,
      stop({ gracePeriodSeconds: 5 }, 'schedule'),
      { graceSeconds: 60 },
    ],
    ['more as a restart', true, stop({ restart: true }), {}],
    ['more than the first half of a restart', true, stop(), { thenStart: true }],
    ['no more as a restart of what is restarted', false, stop({ restart: true }), { thenStart: true }],
    ['more when a schedule says force', true, stop({ force: true }, 'schedule'), { graceSeconds: 60 }],
  ])('%s', (_, more, given, running, guest) => {
    expect(asksForMore(given, operation(running), t0, guest)).toBe(more);
  });
});

describe('a later start asks for', () => {
  const start = (more: object) => command('start', more);
  it.each<[string, boolean, object, Partial<Operation>]>([
    ['no more with the same wait', false, {}, {}],
    ['more with a longer wait', true, { waitSeconds: 301 }, {}],
    ['more with a lease where there is none', true, { leaseSeconds: 60 }, {}],
    ['more with a lease that ends later', true, { leaseSeconds: 60 }, { leaseSeconds: 69 }],
    ['no more with a lease that ends by then', false, { leaseSeconds: 60 }, { leaseSeconds: 70 }],
  ])('%s', (_, more, given, running) => {
    expect(asksForMore(start(given), operation({ action: 'start', ...running }), t0 + 10 * s)).toBe(more);
  });
});

describe('the record that is sharpened', () => {
  const terms = { holder: 'me', now: t0 + 20 * s };
  const by = { requestId: 'second', action: 'stop', trigger: 'http', startedAt: t0 + 20 * s };

  it('is the same operation, carried on by another, and names who asked', () => {
    const running = operation({ requestId: 'first', graceSeconds: 120, forceAt: t0 + 135 * s, cappedFrom: 600 });
    expect(sharpened(running, stop({ gracePeriodSeconds: 5 }), terms)).toMatchObject({
      requestId: 'first',
      startedAt: t0,
      holder: 'me',
      graceSeconds: 5,
      cappedFrom: undefined,
      forceAt: undefined,
      force: false,
      step: 'Claimed',
      stepAt: t0 + 20 * s,
      sharpenedBy: [by],
    });
  });

  it('keeps what is sharper already', () => {
    const running = operation({ graceSeconds: 5, cappedFrom: 9, force: true, deletePodWhenStuck: true });
    expect(sharpened(running, stop({ gracePeriodSeconds: 50 }), terms)).toMatchObject({
      graceSeconds: 5,
      cappedFrom: 9,
      force: true,
      deletePodWhenStuck: true,
      stepAt: t0,
    });
  });

  it.each(['Forced', 'PodDeleted'] as const)('does not begin its time to go anew once it is %s', (step) => {
    expect(sharpened(operation({ step }), stop({ force: true }), terms).stepAt).toBe(t0);
  });

  it('does not begin the time anew for the last rung alone', () => {
    expect(sharpened(operation({}), stop({ deletePodWhenStuck: true }), terms).stepAt).toBe(t0);
  });

  it('never has a claim that ends earlier', () => {
    const { deadline } = operation({});
    expect(sharpened(operation({}), stop({ gracePeriodSeconds: 0 }), terms).deadline).toBeGreaterThanOrEqual(deadline);
    const late = { ...terms, now: deadline - s };
    expect(sharpened(operation({}), stop({ force: true }), late).deadline).toBe(late.now + 435 * s);
  });

  it('counts wait and lease of a start from its own request', () => {
    const running = operation({ action: 'start', waitSeconds: 30, leaseSeconds: 60 });
    const more = command('start', { waitSeconds: 120, leaseSeconds: 3_600 });
    expect(sharpened(running, more, terms)).toMatchObject({ waitSeconds: 140, leaseSeconds: 3_620 });
    const less = command('start', { waitSeconds: 60 });
    expect(sharpened(running, less, terms)).toMatchObject({ waitSeconds: 80, leaseSeconds: 60 });
  });

  it('leaves wait and lease of a start as they are where they are as long', () => {
    const running = operation({ action: 'start', waitSeconds: 300, leaseSeconds: 3_600 });
    expect(sharpened(running, command('start', { leaseSeconds: 3_580 }), terms)).toMatchObject({
      waitSeconds: 300,
      leaseSeconds: 3_600,
    });
    const without = operation({ action: 'start' });
    expect(sharpened(without, command('start', { waitSeconds: 301 }), terms).leaseSeconds).toBeUndefined();
    expect(sharpened(without, command('start', { leaseSeconds: 60 }), terms)).toMatchObject({
      waitSeconds: 300,
      leaseSeconds: 80,
    });
    const long = { ...terms, now: t0 + 2_000 * s };
    expect(sharpened(without, command('start', { waitSeconds: 600 }), long).waitSeconds).toBe(2_600);
  });

  it('has the last rung and force that are asked for, and keeps the declared action that it carries out', () => {
    const more = stop({ force: true, deletePodWhenStuck: true });
    expect(sharpened(operation({ declared: 'old' }), more, terms)).toMatchObject({
      force: true,
      deletePodWhenStuck: true,
      declared: 'old',
      stepAt: t0 + 20 * s,
    });
    expect(sharpened(operation({ force: true }), more, terms).stepAt).toBe(t0);
    expect(sharpened(operation({ graceSeconds: 5 }), stop({ gracePeriodSeconds: 5 }), terms).stepAt).toBe(t0);
  });

  it.each<[string, object, Partial<Operation>, number | undefined, number]>([
    ['the grace that was asked for', { gracePeriodSeconds: 5 }, { graceSeconds: 60 }, 7, 5],
    ['the grace that it had', { deletePodWhenStuck: true }, { graceSeconds: 60 }, 7, 60],
    ['the grace of the guest', { deletePodWhenStuck: true }, {}, 7, 7],
    ['30 s where nobody knows', { deletePodWhenStuck: true }, {}, undefined, 30],
    ['none where it is forced', { force: true }, { graceSeconds: 60 }, 7, 0],
  ])('has a claim with time for %s', (_, more, running, guestGraceSeconds, grace) => {
    const op = sharpened(operation({ ...running, deadline: t0 }), stop(more), { ...terms, guestGraceSeconds });
    expect(op.deadline).toBe(terms.now + (435 + grace) * s);
  });

  it('carries out a declared action with it, and names ten requests at the most', () => {
    const many = Array.from({ length: 10 }, (_, i) => ({ ...by, action: 'stop' as const, requestId: `old-${i}` }));
    const next = sharpened(operation({ sharpenedBy: many, declared: 'old' }), stop({ force: true }), {
      ...terms,
      declared: 'new',
    });
    expect(next.declared).toBe('new');
    expect(next.sharpenedBy?.map(({ requestId }) => requestId)).toEqual([
      'second',
      ...many.slice(0, 9).map((one) => one.requestId),
    ]);
  });
});

it('looks again after the lag of a watch, once a sharper period was asked for', () => {
  const asked = { ...nothingSeen(), askedAt: t0 };
  expect(lookAgainAt(operation({ sharpenedBy: [] }), asked, t0 + 4 * s)).toBe(t0 + 5 * s);
  expect(lookAgainAt(operation({ sharpenedBy: [] }), asked, t0 + 5 * s)).toBe(Infinity);
  expect(lookAgainAt(operation({}), asked, t0)).toBe(Infinity);
  expect(lookAgainAt(operation({ sharpenedBy: [] }), nothingSeen(), t0)).toBe(Infinity);
});

it('reads the record before it gives a guest in its shutdown another period', () => {
  expect(mayLengthen({ do: 'ask' }, machineOf({}, deleting(0)))).toBe(true);
  expect(mayLengthen({ do: 'ask' }, machineOf())).toBe(false);
  expect(mayLengthen({ do: 'ask' }, machineOf({}, null))).toBe(false);
  expect(mayLengthen({ do: 'force' }, machineOf({}, deleting(0)))).toBe(false);
});

it('a lease that is asked for hours later counts from then', () => {
  const running = operation({ action: 'start', leaseSeconds: 10_055 });
  expect(asksForMore(command('start', { leaseSeconds: 60 }), running, t0 + 10_000 * s)).toBe(true);
});

describe('what comes after the stop, and for how long, ', () => {
  const terms = { holder: 'other', now: t0 + 10 * s };
  it('is for the newest to say: a restart, or none', () => {
    expect(sharpened(operation({}), stop({ restart: true }), terms).thenStart).toBe(true);
    expect(sharpened(operation({ thenStart: true }), stop(), terms).thenStart).toBeUndefined();
  });

  it('is the lease that ends last', () => {
    const leaseOf = (asked: object, leaseSeconds?: number) =>
      sharpened(
        operation({ action: 'start', ...(leaseSeconds ? { leaseSeconds } : {}) }),
        command('start', asked),
        terms,
      ).leaseSeconds;
    expect([leaseOf({ leaseSeconds: 60 }), leaseOf({ leaseSeconds: 60 }, 69)]).toEqual([70, 70]);
    expect([leaseOf({ leaseSeconds: 60 }, 71), leaseOf({}, 71), leaseOf({})]).toEqual([71, 71, undefined]);
  });
});

describe('whoever was sharpened waits for the end', () => {
  const running = { strategy: 'Always' };
  const by = (...ids: string[]) => ({
    sharpenedBy: ids.map((requestId) => ({ requestId, action: 'stop' as const, trigger: 'http', startedAt: t0 })),
  });
  const looks = (asked: string[]) => asked.map((one) => one.split(' ')[0]);

  it.each<[string, (at: ReturnType<typeof stage>) => void]>([
    ['is there already', ({ end }) => end()],
    ['is another request’s', ({ sharpen }) => sharpen({ requestId: 'newer', ...by('two') })],
    ['is of nobody who asked for more', ({ sharpen }) => sharpen({ holder: 'other' })],
  ])('not where the record %s', async (_what, happens) => {
    const at = stage();
    at.show(running, {});
    happens(at);
    expect([await at.follows(), looks(at.asked)]).toEqual([0, ['0.0']]);
  });

  it('nor where the newest who asked for more is known', async () => {
    const at = stage(by('two', 'one'));
    at.show(running, {});
    expect(await at.follows()).toBe(0);
    at.sharpen(by('two', 'other'));
    expect(await at.follows()).toBe(0);
  });

  it('looks every ten seconds as long as the guest is there, at each change, and then twice a second', async () => {
    const at = stage();
    at.show(running, {});
    at.sharpen(by('two'));
    at.at(12 * s, () => at.show(running, deleting(12 * s)));
    at.at(15 * s, () => at.show({ strategy: 'Halted' }, null));
    at.at(15_800, at.end);
    expect(await at.follows()).toBe(16 * s);
    expect(looks(at.asked)).toEqual(['0.0', '10.0', '12.0', '15.0', '15.5', '16.0']);
  });

  it('finds the end ten seconds after it looked', async () => {
    const at = stage();
    at.show(running, {});
    at.sharpen(by('two'));
    at.at(10 * s, at.end);
    expect(await at.follows()).toBe(10 * s);
  });

  it('no longer than it has time, or than somebody wants it', async () => {
    const at = stage();
    at.show(running, {});
    at.sharpen(by('two'));
    expect(await at.follows({ deadline: t0 + 7 * s })).toBe(7 * s);
    expect(looks(at.asked)).toEqual(['0.0', '7.0']);
    const wish = new AbortController();
    const other = stage();
    other.show(running, {});
    other.sharpen(by('two'));
    other.at(3 * s, () => wish.abort(new Error('closed')));
    await expect(other.follows({ deadline: t0 + 60 * s, signal: wish.signal })).rejects.toThrow('closed');
  });
});
