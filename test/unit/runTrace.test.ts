import { describe, expect, it } from 'vitest';

import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, settledKey, skippedKey, write } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { memberOf, mentions, remembers, traceOf, wishAfter } from '../../shared/domain/runTrace.ts';
import { operation, s, t0 } from './machines.ts';

const other = (requestId: string) => ({ requestId, action: 'start' as const, trigger: 'cli', startedAt: t0 });
interface Given {
  op?: object;
  last?: object;
  settled?: object;
  skipped?: object[];
  state?: LifecycleState;
}
const { deadline: _d, ...asked } = operation({});
const wukong = ({ op, last, settled, skipped, state }: Given): Wukong =>
  ({
    metadata: {
      ...{ namespace: 'team-a', name: 'web', uid: 'w' },
      annotations: {
        ...(op ? { [operationKey]: write(operation({ requestId: 'op', startedAt: t0 + s, ...op })) } : {}),
        ...(last
          ? {
              [lastKey]: write({
                ...asked,
                requestId: 'last',
                outcome: 'Stopped',
                message: '',
                finishedAt: t0 + 9 * s,
                ...last,
              } as never),
            }
          : {}),
        ...(settled
          ? {
              [settledKey]: write({
                requestId: 'settled',
                action: 'stop',
                outcome: 'AlreadyOff',
                requestedAt: t0,
                earlier: [],
                ...settled,
              } as never),
            }
          : {}),
        ...(skipped ? { [skippedKey]: JSON.stringify(skipped) } : {}),
      },
    },
    ...(state ? { status: { lifecycleState: state } } : {}),
  }) as unknown as Wukong;
const trace = (given: Given, requestId = 'r') => traceOf(wukong(given), requestId);
const stopped = { outcome: 'Stopped', startedAt: t0, finishedAt: t0 + 9 * s };

describe('what an outcome is in a run', () => {
  const member = (more: object) =>
    memberOf({ namespace: 'a', name: 'web', message: 'm', startedAt: 1, finishedAt: 2, ...more } as unknown as Outcome);

  it.each<[object, object]>([
    [{ outcome: 'Started' }, { startedAt: 1, finishedAt: 2 }],
    [{ outcome: 'Stopped' }, { startedAt: 1, finishedAt: 2 }],
    [
      { outcome: 'Stopped', observed: false },
      { observed: false, startedAt: 1, finishedAt: 2 },
    ],
    [
      { outcome: 'ForcedOff', forceReason: 'Requested' },
      { reason: 'Requested', startedAt: 1, finishedAt: 2 },
    ],
    [
      { outcome: 'Failed', reason: 'Stuck' },
      { reason: 'Stuck', message: 'm', startedAt: 1, finishedAt: 2 },
    ],
    [{ outcome: 'Skipped', reason: 'Protected' }, { reason: 'Protected' }],
    [{ outcome: 'InProgress' }, { startedAt: 1 }],
    [{ outcome: 'AlreadyOn' }, {}],
    [{ outcome: 'Superseded' }, {}],
  ])('%j', (outcome, rest) =>
    expect(member(outcome)).toStrictEqual({ outcome: (outcome as Outcome).outcome, ...rest }),
  );
});

describe('what a VM shows of a request', () => {
  it('is nothing, mostly', () => {
    expect([trace({}), traceOf({ metadata: { name: 'web' } }, 'r')]).toEqual([undefined, undefined]);
    expect(trace({ op: {}, last: {}, settled: {}, skipped: [], state: { requestId: 'x' } })).toBeUndefined();
    expect(mentions({ metadata: { name: 'web' }, status: {} }, 'r')).toBe(false);
    expect(mentions(wukong({ op: { requestId: 'rr' } }), 'r')).toBe(false);
  });

  it.each<Given>([
    { op: { requestId: 'r' } },
    { last: { requestId: 'r' } },
    { settled: { requestId: 'r' } },
    { skipped: [{ requestId: 'r', reason: 'Protected' }] },
    { state: { requestId: 'r' } },
  ])('is known at a glance: %j', (given) => {
    expect([mentions(wukong(given), 'r'), mentions(wukong(given), 'zz')]).toEqual([true, false]);
  });

  it('is found whatever its id is made of', () => {
    for (const id of ['say "x"', 'a\\b', 'ü/猴'])
      expect([trace({ op: { requestId: id } }, id), remembers(wukong({ last: { earlier: [id] } }), id)]).toMatchObject([
        { outcome: 'InProgress' },
        true,
      ]);
  });

  it.each<[string, Given]>([
    ['it is carried out', { op: { requestId: 'r' } }],
    ['it sharpened what is', { op: { sharpenedBy: [other('q'), other('r')] } }],
    ['it joined what is', { op: {}, settled: { joined: { to: 'op', requests: [other('q'), other('r')] } } }],
  ])('is that it goes on, where %s', (_, given) =>
    expect(trace(given)).toEqual({ outcome: 'InProgress', startedAt: t0 + s }),
  );

  it.each<[string, Given]>([
    ['what goes on', { op: { supersedes: [other('q'), other('r')] } }],
    ['what was done', { last: { superseded: [other('q'), other('r')] } }],
    [
      'what came later',
      {
        skipped: [
          { requestId: 'q', reason: 'Protected' },
          { requestId: 'r', reason: 'Superseded' },
        ],
      },
    ],
  ])('is that it was superseded by %s', (_, given) => expect(trace(given)).toStrictEqual({ outcome: 'Superseded' }));

  it.each<[string, Given]>([
    ['it was done', { last: { requestId: 'r' } }],
    ['it sharpened what was done', { last: { sharpenedBy: [other('q'), other('r')] } }],
    ['it joined what was done', { last: {}, settled: { joined: { to: 'last', requests: [other('q'), other('r')] } } }],
  ])('is how it ended, where %s', (_, given) => expect(trace(given)).toEqual(stopped));

  it('is no end of an operation that it joined before', () => {
    expect(trace({ last: {}, settled: { joined: { to: 'before', requests: [other('r')] } } })).toBeUndefined();
    expect(trace({ settled: { joined: { to: 'last', requests: [other('r')] } } })).toBeUndefined();
    const state = { requestId: 'r', outcome: 'Stopped' };
    expect(trace({ state, last: {}, settled: { joined: { to: 'last', requests: [other('q')] } } })).toBeUndefined();
  });

  it('is that it was so already', () => {
    expect(trace({ settled: { requestId: 'r' } })).toStrictEqual({ outcome: 'AlreadyOff' });
    expect(trace({ settled: { requestId: 'r', outcome: 'AlreadyOn' } })).toStrictEqual({ outcome: 'AlreadyOn' });
    expect(trace({ settled: { requestId: 'r', outcome: 'Skipped' } })).toBeUndefined();
    expect(trace({ settled: { earlier: ['r'] } })).toBeUndefined();
  });

  it('is why it was skipped', () => {
    const skipped = [
      { requestId: 'q', reason: 'Superseded' },
      { requestId: 'r', reason: 'Protected' },
    ];
    expect(trace({ skipped })).toStrictEqual({ outcome: 'Skipped', reason: 'Protected' });
    expect(trace({ skipped: [{ requestId: 'rr', reason: 'Protected' }] })).toBeUndefined();
    expect(trace({ skipped: [...skipped, { requestId: 'r', reason: 'Superseded' }] })?.outcome).toBe('Skipped');
  });

  it('is that it failed before anything was claimed', () => {
    const times = { startedAt: '2026-11-23T20:00:00Z', finishedAt: '2026-11-23T20:00:09Z' };
    const failed = { requestId: 'r', outcome: 'Failed', reason: 'Denied', message: 'm' };
    expect(trace({ state: { ...failed, ...times } })).toStrictEqual({
      ...{ outcome: 'Failed', reason: 'Denied', message: 'm', startedAt: t0, finishedAt: t0 + 9 * s },
    });
    expect(trace({ state: failed })).toMatchObject({ outcome: 'Failed', startedAt: undefined, finishedAt: undefined });
    expect(trace({ state: { ...failed, outcome: 'Stopped' } })).toBeUndefined();
    expect(trace({ state: { ...failed, requestId: 'q' }, last: { requestId: 'rr' } })).toBeUndefined();
  });
});

it.each<[Given, boolean]>([
  [{ last: { earlier: ['q', 'r'] } }, true],
  [{ settled: { earlier: ['r'] } }, true],
  [{ last: { requestId: 'r' } }, false],
  [{ last: { earlier: ['rr'] } }, false],
  [{}, false],
])('what came before is remembered by its id: %j %s', (given, expected) =>
  expect(remembers(wukong(given), 'r')).toBe(expected),
);

it('the newest wish since an instant is that of what goes on, was done, or was so', () => {
  const start = { action: 'start', requestedAt: t0 + 2 * s };
  const stop = { action: 'stop', requestedAt: t0 + s };
  expect(wishAfter(wukong({ op: start, last: stop }), t0)?.action).toBe('start');
  expect(wishAfter(wukong({ op: stop, last: start }), t0)?.action).toBe('start');
  expect(wishAfter(wukong({ op: stop, settled: start }), t0)?.action).toBe('start');
  expect(wishAfter(wukong({ last: stop }), t0 + s)?.action).toBe('stop');
  expect([wishAfter(wukong({ last: stop }), t0 + s + 1), wishAfter(wukong({}), 0)]).toEqual([undefined, undefined]);
});
