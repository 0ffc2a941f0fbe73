import { describe, expect, it } from 'vitest';

import type { Cluster } from '../../shared/cluster/world.ts';
import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { lastAfter } from '../../shared/domain/earlier.ts';
import { adoptsKey, type Wukong } from '../../shared/domain/model.ts';
import { lastKey, leaseKey, type Operation, operationKey, write } from '../../shared/domain/operation.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import { advance, claim, endRecord, newHolder, newOperation } from '../../shared/lifecycle/claim.ts';
import { clusterOf } from './asked.ts';
import { deleting, machineOf, operation, s, t0 } from './machines.ts';

const wukong = (annotations?: Record<string, string>): Wukong => ({
  metadata: { namespace: 'team-a', name: 'web', resourceVersion: '7', annotations },
});
const path = '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs/web';
const recordAt = '/metadata/annotations/lifecycle.novasphere.dev~1operation';

const outcome: Outcome = {
  outcome: 'Stopped',
  message: 'off',
  namespace: 'team-a',
  name: 'web',
  action: 'stop',
  forced: false,
  requestId: 'request',
  trigger: 'direct',
  startedAt: t0,
  finishedAt: t0 + s,
};

describe('the record of an operation that begins', () => {
  const command = (action: Action, more: object = {}): Command =>
    parseCommand(
      { target: { namespace: 'team-a', name: 'web' }, ...more },
      { action, trigger: 'event', requestId: 'request', requestedAt: t0 - s },
    );
  const begin = (given: Command, machine = machineOf(), annotations = {}, extras = {}) =>
    newOperation(given, wukong(annotations), machine, { holder: 'me', now: t0, ...extras });

  it('has all that another process needs', () => {
    const given = command('stop', { gracePeriodSeconds: 10, deletePodWhenStuck: true, reason: 'r', requestedBy: 'b' });
    expect(begin(given, machineOf(), {}, { declared: 'Stop', attempts: 2 })).toEqual({
      requestId: 'request',
      holder: 'me',
      action: 'stop',
      step: 'Claimed',
      stepAt: t0,
      trigger: 'event',
      requestedAt: t0 - s,
      startedAt: t0,
      deadline: t0 + (240 + 10 + 15 + 120 + 60) * s,
      vmiUid: 'one',
      comebacks: 0,
      attempts: 2,
      restore: undefined,
      force: false,
      graceSeconds: 10,
      cappedFrom: undefined,
      deletePodWhenStuck: true,
      waitSeconds: 300,
      leaseSeconds: undefined,
      reason: 'r',
      requestedBy: 'b',
      declared: 'Stop',
      supersedes: [],
    });
    expect(begin(command('start', { waitSeconds: 9, leaseSeconds: 90 }), {})).toMatchObject({
      attempts: 1,
      deadline: t0 + (9 + 60) * s,
      waitSeconds: 9,
      leaseSeconds: 90,
    });
  });

  it.each<[string, object, Parameters<typeof machineOf>, object]>([
    [
      'the period that was asked for',
      { gracePeriodSeconds: 60 },
      [],
      { graceSeconds: 60, cappedFrom: undefined, deadline: t0 + 495 * s },
    ],
    [
      'no longer one than its pod allows',
      { gracePeriodSeconds: 61 },
      [],
      { graceSeconds: 60, cappedFrom: 61, deadline: t0 + 495 * s },
    ],
    [
      'any while it is going, as it will not be asked',
      { gracePeriodSeconds: 61 },
      [{}, deleting(0)],
      { graceSeconds: 61, cappedFrom: undefined },
    ],
    ['its own without a word', {}, [{}, { graceSeconds: 7 }], { graceSeconds: undefined, deadline: t0 + 442 * s }],
    ['30 s where nobody knows', {}, [{}, null], { deadline: t0 + 465 * s, vmiUid: undefined }],
    ['none when it is forced', { force: true }, [], { force: true, deadline: t0 + 435 * s }],
    ['none once it has ended', {}, [{}, { phase: 'Failed', graceSeconds: 7 }], { vmiUid: undefined }],
  ])('gives the guest %s', (_, more, machine, expected) => {
    expect(begin(command('stop', more), machineOf(...machine))).toMatchObject(expected);
  });

  const remembered = (restore: string) => ({ [lastKey]: write({ ...lastAfter(operation({ restore }), outcome) }) });
  const under = (restore: string) => ({ [operationKey]: write(operation({ restore })) });
  it.each<[string, Parameters<typeof machineOf>[0], Record<string, string>, string | undefined]>([
    ['the strategy that is replaced', { strategy: 'Manual' }, {}, 'Manual'],
    ['Once', { strategy: 'Once' }, {}, 'Once'],
    ['RerunOnFailure', { strategy: 'RerunOnFailure' }, remembered('Once'), 'RerunOnFailure'],
    ['none of Always', { strategy: 'Always' }, remembered('Once'), undefined],
    ['none of the legacy field', { strategy: 'Manual', field: 'running' }, {}, undefined],
    ['what the last operation left', { strategy: 'Halted' }, { ...remembered('Once'), ...under('Manual') }, 'Once'],
    ['what the one under way keeps', { strategy: 'Halted' }, under('Manual'), 'Manual'],
    ['none of a VM that is not there', null, remembered('Once'), undefined],
  ])('restores %s', (_, vm, annotations, expected) => {
    expect(begin(command('start'), machineOf(vm, null), annotations).restore).toBe(expected);
  });

  it('is of this very Wukong, and says what comes after it', () => {
    const own: Wukong = { metadata: { namespace: 'team-a', name: 'web', uid: 'w' } };
    const restart = newOperation(command('stop', { restart: true }), own, machineOf(), { holder: 'me', now: t0 });
    expect(restart).toMatchObject({ wukongUid: 'w', thenStart: true });
    expect(begin(command('stop'))).not.toHaveProperty('thenStart');
  });

  it('names the requests that it takes over from, ten at the most', () => {
    const old = (requestId: string) => ({ requestId, action: 'start' as const, trigger: 'http', startedAt: t0 - s });
    const supersedes = Array.from({ length: 10 }, (_, i) => old(`old-${i}`));
    const running = operation({ ...old('running'), supersedes });
    const over = (requestId: string) =>
      begin(command('stop'), machineOf(), { [operationKey]: write({ ...running, requestId }) }).supersedes;
    expect(over('running')).toEqual([old('running'), ...supersedes.slice(0, 9)]);
    expect(over('request')).toEqual([]);
  });

  it('has a holder unlike any other', () => {
    expect(newHolder({ random: () => 0.5 } as Cluster)).toBe('zik0zkzik0zkzik0zk');
    expect(newHolder({ random: () => 0.1 } as Cluster)).toBe('73plsp73plsp73plsp');
  });
});

describe('a claim', () => {
  const mine = operation({ holder: 'me' });
  const taken = (holder: string) => wukong({ [operationKey]: write(operation({ holder })) });

  it('writes record and intent together, on what was read', async () => {
    const { cluster, asked } = clusterOf(t0, [200, taken('me')]);
    expect((await claim(cluster, wukong(), mine, {}))?.metadata.name).toBe('web');
    const metadata = { resourceVersion: '7', annotations: { [operationKey]: write(mine) } };
    expect(asked).toEqual([
      { method: 'PATCH', path, body: { metadata, spec: { startStrategy: { autoStart: false } } } },
    ]);
  });

  it.each<[string, Partial<Operation>, Record<string, string> | undefined, object, boolean]>([
    [
      'of a start on demand leaves its lease',
      { action: 'start', leaseSeconds: 60 },
      undefined,
      { [leaseKey]: '2026-11-23T20:01:00.000Z' },
      true,
    ],
    [
      'of a start without one takes an older away',
      { action: 'start' },
      { [leaseKey]: 'x' },
      { [leaseKey]: null },
      true,
    ],
    ['of a stop takes it away', { leaseSeconds: 60 }, { [leaseKey]: 'x' }, { [leaseKey]: null }, false],
    ['of a stop without one says nothing of it', {}, {}, {}, false],
  ])('%s', async (_, more, has, lease, autoStart) => {
    const { cluster, asked } = clusterOf(t0, [200, taken('me')]);
    const op = operation({ holder: 'me', ...more });
    await claim(cluster, wukong(has), op, {});
    expect(asked[0]?.body).toEqual({
      metadata: { resourceVersion: '7', annotations: { [operationKey]: write(op), ...lease } },
      spec: { startStrategy: { autoStart } },
    });
  });

  it('writes what goes with it, and no intent where the Wukong was made for a VM', async () => {
    const made = wukong({ [adoptsKey]: 'web-vm' });
    const { cluster, asked } = clusterOf(t0, [200, made]);
    await claim(cluster, made, operation({}), {}, { beside: 'this' });
    expect(asked[0]?.body).toMatchObject({ metadata: { annotations: { beside: 'this' } } });
    expect(asked[0]?.body).not.toHaveProperty('spec');
  });

  it('that conflicts is ours if its answer was lost, and else another one', async () => {
    const ours = clusterOf(t0, [409], [200, taken('me')]);
    expect(await claim(ours.cluster, wukong(), mine, {})).toEqual(taken('me'));
    expect(ours.asked[1]).toEqual({ method: 'GET', path });
    expect(await claim(clusterOf(t0, [409], [200, taken('other')]).cluster, wukong(), mine, {})).toBeUndefined();
    expect(await claim(clusterOf(t0, [409], [200, wukong()]).cluster, wukong(), mine, {})).toBeUndefined();
  });

  it('that is denied says of what', async () => {
    await expect(claim(clusterOf(t0, [403]).cluster, wukong(), mine, {})).rejects.toThrow(
      'claim of stop on Wukong team-a/web: HTTP 403',
    );
  });
});

describe('a step', () => {
  const from = operation({});
  const to = operation({ step: 'Forced' });
  const steps = (before: string) => [
    { op: 'test', path: recordAt, value: before },
    { op: 'replace', path: recordAt, value: write(to) },
  ];

  it('replaces the record as it was read, and knows the new one', async () => {
    const stored = wukong({ [operationKey]: 'as it was' });
    const { cluster, asked } = clusterOf(t0, [200, wukong({ [operationKey]: write(to) })]);
    expect(await advance(cluster, stored, from, to, {})).toBe(to);
    expect(asked).toEqual([{ method: 'PATCH', path, body: steps('as it was') }]);
    expect(stored.metadata.annotations).toEqual({ [operationKey]: write(to) });
  });

  it('replaces the record that it knows where none was read', async () => {
    const { cluster, asked } = clusterOf(t0, [200, wukong({ [operationKey]: write(to) })]);
    await advance(cluster, wukong(), from, to, {});
    expect(asked[0]?.body).toEqual(steps(write(from)));
  });

  it('whose answer was lost is taken', async () => {
    const stored = wukong({ [operationKey]: write(from) });
    const { cluster } = clusterOf(t0, [422], [200, wukong({ [operationKey]: write(to) })]);
    expect(await advance(cluster, stored, from, to, {})).toBe(to);
    expect(stored.metadata.annotations).toEqual({ [operationKey]: write(to) });
  });

  it('of a record that is not ours any more is none', async () => {
    for (const now of [wukong({ [operationKey]: write(from) }), wukong()])
      expect(await advance(clusterOf(t0, [422], [200, now]).cluster, wukong(), from, to, {})).toBeUndefined();
  });

  it('that is denied says of what', async () => {
    await expect(advance(clusterOf(t0, [403]).cluster, wukong(), from, to, {})).rejects.toThrow(
      'record of a step: HTTP',
    );
  });
});

describe('the end', () => {
  const op = operation({ declared: 'Stop' });
  const last = write(lastAfter(op, outcome));
  const ended = wukong({ [lastKey]: last });
  const steps = (record: string) => [
    { op: 'test', path: recordAt, value: record },
    { op: 'remove', path: recordAt },
    { op: 'add', path: '/metadata/annotations/lifecycle.novasphere.dev~1last-operation', value: last },
  ];
  const removal = [
    { op: 'test', path: '/spec/lifecycleAction', value: 'Stop' },
    { op: 'remove', path: '/spec/lifecycleAction' },
  ];

  it('takes away the record and the action that was carried out', async () => {
    const { cluster, asked } = clusterOf(t0, [200, ended]);
    expect(await endRecord(cluster, wukong({ [operationKey]: 'as it was' }), op, outcome, {})).toBe(ended);
    expect(asked).toEqual([{ method: 'PATCH', path, body: [...removal, ...steps('as it was')] }]);
  });

  it('leaves an action that is another one by now', async () => {
    const { cluster, asked } = clusterOf(t0, [422], [200, ended]);
    expect(await endRecord(cluster, wukong(), op, outcome, {})).toBe(ended);
    expect(asked[1]?.body).toEqual(steps(write(op)));
  });

  it('leaves an action that it did not carry out, and asks no second time', async () => {
    const plain = operation({});
    const { cluster, asked } = clusterOf(t0, [422], [200, wukong()]);
    expect(await endRecord(cluster, wukong(), plain, outcome, {})).toBeUndefined();
    expect(asked.map(({ method }) => method)).toEqual(['PATCH', 'GET']);
    expect(asked[0]?.body).toHaveLength(3);
  });

  it('whose answer was lost is taken', async () => {
    expect(await endRecord(clusterOf(t0, [422], [422], [200, ended]).cluster, wukong(), op, outcome, {})).toEqual(
      ended,
    );
    const other = wukong({ [lastKey]: 'another' });
    expect(
      await endRecord(clusterOf(t0, [422], [422], [200, other]).cluster, wukong(), op, outcome, {}),
    ).toBeUndefined();
    expect(
      await endRecord(
        clusterOf(t0, [422], [422], [200, { metadata: { name: 'web' } }]).cluster,
        wukong(),
        op,
        outcome,
        {},
      ),
    ).toBeUndefined();
  });

  it('of a Wukong that was deleted, or that is denied, is told', async () => {
    for (const status of [404, 403])
      await expect(endRecord(clusterOf(t0, [status]).cluster, wukong(), op, outcome, {})).rejects.toThrow(
        `end of the record: HTTP ${status}`,
      );
  });
});
