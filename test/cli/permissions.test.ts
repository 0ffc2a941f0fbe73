import { afterAll, beforeAll, expect, it } from 'vitest';

import { checkPermissions, missingPermissions, permissionsOf } from '../../cli/commands/permissions.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { type Sim, startSim } from '../../sim/sim.ts';
import { type Rule, shippedRules, single } from '../flow/roles.ts';

const roles = `
kind: ClusterRole
metadata: {name: wukong}
rules:
  - {apiGroups: [vm.novasphere.dev], resources: [wukongs, wukongs/status], verbs: [get, patch]}
  - {apiGroups: [subresources.kubevirt.io], resources: [virtualmachines/start, virtualmachines/stop], verbs: [update]}
---
kind: RoleBinding
metadata: {name: wukong}
---
kind: Role
metadata: {name: freeze}
rules:
  - {apiGroups: [""], resources: [configmaps], resourceNames: [wukong-lifecycle], verbs: [get]}
  - {apiGroups: [vm.novasphere.dev], resources: [wukongs], verbs: [get]}
`;

let sim: Sim;
beforeAll(async () => {
  sim = await startSim();
});
afterAll(() => sim.close());

it('asks for every permission of every role once', () => {
  expect(permissionsOf([roles])).toHaveLength(7);
});

it('finds what an account lacks, by namespace and by name', async () => {
  sim.addToken('some', 'somebody', [
    { apiGroups: ['vm.novasphere.dev'], resources: ['wukongs', 'wukongs/status'], verbs: ['get'] },
    { apiGroups: ['subresources.kubevirt.io'], resources: ['virtualmachines/start'], verbs: ['*'] },
    {
      namespaces: ['ops'],
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['wukong-lifecycle'],
      verbs: ['*'],
    },
  ]);
  const lacks = async (token: string, namespace?: string) => {
    const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig(token)), sim.inProcess());
    const world = await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials });
    return missingPermissions(world, permissionsOf([roles]), namespace);
  };
  const always = [
    'patch wukongs.vm.novasphere.dev',
    'patch wukongs/status.vm.novasphere.dev',
    'update virtualmachines/stop.subresources.kubevirt.io',
  ];
  expect(await lacks('some', 'ops')).toEqual(always);
  expect(await lacks('some', 'dev')).toEqual(['get configmaps wukong-lifecycle', ...always]);
  expect(await lacks(sim.adminToken)).toEqual([]);
});

it('knows an account by its Roles, and fails only for one that has none in full', async () => {
  const findings = async (rules: Rule[]) => {
    sim.addToken('account', 'somebody', rules);
    const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig('account')), sim.inProcess());
    const world = await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials });
    return checkPermissions({ world, credentials, namespace: undefined, grace: undefined });
  };
  const stop = shippedRules(['stop']);
  expect(await findings(stop)).toMatchObject([
    { level: 'OK', found: 'all of wukong-stop is granted in all namespaces' },
    { level: 'WARN' },
    { level: 'WARN' },
    { level: 'WARN' },
  ]);
  const lacking = single(stop).filter(({ resources }) => resources[0] !== 'virtualmachines/stop');
  expect(await findings(lacking)).toEqual([
    {
      level: 'FAIL',
      check: 'permissions',
      found: 'missing in all namespaces: update virtualmachines/stop.subresources.kubevirt.io',
      next: 'bind wukong-stop of infra/rbac',
    },
  ]);
});
