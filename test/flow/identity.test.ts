import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { httpSource } from '../../shared/domain/requestId.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { source } from '../../shared/report/bus.ts';
import { namespace, type Scene, scene, worldOn } from './scene.ts';
import { boundary, deliver, furnishIn, scheduleIn, sleep, ticks } from './ways.ts';

const target = { namespace, name: 'vm-0' };
const boundaryId = `${namespace}/office@2026-11-23T20:30:00Z`;
const arn = 'arn:aws:iam::123456789012:user/anna';
const origin = { action: 'start', requestId: 'i', requestedAt: boundary } as const;

const event = (detail: object, more: object = {}) => ({
  'detail-type': 'Wukong VM Start Requested',
  id: 'e-1',
  source: 'a.team',
  detail,
  ...more,
});
const http = (action: 'start' | 'stop', key: string, userArn = arn, name = 'vm-0') => ({
  version: '2.0',
  rawPath: '/',
  headers: { 'idempotency-key': key },
  pathParameters: { namespace, name },
  requestContext: { http: { method: 'POST', path: `/${action}` }, authorizer: { iam: { userArn } } },
});
const record = (body: object) => ({ eventSource: 'aws:sqs', messageId: 'm-1', body: JSON.stringify(body) });

describe('the id of a request', () => {
  const forged = { target, requestId: `schedule:${boundaryId}` };
  it.each([
    ['a direct call', { target }, 'direct:i'],
    ['a direct call that gives one', forged, `direct:schedule:${boundaryId}`],
    ['an event', event({ target }), 'event:e-1'],
    ['an event that gives one', event(forged), `event:schedule:${boundaryId}`],
    ['an event of ours', event(forged, { source }), `schedule:${boundaryId}`],
    ['an event of ours of version 0.1.0', event({ target, requestId: boundaryId }, { source }), `event:${boundaryId}`],
    ['a message', record({ target }), 'queue:m-1'],
    ['a message that gives one', record(forged), `queue:schedule:${boundaryId}`],
    ['a message with an event', record(event(forged)), `event:schedule:${boundaryId}`],
    ['an HTTP request', http('start', 'declared:x.1'), `http:${arn}:declared:x.1`],
    ['a caller whose name has a colon', http('start', 'k', 'a:b'), 'http:a%3Ab:k'],
  ])('says where it came from: %s', (_what, given, expected) =>
    expect(parseTrigger(given, origin).requestId).toBe(expected),
  );

  it.each([
    ['names that end alike', 'a'.repeat(200), `b${'a'.repeat(199)}`],
    ['names that are encoded at length', `a:${'猴'.repeat(100)}`, `b:${'猴'.repeat(100)}`],
  ])('of two callers is never the same: %s', (_what, one, two) => {
    const ids = [one, two].map((caller) => parseTrigger(http('start', 'k'.repeat(256), caller), origin).requestId);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(512);
  });

  it.each([
    ['a service account', 'system', 'serviceaccount:a:b:k', 'system:serviceaccount:a:b'],
    ['an ARN', 'arn', arn.slice('arn:'.length) + ':k', arn],
  ])('of a caller whose name begins like another’s is none of that one’s: %s', (_who, caller, key, other) => {
    const id = (user: string, its: string) => parseTrigger(http('start', its, user), origin).requestId;
    expect(id(caller, key)).not.toBe(id(other, 'k'));
  });
  it('of somebody called anyone is none of a caller without a name', () =>
    expect(httpSource('anyone')).not.toBe(httpSource(undefined)));

  it('of an event is no longer than a record takes', () =>
    expect(parseTrigger(event({ target }, { id: '1,'.repeat(2_000) }), origin).requestId).toHaveLength(512));

  it('of 257 characters is refused', () =>
    expect(() => parseTrigger({ target, requestId: 'x'.repeat(257) }, origin)).toThrow(
      'requestId: expected at most 256',
    ));
});

const ticked = (at: Scene) =>
  at.run(async () => {
    await sleep(at, boundary - at.clock.now());
    await ticks(at, 3);
  }, 3_600_000);

describe('a start with the id of a schedule’s stop', () => {
  it.each([
    ['by a direct call', (id: string) => ({ target, requestId: id })],
    ['by an event', (id: string) => event({ target, requestId: id })],
    ['by a message', (id: string) => record(event({ target, requestId: id }))],
  ])('does not cancel it: %s', async (_how, forged) => {
    for (const id of [boundaryId, `schedule:${boundaryId}`]) {
      const at = await scene();
      furnishIn(at, namespace, 1);
      scheduleIn(at, namespace, { stop: '30 20 * * *' });
      deliver(at);
      await at.pass(5_000);
      await at.run(startVm(forged(id), at.invocation()));
      await ticked(at);
      expect(at.vmi('vm-0')).toBeUndefined();
    }
  });
});

interface Answer {
  statusCode: number;
  body: string;
}
const call = (at: Scene, action: 'start' | 'stop', given: object) =>
  at.run(() => {
    const handler = lambda(`${action}Vm`, action === 'start' ? startVm : stopVm, () => Promise.resolve(at.world));
    const context = { getRemainingTimeInMillis: () => 120_000 } as Context;
    return handler(given, context) as unknown as Promise<Answer>;
  });

describe('one id for two wishes', () => {
  const two = async () => {
    const at = await scene();
    furnishIn(at, namespace, 2, { runStrategy: 'Halted' });
    await at.pass(5_000);
    return at;
  };

  it('is answered 409 for the other action, and nothing is called; another caller’s key is another', async () => {
    const at = await two();
    expect((await call(at, 'start', http('start', 'key'))).statusCode).toBe(200);
    const before = at.calls().length;
    const refused = await call(at, 'stop', http('stop', 'key'));
    expect([refused.statusCode, JSON.parse(refused.body)]).toMatchObject([
      409,
      { outcome: 'Failed', reason: 'Refused' },
    ]);
    expect(at.calls()).toHaveLength(before);
    expect((await call(at, 'stop', http('stop', 'key', `${arn}-2`))).statusCode).toBe(200);
    expect(at.vmi('vm-0')).toBeUndefined();
  });

  it('is refused however long ago the first was, and as long as it goes on', async () => {
    const at = await two();
    const ask = (action: 'start' | 'stop', requestId: string) => at.perform(action, 'vm-0', {}, { requestId });
    await ask('start', 'direct:a');
    await ask('stop', 'direct:b');
    await ask('stop', 'direct:c');
    await ask('start', 'direct:d');
    for (const [action, id] of [
      ['stop', 'direct:a'],
      ['start', 'direct:b'],
      ['start', 'direct:c'],
      ['stop', 'direct:d'],
    ] as const)
      expect(await ask(action, id)).toMatchObject({ outcome: 'Failed', reason: 'Refused' });
    for (const [action, id] of [
      ['start', 'direct:a'],
      ['stop', 'direct:b'],
      ['stop', 'direct:c'],
      ['start', 'direct:d'],
    ] as const)
      expect(await ask(action, id)).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate' });
  });
});

describe('one id for two targets', () => {
  const ways = {
    'a direct call': (name: string) => ({ target: { namespace, name }, requestId: 'one' }),
    'an event': (name: string) => ({
      ...event({ target: { namespace, name }, requestId: 'one' }),
      'detail-type': 'Wukong VM Stop Requested',
    }),
    'an event by its own id': (name: string) => ({
      ...event({ target: { namespace, name } }),
      'detail-type': 'Wukong VM Stop Requested',
    }),
    'a message': (name: string) => record({ target: { namespace, name }, requestId: 'one' }),
    'an HTTP request': (name: string) => http('stop', 'one', arn, name),
  };
  const three = async (runStrategy: 'Always' | 'Halted' = 'Always') => {
    const at = await scene();
    furnishIn(at, namespace, 3, { runStrategy });
    furnishIn(at, 'team-b', 1, { runStrategy });
    await at.pass(5_000);
    return at;
  };
  /** As another process of ours, which remembers nothing. */
  const fresh = async (at: Scene, id = 'again') => {
    const own = await worldOn(at.sim, at.clock, {}, at.bus);
    return { ...at.invocation(id), world: own };
  };

  it.each(Object.entries(ways))('is refused by %s, in this process and in another', async (_how, way) => {
    const at = await three();
    await at.run(stopVm(way('vm-0'), at.invocation()));
    for (const invocation of [at.invocation(), await fresh(at)]) {
      const { outcomes } = await at.run(stopVm(way('vm-1'), invocation));
      expect(outcomes).toMatchObject([{ name: 'vm-1', outcome: 'Failed', reason: 'Refused' }]);
      expect(outcomes[0]?.message).toMatch(/was for .*team-a\/vm-0 before/);
    }
    expect(at.vmi('vm-1')).toBeDefined();
    expect(at.bus.filter(({ detail }) => (detail as { outcome?: string }).outcome === 'Failed')).toHaveLength(2);
    expect((await at.run(stopVm(way('vm-0'), await fresh(at)))).outcomes).toMatchObject([{ reason: 'Duplicate' }]);
  });

  it('is answered 409 over HTTP', async () => {
    const at = await three();
    expect((await call(at, 'stop', http('stop', 'key'))).statusCode).toBe(200);
    expect((await call(at, 'stop', http('stop', 'key', arn, 'vm-1'))).statusCode).toBe(409);
    expect((await call(at, 'start', http('start', 'key', arn, 'vm-1'))).statusCode).toBe(409);
    expect((await call(at, 'stop', http('stop', 'key', `${arn}-2`, 'vm-1'))).statusCode).toBe(200);
  });

  it('is refused where the first was off already, is still under way, or was in another namespace', async () => {
    const off = await three('Halted');
    await off.run(stopVm(ways['a direct call']('vm-0'), off.invocation()));
    const second = await off.run(stopVm(ways['a direct call']('vm-1'), await fresh(off)));
    expect(second.outcomes).toMatchObject([{ reason: 'Refused' }]);
    const at = await three();
    const both = ['vm-0', 'vm-1'].map((name) => stopVm(ways['a direct call'](name), at.invocation()));
    const [one, other] = await at.run(Promise.all(both));
    expect([one?.outcomes[0]?.outcome, other?.outcomes[0]]).toMatchObject(['Stopped', { reason: 'Refused' }]);
    const elsewhere = { target: { namespace: 'team-b', name: 'vm-0' }, requestId: 'one' };
    expect((await at.run(stopVm(elsewhere, at.invocation()))).outcomes).toMatchObject([{ reason: 'Refused' }]);
  });

  it('is refused for another fleet, and for the other action; the same fleet is the same request', async () => {
    const at = await three('Halted');
    const fleet = (selector: string) => ({ target: { namespaces: [namespace], selector }, requestId: 'one' });
    await at.run(stopVm(fleet('env=dev'), at.invocation()));
    await expect(at.run(stopVm(fleet('env=prod'), at.invocation()))).rejects.toMatchObject({ code: 'Refused' });
    await expect(at.run(startVm(fleet('env=dev'), at.invocation()))).rejects.toThrow(
      /was for stop of env=dev in team-a/,
    );
    await expect(at.run(stopVm(fleet('env=dev'), at.invocation()))).resolves.toBeDefined();
    expect(at.calls()).toEqual([]);
  });

  it('holds nobody up whose namespace is another: a forged record there is not asked', async () => {
    const at = await three();
    const forged = JSON.stringify([{ requestId: 'direct:one', reason: 'Stale', action: 'stop' }]);
    const annotations = { 'lifecycle.novasphere.dev/last-skipped': forged };
    at.sim.createWukong({ namespace: 'team-c', name: 'x', runStrategy: 'Halted', annotations });
    expect((await at.run(stopVm(ways['a direct call']('vm-0'), at.invocation()))).outcomes).toMatchObject([
      { outcome: 'Stopped' },
    ]);
  });
});

describe('a record of version 0.1.0', () => {
  const last = (requestId: string, earlier: string[] = []) =>
    JSON.stringify({
      ...{ requestId, action: 'stop', outcome: 'Stopped', message: 'done', trigger: 'event', earlier },
      requestedAt: '2026-11-23T19:59:00Z',
      startedAt: '2026-11-23T19:59:00Z',
      finishedAt: '2026-11-23T19:59:30Z',
    });
  it.each([
    ['an event', last('e-7'), 'event:e-7'],
    ['a boundary', last(boundaryId), `schedule:${boundaryId}`],
    ['a key', last('key'), `http:${arn}:key`],
    ['what was done before', last('x', ['e-6', 'e-7']), 'event:e-7'],
  ])('is known again: %s', async (_what, record, requestId) => {
    const at = await scene();
    const annotations = { 'lifecycle.novasphere.dev/last-operation': record };
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', annotations });
    await at.pass(5_000);
    expect(await at.perform('stop', 'web', {}, { requestId })).toMatchObject({ reason: 'Duplicate' });
    expect(await at.perform('stop', 'web', {}, { requestId: `${requestId}-2` })).toMatchObject({ outcome: 'Stopped' });
  });
});

it('a boundary that version 0.1.0 has put on the bus, under one id for all its VMs, is carried out for each', async () => {
  const at = await scene();
  furnishIn(at, namespace, 3, { runStrategy: 'Halted' });
  await at.pass(5_000);
  const told: string[] = [];
  for (const name of ['vm-0', 'vm-1', 'vm-2']) {
    const detail = { target: { namespace, name }, requestId: boundaryId, trigger: 'schedule' };
    const envelope = { id: `e-${name}`, source, time: new Date(at.clock.now()).toISOString() };
    const sent = event(detail, envelope);
    const ofQueue = record(sent);
    const { outcomes } = await at.run(startVm(name === 'vm-1' ? ofQueue : sent, at.invocation()));
    told.push(...outcomes.map(({ outcome }) => outcome));
  }
  expect(told).toEqual(['Started', 'Started', 'Started']);
});
