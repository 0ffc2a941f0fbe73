import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
const api = '/apis/vm.novasphere.dev/v1alpha1';
const head = (kind: string, name: string) => ({
  apiVersion: 'vm.novasphere.dev/v1alpha1',
  kind,
  metadata: { name, ...(kind === 'WukongSchedule' ? { namespace: 'demo-a' } : {}) },
});
const selector = { matchLabels: { demo: 'yes' } };
const night = { ...head('ClusterWukongSchedule', 'night'), spec: { stop: '0 20 * * *', selector } };
const late = { ...head('WukongSchedule', 'late'), spec: { stop: '0 22 * * *', selector } };
beforeAll(async () => {
  sim = await simulate();
  await sim.api('POST', `${api}/clusterwukongschedules`, night);
  await sim.api('POST', `${api}/namespaces/demo-a/wukongschedules`, late);
});
afterAll(() => sim.close());

const ruled = "the namespace's own, in the place of night";

it('wukong plan shows both, and which rules where', async () => {
  const { code, out, err } = await sim.wukong('plan -A --from 2026-03-02 --to 2026-03-03');
  expect(code).toBe(0);
  expect(out).toMatch(/20:00 +stop +night/);
  expect(out).toMatch(/22:00 +stop +demo-a\/late/);
  expect(err).toContain(`note: demo-a: schedule demo-a/late rules: ${ruled}`);
  expect((await sim.wukong('plan -n demo-b --from 2026-03-02 --to 2026-03-03')).out).toMatch(/20:00 +stop +night/);
});

it('wukong state says of one and of all which schedule rules, and why', async () => {
  expect((await sim.wukong('state web -n demo-a')).err).toBe(`schedule demo-a/late rules demo-a/web: ${ruled}\n`);
  expect((await sim.wukong('state -A')).err).toBe(`schedule demo-a/late rules in demo-a: ${ruled}\n`);
  expect((await sim.wukong('state deaf -n demo-b')).err).toBe('');
});

it('the page counts what each rules, and says why', async () => {
  const { code, out } = await sim.wukong('plan -A --html -');
  expect(code).toBe(0);
  expect(out.replaceAll('&#39;', "'")).toContain(`In namespace demo-a, demo-a/late rules: ${ruled}.`);
});

it('files plan as the cluster does; a namespace that is not in them is chosen by no namespaceSelector', async () => {
  const file = join(sim.folder, 'night.json');
  const wukong = { ...head('Wukong', 'web'), metadata: { name: 'web', namespace: 'demo-a', labels: { demo: 'yes' } } };
  const items = [night, late, wukong, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo-a' } }];
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const { out, err } = await sim.wukong(`plan --schedule ${file} --from 2026-03-02 --to 2026-03-03`);
  expect(out).toMatch(/stop +night[^]*stop +demo-a\/late/);
  expect(err).toContain(`demo-a: schedule demo-a/late rules: ${ruled}`);
});
