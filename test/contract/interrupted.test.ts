import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { simulate, type Simulated } from '../cli/simulated.ts';
import { paths } from './client.ts';
import { leftOver, ownSpaces } from './spaces.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let sim: Simulated;
beforeAll(async () => {
  sim = await simulate('--empty');
});
afterAll(() => sim?.close());

const namespaces = async () => {
  const { body } = await sim.api('GET', '/api/v1/namespaces');
  return (body as { items: KubeObject[] }).items.filter(({ metadata }) => /contract/.test(metadata.name));
};
const spaces = () => ownSpaces({ send: (method, path, body) => sim.api(method as 'GET', path, body), clock: clock() });
const clock = () => ({ now: Date.now, after: () => () => {} });

function testCluster() {
  const args = ['test/contract/main.ts', '--kubeconfig', sim.kubeconfig, '--only', 'ignores ACPI'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  return { child, done: once(child, 'close').then(([code]) => ({ code: code as number, said })) };
}

it('test:cluster takes its namespaces away after Ctrl-C; those of a killed run are named by the next one', async () => {
  const killed = testCluster();
  await vi.waitUntil(async () => (await namespaces()).length > 0, { timeout: 30_000 });
  killed.child.kill('SIGKILL');
  await killed.done;
  const before = await namespaces();
  const [{ metadata }] = before as [KubeObject];
  const next = testCluster();
  await vi.waitUntil(async () => (await namespaces()).length > before.length, { timeout: 30_000 });
  next.child.kill('SIGINT');
  const { code, said } = await next.done;
  expect(code).toBe(130);
  expect(said).toMatch(/^Cluster: context sim, server https:/);
  expect(said).toContain(`Of another run, left alone: ${metadata.name}`);
  await vi.waitUntil(async () => (await namespaces()).length === before.length, { timeout: 10_000 });
  expect((await namespaces())[0]?.metadata.uid).toBe(metadata.uid);
});

it('a namespace that is there already is refused and stays, and so does one that was made anew by somebody', async () => {
  const space = spaces();
  const theirs = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'contract-theirs' } };
  await sim.api('POST', '/api/v1/namespaces', theirs);
  await expect(space.make('contract-theirs')).rejects.toThrow(/exists already, so it is left alone/);
  await space.make('contract-again');
  const [made] = (await namespaces()).filter(({ metadata }) => metadata.name === 'contract-again');
  await sim.api('DELETE', '/api/v1/namespaces/contract-again');
  const again = { ...theirs, metadata: { name: 'contract-again', labels: made?.metadata.labels } };
  await vi.waitUntil(async () => (await sim.api('POST', '/api/v1/namespaces', again)).status === 201);
  await space.remove();
  const left = (await namespaces()).filter(({ metadata }) => !metadata.deletionTimestamp);
  expect(left.map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining(['contract-again', 'contract-theirs']),
  );
});

it('an object of no namespace goes with its run; one of a run that was killed is named by the next', async () => {
  const send = (method: string, path: string, body?: unknown) => sim.api(method as 'GET', path, body);
  const night = (name: string) => ({
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'ClusterWukongSchedule',
    metadata: { name },
    spec: { stop: '0 20 * * *', selector: { matchLabels: { contract: 'none' } } },
  });
  const [killed, mine] = [spaces(), spaces()];
  expect((await killed.own(paths.clusterSchedule(), night('night-wukong-contract-killed'))).status).toBe(201);
  expect((await mine.own(paths.clusterSchedule(), night('night-wukong-contract-mine'))).status).toBe(201);
  await mine.remove();
  expect(await leftOver({ send })).toMatch(
    /night-wukong-contract-killed\. If it has ended: .*kubectl delete clusterwukongschedule night-wukong-contract-killed$/,
  );
});
