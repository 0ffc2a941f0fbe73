import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { simulate, type Simulated } from '../cli/simulated.ts';
import { begin, installed, type Started } from './starting.ts';

type Signal = 'SIGINT' | 'SIGTERM';

let sim: Simulated;
let folder: string;
beforeAll(async () => {
  sim = await simulate();
  folder = mkdtempSync(join(tmpdir(), 'wukong-signals-'));
});
afterAll(async () => {
  await sim.close();
  rmSync(folder, { recursive: true });
});

/** kubectl becomes its plugin; where it is not here, the plugin's own name is what it would start. */
const hasKubectl = inject('path')
  .split(delimiter)
  .some((one) => existsSync(join(one, 'kubectl')));
const direct: Record<string, string[]> = {
  'node cli/wukong.mjs': [process.execPath, 'cli/wukong.mjs'],
  ...(inject('oldNode') ? { 'an older node cli/wukong.mjs': [inject('oldNode')!, 'cli/wukong.mjs'] } : {}),
  'the installed wukong': [installed],
  'the plugin of kubectl': hasKubectl ? ['kubectl', 'wukong'] : ['kubectl-wukong'],
};
const throughNpm: Record<string, string[]> = {
  'npx wukong': ['npx', 'wukong'],
  'npm run wukong --': ['npm', 'run', 'wukong', '--'],
};
const signals: Signal[] = ['SIGINT', 'SIGTERM'];
const all = (ways: Record<string, string[]>) =>
  Object.entries(ways).flatMap(([name, typed]) => signals.map((signal) => ({ name, typed, signal })));

const ready = (started: Started, pattern: RegExp) =>
  vi.waitFor(() => expect(started.printed()).toMatch(pattern), { timeout: 40_000, interval: 50 });
const deaf = async () => JSON.parse((await sim.wukong('state deaf -n demo-b -o json')).out) as Record<string, unknown>;

/** Each command that lasts, at the moment at which it waits. */
async function waiting(typed: string[]) {
  expect((await sim.wukong('start deaf -n demo-b')).code).toBe(0);
  const env = { KUBECONFIG: sim.kubeconfig };
  const start = (...args: string[]) => begin([...typed, ...args], { env });
  const reconcile = start('reconcile', '-n', 'demo-a');
  const watch = start('state', '-A', '--watch');
  const cluster = start('sim', '--empty', '--kubeconfig-out', join(folder, 'kubeconfig'));
  const stop = start('stop', 'deaf', '-n', 'demo-b', '--grace', '10m');
  await Promise.all([
    ready(reconcile, / Wukongs: /),
    ready(watch, /demo-b +huge/),
    ready(cluster, /embedded cluster is at/),
    vi.waitFor(async () => expect(await deaf()).toMatchObject({ state: 'Stopping' }), {
      timeout: 40_000,
      interval: 200,
    }),
  ]);
  return { reconcile, watch, cluster, stop };
}

async function isLeftInOrder() {
  expect(await deaf()).toMatchObject({ operation: { action: 'stop' }, last: { outcome: 'InProgress' } });
  expect((await sim.wukong('stop deaf -n demo-b --force')).code).toBe(0);
}

describe.each(all(direct))('$signal to $name', ({ typed, signal }) => {
  it('ends what it runs at once, with the code that docs/cli.md says', async () => {
    const running = await waiting(typed);
    for (const { child } of Object.values(running)) child.kill(signal);
    const begun = Date.now();
    const codes = await Promise.all(Object.entries(running).map(async ([name, { done }]) => [name, (await done).code]));
    expect(Object.fromEntries(codes)).toEqual({ reconcile: 130, watch: 130, cluster: 0, stop: 3 });
    expect(Date.now() - begun).toBeLessThan(10_000);
    await isLeftInOrder();
  });
});

describe.each(all(throughNpm))('$signal to $name', ({ typed, signal }) => {
  it('ends npm and what it runs, though only npm is sent SIGTERM', async () => {
    const running = await waiting(typed);
    // Ctrl-C goes to the whole group, `kill` to npm alone.
    for (const { child } of Object.values(running))
      process.kill(signal === 'SIGINT' ? -child.pid! : child.pid!, signal);
    const ends = await Promise.all(Object.values(running).map(({ done }) => done));
    // Where sh becomes the command that it starts, as bash does, the code comes through.
    for (const { signal: by, code } of ends) expect([signal, 0, 3, 130]).toContain(by ?? code);
    await isLeftInOrder();
  });
});

describe.runIf(inject('oldNode'))('a launcher that is killed', () => {
  it('takes what it has started with it', async () => {
    const cluster = begin([
      inject('oldNode')!,
      'cli/wukong.mjs',
      'sim',
      '--empty',
      '--kubeconfig-out',
      join(folder, 'k'),
    ]);
    await ready(cluster, /embedded cluster is at/);
    cluster.child.kill('SIGKILL');
    expect((await cluster.done).signal).toBe('SIGKILL'); // its output is closed: nobody is left that holds it
  });
});
