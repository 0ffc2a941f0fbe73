import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import { asEndOf, leaveUnseen } from '../../shared/lifecycle/finish.ts';
import { namespace } from './scene.ts';
import {
  annotate,
  before,
  details,
  forced,
  goesOn,
  place,
  recorded,
  s,
  shown,
  silent,
  slow,
  stopped,
  told,
} from './telling.ts';

describe('the end of a stop', () => {
  const old = { requestId: 'old', action: 'start' as const, trigger: 'event' };
  const sharper = { requestId: 'sharper', action: 'stop' as const, trigger: 'queue' };

  it.each(['schedule', 'direct'])(
    'is told of it, of whom it took over from and of who sharpened it (%s)',
    async (trigger) => {
      const startedAt = Date.parse('2026-11-23T19:59:00Z');
      const { at, op, counted, notices, end } = await recorded({
        trigger,
        supersedes: [{ ...old, startedAt }],
        sharpenedBy: [{ ...sharper, startedAt: startedAt + 1_000 }],
      });
      const outcome = await end(forced);
      const dueAt = trigger === 'schedule' ? { dueAt: op.requestedAt } : {};
      const times = { startedAt: op.startedAt, finishedAt: at.clock.now() };
      expect(outcome).toEqual({
        ...{ ...place, ...forced, action: 'stop', forced: true, requestId: 'request', trigger, ...times, ...dueAt },
      });
      const texts = { version: '1', ...place, finishedAt: '2026-11-23T20:00:00Z' };
      const same = { action: 'stop', outcome: 'ForcedOff', forceReason: 'Requested', message: 'It was forced.' };
      expect(details(at)).toEqual([
        {
          ...{ ...texts, ...old, id: 'team-a/web/old', startedAt: '2026-11-23T19:59:00Z' },
          ...{ outcome: 'Superseded', forced: false, message: 'A newer stop, request request, took over.' },
        },
        {
          ...{ ...texts, ...same, id: 'team-a/web/request', requestId: 'request', trigger, forced: true },
          startedAt: '2026-11-23T19:59:50Z',
        },
        {
          ...{ ...texts, ...same, id: 'team-a/web/sharper', requestId: 'sharper', trigger: 'queue', forced: true },
          startedAt: '2026-11-23T19:59:01Z',
        },
      ]);
      expect(counted).toEqual([
        ['old', 'Superseded', undefined],
        ['request', 'ForcedOff', trigger === 'schedule' ? 2_000 : undefined],
      ]);
      expect(notices.map(({ id }) => id)).toEqual(['team-a/web/request']);
      expect(asEndOf({ ...sharper, startedAt }, outcome).dueAt, 'it was due by no schedule').toBeUndefined();
      const events = at.sim.list<{ reportingInstance: string }>('events', namespace);
      expect(events.map(({ reportingInstance }) => reportingInstance)).toEqual(['holder', 'holder', 'holder']);
      expect(shown(at)).toMatchObject({ state: 'Stopped', outcome: 'ForcedOff', requestId: 'request' });
    },
  );

  const next = { nextAction: 'start' as const, nextActionTime: '2026-11-24T07:00:00Z' };
  it('leaves what is due next in the status where nobody knows better, and says it where somebody does', async () => {
    const one = await recorded({}, { state: 'Running', ...next });
    await one.end(stopped);
    expect(shown(one.at)).toMatchObject({ ...next, outcome: 'Stopped' });
    const later = { nextAction: 'stop' as const, nextActionTime: '2026-11-24T19:00:00Z' };
    const other = await recorded({}, { state: 'Running', ...next });
    await other.end(stopped, { next: later });
    expect(shown(other.at)).toMatchObject({ ...later, outcome: 'Stopped' });
  });

  it('is told though the cluster is slow and the time is up; as long as there is time it is tried', async () => {
    const late = await recorded();
    slow(late.at);
    expect(await late.end(stopped, { until: late.at.clock.now() })).toMatchObject({ outcome: 'Stopped' });
    expect(told(late.at)).toEqual(['request Stopped']);
    expect(late.at.sim.list('events', namespace)).toHaveLength(1);
    expect(shown(late.at)).toMatchObject({ outcome: 'Stopped' });
    const patient = await recorded();
    patient.at.sim.faults.add({ when: {}, does: { kind: 'delay', ms: 10 * s } });
    expect(await patient.end(stopped, { until: patient.at.clock.now() + 600 * s })).toMatchObject(stopped);
    expect(shown(patient.at)).toMatchObject({ outcome: 'Stopped' });
  });

  it('that cannot be written down is no end yet: the log says why, and a tick goes on', async () => {
    const { at, logged, counted, end } = await recorded();
    silent(at);
    const begun = at.clock.now();
    const outcome = await end(stopped);
    expect(at.clock.now() - begun).toBeLessThanOrEqual(8 * s);
    expect(outcome).toMatchObject({
      ...{ ...place, outcome: 'InProgress', forced: false, requestId: 'request', trigger: 'direct', action: 'stop' },
      message: 'Stopped: The guest shut down. But no answer to PATCH in time',
    });
    expect(logged).toEqual([
      [
        'error',
        'the end could not be recorded; reconcileState will',
        { problem: 'no answer to PATCH in time', requestId: 'request' },
      ],
    ]);
    expect([told(at), counted]).toEqual([[], []]);
  });

  it('keeps nobody waiting for a cluster that writes it down and then says nothing more', async () => {
    const { at, counted, end } = await recorded();
    at.sim.faults.add({ when: { from: 2 }, does: { kind: 'delay', ms: 36_000 * s } });
    const begun = at.clock.now();
    expect(await end(stopped)).toMatchObject({ outcome: 'InProgress' });
    expect(at.clock.now() - begun).toBeLessThanOrEqual(9 * s);
    expect(counted).toEqual([['request', 'Stopped', undefined]]);
  });

  it.each([
    ['Denied', 403, /^Stopped: The guest shut down\. But .*status of Wukong/],
    ['Unknown', 0, /^Stopped: The guest shut down\. But TypeError: broken$/],
  ] as const)('that cannot be shown in the status is a failure that says so: %s', async (reason, status, message) => {
    const { at, counted, logged, end } = await recorded();
    if (status) at.sim.faults.add({ when: { method: 'PATCH', path: /\/status/ }, does: { kind: 'status', status } });
    const broken = before(at, 'PATCH', /\/status/, () => {
      if (!status) throw new TypeError('broken');
    });
    const outcome = await end(stopped, {}, broken);
    expect(outcome).toMatchObject({ ...place, outcome: 'Failed', reason, requestId: 'request', trigger: 'direct' });
    expect(outcome.message).toMatch(message);
    expect(counted.map(([, what]) => what)).toEqual(['Stopped', 'Failed']);
    expect(logged.at(-1)).toMatchObject(['error', 'stop team-a/web: Failed', { reason }]);
  });
});

describe('a stop that is not over when the time is up', () => {
  it.each(['quick', 'slow'])('is left to the next process, and the status says so (%s cluster)', async (how) => {
    const { at, op, counted, logged, end } = await recorded({ forceAt: Date.parse('2026-11-23T20:02:00Z') });
    if (how === 'slow') slow(at);
    expect(await end(goesOn)).toMatchObject({ outcome: 'InProgress', message: 'Not over yet.' });
    expect(JSON.parse(at.wukong('web').metadata.annotations?.[operationKey] ?? '')).toMatchObject({
      ...{ requestId: 'request', holder: op.holder, forceAt: '2026-11-23T20:02:00.000Z' },
    });
    expect(shown(at)).toMatchObject({ outcome: 'InProgress', requestId: 'request', message: 'Not over yet.' });
    expect(counted).toEqual([['request', 'InProgress', undefined]]);
    expect(logged.map(([level]) => level)).toEqual(['info']);
  });

  it('keeps nobody waiting for a cluster that does not answer', async () => {
    const { at, end } = await recorded();
    silent(at);
    const begun = at.clock.now();
    expect(await end(goesOn)).toMatchObject({ outcome: 'InProgress', message: 'Not over yet.' });
    expect(at.clock.now() - begun).toBeLessThanOrEqual(8 * s);
  });

  it('shows nothing where another process has sharpened it meanwhile', async () => {
    const { at, op, counted, end } = await recorded();
    const sharpening = before(at, 'PATCH', /wukongs/, () =>
      annotate(at, { [operationKey]: write({ ...op, holder: 'other', graceSeconds: 5 }) }),
    );
    expect(await end(goesOn, {}, sharpening)).toMatchObject({ outcome: 'InProgress' });
    expect([shown(at)?.outcome, counted]).toEqual([undefined, []]);
  });

  it.each([
    ['ended', undefined],
    ['superseded', { requestId: 'newer' }],
  ])('shows nothing where it is %s before it can be shown', async (_what, newer) => {
    const { at, op, end } = await recorded();
    const overtaken = before(at, 'GET', /wukongs/, () =>
      annotate(at, { [operationKey]: newer && write({ ...op, ...newer }) }),
    );
    expect(await end(goesOn, {}, overtaken)).toMatchObject({ outcome: 'InProgress' });
    expect(shown(at)?.outcome).toBeUndefined();
  });
});

it('a stop whose VM is seen no more goes on, says why, and nothing is written or told', async () => {
  const { at, op, logged, counted } = await recorded();
  const asked = at.sim.requests.length;
  const why = new LifecycleError('Denied', 'VMs may not be watched');
  expect(leaveUnseen(at.world, at.wukong('web'), op, why)).toEqual({
    ...{ ...place, action: 'stop', requestId: 'request', trigger: 'direct', forced: false, outcome: 'InProgress' },
    message: 'VMs may not be watched; reconcileState goes on.',
    ...{ startedAt: op.startedAt, finishedAt: at.clock.now() },
  });
  expect([logged.length, counted, told(at)]).toEqual([1, [['request', 'InProgress', undefined]], []]);
  expect(at.sim.requests).toHaveLength(asked);
});
