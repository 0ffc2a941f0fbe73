import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';

import { jsonPatch, type JsonPatchStep } from '../../shared/cluster/objects.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

interface Crd {
  metadata: { name: string; annotations?: object };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of an API, looked into freely by tests
  spec: any;
}
const names = ['wukongs.vm.novasphere.dev', 'wukongschedules.vm.novasphere.dev', 'wukongruns.vm.novasphere.dev'];
const pathOf = (name: string) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
const shipped = (name: string): Crd => parse(readFileSync(`infra/crds/${name}.yaml`, 'utf8')) as Crd;
const properties = (crd: Crd) => crd.spec.versions[0].schema.openAPIV3Schema.properties;

let bare: Simulated;
const installed = async (name: string) => (await bare.api('GET', pathOf(name))).body as Crd;
beforeAll(async () => void (bare = await simulate('--empty', '--crd', 'original')));
afterAll(() => bare.close());
beforeEach(async () => {
  for (const name of names) await bare.api('DELETE', pathOf(name));
});

/** As `kubectl apply --server-side` sends it: without force. */
async function applied(crd: Crd) {
  const world = await connect({ env: { KUBECONFIG: bare.kubeconfig }, log: silentLog, metrics: silentMetrics });
  const path = `${pathOf(crd.metadata.name)}?fieldManager=kubectl`;
  const contentType = 'application/apply-patch+yaml';
  return world.transport.call({ method: 'PATCH', path, body: crd, contentType, safe: true });
}

async function steps(name: string, patch: JsonPatchStep[]) {
  const world = await connect({ env: { KUBECONFIG: bare.kubeconfig }, log: silentLog, metrics: silentMetrics });
  expect((await jsonPatch(world, pathOf(name), patch, {})).status).toBe(200);
}

it('a dump of every CRD after crd install equals the shipped file', async () => {
  expect((await bare.wukong('crd install')).code).toBe(0);
  for (const name of names) {
    const { spec, metadata } = await installed(name);
    expect(spec).toEqual(shipped(name).spec);
    expect(metadata.annotations).toEqual(shipped(name).metadata.annotations);
  }
  expect((await bare.wukong('crd check')).code).toBe(0);
});

it('kubectl apply --server-side of the same file has no conflict afterwards, nor of another version', async () => {
  await bare.wukong('crd install');
  const [, name = ''] = names;
  expect((await applied(shipped(name))).status).toBe(200);
  const next = shipped(name);
  next.spec.versions[0].schema.openAPIV3Schema.description = 'a later version';
  expect((await applied(next)).status).toBe(200);
  expect((await bare.wukong('crd install')).code).toBe(0);
  expect((await installed(name)).spec).toEqual(shipped(name).spec);
});

it('check names a default that is missing, another or not shipped, and install mends it', async () => {
  await bare.wukong('crd install');
  const [, name = ''] = names;
  const field = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/jitterSeconds/default';
  for (const patch of [
    [{ op: 'remove', path: field }],
    [{ op: 'replace', path: field, value: 7 }],
    [{ op: 'add', path: field.replace('jitterSeconds', 'start'), value: '0 8 * * *' }],
  ] as JsonPatchStep[][]) {
    await steps(name, patch);
    const { code, out } = await bare.wukong('crd check');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^FAIL +wukongschedules\S+ +differs from what is shipped at \S+\.default; wukong crd install$/m,
    );
    expect((await bare.wukong('doctor')).out).toMatch(/^FAIL +CRDs +wukongschedules\S+ differs from/m);
    expect((await bare.wukong('crd install')).code).toBe(0);
    expect((await bare.wukong('crd check')).code).toBe(0);
  }
});

it("what the operator's CRD says besides stays: its defaults, its fields, its values inside our fields", async () => {
  const [name = ''] = names;
  const theirs = shipped(name);
  properties(theirs).spec.properties.theirs = { type: 'string', default: 'kept' };
  properties(theirs).spec.properties.cpu.default = 2;
  const state = properties(theirs).status.properties.lifecycleState.properties;
  state.theirs = { type: 'string' };
  state.state.enum = ['Hibernated', 'Running'];
  await applied(theirs);
  expect((await bare.wukong('crd check')).out).toMatch(
    /^FAIL +wukongs\S+ +differs .* at status\.lifecycleState\S*enum/m,
  );
  expect((await bare.wukong('crd install')).out).toMatch(/^wukongs\S+: extended by \S+ as it is shipped$/m);
  const wanted = [...shippedStates(), 'Hibernated'].sort();
  const now = await installed(name);
  const enumNow = properties(now).status.properties.lifecycleState.properties.state.enum;
  expect([...enumNow].sort()).toEqual(wanted);
  state.state.enum = enumNow;
  expect(now.spec).toEqual(theirs.spec);
  expect((await bare.wukong('crd check')).out).toMatch(/^OK +wukongs/m);
});

const shippedStates = (): string[] =>
  properties(shipped(names[0] ?? '')).status.properties.lifecycleState.properties.state.enum;
