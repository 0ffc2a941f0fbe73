import { describe, expect, it } from 'vitest';

import type { Command } from '../../shared/domain/command.ts';
import { joinedTo, named, settledByJoining, settledBySharpening, supersededWith } from '../../shared/domain/joined.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { type Settled, settledKey, type SupersededRequest, write } from '../../shared/domain/operation.ts';
import { operation, t0 } from './machines.ts';

const request = (requestId: string): SupersededRequest => ({
  requestId,
  action: 'stop',
  trigger: 'direct',
  startedAt: t0,
});
const many = (letter: string, count: number) => Array.from({ length: count }, (_, i) => request(`${letter}${i}`));
const command = { action: 'stop', requestId: 'c', trigger: 'cli', requestedAt: t0 - 1_000 } as Command;

/** One whose operation `to` these have joined. */
function wukong(requests?: SupersededRequest[], to = 'request'): Wukong {
  const settled = {
    requestId: 's',
    action: 'stop',
    outcome: 'Skipped',
    requestedAt: t0,
    earlier: [],
    joined: { to, requests },
  };
  const annotations = requests ? { [settledKey]: write(settled as unknown as Settled) } : {};
  return { metadata: { namespace: 'team-a', name: 'web', uid: 'w', annotations } } as unknown as Wukong;
}
const op = operation({});

describe('the requests that joined an operation', () => {
  it('are those that the record names, of this very operation', () => {
    expect(joinedTo(wukong([request('a')]), op)).toEqual([request('a')]);
    expect([joinedTo(wukong([request('a')], 'other'), op), joinedTo(wukong(), op)]).toEqual([[], []]);
  });

  it('are remembered with one more, newest first, ten at the most', () => {
    const settled = settledByJoining(command, wukong([request('a')]), op, t0 + 5_000);
    const mine = { requestId: 'c', action: 'stop', trigger: 'cli', startedAt: t0 + 5_000 };
    expect(settled).toMatchObject({
      requestId: 'c',
      outcome: 'Skipped',
      joined: { to: 'request', requests: [mine, request('a')] },
    });
    expect(settled.joined?.requests[0]).toEqual(mine);
    const full = settledByJoining(command, wukong(many('a', 10)), op, t0).joined?.requests;
    expect(full?.map(({ requestId }) => requestId)).toEqual(['c', ...many('a', 9).map((one) => one.requestId)]);
  });

  it('are kept by one that asks for more, which the record itself names', () => {
    const settled = settledBySharpening(command, wukong([request('a')]), op);
    expect(settled).toMatchObject({ requestId: 'c', joined: { to: 'request', requests: [request('a')] } });
  });

  it('are superseded with the operation and all that are named in it, newest first, ten at the most', () => {
    const running = operation({ sharpenedBy: [request('s')], supersedes: many('o', 9) });
    const all = supersededWith(wukong([request('j')]), running);
    expect(all[0]).toEqual(named(running));
    expect(all.map(({ requestId }) => requestId)).toEqual([
      'request',
      's',
      'j',
      ...many('o', 7).map((one) => one.requestId),
    ]);
    expect(supersededWith(wukong(), op)).toEqual([named(op)]);
  });
});
