import { describe, expect, it } from 'vitest';

import { isEvent, isRecord, parseTrigger } from '../../shared/entry/trigger.ts';
import { source as ours } from '../../shared/report/bus.ts';

const now = Date.parse('2026-11-23T20:00:30Z');
const origin = { action: 'stop', requestId: 'invocation-1', requestedAt: now } as const;
const one = { target: { namespace: 'team-a', name: 'web' } };
const event = (more: object = {}) => ({
  'detail-type': 'Wukong VM Stop Requested',
  id: 'e-1',
  source: 'a.team',
  detail: one,
  ...more,
});
const message = (body: unknown, more: object = {}) => ({
  ...{ messageId: 'm-1', eventSource: 'aws:sqs', body: typeof body === 'string' ? body : JSON.stringify(body) },
  ...more,
});
const read = (given: unknown, more: object = {}) => {
  const { action, requestId, requestedAt, trigger, given: named } = parseTrigger(given, { ...origin, ...more });
  return { action, requestId, requestedAt, trigger, given: named };
};
const problem = (given: unknown): string => {
  try {
    parseTrigger(given, origin);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'InvalidAction' });
    return (thrown as Error).message;
  }
  throw new Error('it was taken');
};

describe('a direct call', () => {
  it('is the request that it names, or else that of its invocation', () => {
    const direct = { action: 'stop', requestedAt: now, trigger: 'direct' };
    expect(read(one)).toEqual({ ...direct, requestId: 'direct:invocation-1', given: undefined });
    expect(read({ ...one, requestId: 'mine' })).toEqual({ ...direct, requestId: 'direct:mine', given: true });
  });
});

describe('an event', () => {
  const ofEvent = { action: 'stop', requestId: 'event:e-1', requestedAt: now, trigger: 'event' };
  it('is the request that its sender gave it, which is held to one target', () => {
    expect(read(event())).toEqual({ ...ofEvent, given: true });
    expect(read(event({ detail: { ...one, requestId: 'mine' } }))).toEqual({
      ...ofEvent,
      requestId: 'event:mine',
      given: true,
    });
    const started = parseTrigger(event({ 'detail-type': 'Wukong VM Start Requested' }), { ...origin, action: 'start' });
    expect(started.action).toBe('start');
  });

  it('without an id is the invocation', () => {
    for (const id of [undefined, 7])
      expect(read(event({ id }))).toEqual({ ...ofEvent, requestId: 'direct:invocation-1', given: undefined });
    expect(read(event({ id: undefined, detail: { ...one, requestId: 'mine' } }))).toMatchObject({
      requestId: 'event:mine',
      given: true,
    });
  });

  it('of a sender that is known is that sender’s', () => {
    const known = { sender: 'http:anna' };
    expect(read(event(), known)).toEqual({ ...ofEvent, requestId: 'http:anna:e-1', given: true });
    const named = event({ source: ours, detail: { ...one, requestId: 'schedule:x' } });
    expect(read(named, known).requestId, 'nobody can send in the name of our functions').toBe('http:anna:schedule:x');
  });

  it('with a long id is cut at what a request may have', () => {
    expect(read(event({ id: 'x'.repeat(600) })).requestId).toHaveLength(512);
  });

  it('of another of our functions is the request that that had, and held to no target', () => {
    const named = (requestId: unknown, source: unknown = ours) =>
      event({ source, detail: { ...one, ...(requestId === undefined ? {} : { requestId }) } });
    expect(read(named('schedule:x'))).toEqual({ ...ofEvent, requestId: 'schedule:x', given: undefined });
    expect(read(named('x')), 'version 0.1.0 gave one id to many').toEqual({
      ...ofEvent,
      requestId: 'event:x',
      given: undefined,
    });
    expect(read(named(undefined))).toEqual({ ...ofEvent, given: undefined });
    expect(read(named('schedule:x', 'a.team'))).toEqual({ ...ofEvent, requestId: 'event:schedule:x', given: true });
  });

  it.each([undefined, null, 'text'])('whose detail is %j is no command', (detail) => {
    expect(problem(event({ detail, source: ours }))).toMatch(/^command: expected a command/);
  });

  it('of another type says which one was expected, and which came', () => {
    const type = 'x'.repeat(200);
    expect(problem(event({ 'detail-type': type }))).toBe(
      `detail-type: expected "Wukong VM Stop Requested", not "${'x'.repeat(99)}`,
    );
    expect(problem(event({ 'detail-type': 7 }))).toBe('detail-type: expected "Wukong VM Stop Requested", not 7');
  });

  it.each([
    ['a minute from now, as clocks differ', 60_000, 60_000],
    ['later', 60_001, 0],
    ['a day ago, for which EventBridge tries again', 1 - 86_400_000, 1 - 86_400_000],
    ['longer ago', -86_400_000, 0],
  ])('that was sent %s counts from then, or from now', (_what, ms, expected) => {
    expect(read(event({ time: new Date(now + ms).toISOString() })).requestedAt).toBe(now + expected);
  });

  it('whose time is no text was asked for now', () => {
    expect(read(event({ time: [new Date(now - 5_000).toISOString()] })).requestedAt).toBe(now);
  });

  it('is told by its type', () => {
    expect([event(), { 'detail-type': null }, {}, null, undefined, 'text'].map(isEvent)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('a message of a queue', () => {
  it('is the request, asked for when it was sent, or when its event was', () => {
    const queued = { action: 'stop', requestId: 'queue:m-1', requestedAt: now, trigger: 'queue', given: undefined };
    expect(read(message(one))).toEqual(queued);
    const sentAt = { attributes: { SentTimestamp: String(now - 30_000) } };
    expect(read(message(one, sentAt))).toEqual({ ...queued, requestedAt: now - 30_000 });
    expect(read(message({ ...one, requestId: 'mine' }))).toEqual({ ...queued, requestId: 'queue:mine', given: true });
    expect(read(message(event()))).toMatchObject({ requestId: 'event:e-1', trigger: 'event', given: true });
    expect(read(message(event({ id: undefined }))).requestId).toBe('queue:m-1');
  });

  it.each([{}, { SentTimestamp: 'soon' }, { SentTimestamp: now - 5_000 }])(
    'with the attributes %j was asked for now',
    (attributes) => {
      expect(read(message(one, { attributes })).requestedAt).toBe(now);
    },
  );

  it('that is no JSON is poison', () => {
    expect(problem(message('{'))).toBe('message: expected JSON: a command, or an event with one as its detail');
  });

  it('is told by all that a queue sends', () => {
    const { messageId, eventSource, body } = message(one);
    const all = [
      message(one),
      { messageId, eventSource },
      { messageId, body },
      { eventSource, body },
      { ...message(one), messageId: 7 },
      { ...message(one), body: {} },
      null,
      undefined,
    ];
    expect(all.map(isRecord)).toEqual([true, false, false, false, false, false, false, false]);
  });
});

it('an HTTP request is that of its caller, and bears its own id or that of its key', () => {
  const http = { method: 'POST', path: '/' };
  const asked = (headers: object) => ({
    ...{ version: '2.0', rawPath: '/', pathParameters: one.target, headers },
    requestContext: { requestId: 'http-1', http, authorizer: { iam: { userArn: 'anna' } } },
  });
  const whose = { action: 'stop', requestedAt: now, trigger: 'http' };
  expect(read(asked({}))).toEqual({ ...whose, requestId: 'http:anna:http-1', given: undefined });
  expect(read(asked({ 'idempotency-key': 'key' }))).toEqual({ ...whose, requestId: 'http:anna:key', given: true });
  expect(parseTrigger(asked({}), origin)).toMatchObject({ ...one, requestedBy: 'anna' });
  const bare = { ...asked({}), requestContext: { http } };
  expect(read(bare).requestId).toBe('http:anyone:invocation-1');
});

describe('what anybody sends', () => {
  it('is at most 256 KiB, as the bus takes it, and plain JSON', () => {
    const rest = JSON.stringify({ ...one, x: '' }).length;
    const sized = (length: number) => ({ ...one, x: 'x'.repeat(length - rest) });
    expect(problem(sized(262_144))).toMatch(/^command: unknown: "x"/);
    expect(problem(sized(262_145))).toBe('event: expected at most 262144 characters, found 262145');
    const round: Record<string, unknown> = {};
    round['again'] = round;
    expect(problem(round)).toBe('event: expected plain JSON');
    for (const nothing of [undefined, () => {}]) expect(problem(nothing)).toMatch(/^event: expected an object/);
  });
});
