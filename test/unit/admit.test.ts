import { describe, expect, it } from 'vitest';

import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { adoptsKey, type Wukong } from '../../shared/domain/model.ts';
import {
  lastKey,
  leaseKey,
  type Operation,
  operationKey,
  settledKey,
  skippedKey,
  write,
} from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { admit, already, asDryRun, heldBack, intentHolds, knowsRequest } from '../../shared/lifecycle/plan.ts';
import { machineOf, operation, s, t0 } from './machines.ts';

const prefix = 'lifecycle.novasphere.dev/';
const rfc = (instant: number) => new Date(instant).toISOString();

const command = (action: Action, more: object = {}, at = t0, trigger = 'direct'): Command =>
  parseCommand(
    { target: { namespace: 'team-a', name: 'web' }, ...more },
    { action, trigger, requestId: 'request', requestedAt: at },
  );
const wukong = (annotations: Record<string, string> = {}, autoStart?: boolean): Wukong => ({
  metadata: { namespace: 'team-a', name: 'web', annotations },
  ...(autoStart === undefined ? {} : { spec: { startStrategy: { autoStart } } }),
});
const running = (more: Partial<Operation> = {}) => ({
  [operationKey]: write(operation({ requestId: 'other', holder: 'somebody', ...more })),
});
const done = (more: object = {}) => ({
  [lastKey]: write({
    requestId: 'other',
    action: 'stop',
    outcome: 'Stopped',
    message: '',
    trigger: 'direct',
    requestedAt: t0,
    startedAt: t0,
    finishedAt: t0,
    ...more,
  }),
});
const settled = (more: object = {}) => ({
  [settledKey]: write({
    requestId: 'other',
    action: 'stop',
    outcome: 'AlreadyOff',
    requestedAt: t0,
    earlier: [],
    ...more,
  }),
});
const old = (requestId: string, action = 'stop') => ({ requestId, action, trigger: 'direct', startedAt: t0 });
const skipped = (reason: string) => ({ kind: 'answer', result: { outcome: 'Skipped', reason } });
const refused = { kind: 'answer', result: { outcome: 'Failed', reason: 'Refused' } };
const superseded = {
  kind: 'answer',
  result: { outcome: 'Superseded', message: expect.stringContaining('newer') as string },
};
const go = { kind: 'perform' };

interface Case {
  name: string;
  command?: Command;
  has?: Record<string, string>;
  namespace?: Record<string, string>;
  /** Since the command was asked for. */
  after?: number;
  expected: object;
}
const table = (cases: Case[]) =>
  it.each(cases)('$name', ({ command: given = command('stop'), has = {}, namespace, after = 0, expected }) =>
    expect(admit(given, wukong(has), t0 + after, namespace)).toMatchObject(expected),
  );

describe('a command for a Wukong with nothing on it', () => {
  table([
    { name: 'is carried out', expected: go },
    {
      name: 'is carried out at its last instant',
      command: command('stop', { notAfter: rfc(t0 + s) }),
      after: s,
      expected: go,
    },
    {
      name: 'is stale after it',
      command: command('stop', { notAfter: rfc(t0 + s) }),
      after: s + 1,
      expected: skipped('Stale'),
    },
  ]);
});

describe('a request that comes again', () => {
  table([
    { name: 'was done', has: done({ requestId: 'request' }), expected: skipped('Duplicate') },
    {
      name: 'was done, and is not stale for that',
      command: command('stop', { notAfter: rfc(t0) }),
      has: done({ requestId: 'request' }),
      after: s,
      expected: skipped('Duplicate'),
    },
    { name: 'is being carried out', has: running({ requestId: 'request' }), expected: skipped('Duplicate') },
    {
      name: 'is carried out anew when its claim has expired',
      has: running({ requestId: 'request' }),
      after: 600 * s,
      expected: go,
    },
    {
      name: 'was done before what was done last',
      has: done({ earlier: ['x', 'request'] }),
      expected: skipped('Duplicate'),
    },
    {
      name: 'was skipped before, and would not be now',
      has: { [skippedKey]: JSON.stringify([{ requestId: 'request', reason: 'Override' }]) },
      expected: skipped('Override'),
    },
    {
      name: 'was superseded by what was done since',
      has: done({ superseded: [old('x'), old('request')] }),
      expected: skipped('Duplicate'),
    },
    ...[done, running].map((record) => ({
      name: `sharpened what ${record === done ? 'was done' : 'is being carried out'}`,
      has: record({ sharpenedBy: [old('x'), old('request')] } as never),
      expected: {
        result: { reason: 'Duplicate', message: expect.stringContaining('together with another') as string },
      },
    })),
    {
      name: 'is a restart whose second half was done',
      command: command('stop', { restart: true }),
      has: done({ requestId: 'request', action: 'start', outcome: 'Started' }),
      expected: skipped('Duplicate'),
    },
    {
      name: 'came too late for another action before',
      has: { [skippedKey]: JSON.stringify([{ requestId: 'request', reason: 'Superseded', action: 'start' }]) },
      expected: {
        ...refused,
        result: {
          ...refused.result,
          message: 'Request request was for start before, so it is not carried out; give stop an id of its own.',
        },
      },
    },
    {
      name: 'is being carried out, whatever it says of force',
      command: command('stop', { force: true }),
      has: running({ requestId: 'request' }),
      expected: skipped('Duplicate'),
    },
    {
      name: 'was superseded by what is being done, however new it claims to be',
      has: running({
        action: 'start',
        requestedAt: t0 - 1,
        supersedes: [{ requestId: 'request', action: 'stop', trigger: 'event', startedAt: t0 }],
      }),
      expected: skipped('Duplicate'),
    },
    {
      name: 'was superseded by what is being done',
      has: running({ supersedes: [{ requestId: 'request', action: 'stop', trigger: 'event', startedAt: t0 }] }),
      expected: skipped('Duplicate'),
    },
    {
      name: 'was for the other action, and superseded',
      has: done({ superseded: [old('request', 'start')] }),
      expected: refused,
    },
    {
      name: 'was for the other action, and done',
      has: done({ requestId: 'request', action: 'start' }),
      expected: refused,
    },
    {
      name: 'was for the other action, and done long ago',
      has: done({ earlier: ['x', 'request'], earlierActions: [null, 'start'] }),
      expected: refused,
    },
    {
      name: 'was for the other action, and so already',
      has: settled({ requestId: 'request', action: 'start' }),
      expected: refused,
    },
    {
      name: 'was for the other action, and skipped',
      has: { [skippedKey]: JSON.stringify([{ requestId: 'request', reason: 'Stale', action: 'start' }]) },
      expected: refused,
    },
    {
      name: 'was for the other action, which is being carried out',
      has: running({ requestId: 'request', action: 'start' }),
      expected: refused,
    },
    {
      name: 'was skipped, and is again for the same reason',
      has: {
        [skippedKey]: JSON.stringify([
          { requestId: 'x', reason: 'Stale' },
          { requestId: 'request', reason: 'Protected' },
        ]),
      },
      expected: skipped('Protected'),
    },
    {
      name: 'came too late for a newer one, and does so again',
      has: { [skippedKey]: JSON.stringify([{ requestId: 'request', reason: 'Superseded' }]) },
      expected: superseded,
    },
    {
      name: 'and another one that was skipped does not matter',
      has: { [skippedKey]: JSON.stringify([{ requestId: 'x', reason: 'Stale' }]) },
      expected: go,
    },
    { name: 'had found nothing to do', has: settled({ requestId: 'request' }), expected: skipped('Duplicate') },
    {
      name: 'had found nothing to do, before others',
      has: settled({ earlier: ['x', 'request'] }),
      expected: skipped('Duplicate'),
    },
  ]);
});

describe('of two wishes the newer one wins', () => {
  table([
    { name: 'against what was done', has: done({ action: 'start', requestedAt: t0 + 1 }), expected: superseded },
    {
      name: 'against what was so already',
      has: settled({ action: 'start', requestedAt: t0 + 1 }),
      expected: superseded,
    },
    {
      name: 'against the newer of both',
      has: { ...done({ requestedAt: t0 - s }), ...settled({ requestedAt: t0 + s }) },
      expected: superseded,
    },
    {
      name: 'also when it was done before the other was found so',
      has: { ...done({ requestedAt: t0 + s }), ...settled({ requestedAt: t0 - s }) },
      expected: superseded,
    },
    { name: 'and of two of one instant the later delivery', has: done({ action: 'start' }), expected: go },
    {
      name: 'against what is being done',
      has: running({ action: 'start', requestedAt: t0 + 1 }),
      expected: superseded,
    },
    {
      name: 'against what is being done, of two of one instant the later delivery',
      has: running({ action: 'start' }),
      expected: go,
    },
    {
      name: 'and an older force does not undo a newer stop’s patience',
      command: command('stop', { force: true }),
      has: running({ requestedAt: t0 + 1 }),
      expected: superseded,
    },
    {
      name: 'and an older one of the same is done with the newer',
      has: running({ requestedAt: t0 + 1 }),
      expected: skipped('Duplicate'),
    },
    { name: 'over what is being done', has: running({ action: 'start', requestedAt: t0 - 1 }), expected: go },
    {
      name: 'over what was being done and has expired',
      has: running({ action: 'start', requestedAt: t0 + 1 }),
      after: 600 * s,
      expected: go,
    },
    { name: 'and the same one is not done twice', has: running(), expected: skipped('Duplicate') },
    {
      name: 'but the newer of the same counts from now on',
      has: running({ requestedAt: t0 - 1 }),
      expected: { kind: 'joins', result: { outcome: 'Skipped', reason: 'Duplicate' } },
    },
    { name: 'but force is more than a stop', command: command('stop', { force: true }), has: running(), expected: go },
    {
      name: 'and force is not more than force',
      command: command('stop', { force: true }),
      has: running({ force: true }),
      expected: skipped('Duplicate'),
    },
  ]);
});

describe('who is left alone', () => {
  const hold = (key: string, until: number) => ({ [`${prefix}${key}`]: rfc(until) });
  table([
    { name: 'the protected', has: { [`${prefix}protected`]: 'true' }, expected: skipped('Protected') },
    { name: 'the protected namespace', namespace: { [`${prefix}protected`]: 'true' }, expected: skipped('Protected') },
    { name: 'but not from a start', command: command('start'), has: { [`${prefix}protected`]: 'true' }, expected: go },
    { name: 'what is to be kept running', has: hold('keep-running-until', t0 + s), expected: skipped('Override') },
    {
      name: 'and it says until when',
      has: hold('keep-running-until', t0 + s),
      expected: {
        result: {
          message:
            'The annotation lifecycle.novasphere.dev/keep-running-until on the Wukong holds until 2026-11-23T20:00:01Z.',
        },
      },
    },
    {
      name: 'what is to be kept running, from a schedule too',
      command: command('stop', {}, t0, 'schedule'),
      has: hold('keep-running-until', t0 + s),
      expected: skipped('Override'),
    },
    { name: 'until its time', has: hold('keep-running-until', t0 + s), after: s, expected: go },
    {
      name: 'what is to be kept stopped',
      command: command('start'),
      has: hold('keep-stopped-until', t0 + s),
      expected: skipped('Override'),
    },
    { name: 'not what is leased, from somebody who asks', has: { [leaseKey]: rfc(t0 + s) }, expected: go },
    {
      name: 'what is leased, from a schedule',
      command: command('stop', {}, t0, 'schedule'),
      has: { [leaseKey]: rfc(t0 + s) },
      expected: skipped('Override'),
    },
    {
      name: 'what is to be kept running under a longer lease',
      has: { ...hold('keep-running-until', t0 + s), [leaseKey]: rfc(t0 + 9 * s) },
      expected: skipped('Override'),
    },
    {
      name: 'what cannot be read',
      has: { [`${prefix}keep-running-until`]: 'friday' },
      expected: { result: { reason: 'Override', message: expect.stringContaining('until it is mended') as string } },
    },
  ]);
});

describe('what is so already', () => {
  const off = machineOf({ strategy: 'Halted' }, null);
  const on = machineOf();
  it.each([
    {
      name: 'off',
      given: command('stop'),
      machine: off,
      expected: { kind: 'already', result: { outcome: 'AlreadyOff' } },
    },
    { name: 'on', given: command('start'), machine: on, expected: { result: { outcome: 'AlreadyOn' } } },
    {
      name: 'off is no rest while something is carried out',
      given: command('stop'),
      machine: off,
      has: running(),
      expected: undefined,
    },
    {
      name: 'on is no rest while its VM is Halted',
      given: command('start'),
      machine: machineOf({ strategy: 'Halted' }),
      expected: undefined,
    },
    {
      name: 'on is no rest while a request is queued',
      given: command('start'),
      machine: machineOf({ queue: [{ action: 'Stop' }] }),
      expected: undefined,
    },
    { name: 'on is not on without its agent', given: command('start'), machine: on, agent: true, expected: undefined },
    {
      name: 'on is on with its agent',
      given: command('start'),
      machine: machineOf({}, { agentConnected: true }),
      agent: true,
      expected: { kind: 'already' },
    },
    { name: 'on is not off', given: command('stop'), machine: on, expected: undefined },
    {
      name: 'what KubeVirt is going to start is not on',
      given: command('start'),
      machine: machineOf({}, null),
      expected: undefined,
    },
    { name: 'off is not on', given: command('start'), machine: off, expected: undefined },
    {
      name: 'a VM that is not there',
      given: command('stop'),
      machine: {},
      expected: {
        kind: 'answer',
        result: { outcome: 'Failed', reason: 'NotFound', message: 'Wukong team-a/web has no VM.' },
      },
    },
  ])('$name', ({ given, machine, has = {}, agent = false, expected }) => {
    const plan = already(given, wukong(has), machine, agent);
    if (expected) expect(plan).toMatchObject(expected);
    else expect(plan).toBeUndefined();
  });

  it.each([
    ['start', undefined, true],
    ['start', true, true],
    ['start', false, false],
    ['stop', undefined, false],
    ['stop', true, false],
    ['stop', false, true],
  ] as const)('the intent %s, with autoStart %s: %s', (action, autoStart, holds) =>
    expect(intentHolds(command(action), wukong({}, autoStart))).toBe(holds),
  );
});

it('a Wukong that is being deleted is not started any more, and may be stopped', () => {
  const going = wukong();
  going.metadata.deletionTimestamp = rfc(t0);
  expect(admit(command('start'), going, t0)).toMatchObject({
    kind: 'answer',
    result: { outcome: 'Failed', reason: 'NotFound', message: expect.stringContaining('team-a/web is being deleted') },
  });
  expect(admit(command('stop'), going, t0)).toEqual(go);
});

it('a Wukong that says nothing at all is let through, and its intent is to run', () => {
  const bare: Wukong = { metadata: { namespace: 'team-a', name: 'web' } };
  expect(admit(command('stop'), bare, t0)).toEqual(go);
  expect(intentHolds(command('start'), { ...bare, spec: {} })).toBe(true);
});

describe('a dry run of what calls nothing', () => {
  it('says what it would come to, and why', () => {
    expect(asDryRun({ outcome: 'AlreadyOff', message: 'The VM is off.' })).toEqual({
      outcome: 'Skipped',
      reason: 'DryRun',
      message: 'Nothing would be called: AlreadyOff. The VM is off.',
    });
    expect(asDryRun({ outcome: 'Skipped', reason: 'Protected', message: 'No.' }).message).toBe(
      'Nothing would be called: Skipped (Protected). No.',
    );
  });
});

describe('whether a Wukong knows a request', () => {
  const id = 'direct:it\'s "a:b"';
  const others = { [skippedKey]: JSON.stringify([{ requestId: 'direct:x', reason: 'Stale', action: 'stop' }]) };
  it.each<[string, Record<string, string>]>([
    ['is being carried out', running({ requestId: id })],
    ['was done', done({ requestId: id })],
    ['was answered', settled({ requestId: id })],
    ['was skipped', { [skippedKey]: JSON.stringify([{ requestId: id, reason: 'Stale', action: 'stop' }]) }],
    ['was done by version 0.1.0', done({ requestId: 'it\'s "a:b"' })],
  ])('that %s', (_what, has) => {
    expect(knowsRequest(id, wukong({ ...others, ...has }), t0)).toBe(true);
    expect(knowsRequest('direct:it', wukong({ ...others, ...has }), t0)).toBe(false);
    expect(knowsRequest('direct:other', wukong({ ...others, ...has }), t0)).toBe(false);
  });

  it('without any record, or with one that only speaks of it', () => {
    expect(knowsRequest(id, wukong(), t0)).toBe(false);
    expect(knowsRequest(id, { metadata: { namespace: 'team-a', name: 'web' } }, t0)).toBe(false);
    expect(knowsRequest('direct:x', wukong(done({ message: 'direct:x' })), t0)).toBe(false);
    expect(knowsRequest('direct:x7', wukong(done({ requestId: 'x7' })), t0), 'of version 0.1.0').toBe(true);
    const foreign = { 'example.com/note': JSON.stringify({ requestId: id }) };
    expect(knowsRequest(id, wukong(foreign), t0)).toBe(false);
  });
});

it('a restart of what is off says that it leaves it so', () => {
  const off = machineOf({ strategy: 'Halted', adoptedBy: 'web' }, null);
  const message = (more: object) => already(command('stop', more), wukong(), off, false)?.result.message;
  expect(message({ restart: true })).toBe('The VM is off, and a restart leaves it so; start it instead.');
  expect(message({})).toBe('The VM is off.');
});

it('an operation under way is held back by what protects the VM, and by nothing else', () => {
  expect(heldBack(operation({}), wukong(), t0, {})).toBeUndefined();
  expect(heldBack(operation({}), wukong({ [`${prefix}protected`]: 'true' }), t0, {})).toMatchObject({
    ...{ outcome: 'Skipped', reason: 'Protected' },
  });
});

it('the intent of a Wukong that was made for a VM is left as it is, whatever is asked for', () => {
  const made = wukong({ [adoptsKey]: 'web-vm' });
  expect((['start', 'stop'] as const).map((action) => intentHolds(command(action), made))).toEqual([true, true]);
});
