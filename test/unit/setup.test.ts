import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'wukong setup-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A fresh clone whose npm says this and ends with `code`; without one where it says nothing. */
function setup(says: string, code: number) {
  mkdirSync(join(folder, 'infra'), { recursive: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json', 'infra/setup.mjs']) cpSync(file, join(folder, file));
  if (says === '') rmSync(join(folder, 'bin/npm'), { force: true });
  else writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\necho '${says}' >&2\nexit ${code}\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: join(folder, 'bin') };
  return spawnSync(process.execPath, [join(folder, 'infra/setup.mjs')], { env, encoding: 'utf8' });
}

it.each([
  ['npm error code EAI_AGAIN', 7, 7, /^The packages could not be fetched: connect to a network .*\nnpm error/],
  ['npm error code EUSAGE', 1, 1, /^The packages could not be installed: .*\nnpm error/],
  ['', 0, 1, /^npm is not there: install Node 20 or newer/],
])('a fresh clone whose npm says "%s" says first what to do', (says, ends, code, expected) => {
  const { status, stdout, stderr } = setup(says, ends);
  expect([status, stdout]).toEqual([code, '']);
  expect(stderr.replace(/^Installing packages.*\n/, '')).toMatch(expected);
});
