import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { parseAllDocuments } from 'yaml';

import { cases, NotApplicable } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp } from '../making.ts';
import type { Stage } from '../stage.ts';

interface Role {
  metadata: { name: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

/** A Role that is shipped. */
function roleIn(file: string): Role {
  const text = readFileSync(new URL(`../../../infra/rbac/${file}`, import.meta.url), 'utf8');
  const role = ([...parseAllDocuments(text)].map((one) => one.toJS() as unknown) as (Role & { kind: string })[]).find(
    ({ kind }) => kind === 'Role',
  );
  assert.ok(role, `${file} has no Role`);
  return role;
}

let accounts = 0;

/** A ServiceAccount with these Roles, and a token of it: asked for, or from a Secret where that is not served. */
async function tokenWith(stage: Stage, roles: Role[]): Promise<string> {
  const { send, namespace } = stage;
  const name = `account-${++accounts}`;
  await send('POST', paths.core(namespace, 'serviceaccounts'), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name },
  });
  for (const role of roles) {
    const api = 'rbac.authorization.k8s.io';
    const mine = {
      ...role,
      apiVersion: `${api}/v1`,
      kind: 'Role',
      metadata: { name: `${role.metadata.name}-${name}` },
    };
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
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: account, annotations },
    type: 'kubernetes.io/service-account-token',
  };
  await send('POST', paths.core(namespace, 'secrets'), secret);
  for (let tries = 0; tries < 20; tries++) {
    const { body } = await send('GET', paths.core(namespace, 'secrets', account));
    if (body.data?.token) return Buffer.from(body.data.token, 'base64').toString();
    await sleep(250);
  }
  throw new NotApplicable('this cluster gives no tokens of ServiceAccounts');
}

const on = { by: { runStrategy: 'Always' }, as: 'on' } as const;
const stopper = () => roleIn('stop.yaml');
const starter = () => roleIn('start.yaml');
const without = (role: Role, resource: string): Role => ({
  ...role,
  rules: role.rules
    .map((rule) => ({ ...rule, resources: rule.resources.filter((one) => one !== resource) }))
    .filter(({ resources }) => resources.length > 0),
});

const denied = (name: string, resource: string) => ({
  name,
  async run(stage: Stage) {
    const made = await stage.make(on);
    const outcome = await stage.stop(made, {}, { token: await tokenWith(stage, [without(stopper(), resource)]) });
    is(outcome, 'Failed', 'Denied');
    assert.ok(outcome.message.includes(resource), outcome.message);
    assert.ok(await isUp(stage, made));
  },
});

export const rbacCases = cases('RBAC', [
  {
    name: 'each function with its own Role and no more: a stop, a start, a look',
    async run(stage) {
      const made = await stage.make(on);
      is(await stage.stop(made, {}, { token: await tokenWith(stage, [stopper()]) }), 'Stopped');
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      is(await stage.start(made, {}, { token: await tokenWith(stage, [starter()]) }), 'Started');
      const query = { namespace: stage.namespace, name: made.wukong };
      const { states } = await stage.invoke('getState', query, {
        token: await tokenWith(stage, [roleIn('state.yaml')]),
      });
      assert.equal(states[0].state, 'Running');
    },
  },
  {
    name: 'with the Roles of stop and start: a strategy that is put back, a guest that crashes again and again',
    guests: true,
    async run(stage) {
      const token = await tokenWith(stage, [stopper(), starter()]);
      const once = await stage.make({ by: { runStrategy: 'Once' }, as: 'on' });
      is(await stage.stop(once, {}, { token }), 'Stopped');
      is(await stage.start(once, {}, { token }), 'Started');
      const guest = { 'crash-after-seconds': '0' };
      const crashing = await stage.make({ by: { runStrategy: 'RerunOnFailure' }, as: 'crashing', guest });
      const { outcome, message } = await stage.stop(crashing, {}, { token });
      assert.ok(/^(Stopped|AlreadyOff)$/.test(outcome), message);
      await isOffNow(stage, crashing);
    },
  },
  {
    name: 'with the Role of reconcile and no more: a tick that carries out, and one that writes a wiped status anew',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const token = await tokenWith(stage, [roleIn('reconcile.yaml')]);
      const wukong = paths.wukong(stage.namespace, made.wukong);
      await stage.send('PATCH', wukong, { spec: { lifecycleAction: { action: 'stop' } } });
      is((await stage.tick({ token })).outcomes[0]!, 'Stopped');
      await stage.send('PATCH', `${wukong}/status`, { status: { lifecycleState: null } });
      await stage.tick({ token });
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
    },
  },
  {
    name: 'the Role of start cannot stop: Denied, naming the verb; the VM runs on',
    async run(stage) {
      const made = await stage.make(on);
      const outcome = await stage.stop(made, {}, { token: await tokenWith(stage, [starter()]) });
      is(outcome, 'Failed', 'Denied');
      assert.ok(await isUp(stage, made));
    },
  },
  denied('without virtualmachines/stop: Denied, naming it; the VM runs on', 'virtualmachines/stop'),
  denied('without wukongs: Denied, naming them; the VM runs on', 'wukongs'),
  denied('without virtualmachineinstances: Denied, naming them; the VM runs on', 'virtualmachineinstances'),
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
      const token = await tokenWith(stage, [stopper()]);
      const answer = await stage.invoke('stopVm', { target: { namespace: 'default', name: 'web' } }, { token });
      is(answer.outcomes?.[0] ?? answer, 'Failed', 'Denied');
    },
  },
  {
    name: 'pods are deleted only with the Role for that, which deletePodWhenStuck needs',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { hang: 'true' }, graceSeconds: 1 });
      const asked = { force: true, deletePodWhenStuck: true };
      is(await stage.stop(made, asked, { token: await tokenWith(stage, [stopper()]) }), 'Failed', 'Denied');
      const both = await tokenWith(stage, [stopper(), roleIn('stuck-pods/role.yaml')]);
      is(await stage.stop(made, asked, { token: both }), 'ForcedOff');
      await isOffNow(stage, made);
    },
  },
]);
