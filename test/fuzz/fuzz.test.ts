import { describe, expect, it } from 'vitest';

import { LifecycleError } from '../../shared/domain/errors.ts';
import { isBatch } from '../../shared/entry/queue.ts';
import { parseTrigger } from '../../shared/entry/trigger.ts';
import { runCounts } from '../../shared/report/runLines.ts';
import { checkSchedule } from '../../shared/schedule/schedule.ts';
import { fuzz } from './fuzz.ts';
import { surfaces } from './surfaces.ts';

it('takes or refuses whatever comes in, without an unhandled error and without a call', async () => {
  const done = await fuzz(3_000, 42);
  expect(done.reduce((sum, { runs }) => sum + runs, 0)).toBeGreaterThanOrEqual(3_000);
  expect(done.map(({ name }) => name)).toEqual(surfaces.map(({ name }) => name));
}, 60_000);

describe('was not taken well once', () => {
  const http = (more: object, context: object = {}) => ({
    version: '2.0',
    rawPath: '/',
    pathParameters: { namespace: 'team-a', name: 'web' },
    requestContext: { http: { method: 'POST', path: '/' }, ...context },
    ...more,
  });
  const parse = (event: unknown) => parseTrigger(event, { action: 'stop', requestId: 'r', requestedAt: 0 });

  it.each([
    ['a body that is a number', http({ body: 0 })],
    ['a body that is an object, said to be base64', http({ body: { name: 'x' }, isBase64Encoded: true })],
  ])('%s', (_what, event) => expect(() => parse(event)).toThrow(LifecycleError));

  it('a caller and a request that are no text', () => {
    const context = { requestId: { a: 1 }, authorizer: { iam: { userArn: 7 } } };
    expect(parse(http({}, context))).toMatchObject({ requestId: 'http:anyone:r', trigger: 'http' });
    expect(parse(http({}, context))).not.toHaveProperty('requestedBy');
  });

  it('a run with more reasons, or names, than it has room for', () => {
    const skipped = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`reason-${i}`, 1]));
    const forcedNames = Array.from({ length: 60_000 }, (_, i) => `vm-${i}`);
    expect(runCounts.parse({ skipped, forcedNames })).toMatchObject({ skipped: {}, forcedNames: [], done: 0 });
  });

  it('a holiday that is too deep to be written', () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 20_000; i++) deep = [deep];
    const spec = { stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } }, holidays: { dates: [deep] } };
    const { problems } = checkSchedule({ metadata: { name: 'office', namespace: 'team-a' }, spec } as never);
    expect(problems).toMatchObject([{ field: 'spec.holidays.dates[0]' }]);
  });

  it('a message whose id is no text', () => {
    const record = { eventSource: 'aws:sqs', messageId: [[]], body: '{}' };
    expect(isBatch({ Records: [record] })).toBe(false);
    expect(() => parse(record)).toThrow(LifecycleError);
  });
});
