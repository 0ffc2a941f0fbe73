import { spawnSync } from 'node:child_process';

import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
beforeAll(async () => {
  sim = await simulate();
  expect((await sim.wukong('stop -l demo=yes -A --grace 5s')).code).not.toBe(2);
  expect((await sim.wukong('reconcile --once')).code).toBe(0);
});
afterAll(() => sim.close());

const lines = (text: string) => text.trimEnd().split('\n');

it('wukong runs shows what a fleet command came to, a line a namespace', async () => {
  const { out, code } = await sim.wukong('runs -A');
  expect(code).toBe(0);
  const [head, ...rows] = lines(out).map((line) => line.split(/ {2,}/).join(' '));
  expect(head).toBe('NAMESPACE DUE SCHEDULE ACTION TARGETS DONE ALREADY FORCED FAILED SKIPPED LATE PHASE');
  expect(rows.map((row) => row.replace(/\S+Z/, 'DUE').replace(/\d+s/, 'LATE'))).toEqual([
    'demo-a DUE (fleet) stop 5 3 1 0 0 1 LATE Succeeded',
    'demo-b DUE (fleet) stop 3 1 1 1 0 0 LATE Succeeded',
  ]);
  const json = await sim.wukong('runs -n demo-b -o json');
  expect(JSON.parse(json.out)).toMatchObject({ kind: 'WukongRun', status: { forcedNames: ['deaf'] } });
  expect(await sim.wukong('runs nightly -n demo-a')).toMatchObject({
    code: 0,
    out: '',
    err: expect.stringContaining('No runs of nightly') as string,
  });
  expect((await sim.wukong('runs a b')).code).toBe(2);
});

it('wukong runs prints them in the forms of wukong state', async () => {
  const out = async (words: string) => (await sim.wukong(`runs -A ${words}`)).out;
  expect(await out('-o name')).toMatch(/^(wukongrun\.vm\.novasphere\.dev\/\S+\n){2}$/);
  const sorted = '-o custom-columns=N:.metadata.namespace,T:.status.targets --sort-by=.status.targets';
  expect(await out(sorted)).toBe('N        T\ndemo-b   3\ndemo-a   5\n');
  expect(await out(`${sorted} --no-headers`)).toBe('demo-b   3\ndemo-a   5\n');
  expect(await out('-o jsonpath={.items[*].spec.action}')).toBe('stop stop');
  expect(await out('-o yaml')).toMatch(/^items:\n/);
  const [first = '', ...more] = lines(await out('--no-headers --sort-by={.status.targets}'));
  expect([first.slice(0, 6), more.length]).toEqual(['demo-b', 1]);
});

it('wukong why tells the story of one VM', async () => {
  const { out, code } = await sim.wukong('why web -n demo-a');
  expect(code).toBe(0);
  expect(lines(out)[0]).toBe('web is off.');
  expect(out).toMatch(/^Last: stop by somebody with wukong, .*: Stopped\./m);
  expect(await sim.wukong('why nobody -n demo-a')).toMatchObject({ code: 1 });
  expect((await sim.wukong('why')).code).toBe(2);
});

const kubectl = (...args: string[]) =>
  spawnSync('kubectl', ['--kubeconfig', sim.kubeconfig, ...args], { encoding: 'utf8', timeout: 30_000 });
const there = spawnSync('kubectl', ['version', '--client']).status === 0;

it('kubectl get wkr is the log of the night, and kubectl wait knows when a run is over', () => {
  if (!there && process.env['KUBECTL_ROWS'] === undefined) return; // .ci/kubernetes.sh has it
  const got = kubectl('get', 'wkr', '-A', '--sort-by=.spec.dueAt');
  expect(lines(got.stdout)[0]!.split(/ {2,}/)).toEqual([
    'NAMESPACE',
    'NAME',
    'SCHEDULE',
    'ACTION',
    'DUE',
    'TARGETS',
    'DONE',
    'FORCED',
    'FAILED',
    'LATE',
    'PHASE',
  ]);
  const [run = ''] = lines(kubectl('get', 'wkr', '-n', 'demo-a', '-o', 'name').stdout);
  const waited = kubectl('wait', '-n', 'demo-a', '--for=jsonpath={.status.phase}=Succeeded', run, '--timeout=20s');
  expect([waited.status, waited.stdout]).toEqual([0, `${run} condition met\n`]);
});
