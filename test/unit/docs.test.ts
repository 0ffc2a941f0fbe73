import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { errorsPage } from '../../cli/errorsTable.ts';

it('docs/errors.md says what the code says', () => {
  expect(readFileSync('docs/errors.md', 'utf8')).toBe(errorsPage());
});
