import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { stopVm } from '../../functions/stopVm/handler.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { lambda, retryUnreached } from '../../shared/entry/entry.ts';
import { eachRecord, isBatch } from '../../shared/entry/queue.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { namespace, scene } from '../flow/scene.ts';

const record = (messageId: string, body: unknown) => ({
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  eventSource: 'aws:sqs' as const,
  attributes: { SentTimestamp: '1795464000000' },
});
const command = { target: { namespace, name: 'web' } };
const context = { getRemainingTimeInMillis: () => 120_000 } as Context;

describe('a message of a queue', () => {
  const now = 1_795_464_030_000;
  const origin = { action: 'stop', requestId: 'invocation-1', requestedAt: now } as const;

  it('is the event in it, or the bare command: then the message is the request, asked for when it was sent', () => {
    const event = { id: 'e-1', 'detail-type': 'Wukong VM Stop Requested', detail: command };
    expect(parseTrigger(record('m-1', event), origin)).toMatchObject({ requestId: 'event:e-1', trigger: 'event' });
    expect(parseTrigger(record('m-1', command), origin)).toMatchObject({
      requestId: 'queue:m-1',
      trigger: 'queue',
      requestedAt: 1_795_464_000_000,
    });
  });

  it('with a time that is none counts as asked for now', () => {
    const attributes = { SentTimestamp: { toString: 0 } } as never;
    expect(parseTrigger({ ...record('m-1', command), attributes }, origin)).toMatchObject({ requestedAt: now });
  });

  it.each(['{', '"text"', '[]', 'null'])('that is %s is poison', (body) =>
    expect(() => parseTrigger(record('m-1', body), origin)).toThrow(LifecycleError),
  );
});

describe('a batch', () => {
  it('fails for the poison alone; a whole batch of poison is named, not thrown', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const handler = lambda('stopVm', stopVm, () => Promise.resolve(at.world));
    const batch = (...Records: object[]) => at.run(() => handler({ Records }, context) as Promise<unknown>);
    expect(await batch(record('m-1', '{'), record('m-2', command))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm-1' }],
    });
    expect(at.vmi('web')).toBeUndefined();
    expect(await batch(record('m-3', '{'))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-3' }] });
  });

  it('comes again when the cluster could not be reached', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    const call = () => Promise.reject(new LifecycleError('Unreachable', 'no answer'));
    const world: World = { ...at.world, transport: { call, stream: call } };
    const handler = lambda('stopVm', stopVm, () => Promise.resolve(world));
    const Records = [record('m-1', { ...command, requestId: 'r' })];
    expect(await at.run(() => handler({ Records }, context) as Promise<unknown>)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm-1' }],
    });
  });

  it('is thrown when nothing could be begun, so that no message is lost', async () => {
    const handler = lambda('stopVm', stopVm, () => Promise.reject(new LifecycleError('Unreachable', 'no secret')));
    const Records = [record('m-1', command)];
    await expect(handler({ Records }, context)).rejects.toThrow('no secret');
  });

  it('names a message that finds no end', async () => {
    const at = await scene();
    const limits = { deadline: at.clock.now() + 60_000 };
    const Records = [record('m-1', command)];
    const answer = await at.run(() =>
      eachRecord({ Records }, { world: at.world, limits }, () => new Promise(() => {})),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
  });

  it('whose time is up already is named at once, and the log says of each why', async () => {
    const at = await scene();
    const errors: unknown[][] = [];
    const world = { ...at.world, log: { ...at.world.log, error: (...words: unknown[]) => void errors.push(words) } };
    const [begun, limits] = [at.clock.now(), { deadline: at.clock.now() + 60_000 }];
    const Records = [record('m-1', command)];
    const handle = () => new Promise(() => {});
    await at.run(() => eachRecord({ Records }, { world, limits, until: begun - 1 }, handle));
    expect([errors, at.clock.now()]).toEqual([
      [['message m-1 was not carried out: no end in time', { reason: 'TimedOut' }]],
      begun,
    ]);
  });

  it.each<[boolean, unknown]>([
    [true, { Records: [record('m-1', command)] }],
    [false, { Records: [record('m-1', command), {}] }],
    [false, { Records: [] }],
    [false, { Records: {} }],
    [false, {}],
    [false, null],
    [false, undefined],
  ])('is one: %s, of %j', (is, event) => expect(isBatch(event)).toBe(is));

  it('acknowledges none that is not over when the invocation has to end, however little is kept back', async () => {
    const at = await scene();
    const [deadline, until] = [at.clock.now() + 60_000, at.clock.now() + 59_000];
    const Records = [record('m-1', command), record('m-2', command)];
    const handle = ({ messageId }: { messageId: string }) =>
      messageId === 'm-1' ? Promise.resolve() : new Promise(() => {});
    const answer = await at.run(() =>
      eachRecord({ Records }, { world: at.world, limits: { deadline }, until }, handle),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-2' }] });
    expect(at.clock.now()).toBe(until);
  });
});

describe('an invocation whose time is up before there is an end', () => {
  const never = async (event: object) => {
    const at = await scene();
    const handler = lambda(
      'stopVm',
      () => new Promise(() => {}),
      () => Promise.resolve(at.world),
    );
    return handler(event, { getRemainingTimeInMillis: () => 1_000 } as Context);
  };

  it.each([
    ['a batch', { Records: [record('m-1', command), record('m-2', command)] }],
    ['an event', { 'detail-type': 'Wukong VM Stop Requested', id: 'e-1', detail: command }],
    ['the rule of the tick', { 'detail-type': 'Scheduled Event', detail: {} }],
  ])('fails, so that nothing of it is acknowledged: %s', async (_what, event) => {
    await expect(never(event)).rejects.toMatchObject({ name: 'Retry' });
  });

  it('answers whoever waits', async () => expect(await never(command)).toMatchObject({ outcome: 'InProgress' }));
});

describe('a delivery that nobody waits for', () => {
  const away = () => Promise.reject(new LifecycleError('Unreachable', 'no answer'));

  it('is thrown on when a fleet could not even be listed', async () => {
    await expect(retryUnreached('schedule', away)).rejects.toMatchObject({ name: 'Retry' });
  });

  it('is answered when somebody waits', async () => {
    await expect(retryUnreached('http', away)).rejects.toMatchObject({ code: 'Unreachable' });
    await expect(retryUnreached('direct', away)).rejects.toMatchObject({ code: 'Unreachable' });
  });
});
