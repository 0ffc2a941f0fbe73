import { describe, expect, it } from 'vitest';

import type { LifecycleState, Wukong } from '../../shared/domain/model.ts';
import { lastKey, type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { declaredId } from '../../shared/lifecycle/declared.ts';
import { statusFor, taskFor } from '../../shared/reconcile/reconcileWukong.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const on = machineOf();
const off = machineOf({ strategy: 'Halted' }, null);
const comingUp = machineOf({}, { phase: 'Scheduling', ready: 'False' });

interface Given {
  op?: Operation;
  last?: object;
  declared?: unknown;
  metadata?: object;
  state?: LifecycleState;
}
const wukongOf = ({ op, last, declared, metadata, state }: Given): Wukong =>
  ({
    metadata: {
      ...{ namespace: 'team-a', name: 'web', uid: 'w', generation: 3 },
      annotations: {
        ...(op ? { [operationKey]: write(op) } : {}),
        ...(last ? { [lastKey]: JSON.stringify(last) } : {}),
      },
      ...metadata,
    },
    ...(declared === undefined ? {} : { spec: { lifecycleAction: declared } }),
    ...(state ? { status: { lifecycleState: state } } : {}),
  }) as unknown as Wukong;
const task = (given: Given, machine: Machine = on, after = 60 * s, requireAgent = false) =>
  taskFor(wukongOf(given), machine, t0 + after, requireAgent);

describe('a VM that nobody wants anything of', () => {
  it('is left alone', () => expect(task({})).toEqual({ do: 'nothing', because: 'nothing is asked for' }));

  it.each([null, undefined])('is left alone where its declared action is %j', (declared) =>
    expect(task({ declared })).toMatchObject({ do: 'nothing' }),
  );
});

describe('a VM whose operation has a record', () => {
  const start = operation({ action: 'start', waitSeconds: 9_000 });

  it('is waited for while there is nothing to do but wait', () =>
    expect(task({ op: start }, comingUp)).toEqual({
      ...{ do: 'nothing', because: 'start request is being waited for' },
      op: expect.objectContaining({ requestId: 'request' }) as Operation,
    }));

  it('goes on with its power call, or from where it is', () => {
    const claimed = operation({ vmiUid: 'one' });
    expect(task({ op: claimed })).toMatchObject({ do: 'resume', because: 'ask', begins: true });
    expect(task({ op: claimed }, off)).toMatchObject({ do: 'resume', because: 'end', begins: false, op: claimed });
    const again = { op: { ...start, restore: 'Manual' } };
    expect(task(again, off)).toMatchObject({ do: 'resume', because: 'strategy', begins: true });
  });

  it('that starts goes on by its own rules, the agent’s among them', () => {
    expect(task({ op: start })).toMatchObject({ do: 'resume', because: 'end' });
    expect(task({ op: start }, on, 60 * s, true)).toMatchObject({ do: 'nothing' });
    expect(task({ op: start }, off)).toMatchObject({ do: 'resume', begins: true });
  });

  it.each([
    [600 * s - 1, 1, 'nothing'],
    [600 * s, 1, 'nothing'],
    [660 * s - 1, 1, 'nothing'],
    [660 * s, 1, 'resume'],
    [720 * s - 1, 2, 'nothing'],
    [720 * s, 2, 'resume'],
    [600 * s - 1, 3, 'nothing'],
    [600 * s, 3, 'giveUp'],
    [600 * s, 4, 'giveUp'],
  ])('%i ms after it began, at attempt %i: %s', (after, attempts, expected) => {
    const op = { ...start, attempts };
    expect(task({ op }, comingUp, after)).toMatchObject({ do: expected, op });
  });

  it('says that its claim expired', () =>
    expect(task({ op: start }, comingUp, 660 * s)).toMatchObject({
      ...{ because: 'its claim expired', begins: false, op: { requestId: 'request' } },
    }));

  it('and is being deleted is started no more, and stopped as before', () => {
    const metadata = { deletionTimestamp: '2026-11-23T20:00:30Z' };
    expect(task({ op: start, metadata }, off)).toMatchObject({ do: 'giveUp', op: { action: 'start' } });
    expect(task({ op: start }, off)).toMatchObject({ do: 'resume' });
    expect(task({ op: operation({ vmiUid: 'one' }), metadata })).toMatchObject({ do: 'resume' });
  });

  it('hears another declared action before it has waited, and its own once', () => {
    const declared = { action: 'stop' };
    expect(task({ op: start, declared }, comingUp)).toEqual({ do: 'declared' });
    expect(task({ op: { ...start, declared }, declared }, comingUp)).toMatchObject({ do: 'nothing' });
    expect(task({ op: { ...start, declared: { action: 'start' } }, declared }, comingUp)).toEqual({ do: 'declared' });
    const requestId = declaredId(wukongOf({}));
    expect(task({ op: { ...start, requestId }, declared }, comingUp)).toMatchObject({ do: 'nothing' });
  });
});

it('a VM with a declared action and no operation has it begun', () =>
  expect(task({ declared: { action: 'stop' } })).toEqual({ do: 'declared' }));

describe('a VM whose last end nobody was told of', () => {
  const texts = { requestedAt: '2026-11-23T20:00:00Z', startedAt: '2026-11-23T20:00:00Z' };
  const last = {
    ...{ requestId: 'dead', action: 'stop', outcome: 'Stopped', message: 'off', trigger: 'direct', ...texts },
    finishedAt: '2026-11-23T20:01:00Z',
  };

  it('is told of, where the VM agrees at once, and before anything else', () => {
    const told = { do: 'reportAgain', last: { requestId: 'dead' } };
    expect(task({ last, declared: { action: 'start' } }, off, 60 * s)).toMatchObject(told);
  });

  it('is left for a minute where the VM denies it, as what was read may be older', () => {
    expect(task({ last }, on, 120 * s)).toMatchObject({ do: 'nothing' });
    expect(task({ last }, on, 120 * s + 1)).toMatchObject({ do: 'reportAgain', last: { requestId: 'dead' } });
  });

  it('is done with where the status shows it', () => {
    const state = { state: 'Stopped', requestId: 'dead', outcome: 'Stopped' } as LifecycleState;
    expect(task({ last, state }, off, 900 * s)).toMatchObject({ do: 'nothing' });
  });
});

describe('what the status says of a VM', () => {
  const next = { nextAction: 'start', nextActionTime: '2026-11-24T06:00:00Z' } as const;
  const of = (given: Given, machine = on) => statusFor(wukongOf(given), machine, next);
  const waited = {
    ...{ requestId: 'r', action: 'start', outcome: 'Failed', reason: 'Unschedulable', message: 'no node fits' },
    ...{ trigger: 'direct', requestedAt: '2026-11-23T20:00:00Z', startedAt: '2026-11-23T20:00:00Z' },
    finishedAt: '2026-11-23T20:05:00Z',
  };
  const shown = { state: 'Starting', outcome: 'Failed', requestId: 'r', message: 'old' } as LifecycleState;

  it('is what it is now, what comes next, and the last outcome as it was', () => {
    expect(of({})).toEqual({ state: 'Running', ...next });
    const state = { state: 'Running', outcome: 'Started', requestId: 'a', message: 'up' } as LifecycleState;
    expect(of({ state }, off)).toEqual({ ...state, state: 'Stopped', ...next });
  });

  it('is that it waits for room, or has found it, of the start that had none and of no other', () => {
    const starting = machineOf({}, { phase: 'Scheduling', ready: 'False' });
    expect(of({ last: waited, state: shown }, starting)).toMatchObject({
      message: 'Waiting for room since 2026-11-23T20:00:00Z: no node fits',
    });
    expect(of({ last: waited, state: shown }).message).toBe('Waited for room since 2026-11-23T20:00:00Z; up.');
    expect(of({ last: waited, state: { ...shown, requestId: 'newer' } }).message).toBe('old');
    const long = 'x'.repeat(4_001);
    expect(of({ last: { ...waited, message: long }, state: shown }, starting).message).toHaveLength(4_000);
  });
});
