import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it, vi } from 'vitest';

import { main } from '../../cli/main.ts';
import { Interrupted } from '../../shared/time/wait.ts';
import { launch } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000 });

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const folder = mkdtempSync(join(tmpdir(), 'wukong launcher ü-'));
afterAll(() => rmSync(folder, { recursive: true }));

let started = 0;

/** Starts the command under a shell, as npm does, and says when nobody is left that could print something. */
function underShell(env: Record<string, string>, command = 'node cli/wukong.mjs sim --empty') {
  const { npm_command: _npm, ...clean } = process.env;
  const words = `${command.replace(/^node/, '"$NODE"')} --kubeconfig-out "$OUT"; exit $?`;
  const shell = spawn('sh', ['-c', words], {
    env: {
      ...clean,
      NODE: process.execPath,
      OUT: join(folder, `${env['npm_command'] ?? 'plain'}-${++started}.yaml`),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ready = new Promise<void>((up) =>
    shell.stdout.on('data', (text: Buffer) => String(text).includes('embedded cluster is at') && up()),
  );
  return { shell, ready, closed: once(shell, 'close') };
}

describe('a command of wukong', () => {
  it.each(['sim', 'aws-local --port 0'])('%s ends where its kubeconfig cannot be written', async (words) => {
    const { code, err } = await launch([...words.split(' '), '--kubeconfig-out', '/nonexistent/x']).done;
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('--kubeconfig-out /nonexistent/x: cannot be written (ENOENT)'),
    ]);
  });

  it.each(['sim', 'aws-local --port 0'])('%s ends when it is interrupted while its cluster comes up', async (words) => {
    const silent = { out() {}, err() {}, now: 0, colour: false };
    const interrupt = () => AbortSignal.abort(new Interrupted(Date.now()));
    const out = join(folder, 'never.yaml');
    expect(await main([...words.split(' '), '--kubeconfig-out', out], { ...silent, interrupt })).toBe(130);
    expect(existsSync(out)).toBe(false);
  });

  it('ends when npm, which started it, has gone', async () => {
    const { shell, ready, closed } = underShell({ npm_command: 'exec' });
    await ready;
    shell.kill('SIGKILL');
    await closed;
  });

  it('and so does npm run sim', async () => {
    const { shell, ready, closed } = underShell({ npm_command: 'run-script' }, scripts['sim']);
    await ready;
    shell.kill('SIGTERM');
    await closed;
  });

  it('keeps what Node has made of the sources while it works, so that a first command does not end later', async () => {
    const caches = join(folder, 'caches');
    const { shell, ready, closed } = underShell({ XDG_CACHE_HOME: caches, NODE_COMPILE_CACHE: '' });
    const kept = () => existsSync(caches) && readdirSync(caches, { recursive: true }).length > 100;
    try {
      await ready;
      await vi.waitUntil(kept, { timeout: 40_000, interval: 50 });
    } finally {
      process.kill(-shell.pid!, 'SIGKILL');
      await closed;
    }
  });

  it('every script that stays until it is stopped ends with npm', () => {
    for (const name of ['sim', 'start', 'bench']) expect(scripts[name]).toContain('--import ./cli/endWithParent.mjs');
    expect(scripts['wukong']).toBe('node cli/wukong.mjs');
  });

  it('goes on when a shell that started it has gone', async () => {
    const { shell, ready, closed } = underShell({});
    await ready;
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    const still = await Promise.race([
      closed.then(() => 'ended'),
      new Promise((later) => setTimeout(later, 300, 'runs')),
    ]);
    expect(still).toBe('runs');
    process.kill(-shell.pid!, 'SIGTERM');
    await closed;
  });
});
