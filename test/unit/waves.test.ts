import { describe, expect, it } from 'vitest';

import { lastAfter } from '../../shared/domain/earlier.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, write } from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { knownWaves, rankOf, turnsOf, waveKey } from '../../shared/schedule/wave.ts';
import { operation, s, t0 } from './machines.ts';

/** Seconds since the boundary. Without `ended` it is under way. */
interface Work {
  asked?: number;
  begun: number;
  ended?: number;
}

function vm(name: string, wave: number, work?: Work): Wukong {
  const annotations: Record<string, string> = { [waveKey]: String(wave) };
  if (work) {
    const { asked = 0, begun, ended } = work;
    const op = operation({ requestedAt: t0 + asked * s, startedAt: t0 + begun * s });
    const place = { namespace: 'dev', name, action: 'stop', requestId: 'request', trigger: 'direct' } as const;
    const stopped = { outcome: 'Stopped', message: 'off', forced: false, startedAt: op.startedAt } as const;
    if (ended === undefined) annotations[operationKey] = write(op);
    else annotations[lastKey] = write(lastAfter(op, { ...place, ...stopped, finishedAt: t0 + ended * s }));
  }
  return { metadata: { namespace: 'dev', name, annotations } };
}

describe('the place of a wave in the order', () => {
  it.each<[Action, number, number]>([
    ['start', 3, 3],
    ['start', -3, -3],
    ['start', 0, 0],
    ['stop', 3, -3],
    ['stop', -3, 3],
    ['stop', 0, 0],
  ])('of a %s is for wave %d: %d', (action, wave, rank) => expect(rankOf(vm('web', wave), action)).toBe(rank));
});

describe('the turn of a VM at a boundary', () => {
  const turns = (action: Action, vms: Wukong[]) =>
    turnsOf(vms, { at: t0, action }, t0 + 100 * s).map(([{ metadata }, at]) => `${metadata.name} ${(at - t0) / s}`);
  it.each<[string, Action, Wukong[], string[]]>([
    ['is the boundary, where nothing was done yet', 'start', [vm('db', 1), vm('web', 2)], ['db 0', 'web 0']],
    [
      'comes when the last VM of the waves before had ended',
      'start',
      [vm('web', 2), vm('db', 1, { begun: 1, ended: 30 }), vm('cache', 1, { begun: 1, ended: 20 })],
      ['db 30', 'cache 30', 'web 30'],
    ],
    [
      'is not earlier than that of the wave before',
      'start',
      [vm('db', 1, { begun: 1, ended: 30 }), vm('web', 2, { begun: 2, ended: 25 })],
      ['db 30', 'web 30'],
    ],
    [
      'has not come while a VM before it is under way',
      'stop',
      [vm('db', 1), vm('web', 2, { begun: 5 })],
      ['web 100', 'db 100'],
    ],
    [
      'does not wait for what was asked for at another time',
      'start',
      [vm('db', 1, { asked: -1, begun: 1, ended: 30 }), vm('log', 1, { asked: 1, begun: 1, ended: 31 }), vm('web', 2)],
      ['db 0', 'log 0', 'web 0'],
    ],
  ])('%s', (_, action, vms, expected) => expect(turns(action, vms)).toEqual(expected));
});

describe('what earlier ticks have left of the waves of a boundary', () => {
  const delayed = { waves: { delayMs: 10 * s } };
  /** By rank: when the wave fell due, and when its first VM was begun, in seconds. */
  const known = (action: Action, vms: Wukong[], open: string[]) =>
    [...knownWaves(vms, { at: t0, action, schedule: delayed }, ({ metadata }) => open.includes(metadata.name))].map(
      ([rank, times]) => [rank, Object.fromEntries(Object.entries(times).map(([key, at]) => [key, (at - t0) / s]))],
    );
  it.each<[string, Action, Wukong[], string[], unknown[]]>([
    [
      'is nothing of who waits for a wave that is to be done',
      'start',
      [vm('db', 1), vm('web', 2), vm('mail', 3)],
      ['db', 'web'],
      [
        [1, { dueAt: 0 }],
        [2, {}],
        [3, {}],
      ],
    ],
    [
      'is that a wave in which nothing is to be done lets the next one go after the pause',
      'start',
      [vm('db', 1), vm('web', 2)],
      ['web'],
      [
        [1, { dueAt: 0 }],
        [2, { dueAt: 10 }],
      ],
    ],
    [
      'is when the first VM was begun, and the pause after the last had ended',
      'stop',
      [vm('db', 1), vm('web', 2, { begun: 4, ended: 30 }), vm('api', 2, { begun: 3, ended: 25 })],
      ['db'],
      [
        [-2, { dueAt: 0, begunAt: 3 }],
        [-1, { dueAt: 40 }],
      ],
    ],
    [
      'is when a wave was begun of which one VM is still to be done',
      'start',
      [vm('db', 1, { begun: 2, ended: 9 }), vm('log', 1), vm('web', 2, { begun: 50 })],
      ['log', 'web'],
      [
        [1, { dueAt: 0, begunAt: 2 }],
        [2, { begunAt: 50 }],
      ],
    ],
    [
      'is nothing of what was asked for before the boundary, and all of what was asked for later',
      'start',
      [
        vm('db', 1, { asked: -1, begun: -1, ended: 20 }),
        vm('web', 2, { asked: 15, begun: 16, ended: 30 }),
        vm('mail', 3),
      ],
      ['mail'],
      [
        [1, { dueAt: 0 }],
        [2, { dueAt: 10, begunAt: 16 }],
        [3, { dueAt: 40 }],
      ],
    ],
  ])('%s', (_, action, vms, open, expected) => expect(known(action, vms, open)).toEqual(expected));
});
