import { CloudEvent, emitterFor, HTTP, Mode } from 'cloudevents';
import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { newAccess } from '../../shared/entry/serveAccess.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { namespace, type Scene } from '../flow/scene.ts';
import { audience, ground, served, type Server, tokenOf } from './serving.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const stop = `/namespaces/${namespace}/wukongs/web/stop`;

async function withVm(secret?: string) {
  const at = await ground();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '2' } });
  await at.pass(5_000);
  return { at, server: await served(at, 'one', secret) };
}
const post = (at: Scene, server: Server, path: string, token: string, more: Parameters<Server['send']>[2] = {}) =>
  at.run(server.send('POST', path, { ...more, headers: { ...bearer(token), ...more.headers } }));

describe('a caller', () => {
  it('who may update wukongs/stop switches a VM off, and gets the answer of the function', async () => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop', 'get']);
    const { status, body } = await post(at, server, stop, token, { body: '{"reason":"lunch"}' });
    expect([status, JSON.parse(body)]).toMatchObject([200, { outcome: 'Stopped', trigger: 'http', name: 'web' }]);
    expect(at.wukong('web').status?.lifecycleState?.outcome).toBe('Stopped');
    const read = await at.run(server.send('GET', `/namespaces/${namespace}/wukongs/web`, { headers: bearer(token) }));
    expect([read.status, JSON.parse(read.body)]).toMatchObject([200, { state: 'Stopped' }]);
    await server.end();
  });

  it('is refused what RBAC does not allow, and told which right is missing', async () => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    const start = await post(at, server, `/namespaces/${namespace}/wukongs/web/start`, token);
    expect([start.status, start.body]).toMatchObject([403, expect.stringContaining('may not update wukongs/start')]);
    const other = await post(at, server, '/namespaces/other/wukongs/web/stop', token);
    expect([other.status, other.body]).toMatchObject([403, expect.stringContaining('in other on web')]);
    const list = await at.run(server.send('GET', `/namespaces/${namespace}/wukongs`, { headers: bearer(token) }));
    expect([list.status, list.body]).toMatchObject([403, expect.stringContaining('list wukongs')]);
    expect(at.calls()).toEqual([]);
    await server.end();
  });

  it.each([
    ['no token', undefined, /no token/],
    ['a token of nobody', 'eyJhbGciOiJIUzI1NiJ9.e30.x', /does not hold/],
    [
      'a token for another audience',
      { audiences: ['https://kubernetes.default.svc'] },
      /for the audience wukong-lifecycle/,
    ],
    ['an expired token', { audiences: [audience], expirationSeconds: 600 }, /does not hold/],
  ])('with %s is nobody', async (_what, given, says) => {
    const { at, server } = await withVm();
    const token = typeof given === 'object' ? await tokenOf(at, ['stop'], { spec: given }) : given;
    if (typeof given === 'object' && 'expirationSeconds' in given) await at.pass(601_000);
    const sent = at.run(server.send('POST', stop, token === undefined ? {} : { headers: bearer(token) }));
    expect(await sent).toMatchObject({ status: 401, body: expect.stringMatching(says) });
    expect(at.calls()).toEqual([]);
    await server.end();
  });

  it('who asks twice with one Idempotency-Key asks once', async () => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    const headers = { 'idempotency-key': 'lunch-1' };
    await post(at, server, stop, token, { headers });
    const again = await post(at, server, stop, token, { headers });
    expect([again.status, JSON.parse(again.body)]).toMatchObject([200, { outcome: 'Skipped', reason: 'Duplicate' }]);
    expect(at.calls()).toHaveLength(1);
    await server.end();
  });

  it('who waits for the end when the server is told to end is told that it is under way, and hears of it from the next', async () => {
    const at = await ground();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '15' } });
    await at.pass(5_000);
    const [server, next] = [await served(at, 'one'), await served(at, 'two')];
    const token = await tokenOf(at, ['stop']);
    const headers = { ...bearer(token), 'idempotency-key': 'lunch' };
    const asked = server.send('POST', stop, { headers });
    await at.pass(3_000);
    await server.end();
    const { status, body, headers: said } = await asked;
    expect([status, JSON.parse(body)]).toMatchObject([202, { outcome: 'InProgress' }]);
    expect(said.location).toBe(stop.replace('/stop', ''));
    await expect(server.send('GET', '/healthz')).rejects.toThrow(); // nobody listens any more
    const again = await post(at, next, stop, token, { headers });
    expect([again.status, JSON.parse(again.body)]).toMatchObject([202, { state: { operation: { action: 'stop' } } }]);
    await at.pass(20_000);
    expect(at.wukong('web').status?.lifecycleState?.outcome).toBe('Stopped');
    expect(at.calls()).toHaveLength(1);
    await next.end();
  });

  it('whose wish could not be begun before the server ends is told to ask again with the same key', async () => {
    const { at, server } = await withVm();
    const headers = { ...bearer(await tokenOf(at, ['stop'])), 'idempotency-key': 'lunch' };
    at.sim.faults.add({ when: { method: 'GET', path: /\/wukongs\/web$/ }, does: { kind: 'delay', ms: 60_000 } });
    const asked = server.send('POST', stop, { headers });
    await at.pass(3_000);
    await server.end();
    const { status, body, headers: said } = await asked;
    expect([status, body, said['retry-after']]).toEqual([503, expect.stringContaining('the same key'), '5']);
    expect(at.calls()).toEqual([]);
  });

  it('who takes one Idempotency-Key for another Wukong, or another action, is answered 409', async () => {
    const { at, server } = await withVm();
    at.sim.createWukong({ namespace, name: 'db', runStrategy: 'Always' });
    await at.pass(5_000);
    const token = await tokenOf(at, ['stop', 'start']);
    const headers = { 'idempotency-key': 'lunch-1' };
    await post(at, server, stop, token, { headers });
    for (const path of [stop.replace('web', 'db'), stop.replace('stop', 'start'), stop.replace('stop', 'restart')]) {
      const refused = await post(at, server, path, token, { headers });
      expect([refused.status, JSON.parse(refused.body)]).toMatchObject([409, { outcome: 'Failed', reason: 'Refused' }]);
    }
    expect(at.calls()).toHaveLength(1);
    const event = (name: string) => ({
      headers: {
        ...{ 'ce-specversion': '1.0', 'ce-type': 'dev.novasphere.wukong.stop', 'ce-source': '/ci', 'ce-id': 'e-1' },
      },
      body: JSON.stringify({ target: { namespace, name } }),
    });
    expect((await post(at, server, '/events', token, event('web'))).status).toBe(202);
    await post(at, server, '/events', token, event('db'));
    expect(at.calls()).toHaveLength(1);
    await server.end();
  });

  it('who asks too often waits, and nobody else does', async () => {
    const clock = new VirtualClock('2026-11-23T20:00:00Z');
    const user = (body: unknown) => (body as { spec: { token: string } }).spec.token;
    let reviews = 0;
    const call = async ({ body }: { body?: unknown }) => ({
      ...{ status: 201, warnings: [], nth: reviews++ },
      body: { status: { authenticated: true, audiences: [audience], user: { username: user(body) } } },
    });
    const world = { clock, transport: { call } } as unknown as World;
    const access = newAccess(world, { audience });
    const ask = (name: string) => access.who(`Bearer ${name}`, 'address').then(({ username }) => username);
    for (let i = 0; i < 50; i++) expect(await ask('one')).toBe('one');
    await expect(ask('one')).rejects.toThrow(/one asks more than 10 times a second/);
    expect(await ask('other')).toBe('other');
    clock.advance(100);
    expect(await ask('one')).toBe('one');
    await expect(ask('one')).rejects.toThrow(/more than/);
    reviews = 0;
    for (let i = 0; i < 500; i++) await ask('one').catch(() => {});
    expect(reviews).toBeLessThanOrEqual(50); // one whose token holds costs the API server no more either
  });

  it('who guesses tokens costs the API server no more than any other', async () => {
    const clock = new VirtualClock('2026-11-23T20:00:00Z');
    let reviews = 0;
    const call = async () => (reviews++, { status: 201, warnings: [], body: { status: { error: 'invalid' } } });
    const access = newAccess({ clock, transport: { call } } as unknown as World, { audience });
    for (let i = 0; i < 500; i++) await access.who(`Bearer guess-${i}`, 'address').catch(() => {});
    expect(reviews).toBe(50);
    await Promise.allSettled(Array.from({ length: 500 }, (_, i) => access.who(`Bearer at-once-${i}`, 'elsewhere')));
    expect(reviews).toBe(100);
  });

  it('who sends what nobody understands is told what was expected', async () => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    const large = await post(at, server, stop, token, { body: `{"reason":"${'x'.repeat(1_000_000)}"}` });
    expect(large.status).toBe(413);
    const wrong = await post(at, server, stop, token, { body: '{"gracePeriodSeconds":-1,"what":1}' });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toMatch(/gracePeriodSeconds.*what/s);
    expect((await at.run(server.send('GET', stop, { headers: bearer(token) }))).status).toBe(405);
    expect((await at.run(server.send('GET', '/nothing'))).status).toBe(404);
    const elsewhere = `/namespaces/${namespace}/wukongs/web?cluster=other`;
    const other = await at.run(
      server.send('GET', elsewhere, { headers: bearer(await tokenOf(at, ['get'], { name: 'reader' })) }),
    );
    expect([other.status, other.body]).toMatchObject([400, expect.stringContaining('this server is of one cluster')]);
    expect((await at.run(server.send('HEAD', '/healthz'))).status).toBe(200);
    expect((await post(at, server, '/namespaces/%E0%A4%A/wukongs/web/stop', token)).status).toBe(400);
    expect((await post(at, server, '/namespaces/team-a/wukongs/..%2Fx/stop', token)).status).toBeGreaterThanOrEqual(
      400,
    );
    expect(at.calls()).toEqual([]);
    await server.end();
  });
});

describe('a CloudEvent', () => {
  const event = (more: object = {}) =>
    new CloudEvent({
      ...{ type: 'dev.novasphere.wukong.stop', source: '/office/door', id: 'e-1' },
      ...{ datacontenttype: 'application/json', data: { target: { namespace, name: 'web' } } },
      ...more,
    });
  /** As the official SDK sends it. */
  const emit = (at: Scene, server: Server, token: string, sent: CloudEvent<unknown>, mode = Mode.BINARY) => {
    let answer: Awaited<ReturnType<Server['send']>> | undefined;
    const emitter = emitterFor(
      async (message) => {
        const headers = { ...(message.headers as Record<string, string>), ...bearer(token) };
        return (answer = await server.send('POST', '/events', { headers, body: message.body as string }));
      },
      { binding: HTTP, mode },
    );
    return at.run(emitter(sent).then(() => answer!));
  };

  it.each([Mode.BINARY, Mode.STRUCTURED])('(%s) switches a VM off; sent twice, it does so once', async (mode) => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    const taken = await emit(at, server, token, event(), mode);
    expect([taken.status, taken.body]).toEqual([202, '']); // a body would be an event in reply
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ outcome: 'Stopped', trigger: 'event' });
    expect((await emit(at, server, token, event(), mode)).status).toBe(202);
    expect(at.calls()).toHaveLength(1);
    await server.end();
  });

  it('of another sender uses up no id, although source and id are the same', async () => {
    const { at, server } = await withVm();
    at.sim.createWukong({ namespace, name: 'db', runStrategy: 'Always' });
    await at.pass(5_000);
    const hostile = await tokenOf(at, ['stop'], { name: 'hostile' });
    const token = await tokenOf(at, ['stop']);
    const target = (name: string) => ({ data: { target: { namespace, name } } });
    expect((await emit(at, server, hostile, event(target('db')))).status).toBe(202);
    expect((await emit(at, server, token, event(target('web')))).status).toBe(202);
    expect(at.wukong('web').status?.lifecycleState).toMatchObject({ outcome: 'Stopped', trigger: 'event' });
    await server.end();
  });

  it.each([
    ['of an unknown type', { type: 'com.example.other' }, 400, /type: expected dev.novasphere.wukong.start or/],
    ['of the type __proto__', { type: '__proto__' }, 400, /type: expected/],
    ['for another namespace', { data: { target: { namespace: 'other', name: 'web' } } }, 403, /wukongs\/stop/],
    ['for all namespaces', { data: { target: { selector: 'env=dev' } } }, 403, /in all namespaces/],
    ['without a target', { data: {} }, 400, /target/],
    ['of 1 MB', { data: { reason: 'x'.repeat(1_000_000) } }, 413, /larger/],
  ])('%s is refused', async (_what, more, status, says) => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    expect(await emit(at, server, token, event(more))).toMatchObject({ status, body: expect.stringMatching(says) });
    expect(at.calls()).toEqual([]);
    await server.end();
  });

  it('is sent again when the cluster could not be reached, and not when the VM is protected', async () => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    const claims = { method: 'PATCH', path: /\/wukongs\/web$/ };
    at.sim.faults.add({ when: claims, does: { kind: 'status', status: 503 } });
    expect((await emit(at, server, token, event())).status).toBe(503);
    at.sim.faults.clear();
    at.sim.change<{ metadata: { annotations?: object } }>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    });
    expect((await emit(at, server, token, event({ id: 'e-2' }))).status).toBe(202);
    expect(at.calls()).toEqual([]);
    await server.end();
  });

  it('with the shared secret is sent by the user of webhooks, who may what RBAC gives that user', async () => {
    const secret = 'a-secret-of-many-characters';
    const { at, server } = await withVm(secret);
    expect(await emit(at, server, secret, event())).toMatchObject({
      status: 403,
      body: expect.stringContaining('wukong-lifecycle:webhook may not update wukongs/stop'),
    });
    await tokenOf(at, ['stop']);
    const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'caller' };
    const subjects = [{ kind: 'User', name: 'wukong-lifecycle:webhook', apiGroup: 'rbac.authorization.k8s.io' }];
    at.sim.create({ ...binding, metadata: { namespace, name: 'webhook' }, roleRef, subjects });
    expect((await emit(at, server, secret, event())).status).toBe(202);
    expect((await post(at, server, stop, secret)).status).toBe(401); // for events alone
    await server.end();
  });
});

describe('what Kubernetes and Prometheus ask', () => {
  it('is answered to everybody, and names no VM', async () => {
    const { at, server } = await withVm();
    const token = await tokenOf(at, ['stop']);
    await post(at, server, stop, token);
    await at.pass(1_000);
    const { status, body } = await at.run(server.send('GET', '/metrics'));
    expect(status).toBe(200);
    expect(body).toContain('wukong_outcomes_total{action="stop",outcome="Stopped",reason="none"} 1');
    expect(body).toMatch(/^wukong_leader 1$/m);
    expect(body).toMatch(/^wukong_wukongs 1$/m);
    expect(body).not.toContain(namespace);
    expect((await at.run(server.send('GET', '/healthz'))).status).toBe(200);
    expect((await at.run(server.send('GET', '/readyz'))).status).toBe(200);
    await server.end();
  });
});

describe('a restart over HTTP', () => {
  const path = `/namespaces/${namespace}/wukongs/web/restart`;
  it('is for who may stop and start; another guest is up then', async () => {
    const { at, server } = await withVm();
    const before = at.vmi('web')?.metadata.uid;
    const half = await post(at, server, path, await tokenOf(at, ['stop']));
    expect([half.status, half.body]).toMatchObject([403, expect.stringContaining('may not update wukongs/start')]);
    expect(at.vmi('web')?.metadata.uid).toBe(before);
    await server.end();
    const both = await withVm();
    const old = both.at.vmi('web')?.metadata.uid;
    const { status, body } = await post(both.at, both.server, path, await tokenOf(both.at, ['stop', 'start']));
    expect([status, JSON.parse(body)]).toMatchObject([200, { outcome: 'Started', name: 'web' }]);
    expect(both.at.vmi('web')?.metadata.uid).not.toBe(old);
    await both.server.end();
  });
});
