import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { type Config, rows } from './kubeconfigRows.ts';
import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
let around: { token: string; folder: string; ca: string };
let text: string;
const folder = mkdtempSync(join(tmpdir(), 'kubeconfig rows ü '));

beforeAll(async () => {
  sim = await simulate('--empty');
  text = readFileSync(sim.kubeconfig, 'utf8');
  const { clusters, users } = load(text) as Config;
  const token = String(users[0]?.user['token']);
  const ca = Buffer.from(String(clusters[0]?.cluster['certificate-authority-data']), 'base64').toString();
  around = { token, folder, ca };
  const status = { token };
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
  const files = { token, 'token-with-newline': `${token}\n`, empty: '', 'ca.crt': ca };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, 'plugin.sh'), `#!/bin/sh\nprintf '%s' '${JSON.stringify(credential)}'\n`);
  chmodSync(join(folder, 'plugin.sh'), 0o755);
});
afterAll(() => sim.close());

/** Real kubectl, where this machine has one: .ci/kubernetes.sh asks for it. */
function kubectl(file: string, env: Record<string, string> = {}): Promise<{ code: number | null; err: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; err: string }>();
  const child = spawn('kubectl', ['--kubeconfig', file, '--request-timeout=5s', 'get', 'namespaces', '-o', 'name'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 20_000,
  });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.once('error', ({ message }) => resolve({ code: null, err: message }));
  child.once('close', (code) => resolve({ code: code ?? 1, err }));
  return promise;
}

describe('a kubeconfig is read as kubectl reads it', () => {
  // At once, as a dead proxy is tried again for three seconds.
  it.concurrent.for(rows)('$title', async ({ title, change, ends, env, options = [], kubectl: other }) => {
    const config = load(text) as Config;
    change(config, around);
    const file = join(folder, `${title.replace(/[^a-z]+/gi, '-')}.yaml`);
    writeFileSync(file, JSON.stringify(config));
    const { code, out, err } = await sim.wukong(`state -A ${options.join(' ')}`.trim(), { KUBECONFIG: file, ...env });
    const said = `${out}${err}`;
    if (ends === 'works') expect(err).toContain('No Wukongs found');
    else {
      expect(code).toBe(1);
      expect(said).toMatch(ends);
    }
    // Never an error of the runtime, and a missing file is no reason to renew a token.
    expect(said).not.toMatch(/ENOENT|undefined|Cannot read|is not a function|ERR_INVALID_ARG| {4}at /);
    if (!/40[13]|cannot list/.test(said)) expect(said).not.toContain('Renew the token');
    if (process.env['KUBECTL_ROWS'] !== 'yes') return;
    const theirs = await kubectl(file, env);
    expect([theirs.code === 0, theirs.err]).toEqual([other?.works ?? ends === 'works', expect.anything()]);
  });
});
