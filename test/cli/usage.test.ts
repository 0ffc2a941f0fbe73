import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it, vi } from 'vitest';

import { commands } from '../../cli/commands.ts';
import { main } from '../../cli/main.ts';
import { checkKubeconfigFile, writeKubeconfig } from '../../sim/kubeconfigFile.ts';

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'wukong-usage-'));
afterAll(() => rmSync(folder, { recursive: true }));

function text(content: string): string {
  const file = join(folder, content.replaceAll(' ', '-'));
  writeFileSync(file, content);
  return file;
}

/** A script as npm starts it, without a cluster. */
async function run(file: string, ...args: string[]) {
  const { KUBECONFIG: _kubeconfig, ...env } = process.env;
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

const scripts = ['cli/demo/main.ts', 'sim/main.ts', 'test/contract/main.ts', 'bench/main.ts'];

describe.each(scripts)('%s', (file) => {
  it('ends with 2 for an option that it does not know, says which, and where help is', async () => {
    const { code, out, err } = await run(file, '--no-such');
    expect([code, out, err]).toEqual([
      2,
      '',
      expect.stringMatching(/^npm [^\n]*'--no-such'[^\n]*\nTry: npm .* --help\n$/),
    ]);
  });

  it('says with --help how it is used, and ends with 0', async () => {
    const { code, out, err } = await run(file, '--help');
    expect([code, out, err]).toEqual([0, expect.stringMatching(/^Usage: npm .*\nExit code: 0 /s), '']);
  });
});

it.each([
  ['cli/demo/main.ts', '--fleet', 'many', '--fleet: expected a whole number'],
  ['cli/demo/main.ts', '--fleet=5', '--cluster', 'expected --fleet or --cluster'],
  ['cli/demo/main.ts', '--yes', '--json', '--yes: expected with --cluster'],
  ['cli/demo/main.ts', 'now', '--json', "'now'"],
  ['sim/main.ts', '--port', '1', '--kubeconfig-out: expected FILE'],
  ['sim/main.ts', '--port', 'x', '--port x: expected a number'],
  ['sim/main.ts', '--limits', 'no', '--limits no: expected limited or unlimited'],
  ['sim/main.ts', '--kubeconfig-out', '/nonexistent/x', '/nonexistent/x: cannot be written (ENOENT)'],
  ['test/contract/main.ts', '--guests', 'paper', '--guests: expected sim or real'],
  ['test/contract/main.ts', '--only', 'stop', 'which cluster?'],
  ['bench/main.ts', '--only', 'nothing', '--only nothing: expected one of'],
])('%s %s %s is wrong usage', async (file, one, two, expected) => {
  const { code, out, err } = await run(file, one, two);
  expect([code, out, err]).toEqual([2, '', expect.stringContaining(expected)]);
});

it('npm start -- --fleet 3 --json prints one line of JSON for each outcome, and nothing else', async () => {
  const { code, out, err } = await run('cli/demo/main.ts', '--fleet', '3', '--json');
  expect([code, err]).toEqual([0, '']);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toMatchObject({ scene: 'fleet', namespace: 'fleet', outcome: 'Stopped' });
});

it.each(Object.keys(commands))('wukong %s ends with 2 for an option that it does not know', async (name) => {
  let err = '';
  const io = { out: () => {}, err: (text: string) => void (err += text), now: Date.now(), colour: false, env: {} };
  expect(await main([name, '--no-such'], io)).toBe(2);
  expect(err).toMatch(/--no-such/);
});

it.each([
  ['a port that is no number', ['--port=http'], /--port http: expected a number/],
  ['a port below the first', ['--port=-1'], /--port -1: expected a number/],
  ['a port above the last', ['--port=65536'], /--port 65536: expected a number/],
  ['a certificate without its key', ['--tls-cert=README.md'], /expected both, or neither/],
  ['a certificate that is none', ['--tls-cert=README.md', '--tls-key=README.md'], /expected a certificate and the key/],
  ['a file that is not there', ['--webhook-secret=/nonexistent'], /--webhook-secret \/nonexistent: ENOENT/],
  ['a secret that is short', ['--webhook-secret', text('short')], /at least 16 characters/],
  ['a secret that no sender can send', ['--webhook-secret', text('sixteen characters, and spaces')], /no space/],
  ['an audience that is empty', ['--audience='], /--audience: expected NAME/],
])('wukong serve with %s is wrong usage', async (_what, options, says) => {
  let err = '';
  const io = { out: () => {}, err: (text: string) => void (err += text), now: Date.now(), colour: false, env: {} };
  expect(await main(['serve', ...options], io)).toBe(2);
  expect(err).toMatch(says);
});

describe('a kubeconfig of the embedded cluster', () => {
  const file = join(folder, 'config');

  it('is never written over what somebody else has there', () => {
    for (const dear of ['apiVersion: v1\nkind: Config\n', '#', '\n']) {
      writeFileSync(file, dear);
      expect(() => writeKubeconfig(file, 'of ours')).toThrow(/was not written by the embedded cluster/);
      expect(readFileSync(file, 'utf8')).toBe(dear);
    }
    expect(checkKubeconfigFile(folder)).toMatch(/is a folder/);
  });

  it('is written to an empty file, and over one of its own, for its owner alone', () => {
    writeFileSync(file, '', { mode: 0o644 });
    writeKubeconfig(file, 'first');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeKubeconfig(file, 'second');
    expect(readFileSync(file, 'utf8')).toMatch(/^# Of the embedded cluster.*\nsecond$/);
  });

  it('leaves the mode of a device alone', () => {
    const { mode } = statSync('/dev/null');
    writeKubeconfig('/dev/null', 'nowhere');
    expect(statSync('/dev/null').mode).toBe(mode);
  });
});
