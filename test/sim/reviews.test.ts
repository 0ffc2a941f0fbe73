import { request } from 'undici';
import { expect, test } from 'vitest';

import type { Sim } from '../../sim/sim.ts';
import { type Client, story } from './client.ts';

const authn = '/apis/authentication.k8s.io/v1';
const authz = '/apis/authorization.k8s.io/v1';
const user = 'system:serviceaccount:dev:caller';

/** A ServiceAccount that may stop Wukongs in dev, and how to get a token of it. */
async function account(sim: Sim, send: Client['send']) {
  const metadata = { namespace: 'dev', name: 'caller' };
  sim.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const rule = { apiGroups: ['vm.novasphere.dev'], resources: ['wukongs/stop'], verbs: ['update'] };
  const rbac = 'rbac.authorization.k8s.io';
  sim.create({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules: [rule] });
  const roleRef = { apiGroup: rbac, kind: 'Role', name: 'caller' };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  sim.create({ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects });
  return (spec: object = {}) => send('POST', '/api/v1/namespaces/dev/serviceaccounts/caller/token', { body: { spec } });
}
const review = (send: Client['send'], spec: object) =>
  send('POST', `${authn}/tokenreviews`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec },
  });

test('TokenReview tells whose token it is, for its audiences only, and until it expires', () =>
  story({}, async ({ sim, send, sleep }) => {
    const ask = await account(sim, send);
    const { body } = await ask({ audiences: ['wukong', 'other'], expirationSeconds: 600 });
    const { token } = body.status as { token: string };
    expect(token.split('.')).toHaveLength(3);
    const well = await review(send, { token, audiences: ['wukong', 'third'] });
    expect(well.status).toBe(201);
    expect(well.body.status).toMatchObject({
      authenticated: true,
      audiences: ['wukong'],
      user: { username: user, groups: expect.arrayContaining(['system:serviceaccounts:dev']) as string[] },
    });
    expect((await review(send, { token, audiences: ['third'] })).body.status.authenticated).toBeUndefined();
    expect((await review(send, { token })).body.status.authenticated).toBeUndefined(); // not for the API server
    expect((await review(send, { token: 'none' })).body.status).toEqual({ user: {}, error: 'invalid bearer token' });
    expect((await send('GET', '/api/v1/namespaces', { token })).status).toBe(401);
    await sleep(601_000);
    expect((await review(send, { token, audiences: ['wukong'] })).body.status.authenticated).toBeUndefined();
  }));

test('a token goes with its account, and is refused for less than ten minutes', () =>
  story({}, async ({ sim, send }) => {
    const ask = await account(sim, send);
    expect((await ask({ expirationSeconds: 60 })).status).toBe(422);
    const { token } = (await ask()).body.status as { token: string };
    expect((await review(send, { token })).body.status.authenticated).toBe(true);
    sim.remove('serviceaccounts', 'dev', 'caller');
    sim.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'dev', name: 'caller' } });
    expect((await review(send, { token })).body.status.authenticated).toBeUndefined();
    expect((await send('GET', '/api/v1/namespaces', { token })).status).toBe(401);
  }));

test.each([
  ['stop', 'dev', true],
  ['start', 'dev', false],
  ['stop', 'other', false],
])('SubjectAccessReview: wukongs/%s in %s is allowed: %s', (subresource, namespace, allowed) =>
  story({}, async ({ sim, send }) => {
    await account(sim, send);
    const resourceAttributes = {
      verb: 'update',
      group: 'vm.novasphere.dev',
      resource: 'wukongs',
      subresource,
      namespace,
    };
    const sent = (spec: object, local = '') =>
      send('POST', `${authz}/${local ? `namespaces/${local}/local` : ''}subjectaccessreviews`, {
        body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec },
      });
    expect((await sent({ user, resourceAttributes })).body.status.allowed).toBe(allowed);
    expect((await sent({ user, resourceAttributes }, namespace)).body.status.allowed).toBe(allowed);
    expect((await sent({ user: 'x', groups: ['system:masters'], resourceAttributes })).body.status.allowed).toBe(true);
    expect((await sent({ user })).status).toBe(422);
    expect((await sent({ resourceAttributes })).status).toBe(422);
  }),
);

test('reviews of others need a permission; who one is oneself, everybody may ask', () =>
  story({}, async ({ sim, send }) => {
    const ask = await account(sim, send);
    const { token } = (await ask()).body.status as { token: string };
    for (const path of [`${authn}/tokenreviews`, `${authz}/subjectaccessreviews`])
      expect((await send('POST', path, { token, body: { spec: {} } })).status).toBe(403);
    const { body } = await send('POST', `${authn}/selfsubjectreviews`, { token, body: {} });
    expect(body.status.userInfo).toMatchObject({ username: user });
    expect(body.status.userInfo.groups).toContain('system:authenticated');
  }));

test('--as: whoever may impersonate acts as another, with no more rights than that one', () =>
  story({}, async ({ sim, send }) => {
    await account(sim, send);
    const as = async (token: string, headers: Record<string, string>) => {
      const answer = await request(`${sim.url}${authn}/selfsubjectreviews`, {
        method: 'POST',
        dispatcher: sim.dispatcher(),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        body: '{}',
      });
      return { status: answer.statusCode, body: (await answer.body.json()) as { status: { userInfo: object } } };
    };
    const { body } = await as(sim.adminToken, { 'impersonate-user': user });
    expect(body.status.userInfo).toMatchObject({ username: user });
    expect(JSON.stringify(body)).not.toContain('system:masters');
    sim.addToken('weak', 'weak', []);
    expect((await as('weak', { 'impersonate-user': 'admin' })).status).toBe(403);
    const groups = await as(sim.adminToken, { 'impersonate-user': 'jo', 'impersonate-group': 'a' });
    expect(groups.body.status.userInfo).toEqual({ username: 'jo', groups: ['a', 'system:authenticated'] });
  }));

test('without a token one is system:anonymous; what is not served is 404 in plain text', () =>
  story({}, async ({ send }) => {
    const path = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines';
    const { status, body } = await send('GET', path, { token: '' });
    expect(status).toBe(403);
    expect(body.message).toContain('User "system:anonymous" cannot list resource "virtualmachines"');
    expect((await send('GET', '/apis', { token: '' })).body.message).toContain('cannot get path "/apis"');
    expect((await send('GET', '/apis/nobody.example.com/v1/things', { token: '' })).status).toBe(403);
    expect((await send('GET', '/version', { token: '' })).status).toBe(200);
    expect((await send('GET', path, { token: 'wrong' })).status).toBe(401);
    for (const unknown of ['/apis/nobody.example.com/v1/things', '/nothing', '/apis/kubevirt.io/v1/things']) {
      const answer = await send('GET', unknown);
      expect([answer.status, answer.text]).toEqual([404, '404 page not found\n']);
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    }
  }));
