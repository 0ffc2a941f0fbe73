import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { getState } from '../../functions/getState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { failureCodes, LifecycleError } from '../../shared/domain/errors.ts';
import { type Outcome, skipReasons } from '../../shared/domain/outcome.ts';
import { lambda } from '../../shared/entry/entry.ts';
import { refusalAnswer, statusOf } from '../../shared/entry/http.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { namespace, type Scene, scene } from '../flow/scene.ts';

const told = { namespace, name: 'web', action: 'stop', forced: false, requestId: 'r', trigger: 'http' } as const;
const outcome = (result: object) => ({ ...told, startedAt: 0, finishedAt: 0, message: '', ...result }) as Outcome;

const request = (
  more: Record<string, unknown> = {},
  method = 'POST',
  path = `/namespaces/${namespace}/wukongs/web/stop`,
) => ({
  version: '2.0',
  rawPath: path,
  pathParameters: { namespace, name: 'web' },
  requestContext: {
    requestId: 'http-1',
    http: { method, path },
    authorizer: { iam: { userArn: 'arn:aws:iam::123456789012:user/anna' } },
  },
  ...more,
});
const origin = { action: 'stop', requestId: 'invocation-1', requestedAt: 0 } as const;

describe('an HTTP request as a command', () => {
  it('has its target in the path, its key in a header, the rest in the body; IAM says who asks', () => {
    const body = Buffer.from(JSON.stringify({ force: true, requestedBy: 'somebody else' })).toString('base64');
    const event = request({
      headers: { 'idempotency-key': 'key-1' },
      queryStringParameters: { cluster: 'edge' },
      body,
      isBase64Encoded: true,
    });
    expect(parseTrigger(event, origin)).toMatchObject({
      target: { namespace, name: 'web' },
      force: true,
      cluster: 'edge',
      requestId: 'http:arn:aws:iam::123456789012:user/anna:key-1',
      requestedBy: 'arn:aws:iam::123456789012:user/anna',
      trigger: 'http',
    });
    expect(parseTrigger(request(), origin)).toMatchObject({
      requestId: 'http:arn:aws:iam::123456789012:user/anna:http-1',
      force: false,
    });
  });

  it.each([
    ['a body that is no JSON', { body: '{' }, ['body']],
    ['a list', { body: '[]' }, ['body']],
    ['another target', { body: '{"target":{"selector":"a=b"}}' }, ['target']],
    ['two request ids', { body: '{"requestId":"x"}', headers: { 'idempotency-key': 'y' } }, ['requestId']],
    ['two clusters', { body: '{"cluster":"x"}', queryStringParameters: { cluster: 'y' } }, ['cluster']],
    ['a query that nobody knows', { queryStringParameters: { force: 'true' } }, ['?force']],
    ['wrong values', { body: '{"force":1,"maxTargets":0,"x":1}' }, ['force', 'maxTargets', 'command']],
  ])('is refused with every field for %s', (_what, more, fields) => {
    let thrown: unknown;
    try {
      parseTrigger(request(more), origin);
    } catch (error) {
      thrown = error;
    }
    const answer = refusalAnswer(thrown);
    const said = JSON.parse(answer.body ?? '') as { fields: { field: string }[] };
    expect([answer.statusCode, said.fields.map(({ field }) => field)]).toEqual([400, fields]);
  });
});

describe('the status of an outcome', () => {
  it.each([
    ...(['Started', 'AlreadyOn', 'Stopped', 'AlreadyOff', 'ForcedOff'] as const).map((name) => [name, 200] as const),
    ['InProgress', 202] as const,
    ['Superseded', 409] as const,
  ])('%s is %i', (name, status) => expect(statusOf(outcome({ outcome: name }))).toBe(status));

  it('is in a table for every reason', () => {
    const failed = Object.fromEntries(
      failureCodes.map((reason) => [reason, statusOf(outcome({ outcome: 'Failed', reason }))]),
    );
    expect(failed).toMatchObject({ InvalidAction: 400, Denied: 403, NotFound: 404, Stuck: 409, Unreachable: 503 });
    expect(new Set(Object.values(failed))).toEqual(new Set([400, 403, 404, 409, 500, 503]));
    for (const reason of skipReasons) expect([200, 409]).toContain(statusOf(outcome({ outcome: 'Skipped', reason })));
  });

  it('is 429, with when to come again, when the API server has too much to do', () => {
    const message = 'Wukong team-a/web: too many requests (429)';
    expect(statusOf(outcome({ outcome: 'Failed', reason: 'Unreachable', message }))).toBe(429);
    const answer = refusalAnswer(new LifecycleError('Unreachable', message, { status: 429 }));
    expect(answer).toMatchObject({ statusCode: 429, headers: { 'retry-after': '5' } });
  });
});

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}
const call = (at: Scene, event: unknown, handler = lambda('stopVm', stopVm, () => Promise.resolve(at.world))) =>
  at.run(
    async () => (await handler(event, { getRemainingTimeInMillis: () => 120_000 } as Context)) as unknown as Answer,
  );

describe('stopVm over HTTP', () => {
  it('answers 202 and where to look before an HTTP API gives up; the same key asks how it goes', async () => {
    const at = await scene();
    const guest = { 'shutdown-seconds': '60' };
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest, terminationGracePeriodSeconds: 90 });
    await at.pass(5_000);
    const event = request({ headers: { 'idempotency-key': 'key-1' } });
    const began = at.clock.now();
    const first = await call(at, event);
    expect(at.clock.now() - began).toBeLessThan(29_000);
    expect(first).toMatchObject({ statusCode: 202, headers: { location: `/namespaces/${namespace}/wukongs/web` } });
    const again = await call(at, event);
    expect(again).toMatchObject({ statusCode: 202, headers: { location: expect.any(String) } });
    const requestId = 'http:arn:aws:iam::123456789012:user/anna:key-1';
    expect(JSON.parse(again.body)).toMatchObject({ reason: 'Duplicate', state: { operation: { requestId } } });
  });

  it.each([
    ['404 for a Wukong that is not there', {}, 404],
    ['409 for one that is protected', { annotations: { 'lifecycle.novasphere.dev/protected': 'true' } }, 409],
    ['200 for one that is off', { runStrategy: 'Halted' }, 200],
  ])('answers %s', async (_what, wukong, status) => {
    const at = await scene();
    if (status !== 404) at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', ...(wukong as object) });
    await at.pass(5_000);
    expect(await call(at, request())).toMatchObject({ statusCode: status });
  });

  it.each([403, 429])('answers %i when the API server does', async (status) => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    at.sim.faults.add({ when: { path: /\/wukongs\/web/ }, does: { kind: 'status', status } });
    expect(await call(at, request())).toMatchObject({ statusCode: status });
  });

  it('answers 400 for a cluster that is not there', async () => {
    const at = await scene();
    const open = (cluster?: string) =>
      cluster ? Promise.reject(new LifecycleError('InvalidAction', 'cluster: unknown')) : Promise.resolve(at.world);
    const elsewhere = request({ queryStringParameters: { cluster: 'mars' } });
    expect(await call(at, elsewhere, lambda('stopVm', stopVm, open))).toMatchObject({ statusCode: 400 });
  });
});

describe('getState over HTTP', () => {
  it('answers one as it is, and many by selector', async () => {
    const at = await scene();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    await at.pass(5_000);
    const handler = lambda('getState', getState, () => Promise.resolve(at.world));
    const one = await call(at, request({}, 'GET'), handler as never);
    expect(JSON.parse(one.body)).toMatchObject({ name: 'web', state: 'Running' });
    const list = { pathParameters: { namespace }, queryStringParameters: { selector: 'env=dev' } };
    expect(JSON.parse((await call(at, request(list, 'GET'), handler as never)).body)).toMatchObject({
      items: [{ name: 'web' }],
    });
    const wrong = { pathParameters: { namespace }, queryStringParameters: { selector: 'env in', color: 'red' } };
    expect(await call(at, request(wrong, 'GET'), handler as never)).toMatchObject({ statusCode: 400 });
  });
});
