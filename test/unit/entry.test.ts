import type { Context } from 'aws-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { failures, LifecycleError } from '../../shared/domain/errors.ts';
import type { Outcome, Result } from '../../shared/domain/outcome.ts';
import { type Invocation, lambda, Retry, retryUnreached, worldOf as worldIn } from '../../shared/entry/entry.ts';
import { type Report, reportOf } from '../../shared/report/fleetOutcome.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { worldOf } from './asked.ts';
import { s, t0 } from './machines.ts';

const command = { target: { namespace: 'team-a', name: 'web' } };
const event = { 'detail-type': 'Wukong VM Stop Requested', id: 'e-1', detail: command };
const record = (messageId = 'm-1') => ({ messageId, body: JSON.stringify(command), eventSource: 'aws:sqs' });
const batch = { Records: [record()] };
const http = (more: object = {}) => ({
  ...{ version: '2.0', rawPath: '/', pathParameters: command.target },
  requestContext: { http: { method: 'POST', path: '/namespaces/team-a/wukongs/web/stop' } },
  ...more,
});
const left = (ms?: number, awsRequestId?: string) =>
  ({
    ...(awsRequestId ? { awsRequestId } : {}),
    ...(ms === undefined ? {} : { getRemainingTimeInMillis: () => ms }),
  }) as Context;

/** A world that counts, and a function around it that is handed on what it is given. */
function function_(
  handle: (event: unknown, invocation: Invocation) => Promise<unknown> = () => Promise.resolve({ done: true }),
  reserveMs = 10 * s,
) {
  const { world } = worldOf(t0);
  const counts: string[] = [];
  const flushed: unknown[] = [];
  const own: World = {
    ...world,
    config: { ...world.config, reserveMs },
    metrics: {
      ...world.metrics,
      count: (name, value) => void counts.push(`${name} ${value}`),
      flush: () => void flushed.push('metrics'),
    },
    webhook: { put() {}, flush: (by: number) => (flushed.push(by - t0), Promise.resolve()) },
  };
  const given: Invocation[] = [];
  const opened: (string | undefined)[] = [];
  const open = (cluster?: string) => (opened.push(cluster), Promise.resolve(own));
  const call = lambda('stopVm', (one, invocation) => (given.push(invocation), handle(one, invocation)), open) as (
    event: unknown,
    context: Context,
  ) => Promise<unknown>;
  return { call, world: own, counts, flushed, given, opened };
}
/** What is written as log lines while it works. */
async function logged(work: () => Promise<unknown>) {
  const lines: string[] = [];
  for (const method of ['error', 'warn', 'info', 'log'] as const)
    vi.spyOn(console, method).mockImplementation((line) => void lines.push(String(line)));
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(String(chunk)) > 0);
  const answer = await work().catch((thrown: unknown) => thrown);
  vi.restoreAllMocks();
  return { answer, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('an invocation', () => {
  it('is given its world, its time less what is kept back, and its id', async () => {
    const { call, given, world, opened, flushed } = function_();
    expect(await call(command, left(60 * s, 'i-1'))).toEqual({ done: true });
    expect(given[0]).toMatchObject({ id: 'i-1', now: t0, limits: { deadline: t0 + 50 * s } });
    expect([given[0]?.world, await given[0]?.reach?.('edge'), opened]).toEqual([world, world, [undefined, 'edge']]);
    expect(flushed).toEqual([5 * s, 'metrics']);
  });

  it('has a second at the least, fifteen minutes where nobody says, and an id of its own', async () => {
    const { call, given } = function_();
    await call(command, left(5 * s));
    await call(command, left());
    expect(given.map(({ limits }) => limits.deadline - t0)).toEqual([1 * s, 890 * s]);
    expect(given[0]?.id).toBe(`direct-${t0}-0.5`);
  });

  it('opens each cluster once, and again where that failed', async () => {
    const { world } = worldOf(t0);
    const opened: (string | undefined)[] = [];
    const open = (cluster?: string) => {
      opened.push(cluster);
      return opened.length === 1
        ? Promise.reject(new LifecycleError('Unreachable', 'no secret'))
        : Promise.resolve(world);
    };
    const call = lambda('stopVm', () => Promise.resolve({}), open);
    const { answer } = await logged(() => call(command, left(60 * s)));
    expect(answer).toMatchObject({ outcome: 'Failed', reason: 'Unreachable' });
    for (const _ of [1, 2]) await call(command, left(60 * s));
    expect(opened).toEqual([undefined, undefined]);
  });

  it('of a cluster that is named is in that, where there are several', async () => {
    const { world } = worldOf(t0);
    const other = worldOf(t0).world;
    const one = { world, limits: { deadline: t0 }, id: 'i', now: t0 };
    expect(await worldIn(one, undefined)).toBe(world);
    expect(await worldIn({ ...one, reach: (name) => Promise.resolve(name === 'edge' ? other : world) }, 'edge')).toBe(
      other,
    );
    await expect(worldIn(one, 'edge')).rejects.toMatchObject({
      code: 'InvalidAction',
      message: 'cluster: expected none, as there is but one',
    });
  });

  it('connects as its environment says, with one log and one set of metrics for all clusters', async () => {
    vi.stubEnv('CLUSTERS', 'a=eks:eu-west-1/x,b=eks:eu-west-1/y');
    const worlds: World[] = [];
    const call = lambda('stopVm', async (_event, { world, reach }) => {
      worlds.push(world, await reach!('a'), await reach!('b'));
      await reach!('c');
    }) as (event: unknown, context: Context) => Promise<unknown>;
    const { answer } = await logged(() => call({}, left(60 * s)));
    expect(answer).toMatchObject({ reason: 'InvalidAction', message: expect.stringContaining('not "c"') as string });
    expect([...new Set(worlds.map(({ log }) => log))]).toEqual([expect.any(Object)]);
    expect(new Set(worlds.map(({ metrics }) => metrics)).size).toBe(1);
    expect(new Set(worlds.map(({ transport }) => transport)).size).toBe(3);
  });
});

describe('an invocation that comes to no end in time', () => {
  const never = () => function_(() => new Promise(() => {}));
  it('answers whoever waits that it is under way, a second before it is ended', async () => {
    expect(await never().call(command, left(1 * s))).toEqual({
      outcome: 'InProgress',
      message: 'The time was up; reconcileState goes on.',
    });
    expect(await never().call(http(), left(1 * s))).toMatchObject({ outcome: 'InProgress' });
  });

  it('does so by the timer that is set first', async () => {
    const answered = never().call(command, left(1 * s));
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise((resolve) => (timer = setTimeout(resolve, 300, 'later')));
    expect(await Promise.race([answered, later])).toMatchObject({ outcome: 'InProgress' });
    clearTimeout(timer);
  });

  it.each([
    ['an event', event],
    ['a batch', batch],
  ])('is thrown on, so that it is delivered again: %s', async (_what, one) => {
    await expect(never().call(one, left(1 * s))).rejects.toMatchObject({
      name: 'Retry',
      message: 'the time was up before there was an end',
    });
  });
});

it('a batch that comes to no end is answered two seconds before its invocation is ended', async () => {
  const { call, world } = function_(() => new Promise(() => {}), 1 * s);
  const clock = new VirtualClock(t0);
  Object.assign(world, { clock });
  const answer = await clock.run(() => call(batch, left(60 * s)), { sims: [] });
  expect([answer, clock.now() - t0]).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm-1' }] }, 58 * s]);
});

describe('an invocation that fails', () => {
  const failing = (thrown: unknown) => function_(() => Promise.reject(thrown as Error));
  const denied = new LifecycleError('Denied', 'no');

  it('answers what is wrong and what to do, logs it, and counts it', async () => {
    const { call, counts, flushed } = failing(denied);
    const { answer, lines } = await logged(() => call(command, left(60 * s)));
    expect(answer).toEqual({ outcome: 'Failed', reason: 'Denied', message: 'no', next: failures.Denied.next });
    expect(lines).toMatchObject([{ level: 'ERROR', message: 'no', reason: 'Denied', function: 'stopVm' }]);
    expect([counts, flushed]).toEqual([['CommandsRefused 1'], [5 * s, 'metrics']]);
  });

  it('and is to be delivered again is thrown on, and not counted', async () => {
    const { call, counts } = failing(new Retry('later'));
    await expect(call(command, left(60 * s))).rejects.toThrow('later');
    expect(counts).toEqual([]);
  });

  it('over HTTP is answered as HTTP has it, and so is one that cannot connect', async () => {
    const { call, counts } = failing(denied);
    expect(await call(http(), left(60 * s))).toMatchObject({ statusCode: 403 });
    expect(counts).toEqual(['CommandsRefused 1']);
    const closed = lambda(
      'stopVm',
      () => Promise.resolve({}),
      () => Promise.reject(denied),
    ) as typeof call;
    expect((await logged(() => closed(http(), left(60 * s)))).answer).toMatchObject({ statusCode: 403 });
    expect((await logged(() => closed(batch, left(60 * s)))).answer).toBe(denied);
    expect((await logged(() => closed(event, left(60 * s)))).answer).toMatchObject({ reason: 'Denied' });
  });

  it('for one message of a batch names it, and counts it', async () => {
    const { call, counts, given } = failing(denied);
    expect(await call(batch, left(60 * s, 'i-1'))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    expect([counts, given[0]?.limits.deadline]).toEqual([['CommandsRefused 1'], t0 + 50 * s]);
  });
});

describe('an invocation over HTTP', () => {
  it('ends before an HTTP API gives up, or with its own time', async () => {
    const { call, given } = function_();
    for (const ms of [60 * s, 20 * s])
      expect(await call(http(), left(ms))).toMatchObject({ statusCode: 200, body: '{"done":true}' });
    expect(given.map(({ limits }) => limits.deadline - t0)).toEqual([20 * s, 10 * s]);
    expect(given[0]).toMatchObject({ now: t0, id: `direct-${t0}-0.5` });
  });

  it('that was delivered before is looked up in its cluster', async () => {
    const told = {
      ...command.target,
      action: 'stop',
      requestId: 'r',
      trigger: 'http',
      startedAt: t0,
      finishedAt: t0,
      forced: false,
    };
    const outcomes = [{ ...told, outcome: 'Skipped', reason: 'Duplicate', message: 'so' }];
    const { call, opened, world } = function_(() => Promise.resolve({ outcomes }));
    world.transport.call = () => Promise.resolve({ status: 404, body: {} as never, warnings: [] });
    const edge = http({ queryStringParameters: { cluster: 'edge' } });
    for (const one of [edge, http()]) expect(await call(one, left(60 * s))).toMatchObject({ statusCode: 404 });
    expect(opened).toEqual([undefined, 'edge']);
  });
});

describe('a command that did not reach its cluster', () => {
  const away = () => Promise.reject(new LifecycleError('Unreachable', 'silent'));
  const outcome = (result: Result): Outcome => ({
    ...command.target,
    action: 'stop',
    requestId: 'r',
    trigger: 'event',
    startedAt: t0,
    finishedAt: t0,
    forced: false,
    ...result,
  });
  const lost = outcome({ outcome: 'Failed', reason: 'Unreachable', message: 'silent' });
  const some = (): Promise<Report> =>
    Promise.resolve(
      reportOf({ action: 'stop', requestId: 'r' }, [
        outcome({ outcome: 'Stopped', message: '' }),
        outcome({ outcome: 'Failed', reason: 'Stuck', message: '' }),
        lost,
      ]),
    );
  const waited = [
    ['direct', command],
    ['http', http()],
    ['direct', undefined],
  ] as const;
  const delivered = [
    ['event', event],
    ['schedule', undefined],
    ['queue', record()],
    ['direct', record()],
    ['http', event],
  ] as const;

  it.each(waited)('is answered to whoever waits: %s %#', async (trigger, given) => {
    await expect(retryUnreached(trigger, away, given)).rejects.toMatchObject({ code: 'Unreachable' });
    expect(await retryUnreached(trigger, some, given)).toMatchObject({ counts: { Failed: 2 } });
  });

  it.each(delivered)('is delivered again where nobody does: %s %#', async (trigger, given) => {
    await expect(retryUnreached(trigger, away, given)).rejects.toMatchObject({ name: 'Retry', message: 'silent' });
    await expect(retryUnreached(trigger, some, given)).rejects.toMatchObject({
      name: 'Retry',
      message: '1 of 3 could not be reached: silent',
    });
  });

  it('is a fleet, too, some of which could neither be begun nor recorded', async () => {
    const partly = () => Promise.resolve(reportOf({ action: 'stop', requestId: 'r' }, [], { left: 2 }));
    await expect(retryUnreached('event', partly, event)).rejects.toMatchObject({
      name: 'Retry',
      message: '2 could neither be begun nor recorded before the time was up',
    });
    expect(await retryUnreached('direct', partly, command)).toMatchObject({ left: 2 });
  });

  it('is that alone: what fails otherwise, or has ended, is an answer', async () => {
    const denied = () => Promise.reject(new LifecycleError('Denied', 'no'));
    await expect(retryUnreached('event', denied, event)).rejects.toMatchObject({ code: 'Denied' });
    const ended = reportOf({ action: 'stop', requestId: 'r' }, [
      outcome({ outcome: 'Failed', reason: 'Stuck', message: '' }),
    ]);
    expect(await retryUnreached('event', () => Promise.resolve(ended), event)).toBe(ended);
  });
});
