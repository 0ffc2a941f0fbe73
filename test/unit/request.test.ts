import { describe, expect, it } from 'vitest';

import { commandIn, type HttpRequest, isHttp, queryIn } from '../../shared/entry/request.ts';

const place = { namespace: 'team-a', name: 'web' };
const arn = 'arn:aws:iam::123456789012:user/anna';
/** As an HTTP API sends it; a direct call may look alike and have anything in it. */
const request = (more: object = {}, authorizer: unknown = undefined): HttpRequest =>
  ({
    ...{ version: '2.0', rawPath: '/namespaces/team-a/wukongs/web/stop', pathParameters: place },
    requestContext: { requestId: 'http-1', http: { method: 'POST', path: '/' }, ...(authorizer ? { authorizer } : {}) },
    ...more,
  }) as HttpRequest;
const signed = (more: object = {}, userArn: unknown = arn) => request(more, { iam: { userArn } });
const json = (body: unknown) => ({ body: JSON.stringify(body) });
const problem = (more: object): string => {
  try {
    commandIn(request(more));
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'InvalidAction' });
    return (thrown as Error).message;
  }
  throw new Error('it was taken');
};

describe('an HTTP request', () => {
  it('is told by its version and its method', () => {
    const { requestContext, version } = request();
    expect(isHttp({ requestContext, version })).toBe(true);
    for (const none of [
      null,
      undefined,
      'text',
      {},
      { version },
      { requestContext },
      { version: '1.0', requestContext },
      { version, requestContext: {} },
      { version, requestContext: { http: {} } },
      { version, requestContext: { http: { method: 7 } } },
    ])
      expect(isHttp(none)).toBe(false);
  });

  it('names a VM by its path, and nothing else', () => {
    expect(commandIn(request())).toStrictEqual({
      command: { target: place },
      requestId: 'http-1',
      source: 'http:anyone',
    });
    const { pathParameters: _, ...bare } = request();
    expect(commandIn(bare).command).toEqual({ target: { namespace: undefined, name: undefined } });
  });

  it('has the rest in its body, as text or in base64, or nothing', () => {
    const given = { force: true, cluster: 'edge', requestId: 'mine', requestedBy: 'somebody' };
    expect(commandIn(request(json(given))).command).toStrictEqual({ ...given, target: place });
    const body = Buffer.from('{"reason":"ü"}').toString('base64');
    expect(commandIn(request({ body, isBase64Encoded: true })).command).toMatchObject({ reason: 'ü' });
    for (const none of [{ body: '' }, { body: ' \n' }, { body: null }, { body: undefined, isBase64Encoded: true }])
      expect(commandIn(request(none)).command).toEqual({ target: place });
  });

  it('has its cluster in the query, and its key in a header', () => {
    const asked = request({ queryStringParameters: { cluster: 'edge' }, headers: { 'idempotency-key': 'key' } });
    expect(commandIn(asked).command).toStrictEqual({ target: place, cluster: 'edge', requestId: 'key' });
  });

  it.each([
    ['/namespaces/team-a/wukongs/web/restart', true],
    ['/namespaces/team-a/wukongs/restart/stop', undefined],
    [7, undefined],
    [undefined, undefined],
  ])('to %s restarts it: %s', (rawPath, restart) => {
    expect(commandIn(request({ rawPath })).command['restart']).toBe(restart);
  });

  it('is of whoever signed it, and of nobody else', () => {
    const mine = commandIn(signed(json({ requestedBy: 'somebody' })));
    expect([mine.source, mine.command['requestedBy']]).toEqual([`http:${arn}`, arn]);
    for (const nobody of [request({}, {}), request({}, { iam: null }), signed({}, null), signed({}, { toString: 7 })])
      expect([commandIn(nobody).source, commandIn(nobody).command]).toEqual(['http:anyone', { target: place }]);
    expect(commandIn(signed({}, 'x'.repeat(300))).command['requestedBy']).toHaveLength(256);
  });

  it('has an id that a request may have', () => {
    const withId = (requestId: unknown) =>
      commandIn(request({ requestContext: { requestId, http: { method: 'POST', path: '/' } } })).requestId;
    expect([withId(undefined), withId(7), withId('x'.repeat(600))?.length]).toEqual([undefined, undefined, 512]);
  });

  it('asks for what its query and its path say, and the path wins', () => {
    const asked = request({
      queryStringParameters: { selector: 'a=b', namespace: 'other' },
      pathParameters: { namespace: 'team-a' },
    });
    expect(queryIn(asked)).toEqual({ selector: 'a=b', namespace: 'team-a' });
    expect(queryIn(request({ pathParameters: undefined }))).toEqual({});
  });
});

describe('refused is an HTTP request', () => {
  const object = 'body: expected a JSON object, or nothing';
  it.each<[string, object]>([
    ['body: expected text', { body: {} }],
    [object, { body: '{' }],
    [object, { body: '[]' }],
    [object, { body: 'null' }],
    [object, { body: '"text"' }],
    [object, { body: '7' }],
    ['target: expected none, as the path names it', json({ target: 7 })],
    [
      'cluster: expected in the query or the body, not both',
      { ...json({ cluster: 'a' }), queryStringParameters: { cluster: 'b' } },
    ],
    [
      'requestId: expected none, as Idempotency-Key is given',
      { ...json({ requestId: 'a' }), headers: { 'idempotency-key': 'b' } },
    ],
    [
      `?${'x'.repeat(64)}: unknown: expected cluster, or nothing; ?b: unknown: expected cluster, or nothing`,
      { queryStringParameters: { ['x'.repeat(99)]: '', b: '' } },
    ],
  ])('%s', (message, more) => expect(problem(more)).toBe(message));
});
