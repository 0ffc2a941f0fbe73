import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { loadYaml } from '@kubernetes/client-node';

import { cases, NotApplicable } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made } from '../making.ts';
import type { Stage } from '../stage.ts';

interface Role {
  metadata: { name: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

const roleIn = (file: string): Role => loadYaml<Role>(readFileSync(new URL(`../../../infra/rbac/${file}`, import.meta.url), 'utf8'));

/** A ServiceAccount with these Roles, and a token of it: asked for, or from a Secret where that is not served. */
async function tokenWith(stage: Stage, roles: Role[]): Promise<string> {
  const { send, namespace } = stage;
  const name = `account-${Math.floor(stage.ground.clock.now() % 1e6)}-${roles.length}`;
  await send('POST', paths.core(namespace, 'serviceaccounts'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  for (const role of roles) {
    const api = 'rbac.authorization.k8s.io';
    const mine = { ...role, apiVersion: `${api}/v1`, kind: 'Role', metadata: { name: `${role.metadata.name}-${name}` } };
    assert.equal((await send('POST', paths.rbac(namespace, 'roles'), mine)).status, 201);
    const bound = {
      apiVersion: `${api}/v1`,
      kind: 'RoleBinding',
      metadata: mine.metadata,
      roleRef: { apiGroup: api, kind: 'Role', name: mine.metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    };
    assert.equal((await send('POST', paths.rbac(namespace, 'rolebindings'), bound)).status, 201);
  }
  const asked = await send('POST', `${paths.core(namespace, 'serviceaccounts', name)}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3_600 },
  });
  if (asked.status === 201) return asked.body.status.token;
  return secretToken(stage, name);
}

async function secretToken({ send, namespace, sleep }: Stage, account: string): Promise<string> {
  const annotations = { 'kubernetes.io/service-account.name': account };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: account, annotations }, type: 'kubernetes.io/service-account-token' };
  await send('POST', paths.core(namespace, 'secrets'), secret);
  for (let tries = 0; tries < 20; tries++) {
    const { body } = await send('GET', paths.core(namespace, 'secrets', account));
    if (body.data?.token) return Buffer.from(body.data.token, 'base64').toString();
    await sleep(250);
  }
  throw new NotApplicable('this cluster gives no tokens of ServiceAccounts');
}

const on = { by: { runStrategy: 'Always' }, as: 'on' } as const;
const shipped = () => [roleIn('role.yaml')];
const without = (role: Role, resource: string): Role => ({
  ...role,
  rules: role.rules.map((rule) => ({ ...rule, resources: rule.resources.filter((one) => one !== resource) })).filter(({ resources }) => resources.length > 0),
});

const denied = (name: string, resource: string, mentions: RegExp, act: (stage: Stage, made: Made, token: string) => Promise<{ outcome: string; reason?: string; message: string }>) => ({
  name,
  async run(stage: Stage) {
    const made = await stage.make(on);
    const outcome = await act(stage, made, await tokenWith(stage, [without(roleIn('role.yaml'), resource)]));
    assert.deepEqual([outcome.outcome, outcome.reason], ['Failed', 'Denied'], outcome.message);
    assert.match(outcome.message, mentions);
    assert.ok(await isUp(stage, made));
  },
});

export const rbacCases = cases('RBAC', [
  {
    name: 'with the shipped Role and no more: a stop, a start, a look',
    async run(stage) {
      const made = await stage.make(on);
      const token = await tokenWith(stage, shipped());
      is(await stage.stop(made, {}, { token }), 'Stopped');
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      is(await stage.start(made, {}, { token }), 'Started');
      const { states } = await stage.invoke('getState', { namespace: stage.namespace, name: made.wukong }, { token });
      assert.equal(states[0].state, 'Running');
    },
  },
  {
    name: 'with the shipped Role and no more: a strategy that is put back, a queue that is cleared',
    guests: true,
    async run(stage) {
      const token = await tokenWith(stage, shipped());
      const once = await stage.make({ by: { runStrategy: 'Once' }, as: 'on' });
      is(await stage.stop(once, {}, { token }), 'Stopped');
      is(await stage.start(once, {}, { token }), 'Started');
      const crashing = await stage.make({ by: { runStrategy: 'RerunOnFailure' }, as: 'crashing', guest: { 'crash-after-seconds': '0' } });
      const { outcome, message } = await stage.stop(crashing, {}, { token });
      assert.ok(/^(Stopped|AlreadyOff)$/.test(outcome), message);
      await isOffNow(stage, crashing);
    },
  },
  {
    name: 'with the shipped Role and no more: a tick that carries out, and one that repairs',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const token = await tokenWith(stage, shipped());
      await stage.send('PATCH', paths.wukong(stage.namespace, made.wukong), { spec: { lifecycleAction: { action: 'stop' } } });
      is((await stage.tick({ token })).outcomes[0]!, 'Stopped');
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
    },
  },
  denied('without virtualmachines/stop: Denied, naming it; the VM runs on', 'virtualmachines/stop', /virtualmachines\/stop/, (stage, made, token) => stage.stop(made, {}, { token })),
  denied('without wukongs: Denied, before anything is asked of KubeVirt', 'wukongs', /wukongs/, (stage, made, token) => stage.stop(made, {}, { token })),
  denied('without virtualmachineinstances: Denied, naming them', 'virtualmachineinstances', /virtualmachineinstances/, (stage, made, token) => stage.stop(made, {}, { token })),
  {
    name: 'a token that is none: Denied, saying what to renew, and never the token',
    async run(stage) {
      const made = await stage.make(on);
      const outcome = await stage.stop(made, {}, { token: 'no-such-token-0123456789' });
      is(outcome, 'Failed', 'Denied');
      assert.doesNotMatch(JSON.stringify(outcome), /no-such-token/);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'a Role of one namespace says nothing in another',
    alone: true,
    async run(stage) {
      const token = await tokenWith(stage, shipped());
      const answer = await stage.invoke('stopVm', { target: { namespace: 'default', name: 'web' } }, { token });
      is(answer.outcomes?.[0] ?? answer, 'Failed', 'Denied');
    },
  },
  {
    name: 'pods may be deleted only with the Role for that, which deletePodWhenStuck needs',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { hang: 'true' }, graceSeconds: 1 });
      const asked = { force: true, deletePodWhenStuck: true };
      is(await stage.stop(made, asked, { token: await tokenWith(stage, shipped()) }), 'Failed', 'Denied');
      const both = await tokenWith(stage, [...shipped(), roleIn('role-stuck-pods.yaml')]);
      is(await stage.stop(made, asked, { token: both }), 'ForcedOff');
      await isOffNow(stage, made);
    },
  },
]);
