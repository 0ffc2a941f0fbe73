import { describe, expect, it } from 'vitest';

import type { Command } from '../../shared/domain/command.ts';
import { earlierOf, lastAfter, settledBy } from '../../shared/domain/earlier.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, lastOf, outcomeOf, settledKey, settledOf, write } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { operation, s, t0 } from './machines.ts';

const wukong = (annotations?: Record<string, string>): Wukong => ({
  metadata: { namespace: 'team-a', name: 'web', annotations },
});
const plain = { namespace: 'team-a', name: 'web', action: 'stop', requestId: 'request', trigger: 'direct' } as const;
const times = { startedAt: t0, finishedAt: t0 + s };
const stopped: Outcome = { outcome: 'Stopped', message: 'off', forced: false, ...plain, ...times };

describe('what stays of the requests before an end', () => {
  const request = (requestId: string, action: 'start' | 'stop' = 'start') => ({
    ...{ requestId, action, trigger: 'http', startedAt: t0 },
  });
  const before = lastAfter(operation({ requestId: 'first' }), stopped);

  it('is what each was for, newest first', () => {
    const sharpenedBy = [request('sharper', 'stop')];
    const middle = lastAfter(operation({ sharpenedBy, supersedes: [request('old')] }), stopped, before);
    expect(lastOf(wukong({ [lastKey]: write(middle) }))).toMatchObject({ sharpenedBy, earlier: ['first'] });
    expect(middle.earlierActions).toEqual(['stop']);
    const later = lastAfter(operation({ requestId: 'later', action: 'start' }), stopped, middle);
    expect(earlierOf(later)).toEqual([
      { requestId: 'request', action: 'stop' },
      { requestId: 'sharper', action: 'stop' },
      { requestId: 'old', action: 'start' },
      { requestId: 'first', action: 'stop' },
    ]);
  });

  it('is nothing for which of them an older version did not write', () => {
    const old = { earlier: ['a', 'b'], earlierActions: [null, 'stop' as const] };
    expect(earlierOf(old)).toStrictEqual([
      { requestId: 'a', action: undefined },
      { requestId: 'b', action: 'stop' },
    ]);
    expect(earlierOf({})).toEqual([]);
  });

  it('is no request that sharpened it where none did', () => expect(before).not.toHaveProperty('sharpenedBy'));
});

describe('what stays at a Wukong', () => {
  const command = { requestId: 'new', action: 'stop', requestedAt: t0 } as Command;
  const copied = (uid: string, annotations: Record<string, string>): Wukong => ({
    metadata: { namespace: 'team-a', name: 'web', uid, annotations },
  });

  it('is nothing of a Wukong that was copied with its annotations', () => {
    const last = write(lastAfter(operation({ wukongUid: 'one' }), stopped));
    const settled = write(settledBy(command, 'AlreadyOff', copied('one', {})));
    const of = (uid: string) => copied(uid, { [lastKey]: last, [settledKey]: settled });
    expect([lastOf(of('one'))?.requestId, settledOf(of('one'))?.requestId]).toEqual(['request', 'new']);
    expect([lastOf(of('two')), settledOf(of('two'))]).toEqual([undefined, undefined]);
  });

  it('names no Wukong whose uid nobody knows', () =>
    expect(settledBy(command, 'AlreadyOff', wukong())).not.toHaveProperty('wukongUid'));
});

it('an end that nobody saw is told again as one that nobody saw', () => {
  const unseen: Outcome = { ...stopped, observed: false };
  const last = lastOf(wukong({ [lastKey]: write(lastAfter(operation({}), unseen)) }));
  expect(outcomeOf(wukong(), last!)).toEqual(unseen);
});
