import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { begin, installed, run, type Started } from './starting.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const folder = mkdtempSync(join(tmpdir(), 'My Projects ü-'));
const wukong = (...args: string[]) => run([installed, ...args], { cwd: folder });
let sim: Started;

beforeAll(async () => {
  sim = begin([installed, 'sim', '--kubeconfig-out', 'sim.yaml'], { cwd: folder });
  await vi.waitFor(() => expect(sim.printed()).toMatch(/demo-b\/huge/), { timeout: 40_000 });
});
afterAll(async () => {
  sim.child.kill('SIGTERM');
  expect(await sim.done).toEqual({ code: 0, signal: null });
  rmSync(folder, { recursive: true });
});

describe('the installed package', () => {
  it('says its version, and runs on the Node that it needs', async () => {
    const { code, printed } = await wukong('version', '-o', 'json');
    expect([code, JSON.parse(printed)]).toEqual([
      0,
      {
        version,
        node: expect.stringMatching(/^v(2[4-9]|[3-9]\d)\./) as string,
        tzdata: expect.stringMatching(/^20\d\d[a-z]$/) as string,
      },
    ]);
  });

  it('plans a schedule without a cluster, as lines and as a page', async () => {
    const metadata = { name: 'office', namespace: 'team-a' };
    const spec = { timeZone: 'Europe/Berlin', stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } } };
    const schedule = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongSchedule', metadata, spec };
    writeFileSync(join(folder, 'office.yaml'), JSON.stringify(schedule));
    const planned = await wukong('plan', '--schedule', 'office.yaml');
    expect(planned).toMatchObject({ code: 0, printed: expect.stringMatching(/20:00 +stop +team-a\/office/) as string });
    expect(await wukong('plan', '--schedule', 'office.yaml', '--html', 'week.html')).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'week.html'), 'utf8')).toMatch(/<style>[^]*<script>/);
  });

  it('starts and stops a VM on the embedded cluster that it brought', async () => {
    const there = ['-n', 'demo-a', '--kubeconfig', 'sim.yaml'];
    const started = await wukong('start', 'batch', ...there);
    expect(started).toMatchObject({ code: 0, printed: expect.stringMatching(/demo-a\/batch +Started/) as string });
    const stopped = await wukong('stop', 'batch', ...there);
    expect(stopped).toMatchObject({ code: 0, printed: expect.stringMatching(/demo-a\/batch +Stopped/) as string });
  });

  it('has the CRDs and Roles that it asks for', async () => {
    const checked = await wukong('crd', 'check', '--kubeconfig', 'sim.yaml');
    expect(checked).toMatchObject({ code: 0, printed: expect.stringContaining('wukongschedules') as string });
    const looked = await wukong('doctor', '-A', '--kubeconfig', 'sim.yaml');
    expect(looked.printed).toMatch(/OK +permissions +all of wukong-reconcile/);
  });

  it('has the CRD as its operator ships it, for an embedded cluster that is not extended', async () => {
    const other = begin([installed, 'sim', '--empty', '--crd', 'original', '--kubeconfig-out', 'other.yaml'], {
      cwd: folder,
    });
    await vi.waitFor(() => expect(other.printed()).toMatch(/embedded cluster is at/), { timeout: 20_000 });
    other.child.kill('SIGTERM');
    expect(await other.done).toEqual({ code: 0, signal: null });
  });

  it('is small, and has no test in it', () => {
    const root = join(inject('prefix'), 'lib', 'node_modules', 'wukong-lifecycle');
    const files = globSync('**/*', { cwd: root, exclude: (name) => name === 'node_modules' });
    expect(files.filter((file) => /\.test\.|\.ts$|^(test|bench|docs)\//.test(file))).toEqual([]);
    const size = files.reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
    expect(size).toBeLessThan(2_000_000);
  });

  it('is ended by an option that cannot be used, and leaves nothing running', async () => {
    const ended = await wukong('sim', '--kubeconfig-out', '/nonexistent/x');
    expect(ended).toMatchObject({
      code: 2,
      printed: expect.stringContaining('/nonexistent/x: cannot be written') as string,
    });
  });

  it.skipIf(!inject('oldNode'))('says what it needs where Node is old and its own was left out', async () => {
    const launcher = join(folder, 'alone', 'cli', 'wukong.mjs');
    execFileSync('mkdir', ['-p', join(folder, 'alone', 'cli')]);
    writeFileSync(launcher, readFileSync('cli/wukong.mjs', 'utf8'));
    copyFileSync('cli/endWithParent.mjs', join(folder, 'alone', 'cli', 'endWithParent.mjs'));
    const ended = await run([inject('oldNode') ?? '', launcher, 'version']);
    expect(ended).toEqual({
      code: 1,
      printed: expect.stringMatching(/^wukong: needs Node 24 or newer, and this is .*\n$/) as string,
    });
  });
});
