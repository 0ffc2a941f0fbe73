import { describe, expect, it } from 'vitest';

import { hasSource, httpSource, isSameRequest, requestIdOf } from '../../shared/domain/requestId.ts';

describe('what stands before the ids of a caller', () => {
  const hash = expect.stringMatching(/^http:sha256-[0-9a-f]{64}$/) as string;
  it.each<[string | undefined, string]>([
    [undefined, 'http:anyone'],
    ['', 'http:anyone'],
    ['anna', 'http:anna'],
    ['arn:aws:iam::123:user/anna', 'http:arn:aws:iam::123:user/anna'],
    ['system:serviceaccount:a:b', 'http:system:serviceaccount:a:b'],
    ['a:b', 'http:a%3Ab'],
    ['a%3Ab', 'http:a%253Ab'],
    ['system:serviceaccount:a:b:c', 'http:system%3Aserviceaccount%3Aa%3Ab%3Ac'],
    ['x'.repeat(160), `http:${'x'.repeat(160)}`],
    [`${'x'.repeat(157)}:`, `http:${'x'.repeat(157)}%3A`],
    [`${'x'.repeat(158)}:`, hash],
    ['x'.repeat(161), hash],
    ['anyone', hash],
    ['arn', hash],
    ['system', hash],
    ['sha256-1', hash],
    ['sha256-\n', hash],
    ['\ud800', hash],
  ])('%j', (principal, expected) => expect(httpSource(principal)).toEqual(expected));

  it('is the same whenever it is asked for, and another for another', () => {
    expect(httpSource('arn')).toBe(httpSource('arn'));
    expect(new Set(['arn', 'system', '\ud800', '\ud801'].map(httpSource)).size).toBe(4);
  });
});

it('an id has its source before it, once', () => {
  expect([requestIdOf('event', 'e'), requestIdOf('event', 'event:e'), requestIdOf('event', 'cli:e')]).toEqual([
    ...['event:e', 'event:e', 'event:cli:e'],
  ]);
});

it.each(['schedule', 'event', 'http', 'declared', 'cli', 'direct', 'queue', 'tick'])(
  'an id of the source %s has one',
  (source) => {
    expect([hasSource(`${source}:x`), hasSource(source), hasSource(`x:${source}:`)]).toEqual([true, false, false]);
  },
);

it.each([
  ['event:e', 'event:e', true],
  ['event:e', 'queue:e', false],
  ['e', 'event:e', true],
  ['e', 'queue:e', true],
  ['e', 'other:e', false],
  ['e', 'event:ee', false],
  ['', 'event:', false],
  ['', '', true],
  ['event:e', 'queue:event:e', false],
])('what is recorded as %j is the request %j: %s', (recorded, id, expected) =>
  expect(isSameRequest(recorded, id)).toBe(expected),
);
