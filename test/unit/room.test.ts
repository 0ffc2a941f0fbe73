import { expect, it } from 'vitest';

import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationKey, write } from '../../shared/domain/operation.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import { roomless, roomMessage, tellRoom } from '../../shared/reconcile/room.ts';
import { worldOf } from './asked.ts';
import { machineOf, operation, t0 } from './machines.ts';

const ended = {
  outcome: 'Failed',
  reason: 'Unschedulable',
  message: '0/1 nodes are available',
  finishedAt: t0 + 9_000,
};
const { deadline: _d, ...asked } = operation({ action: 'start', requestId: 'r' });
const wukongOf = (more: object = {}, annotations: object = {}) =>
  ({
    metadata: {
      ...{ namespace: 'team-a', name: 'web', uid: 'w' },
      annotations: { [lastKey]: write({ ...asked, ...ended, ...more } as never), ...annotations },
    },
  }) as unknown as Wukong;
const waiting = machineOf({}, { phase: 'Scheduling', ready: 'False' });
const gone = machineOf({}, null);
const up = (readySince?: number) => machineOf({}, readySince === undefined ? {} : { readySince });

it.each<[string, Wukong]>([
  ['that stopped', wukongOf({ action: 'stop' })],
  ['that came up', wukongOf({ outcome: 'Started' })],
  ['that failed for another reason', wukongOf({ reason: 'Stuck' })],
  ['of which a newer operation goes on', wukongOf({}, { [operationKey]: write(operation({})) })],
  ['that was never asked for anything', { metadata: { name: 'web' } } as Wukong],
])('a VM %s waits for no room', async (_, wukong) => {
  expect(roomless(wukong)).toBeUndefined();
  for (const machine of [up(), waiting]) expect(roomMessage(wukong, machine)).toBeUndefined();
  const { world, asked } = worldOf(t0);
  await tellRoom(world, wukong, up(), {});
  expect(asked).toEqual([]);
});

it.each<[string, Machine, string | undefined]>([
  ['waits', waiting, 'Waiting for room since 2026-11-23T20:00:00Z: 0/1 nodes are available'],
  ['is up', up(), 'Waited for room since 2026-11-23T20:00:00Z; up.'],
  ['is up since a time', up(t0 + 60_000), 'Waited for room since 2026-11-23T20:00:00Z; up since 2026-11-23T20:01:00Z.'],
  ['has no guest any more', gone, undefined],
  ['has one that ended', machineOf({}, { phase: 'Failed', ready: 'False' }), undefined],
])('a VM that found no room and %s says so', (_, machine, expected) =>
  expect(roomMessage(wukongOf(), machine)).toBe(expected),
);

it('is told as an Event when it is up, once for its request, and not before', async () => {
  const { world, asked, within } = worldOf(t0, [201]);
  const limits = { deadline: t0 + 5_000 };
  for (const machine of [waiting, gone]) await tellRoom(world, wukongOf(), machine, limits);
  expect(asked).toEqual([]);
  await tellRoom(world, wukongOf(), up(), limits);
  expect(within).toEqual([limits]);
  expect(asked).toMatchObject([
    { method: 'POST', body: { type: 'Normal', reason: 'FoundRoom', message: roomMessage(wukongOf(), up()) } },
  ]);
  const nameOf = (one: { body?: unknown } | undefined) => (one?.body as { metadata: { name: string } }).metadata.name;
  const again = worldOf(t0, [201], [201]);
  await tellRoom(again.world, wukongOf(), up(), limits);
  await tellRoom(again.world, wukongOf({ requestId: 's' }), up(), limits);
  expect([nameOf(again.asked[0]), nameOf(again.asked[1])]).toEqual([
    nameOf(asked[0]),
    expect.not.stringMatching(nameOf(asked[0])),
  ]);
  const [holder, other] = [...asked, ...again.asked].map(
    (one) => (one.body as { reportingInstance: string }).reportingInstance,
  );
  expect(holder).toMatch(/./);
  expect(other).toMatch(/./);
});
