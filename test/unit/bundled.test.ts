import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, it } from 'vitest';

/** All that a handler imports, files and packages, as a bundler finds it; types are none of it. */
function importsOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(file, 'utf8').replaceAll(/import type [\s\S]*?;/g, '');
  const still = text.matchAll(/^(?:import|export)\b[^;'"]*?['"]([^'"]+)['"]/gm);
  const later = text.matchAll(/\bimport\(['"]([^'"]+)['"]\)/g);
  for (const [, from = ''] of [...still, ...later]) {
    if (!from.startsWith('.')) found.add(from);
    else if (existsSync(join(dirname(file), from))) importsOf(join(dirname(file), from), found);
  }
  return found;
}

it.each(['stopVm', 'startVm', 'restartVm', 'getState'])('%s loads no parser of calendar files', (name) => {
  const all = importsOf(`functions/${name}/handler.ts`);
  expect(all.size).toBeGreaterThan(50);
  expect([...all].filter((one) => /ical/i.test(one) || one.endsWith('calendarFile.ts'))).toEqual([]);
});

it.each(['stopVm', 'startVm', 'restartVm'])('%s loads no data of time zones', (name) =>
  expect([...importsOf(`functions/${name}/handler.ts`)].filter((one) => /moment/.test(one))).toEqual([]),
);

it('reconcileState has both', () => {
  const all = [...importsOf('functions/reconcileState/handler.ts')];
  expect(all.filter((one) => /ical|moment/.test(one)).length).toBeGreaterThanOrEqual(2);
});
