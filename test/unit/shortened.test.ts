import { expect, it } from 'vitest';

import { shortened } from '../../shared/report/shortened.ts';

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value)) + 1;
/** So many bytes with the comma behind them. */
const sized = (size: number, more: object = {}) => {
  const one = { ...more, text: '' };
  return { ...one, text: 'x'.repeat(size - bytes(one)) };
};
const many = (count: number, size: number, more: object = {}) => Array.from({ length: count }, () => sized(size, more));

it('an answer of less than a megabyte stays as it is', () => {
  const small = { list: ['a'], left: 7 };
  expect(shortened(small)).toBe(small);
  const exact = { text: 'x'.repeat(900_000 - 1 - '{"text":""}'.length) };
  expect([bytes(exact), shortened(exact)]).toEqual([900_000, exact]);
  expect(shortened({ text: `${exact.text}x` })).toEqual({ text: `${exact.text}x`, omitted: {} });
});

it('of a larger one each list has as many as fit into its share, and the others are counted', () => {
  const answer = { left: 7, outcomes: many(1_000, 1_000), names: many(800, 1_000), few: ['a'] };
  const { outcomes, names, ...rest } = shortened(answer);
  expect([outcomes.length, names.length, rest]).toEqual([
    300,
    300,
    { left: 7, few: ['a'], omitted: { outcomes: 700, names: 500 } },
  ]);
  expect(shortened({ one: many(1_000, 1_000) }).one).toHaveLength(900);
});

it('those that failed come first, whatever else stands there', () => {
  const failed = (name: string) => sized(1_000, { outcome: 'Failed', name });
  const list = [null, undefined, failed('a'), ...many(2_000, 1_000, { outcome: 'Stopped' }), failed('b')];
  const { list: kept, omitted } = shortened({ list });
  expect(kept.slice(0, 5)).toEqual([failed('a'), failed('b'), null, undefined, list[3]]);
  expect([kept.length, omitted]).toEqual([901, { list: list.length - 901 }]);
});
