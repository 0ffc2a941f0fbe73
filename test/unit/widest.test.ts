import { expect, test } from 'vitest';

import { widest, widthsOf } from '../../cli/terminal/columns.ts';

test('columns are as wide as the widest of any number of rows', () => {
  const rows = Array.from({ length: 200_000 }, (_none, i) => [String(i), '']);
  expect(widthsOf(['N', 'NOTE'], rows)).toEqual([6, 4]);
  expect([widest([]), widest(['a'], 3)]).toEqual([0, 3]);
});
