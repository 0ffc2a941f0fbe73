import { describe, expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, settledKey, write } from '../../shared/domain/operation.ts';
import type { Member } from '../../shared/domain/run.ts';
import { type Asked, memberFor } from '../../shared/reconcile/runMembers.ts';
import { memoryKey } from '../../shared/schedule/memory.ts';
import type { Ruled } from '../../shared/schedule/timetable.ts';
import { machineOf, operation, s, t0 } from './machines.ts';
import { never, schedule } from './schedules.ts';

const id = 'schedule:dev/office@2026-11-23T20:00:00Z';
const office = schedule({ stop: '0 20 * * *', timeZone: 'UTC' });
const on = machineOf();
const off = machineOf({ strategy: 'Halted' }, null);
const boundary = { at: t0, action: 'stop', schedule: office, wall: '20:00' };
const elsewhere = { ...boundary, at: t0 - s, schedule: schedule({}, 'other') };
const pending: Member = { outcome: 'Pending' };

interface Given extends Partial<Omit<Asked, 'table' | 'machineOf'>> {
  annotations?: Record<string, string>;
  /** What this tick decided; absent: the Wukong is ruled, and nothing is decided. */
  decision?: object;
  facts?: object;
  schedules?: object[];
  /** No schedule has a say in it. */
  unruled?: boolean;
  machine?: typeof on;
  now?: number;
  before?: Member;
}
/** A VM in the run of a stop at 20:00, seen a minute later. */
function member({ annotations = {}, machine = on, now = t0 + 60 * s, before, ...given }: Given): Member {
  const { decision, facts, schedules = [], unruled, ...asked } = given;
  const wukong = { metadata: { namespace: 'dev', name: 'web', uid: 'w', annotations } } as unknown as Wukong;
  const rule = { schedules, decision, ...(facts ? { facts: { name: 'dev/web', createdAt: 0, ...facts } } : {}) };
  const ruled = new Map(unruled ? [] : [[wukong, rule as unknown as Ruled]]);
  const table = { at: now, selecting: [], ruled };
  const all = { requestId: id, action: 'stop', at: t0, open: true, handled: false, ...asked } as const;
  return memberFor(wukong, { ...all, table, machineOf: () => machine }, before);
}
const acting = (more: object = {}) => ({ do: 'stop', boundary, ...more });
const stale: Member = { outcome: 'Skipped', reason: 'Stale' };
/** An operation that was asked for and done. */
const last = (requestedAt: number, more: object = {}) => ({
  [lastKey]: write({
    ...{ requestId: 'other', action: 'stop', outcome: 'Stopped', message: '', trigger: 'direct' },
    ...{ requestedAt, startedAt: requestedAt, finishedAt: requestedAt, ...more },
  } as never),
});

describe('a VM of a boundary that may still begin', () => {
  it.each<[string, Given, Member]>([
    ['nothing is decided yet', {}, pending],
    ['it was through with, and nothing is decided', { handled: true }, stale],
    ['no schedule has a say', { unruled: true }, stale],
    [
      'it is skipped',
      { decision: { do: 'skip', reason: 'Protected', boundary } },
      { outcome: 'Skipped', reason: 'Protected' },
    ],
    [
      'what its schedule wants now of that instant is skipped',
      { decision: { do: 'skip', reason: 'Override', boundary: { ...boundary, action: 'start' } } },
      { outcome: 'Skipped', reason: 'Override' },
    ],
    ['another is skipped', { decision: { do: 'skip', reason: 'Protected', boundary: elsewhere } }, stale],
    ['it is to be stopped', { decision: acting() }, pending],
    ['it is to be stopped, and off', { decision: acting(), machine: off }, { outcome: 'AlreadyOff' }],
    ['it is to be stopped in its wave', { decision: { do: 'nothing', because: '', then: acting() } }, pending],
    [
      'it is off before its wave',
      { decision: { do: 'nothing', because: '', until: t0 + 600 * s, then: acting() }, machine: off },
      { outcome: 'AlreadyOff' },
    ],
    ['another boundary is done', { decision: acting({ boundary: elsewhere }) }, stale],
    [
      'another boundary waits for its wave',
      { decision: { do: 'nothing', because: '', until: t0 + 600 * s, then: acting({ boundary: elsewhere }) } },
      stale,
    ],
    ['one of the same instant is done', { decision: acting({ boundary: { ...elsewhere, at: t0 } }) }, pending],
    [
      'a start of the same instant is done',
      { decision: acting({ do: 'start', boundary: { ...elsewhere, at: t0, action: 'start' } }) },
      stale,
    ],
    ['its state is enforced', { decision: acting({ enforced: true }) }, stale],
    ['it is resumed after an override', { decision: acting({ resumed: true }) }, stale],
    ['it is frozen', { decision: { do: 'nothing', because: '', until: t0 + 600 * s } }, pending],
    ['nothing is to be done', { decision: { do: 'nothing', because: '' } }, stale],
    [
      'it is frozen, and was through with',
      { decision: { do: 'nothing', because: '', until: t0 + 600 * s }, facts: { lastHandled: t0 } },
      stale,
    ],
    [
      'it is frozen, and the one before was through with',
      { decision: { do: 'nothing', because: '', until: t0 + 600 * s }, facts: { lastHandled: t0 - 1 } },
      pending,
    ],
    [
      'it is frozen, and none was ever through with',
      { decision: { do: 'nothing', because: '', until: t0 + 600 * s }, facts: {} },
      pending,
    ],
    ['it may begin no more', { open: false, decision: acting() }, stale],
  ])('where %s', (_what, given, expected) => expect(member(given)).toEqual(expected));

  it('and is off for as long as its operation goes on is not done with it', () => {
    const annotations = { [operationKey]: write(operation({ requestedAt: t0 - s })) };
    expect(member({ annotations, decision: acting(), machine: off })).toEqual(pending);
  });

  it('is up where it was to be started', () => {
    const start = { ...boundary, action: 'start' };
    const given = { action: 'start', decision: { do: 'start', boundary: start } } as const;
    expect(member(given)).toEqual({ outcome: 'AlreadyOn' });
    expect(member({ ...given, machine: off })).toEqual(pending);
    expect(member({ action: 'start', open: false })).toEqual({ outcome: 'AlreadyOn' });
  });
});

describe('a VM of which the run said something before', () => {
  const settled = { open: false };
  it.each<[Member, Member]>([
    [{ outcome: 'AlreadyOff' }, { outcome: 'AlreadyOff' }],
    [{ outcome: 'AlreadyOn' }, { outcome: 'AlreadyOn' }],
    [
      { outcome: 'Skipped', reason: 'Override' },
      { outcome: 'Skipped', reason: 'Override' },
    ],
    [{ outcome: 'Stopped', startedAt: t0 }, stale],
    [{ outcome: 'Failed', reason: 'Stuck' }, stale],
    [pending, stale],
    [{ outcome: 'InProgress' }, stale],
  ])('%j is taken as it was only where it leaves no sign', (before, expected) =>
    expect(member({ ...settled, before })).toEqual(expected),
  );

  it('is taken as it was where the Wukong knows of the request, and pending never', () => {
    const annotations = last(t0 - s, { earlier: [id] });
    const stopped: Member = { outcome: 'Stopped', startedAt: t0, finishedAt: t0 + s };
    expect(member({ ...settled, annotations, before: stopped })).toEqual(stopped);
    expect(member({ ...settled, annotations, before: pending })).toEqual({ outcome: 'Stopped' });
    expect(member({ ...settled, annotations })).toEqual({ outcome: 'Stopped' });
    expect(member({ ...settled, action: 'start', annotations, machine: off })).toEqual({ outcome: 'Started' });
  });

  it('is as this tick decides it', () =>
    expect(member({ decision: acting(), before: { outcome: 'AlreadyOff' } })).toEqual(pending));
});

describe('a VM of which nothing is said', () => {
  const settled = { open: false };
  const memory = (more: object) => ({ [memoryKey]: JSON.stringify(more) });
  const override: Member = { outcome: 'Skipped', reason: 'Override' };

  it.each<[string, Given, Member]>([
    ['it was withheld then', { annotations: memory({ withheld: '2026-11-23T20:00:00Z' }) }, override],
    ['it was skipped then', { annotations: memory({ skipped: '2026-11-23T20:00:00Z' }) }, override],
    ['another was skipped', { annotations: memory({ skipped: '2026-11-22T20:00:00Z' }) }, stale],
    ['the same was wished since', { annotations: last(t0) }, { outcome: 'AlreadyOff' }],
    [
      'the same was wished since, and forced',
      { annotations: last(t0, { outcome: 'ForcedOff', forceReason: 'Requested' }) },
      { outcome: 'AlreadyOff' },
    ],
    [
      'the same was wished since, by a start',
      { action: 'start', machine: off, annotations: last(t0, { action: 'start', outcome: 'Started' }) },
      { outcome: 'AlreadyOn' },
    ],
    [
      'the same was wished since, and nobody knows what it came to',
      {
        annotations: {
          [settledKey]: write({ requestId: 'other', action: 'stop', outcome: 'Stopped', requestedAt: t0 } as never),
        },
      },
      { outcome: 'AlreadyOff' },
    ],
    [
      'the same was wished since, and failed',
      { annotations: last(t0, { outcome: 'Failed', reason: 'Stuck', message: 'no' }) },
      { outcome: 'Failed', reason: 'Stuck', message: 'no', startedAt: t0, finishedAt: t0 },
    ],
    [
      'the same was wished since, and is under way',
      { annotations: { [operationKey]: write(operation({ action: 'stop', requestId: 'other', requestedAt: t0 })) } },
      { outcome: 'InProgress', startedAt: t0 },
    ],
    ['the opposite was wished since', { annotations: last(t0, { action: 'start' }) }, { outcome: 'Superseded' }],
    ['the opposite was wished before', { annotations: last(t0 - s, { action: 'start' }) }, stale],
    ['it is off', { machine: off }, { outcome: 'AlreadyOff' }],
    ['it is on, and there is time', { waitsUntil: t0 + 60 * s + 1 }, pending],
    ['it is on, and there is none', { waitsUntil: t0 + 60 * s }, stale],
    [
      'it is protected',
      { facts: { wukongAnnotations: { 'lifecycle.novasphere.dev/protected': 'true' } } },
      { outcome: 'Skipped', reason: 'Protected' },
    ],
    ['it is not protected', { facts: {} }, stale],
  ])('where %s', (_what, given, expected) => expect(member({ ...settled, ...given })).toEqual(expected));

  it('is protected from stops only', () => {
    const facts = { wukongAnnotations: { 'lifecycle.novasphere.dev/protected': 'true' } };
    expect(member({ ...settled, action: 'start', facts, machine: off })).toEqual(stale);
  });

  describe('where a start meets its stop', () => {
    const start = schedule({ start: '0 20 * * *', stop: '0 6 * * *', timeZone: 'UTC' }, 'nights');
    const earlier = schedule({ start: '30 19 * * *', stop: '0 6 * * *', timeZone: 'UTC' }, 'earlier');
    it.each<[string, object[], Member]>([
      ['is superseded', [start], { outcome: 'Superseded' }],
      ['is superseded by one of several', [office, start], { outcome: 'Superseded' }],
      ['is not where that schedule is suspended', [{ ...start, suspended: true }], stale],
      ['is not by a start of another time', [earlier], stale],
      ['is not by a schedule that never comes', [never()], stale],
      ['is not by a stop of the same time', [office], stale],
    ])('%s', (_what, schedules, expected) => expect(member({ ...settled, schedules })).toEqual(expected));

    it('is no matter to a start', () =>
      expect(member({ ...settled, action: 'start', schedules: [start], machine: off })).toEqual(stale));
  });
});
