import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const lockOf = (version: string) => ({
  packages: {
    '': { name: 'mine' },
    'node_modules/node': { version: '24.0.0', integrity: 'sha512-n', optional: true },
    'node_modules/tool': { version, integrity: `sha512-${version}`, dev: true },
    'node_modules/tool-elsewhere': { version, integrity: 'sha512-e', dev: true, optional: true },
  },
});

let top: string;
beforeEach(() => {
  top = join(mkdtempSync(join(tmpdir(), 'wukong-setup-')), 'My Projects ü');
  mkdirSync(join(top, 'infra'), { recursive: true });
  cpSync('infra/setup.mjs', join(top, 'infra/setup.mjs'));
  writeFileSync(join(top, 'package-lock.json'), JSON.stringify(lockOf('1.0.0')));
  // Stands for npm: says what it was asked, and puts there what the lock file asks for.
  mkdirSync(join(top, 'bin'));
  writeFileSync(join(top, 'bin/npm'), `#!/bin/sh\necho "$@" >> "${top}/asked"\n. "${top}/npm-does"\n`);
  chmodSync(join(top, 'bin/npm'), 0o755);
  writeFileSync(join(top, 'asked'), '');
  writeFileSync(join(top, 'npm-does'), `mkdir -p node_modules; cp package-lock.json node_modules/.package-lock.json\n`);
});
afterEach(() => rmSync(join(top, '..'), { recursive: true }));

function setup() {
  const PATH = [join(top, 'bin'), process.env['PATH']].join(delimiter);
  const { status, stderr } = spawnSync(process.execPath, [join(top, 'infra/setup.mjs')], {
    env: { ...process.env, PATH },
    encoding: 'utf8',
  });
  const asked = readFileSync(join(top, 'asked'), 'utf8').split('\n').filter(Boolean);
  return { status, stderr, asked };
}
/** As `npm install` and `npm ci` leave it behind. */
function installed(packages: object) {
  mkdirSync(join(top, 'node_modules'), { recursive: true });
  writeFileSync(join(top, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
}

describe('what a clone lacks', () => {
  it('is installed before the first script, and not again', () => {
    expect(setup()).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^Installing packages \(once\)/) as string,
    });
    const { asked, stderr } = setup();
    expect(stderr).toBe('');
    expect(asked).toEqual([expect.stringMatching(/^ci --include=dev --include=optional --ignore-scripts=false /)]);
  });

  it('is nothing after npm install, which leaves out what is for other platforms', () => {
    const { '': _own, 'node_modules/tool-elsewhere': _other, ...rest } = lockOf('1.0.0').packages;
    installed(rest);
    expect(setup()).toEqual({ status: 0, stderr: '', asked: [] });
  });

  it.each([
    ['a package was left out, as with --omit=dev', {}],
    ['a package has another version than the lock file now has', lockOf('0.9.0').packages],
    [
      'a package has another content',
      { 'node_modules/tool': { version: '1.0.0', integrity: 'sha512-other', dev: true } },
    ],
  ])('is everything where %s', (_why, packages) => {
    installed(packages);
    expect(setup().asked).toHaveLength(1);
    expect(setup().asked).toHaveLength(1);
  });

  it('ends the script where npm cannot install it', () => {
    writeFileSync(join(top, 'npm-does'), 'exit 7\n');
    expect(setup().status).toBe(7);
  });
});
