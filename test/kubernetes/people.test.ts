import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { main } from '../../cli/main.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { type Rule, single } from '../flow/roles.ts';
import { createSchedule } from '../schedule.ts';

interface Role {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  rules: Rule[];
}
const shipped = [...parseAllDocuments(readFileSync('infra/rbac/people/role.yaml', 'utf8'))].map(
  (one) => one.toJS() as Role,
);
const labelled = (aggregate: string) =>
  shipped.filter(({ metadata }) => metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${aggregate}`] === 'true');
const rulesOf = (aggregate: string) => single(labelled(aggregate).flatMap(({ rules }) => rules));

const rule = (group: string, resources: string[], verbs: string[]): Rule => ({ apiGroups: [group], resources, verbs });
const read = ['get', 'list', 'watch'];
/** What else is in `view` and `edit`: by Kubernetes (bootstrappolicy/policy.go), and by KubeVirt (rbac/cluster.go). */
const theirView = [
  rule('', ['configmaps', 'events', 'namespaces', 'pods'], read),
  rule('kubevirt.io', ['virtualmachines', 'virtualmachineinstances'], read),
  rule('subresources.kubevirt.io', ['virtualmachineinstances/guestosinfo'], ['get']),
];
const theirEdit = [
  ...theirView,
  rule('', ['configmaps', 'events'], ['create', 'update', 'patch', 'delete']),
  rule('kubevirt.io', ['virtualmachines'], ['create', 'update', 'patch', 'delete']),
  rule('subresources.kubevirt.io', ['virtualmachines/start', 'virtualmachines/stop'], ['update']),
];

let sim: Sim;
const folder = mkdtempSync(join(tmpdir(), 'wukong-people-'));
beforeAll(async () => {
  sim = await startSim();
  for (const name of ['web', 'db'])
    sim.createWukong({
      namespace: 'team-a',
      name,
      runStrategy: 'Always',
      labels: { env: 'dev' },
      guest: { 'boot-seconds': '0', 'shutdown-seconds': '0' },
    });
  createSchedule(sim, 'team-a', 'office', { stop: '0 20 * * *', start: '0 8 * * *' });
});
afterAll(async () => {
  await sim.close();
  rmSync(folder, { recursive: true });
});

/** A command of somebody with these rights, everywhere or in team-a; `refused`: what the API server did not allow. */
async function command(words: string, rules: Rule[], where: 'team-a' | 'everywhere' = 'everywhere') {
  const token = `of-${words} in ${where}`.replaceAll(' ', '-');
  sim.addToken(token, 'ada', where === 'everywhere' ? rules : rules.map((one) => ({ ...one, namespaces: [where] })));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, sim.kubeconfig(token), { mode: 0o600 });
  let said = '';
  const say = (text: string) => void (said += text);
  const from = sim.requests.length;
  const mine = () => sim.requests.slice(from).filter(({ user }) => user === 'ada');
  const ending = new AbortController();
  const io = { out: say, err: say, now: Date.now(), colour: false, interrupt: () => ending.signal };
  const working = main(words.split(' '), { ...io, env: { KUBECONFIG: file, HOME: folder } });
  const isOpen = () =>
    ['wukongs', 'wukongruns'].every((kind) => mine().some((one) => one.watch && one.path.endsWith(kind)));
  while (words.startsWith('ui') && !isOpen() && !mine().some(({ status }) => status === 403))
    await new Promise((next) => setImmediate(next));
  if (words.startsWith('ui')) ending.abort();
  const code = await working;
  const refused = mine().filter(({ status }) => status === 403);
  return { code, said, refused: refused.map(({ method, path }) => `${method} ${path}`) };
}

const looking = ['state', 'state web', 'plan', 'report', 'runs', 'why web', 'ui'];
const ofTheCluster =
  /\/clusterwukongschedules$|\/namespaces\/wukong-lifecycle\/configmaps\/|^GET \/api\/v1\/configmaps$/;

describe('who has view', () => {
  it.each(looking)('may look: %s', async (words) => {
    expect(await command(`${words} -n team-a`, [...theirView, ...rulesOf('view')])).toMatchObject({
      code: 0,
      refused: [],
    });
  });

  it.each(looking)('in one namespace may look there, and misses what is of the cluster alone: %s', async (words) => {
    const { code, said, refused } = await command(`${words} -n team-a`, [...theirView, ...rulesOf('view')], 'team-a');
    expect(code, said).toBe(0);
    expect(refused.filter((one) => !ofTheCluster.test(one))).toEqual([]);
  });

  it.each(['keep web stopped --for 1h', 'stop web --yes', 'protect web'])('changes nothing: %s', async (words) => {
    const before = JSON.stringify(sim.get('wukongs', 'team-a', 'web'));
    const { code, refused } = await command(`${words} -n team-a`, [...theirView, ...rulesOf('view')], 'team-a');
    expect(code).not.toBe(0);
    expect(refused).toContain('PATCH /apis/vm.novasphere.dev/v1alpha1/namespaces/team-a/wukongs/web');
    expect(JSON.stringify(sim.get('wukongs', 'team-a', 'web'))).toBe(before);
  });
});

describe('the Roles for people', () => {
  it('reach who has view, edit or admin, and nobody else by themselves', () => {
    expect(labelled('view').map(({ metadata }) => metadata.name)).toEqual([
      'wukong-view',
      'wukong-cluster-schedules-view',
    ]);
    expect(labelled('edit').map(({ metadata }) => metadata.name)).toEqual(['wukong-edit']);
    expect(labelled('admin')).toEqual([]); // Kubernetes gives admin what edit has
    expect(shipped.every(({ kind }) => kind === 'ClusterRole')).toBe(true);
  });

  it('let nobody with view write, nor anybody with edit make or delete Wukongs and runs, or write for all namespaces', () => {
    expect(new Set(rulesOf('view').map(({ verbs }) => verbs[0]))).toEqual(new Set(read));
    const written = rulesOf('edit').map(({ resources, verbs }) => `${verbs[0]} ${resources[0]}`);
    expect(written.sort()).toEqual([
      ...['create wukongruns', 'create wukongschedules', 'delete wukongschedules'],
      ...['patch wukongs', 'patch wukongs/status', 'patch wukongschedules'],
      ...['update wukongs', 'update wukongs/start', 'update wukongs/stop', 'update wukongschedules'],
    ]);
  });
});

describe('who has edit in a namespace', () => {
  const edit = () => [...theirEdit, ...rulesOf('view'), ...rulesOf('edit')];
  it.each([
    ...['stop -l env=dev --yes', 'start web', 'keep web running --for 1h', 'keep web --clear'],
    ...['skip-next web', 'protect web', 'protect web --off'],
  ])('may also switch and override there: %s', async (words) => {
    const { code, said, refused } = await command(`${words} -n team-a`, edit(), 'team-a');
    expect(code, said).toBe(0);
    expect(refused.filter((one) => !ofTheCluster.test(one))).toEqual([]);
  });

  it('has of our kinds nothing that none of these commands needs, beside what kubectl does', () => {
    const asked = new Set(
      sim.requests.filter(({ user }) => user === 'ada').map(({ method, path }) => `${method} ${path}`),
    );
    const place = '/apis/vm.novasphere.dev/v1alpha1/namespaces/team-a';
    for (const one of ['PATCH /wukongs/web', 'PATCH /wukongs/web/status', 'POST /wukongruns'])
      expect(asked).toContain(one.replace(' ', ` ${place}`));
  });
});
