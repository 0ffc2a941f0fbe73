import { existsSync, readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

const text = readFileSync('docs/threat-model.md', 'utf8');
const section = text.slice(
  text.indexOf('## What each capability gives'),
  text.indexOf('## What a stolen token can do'),
);
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (who may|---)/.test(line))
  .map((line) => line.split(' | '));

it('the threat model names for each line tests that there are', () => {
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const proofs = [...(row.at(-1) ?? '').matchAll(/`(test\/[^`]+)`: ([^;|]+)/g)];
    expect(proofs.length, row.join(' | ')).toBeGreaterThan(0);
    for (const [, file = '', name = ''] of proofs) {
      expect(existsSync(file), file).toBe(true);
      expect(readFileSync(file, 'utf8'), `${file}: ${name}`).toContain(name.trim());
    }
  }
});
