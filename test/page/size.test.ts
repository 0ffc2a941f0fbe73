import { expect, test } from 'vitest';

import { readBytes, sizeOf } from '../../cli/page/size.ts';
import { wukongOf } from './fleet.ts';

test.each([
  ['0', 0],
  ['1073741824', 2 ** 30],
  ['512Ki', 512 * 1024],
  ['64Mi', 64 * 2 ** 20],
  ['8Gi', 8 * 2 ** 30],
  ['1.5Ti', 1.5 * 2 ** 40],
  ['2Pi', 2 * 2 ** 50],
  ['1Ei', 2 ** 60],
  ['3K', 3_000],
  ['3.25M', 3_250_000],
  ['4G', 4e9],
  ['1T', 1e12],
  ['1P', 1e15],
  ['1E', 1e18],
  ['0.5Gi', 2 ** 29],
])('%s is %d bytes', (text, bytes) => expect(readBytes(text)).toBe(bytes));

test.each([
  '',
  ' 8Gi',
  '8 Gi',
  '8GiB',
  '8gi',
  '8k',
  '-8Gi',
  '8.Gi',
  '.5Gi',
  '1e3',
  '8Gi\n',
  'Gi',
  '9'.repeat(400),
  8,
  null,
  undefined,
])('%j is no quantity', (text) => expect(readBytes(text)).toBeUndefined());

test('a Wukong says what it takes, as far as it says it', () => {
  expect(sizeOf(wukongOf('web', 'dev'))).toEqual({ vcpus: 4, gib: 8 });
  expect(sizeOf(wukongOf('web', 'dev', {}, { cpu: 2, memory: 'much' }))).toEqual({ vcpus: 2 });
  expect(sizeOf(wukongOf('web', 'dev', {}, {}))).toEqual({});
});
