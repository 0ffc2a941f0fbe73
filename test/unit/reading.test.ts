import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';

/** shared/ in reading order: a file imports only what stands above it, but for plain types. */
const order = readFileSync('shared/README.md', 'utf8')
  .split('\n')
  .flatMap((line) => /^\d+\. `([^`]+)`/.exec(line)?.[1] ?? []);

const files = readdirSync('shared', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'));

function importsOf(file: string): string[] {
  const text = readFileSync(join('shared', file), 'utf8');
  const found = text.matchAll(/^(?:import|export) (?!type )[^;]*? from '(\.[^']+)';/gms);
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)));
}

describe('shared/ reads from top to bottom', () => {
  it('lists every file once', () => expect([...order].sort()).toEqual(files.sort()));

  it.each(files)('%s imports only what stands above it', (file) => {
    const below = importsOf(file).filter((other) => order.indexOf(other) >= order.indexOf(file));
    expect(below).toEqual([]);
  });

  it('imports nothing from outside', () => {
    const outside = files.flatMap((file) => importsOf(file).filter((path) => path.startsWith('..')));
    expect(outside).toEqual([]);
  });
});

describe('sim/ stands alone', () => {
  it.each(readdirSync('sim').filter((file) => file.endsWith('.ts')))(
    '%s imports nothing of shared/ but plain types',
    (file) => {
      const text = readFileSync(join('sim', file), 'utf8');
      expect([...text.matchAll(/^import (?!type )[^;]*? from '\.\.\/shared[^']*';/gms)].map(([all]) => all)).toEqual(
        [],
      );
    },
  );
});
