import { describe, expect, it } from 'vitest';

import { isShown, lifecycleStateOf } from '../../shared/domain/lifecycleState.ts';
import { type LifecycleState, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { s, t0 } from './machines.ts';

const wukong = (lifecycleState?: unknown, more: object = {}): Wukong => ({
  metadata: { namespace: 'team-a', name: 'web' },
  status: { lifecycleState: lifecycleState as LifecycleState, ...more },
});
const whole = {
  state: 'Stopped',
  lastAction: 'stop',
  lastActionTime: '2026-11-23T20:00:00Z',
  outcome: 'ForcedOff',
  message: 'off',
  forced: true,
  forceReason: 'Requested',
  requestId: 'first',
  trigger: 'http',
  startedAt: '2026-11-23T20:00:00Z',
  finishedAt: '2026-11-23T20:00:04Z',
  nextAction: 'start',
  nextActionTime: '2026-11-24T08:00:00Z',
};

describe('the state in a status', () => {
  it('is read as we wrote it', () => {
    expect(lifecycleStateOf(wukong(whole))).toEqual(whole);
    const failed = { ...whole, outcome: 'Failed', reason: 'NotFound', observed: true };
    expect(lifecycleStateOf(wukong(failed))).toEqual(failed);
    const skipped = { ...whole, outcome: 'Skipped', reason: 'Protected', requestId: 'x', trigger: 'x'.repeat(1_024) };
    expect(lifecycleStateOf(wukong(skipped))).toEqual(skipped);
    const elsewhere = { ...whole, finishedAt: '2026-11-23T21:00:04+01:00' };
    expect(lifecycleStateOf(wukong(elsewhere))).toEqual(elsewhere);
    expect(lifecycleStateOf(wukong())).toBeUndefined();
    expect(lifecycleStateOf({ metadata: { name: 'web' } })).toBeUndefined();
  });

  it.each([
    ['state', 'Exploded'],
    ['lastAction', 'dance'],
    ['lastActionTime', 'yesterday'],
    ['reason', 'constructor'],
    ['message', 7],
    ['forced', 'yes'],
    ['forceReason', 'toString'],
    ['requestId', ''],
    ['requestId', 'x'.repeat(1_025)],
    ['trigger', {}],
    ['startedAt', 0],
    ['finishedAt', '2026-11-23'],
    ['nextAction', '__proto__'],
    ['nextActionTime', 'soon'],
  ])('has no %s where that says %j', (field, value) => {
    expect(lifecycleStateOf(wukong({ ...whole, [field]: value }))).toEqual({ ...whole, [field]: undefined });
  });

  it('says nothing of an outcome that nobody knows, and what is so all the same', () => {
    const { state, nextAction, nextActionTime } = whole;
    for (const outcome of ['It went well!', 'constructor', 7, null, undefined])
      expect(lifecycleStateOf(wukong({ ...whole, outcome }))).toEqual({ state, nextAction, nextActionTime });
  });

  it.each(['text', 7, null, [], ['Running']])('is empty, or none, where it is %j', (value) => {
    expect(lifecycleStateOf(wukong(value)) ?? {}).toEqual({});
  });

  it('has a message of 4000 characters at the most', () => {
    expect(lifecycleStateOf(wukong({ ...whole, message: 'x'.repeat(40_000) }))?.message).toHaveLength(4_000);
  });
});

describe('an end is shown by a status', () => {
  const last = { requestId: 'first', action: 'stop' as const, finishedAt: t0 + 4 * s + 700 };
  it.each<[string, object, boolean]>([
    ['that is its own', { outcome: 'Stopped', requestId: 'first', finishedAt: '2026-11-23T19:00:00Z' }, true],
    ['that still says InProgress', { outcome: 'InProgress', requestId: 'first' }, false],
    ['that says nothing of an outcome', { requestId: 'first' }, false],
    [
      'of another request that ended before it',
      { outcome: 'Started', requestId: 'x', finishedAt: '2026-11-23T20:00:03Z' },
      false,
    ],
    [
      'of another that was so already within the same second',
      { outcome: 'AlreadyOff', lastAction: 'stop', requestId: 'x', finishedAt: '2026-11-23T20:00:04Z' },
      true,
    ],
    [
      'of another that failed within the same second',
      { outcome: 'Failed', lastAction: 'start', requestId: 'x', finishedAt: '2026-11-23T20:00:04Z' },
      true,
    ],
    [
      'of another that was on already within the second in which this one switched it off',
      { outcome: 'AlreadyOn', lastAction: 'start', requestId: 'x', finishedAt: '2026-11-23T20:00:04Z' },
      false,
    ],
    [
      'of another that ended after it',
      { outcome: 'AlreadyOn', requestId: 'x', finishedAt: '2026-11-23T20:00:05Z' },
      true,
    ],
    ['of another that says no time', { outcome: 'AlreadyOn', requestId: 'x' }, false],
  ])('%s: %#', (_, state, shown) => {
    expect(isShown(wukong({ state: 'Stopped', ...state }), last)).toBe(shown);
  });
  it('by none where there is no status yet', () => {
    expect(isShown({ metadata: { name: 'web' } }, last)).toBe(false);
  });
});

describe('the name of the VM', () => {
  it.each<[unknown, string]>([
    [undefined, 'web-vm'],
    ['other-vm', 'other-vm'],
    ['db.prod', 'db.prod'],
    ['', 'web-vm'],
    ['../x', 'web-vm'],
    ['a/b', 'web-vm'],
    ['Web', 'web-vm'],
    ['-x', 'web-vm'],
    ['x'.repeat(254), 'web-vm'],
    [7, 'web-vm'],
  ])('is, where the status says %j, %s', (vmName, expected) => {
    expect(vmNameOf(wukong(undefined, { vmName }))).toBe(expected);
  });
});
