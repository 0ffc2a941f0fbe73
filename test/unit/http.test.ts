import { describe, expect, it } from 'vitest';

import type { Cluster } from '../../shared/cluster/world.ts';
import { invalid } from '../../shared/domain/command.ts';
import { type FailureCode, failures, LifecycleError } from '../../shared/domain/errors.ts';
import { adoptsKey, type KubeObject } from '../../shared/domain/model.ts';
import { operationKey, write } from '../../shared/domain/operation.ts';
import type { Outcome, Result, SkipReason } from '../../shared/domain/outcome.ts';
import { answerHttp, httpLimitMs, refusal, refusalAnswer, statusOf } from '../../shared/entry/http.ts';
import type { HttpRequest } from '../../shared/entry/request.ts';
import { worldOf } from './asked.ts';
import { operation, s, t0 } from './machines.ts';

const place = { namespace: 'team-a', name: 'web' };
const outcome = (result: Result): Outcome => {
  const whose = { ...place, requestId: 'r', trigger: 'http', startedAt: t0, finishedAt: t0 } as const;
  return { ...whose, action: 'stop', forced: false, ...result };
};
const path = '/namespaces/team-a/wukongs/web';
const request = (more: object = {}, verb = '/stop'): HttpRequest =>
  ({
    ...{ version: '2.0', rawPath: '' },
    pathParameters: place,
    requestContext: { http: { method: 'POST', path: path + verb } },
    ...more,
  }) as HttpRequest;
const nobody = (): Promise<Cluster> => Promise.reject(new Error('no cluster is asked'));
const answered = async (done: unknown, of = request(), cluster = nobody) => {
  const { statusCode, headers, body } = await answerHttp(of, () => Promise.resolve(done), cluster);
  return { status: statusCode, headers, body: JSON.parse(body ?? '') as Record<string, unknown> };
};
const plain = { 'content-type': 'application/json', 'cache-control': 'no-store' };
const later = { 'retry-after': '5' };

describe('the status of what a command came to', () => {
  it.each<[number, FailureCode[]]>([
    [400, ['InvalidAction']],
    [403, ['Denied']],
    [404, ['NotFound']],
    [
      409,
      [
        'Refused',
        'Unschedulable',
        'StorageNotReady',
        'ImageUnavailable',
        'NetworkNotReady',
        'GuestCrashLoop',
        'NodeLost',
        'NotAccepted',
        'TimedOut',
        'Stuck',
        'RestartedItself',
        'CrdNotExtended',
        'NotOwned',
      ],
    ],
    [500, ['Unknown']],
    [503, ['Unreachable']],
  ])('is %i for the failures %j', (status, codes) => {
    for (const reason of codes)
      expect([reason, statusOf(outcome({ outcome: 'Failed', reason, message: '(428)' }))]).toEqual([reason, status]);
  });

  it.each<[number, SkipReason[]]>([
    [409, ['Protected', 'Override', 'Stale', 'NotDue']],
    [200, ['Duplicate', 'DryRun']],
  ])('is %i for what is skipped as %j', (status, reasons) => {
    for (const reason of reasons) expect(statusOf(outcome({ outcome: 'Skipped', reason, message: '' }))).toBe(status);
  });

  it.each<[number, Outcome['outcome'][]]>([
    [200, ['Started', 'AlreadyOn', 'Stopped', 'AlreadyOff', 'ForcedOff']],
    [202, ['InProgress']],
    [409, ['Superseded']],
  ])('is %i for %j', (status, outcomes) => {
    for (const one of outcomes) expect(statusOf(outcome({ outcome: one, message: '' } as Result))).toBe(status);
  });

  it('is 429 where the API server has too much to do, and for nothing else', () => {
    const failed = (reason: FailureCode) => statusOf(outcome({ outcome: 'Failed', reason, message: 'slowly (429)' }));
    expect([failed('Unreachable'), failed('Refused')]).toEqual([429, 409]);
  });
});

describe('an answer over HTTP', () => {
  it('is given ten seconds before an HTTP API gives up', () => expect(30 * s - httpLimitMs).toBe(10 * s));

  it('is the outcome, as the event of it', async () => {
    const { status, headers, body } = await answered({ outcomes: [outcome({ outcome: 'Stopped', message: 'so' })] });
    expect([status, headers]).toEqual([200, plain]);
    expect(body).toMatchObject({ ...place, action: 'stop', outcome: 'Stopped', message: 'so', requestId: 'r' });
    expect(body).not.toHaveProperty('next');
  });

  it('of a failure says what to do, and of an API server that is away when to come again', async () => {
    const failed = (reason: FailureCode, message = 'so') =>
      answered({ outcomes: [outcome({ outcome: 'Failed', reason, message })] });
    expect(await failed('Stuck')).toMatchObject({ status: 409, headers: plain, body: { next: failures.Stuck.next } });
    expect(await failed('Unreachable')).toMatchObject({
      status: 503,
      headers: { ...plain, ...later },
      body: { next: failures.Unreachable.next },
    });
    expect(await failed('Unreachable', '(429)')).toMatchObject({ status: 429, headers: { ...plain, ...later } });
    expect((await failed('Stuck')).headers).toEqual(plain);
  });

  it.each(['/start', '/stop', '/restart', ''])('of what goes on says where to look: %s', async (verb) => {
    const going = { outcomes: [outcome({ outcome: 'InProgress', message: 'so' })] };
    expect(await answered(going, request({}, verb))).toMatchObject({
      status: 202,
      headers: { ...plain, ...later, location: path },
    });
    const elsewhere = request({ queryStringParameters: { cluster: 'a b' } }, verb);
    expect((await answered(going, elsewhere)).headers).toEqual({
      ...plain,
      ...later,
      location: `${path}?cluster=a%20b`,
    });
  });

  it('is the state of one, or of many with how many are left out', async () => {
    const states = [{ name: 'web' }, { name: 'mail' }];
    expect(await answered({ states })).toEqual({ status: 200, headers: plain, body: { name: 'web' } });
    const many = request({ pathParameters: { namespace: 'team-a' } });
    expect((await answered({ states }, many)).body).toEqual({ items: states });
    expect((await answered({ states }, request({ pathParameters: undefined }))).body).toEqual({ items: states });
    expect((await answered({ states, omitted: { states: 7 } }, many)).body).toEqual({ items: states, omitted: 7 });
  });

  it('is what came of nothing, as it is', async () => {
    expect(await answered({ outcomes: [], left: 0 })).toEqual({
      status: 200,
      headers: plain,
      body: { outcomes: [], left: 0 },
    });
    expect((await answered({ counts: {} })).body).toEqual({ counts: {} });
  });

  describe('to a command that was delivered before', () => {
    const duplicate = { outcomes: [outcome({ outcome: 'Skipped', reason: 'Duplicate', message: 'so' })] };
    const vm: KubeObject & { spec: object } = {
      metadata: { ...place, name: 'web-vm', annotations: { 'lifecycle.novasphere.dev/adopted-by': 'web' } },
      spec: { runStrategy: 'Halted' },
    };
    const looked = (annotations: object) => {
      const wukong = { metadata: { ...place, uid: 'w', annotations: { [adoptsKey]: 'web-vm', ...annotations } } };
      return worldOf(t0, [200, wukong as KubeObject], [200, vm], [404]);
    };
    it('says where its VM is now', async () => {
      const { world, asked, within } = looked({});
      const { status, headers, body } = await answered(duplicate, request(), () => Promise.resolve(world));
      expect([status, headers]).toEqual([200, plain]);
      expect(body).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate', state: place });
      expect(asked[0]?.path).toMatch(/namespaces\/team-a\/wukongs\/web$/);
      expect(within[0]).toEqual({ deadline: t0 + 5 * s });
    });

    it('says where to look while it is carried out', async () => {
      const { world } = looked({ [operationKey]: write(operation({})) });
      const { status, headers, body } = await answered(duplicate, request(), () => Promise.resolve(world));
      expect([status, headers]).toEqual([202, { ...plain, ...later, location: path }]);
      expect(body).toMatchObject({ reason: 'Duplicate', state: { operation: { requestId: 'request' } } });
    });

    it('and to nothing else: what is skipped for another reason asks no cluster', async () => {
      expect(
        (await answered({ outcomes: [outcome({ outcome: 'Skipped', reason: 'DryRun', message: 'so' })] })).status,
      ).toBe(200);
    });

    it('that names no VM is answered as what it is', async () => {
      const { world } = worldOf(t0, [404, { message: 'no' } as unknown as KubeObject]);
      const bare = request({ pathParameters: place });
      expect((await answered(duplicate, bare, () => Promise.resolve(world))).status).toBe(404);
    });
  });

  it('to what is thrown is a refusal', async () => {
    const { statusCode } = await answerHttp(
      request(),
      () => Promise.reject(new LifecycleError('Denied', 'no')),
      nobody,
    );
    expect(statusCode).toBe(403);
  });
});

describe('a refusal', () => {
  const refused = (thrown: unknown) => {
    const { statusCode, headers, body } = refusalAnswer(thrown);
    return { status: statusCode, headers, body: JSON.parse(body ?? '') as unknown };
  };
  it('says what it was made to say', () => {
    const body = { outcome: 'Failed', reason: 'TooLarge', message: 'no' };
    expect(refused(refusal(413, 'TooLarge', 'no', { connection: 'close' }))).toEqual({
      status: 413,
      headers: { ...plain, connection: 'close' },
      body,
    });
    expect(refused(refusal(404, 'NotFound', 'no')).headers).toEqual(plain);
    expect(refusal(404, 'NotFound', 'no').message).toBe('no');
  });

  it('of a command names every wrong field', () => {
    const wrong = ['target.name: expected a name', 'force: expected true: or false', 'no field', ': x'];
    const fields = [
      { field: 'target.name', problem: 'expected a name' },
      { field: 'force', problem: 'expected true: or false' },
      { field: 'command', problem: 'no field' },
      { field: '', problem: 'x' },
    ];
    expect(refused(invalid(wrong))).toMatchObject({
      status: 400,
      headers: plain,
      body: { reason: 'InvalidAction', fields },
    });
    const alone = refused(new LifecycleError('InvalidAction', 'cluster: unknown'));
    expect(alone.body).toEqual({
      ...{ outcome: 'Failed', reason: 'InvalidAction', message: 'cluster: unknown', next: failures.InvalidAction.next },
      fields: [{ field: 'cluster', problem: 'unknown' }],
    });
    expect(refused(new LifecycleError('Denied', 'a: b')).body).toEqual({
      outcome: 'Failed',
      reason: 'Denied',
      message: 'a: b',
      next: failures.Denied.next,
    });
  });

  it.each<[FailureCode, number | undefined, number, object]>([
    ['Unreachable', 429, 429, later],
    ['Unreachable', 503, 503, later],
    ['Unreachable', undefined, 503, later],
    ['Refused', 429, 409, {}],
    ['NotFound', 404, 404, {}],
  ])('of an API server: %s (%s) is %i', (code, of, status, headers) => {
    const error = new LifecycleError(code, 'no', of === undefined ? {} : { status: of });
    expect(refused(error)).toMatchObject({ status, headers: { ...plain, ...headers } });
    expect(Object.keys(refused(error).headers ?? {}).sort()).toEqual(Object.keys({ ...plain, ...headers }).sort());
  });

  it('of what nobody expected is ours', () => expect(refused(new TypeError('x')).status).toBe(500));
});
