import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { credentialsFor, findLogin, readKubeConfigs } from '../../shared/cluster/credentials.ts';
import { parseKubeConfig } from '../../shared/cluster/kubeconfig.ts';
import { loginOf, ownLogin } from '../../shared/cluster/login.ts';
import { proxyFor } from '../../shared/cluster/proxy.ts';
import { VirtualClock } from '../../sim/clock.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const config = (user: object, more: { cluster?: object; context?: object } = {}) =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://api.example.org:6443', ...more.cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...more.context } }],
    'current-context': 'x',
  });
const folder = () => mkdtempSync(join(tmpdir(), 'login '));
const headersOf = async (user: object) =>
  (await credentialsFor(loginOf(parseKubeConfig(config(user))), { env: {} })).headers();

describe('who acts for whom', () => {
  it('user, uid, groups and extra are headers', async () => {
    const user = { token: 't', as: 'ada', 'as-uid': '7', 'as-groups': ['a', 'b'], 'as-user-extra': { 'x/y': ['1'] } };
    expect(await headersOf(user)).toEqual({
      authorization: 'Bearer t',
      'impersonate-user': 'ada',
      'impersonate-uid': '7',
      'impersonate-group': ['a', 'b'],
      'impersonate-extra-x%2Fy': ['1'],
    });
  });

  it('options count before the file', () => {
    const login = loginOf(parseKubeConfig(config({ token: 't', as: 'ada' })), { as: 'bob', asGroups: ['g'] });
    expect(login.as).toEqual({ 'impersonate-user': 'bob', 'impersonate-group': ['g'] });
  });

  it('a name and a password', async () => {
    expect(await headersOf({ username: 'a', password: 'b:c' })).toEqual({ authorization: 'Basic YTpiOmM=' });
  });
});

describe('several files', () => {
  it('are one: of each name and of current-context the first counts, whole, with the paths of its own folder', () => {
    const [one, two] = [folder(), folder()];
    writeFileSync(join(one, 'ca.crt'), pem);
    const a = JSON.parse(config({ token: 'first' }, { cluster: { 'certificate-authority': 'ca.crt' } })) as object;
    const b = JSON.parse(config({ token: 'second', as: 'ada' }, { context: { namespace: 'team-b' } })) as object;
    writeFileSync(join(one, 'a'), JSON.stringify({ ...a, contexts: [] }));
    writeFileSync(join(two, 'b'), JSON.stringify({ ...b, 'current-context': 'other' }));
    const files = [join(one, 'a'), '/nowhere/at/all', join(two, 'b')];
    const login = loginOf(readKubeConfigs(files));
    expect(login).toMatchObject({ namespace: 'team-b', proof: { by: 'token', token: 'first' }, as: {} });
    expect(login.ca).toMatchObject({ file: join(one, 'ca.crt') });
    expect(findLogin({ KUBECONFIG: files.join(':') })).toMatchObject({ proof: { token: 'first' } });
  });

  it('that are all not there are named', () => {
    expect(() => readKubeConfigs(['/nowhere/a', '/nowhere/b'])).toThrow('$KUBECONFIG names /nowhere/a and /nowhere/b');
  });
});

it('names every wrong field of a context at once', () => {
  const wrong = config(
    { 'as-groups': ['a'], 'client-key': '/gone/key' },
    { cluster: { server: 'http://x', 'proxy-url': 'x' } },
  );
  expect(() => loginOf(parseKubeConfig(wrong, '/k/c'))).toThrow(
    /^\/k\/c: clusters\[0\]\.cluster\.server: .*; \/k\/c: clusters\[0\]\.cluster\.proxy-url: .*; .*client-key: \/gone\/key: there is no such file; .*belong together.*; .*without a user/,
  );
});

it('a relative path in a text that is no file is refused', () => {
  expect(() => loginOf(parseKubeConfig(config({ tokenFile: 'token' })))).toThrow(
    /tokenFile: a relative path means nothing here/,
  );
});

it('what is no YAML is told by its line, without what it holds', () => {
  const told = () => parseKubeConfig('a: 1\nusers: [{token: very-secret', 'f');
  expect(told).toThrow(/^f: line \d is not YAML/);
  expect(told).not.toThrow(/very-secret/);
});

describe("a pod's own account", () => {
  const pod = () => {
    const at = folder();
    for (const [name, text] of Object.entries({ token: 'one\n', 'ca.crt': pem, namespace: 'team-a' }))
      writeFileSync(join(at, name), text);
    return at;
  };
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it('has its namespace, and an address of IPv6 in brackets', () => {
    expect(ownLogin(env, pod())).toMatchObject({ server: 'https://[fd00::1]:443', namespace: 'team-a' });
    expect(ownLogin({}, pod())).toBeUndefined();
  });

  it('its token is read again within a minute, its CA with new connections, and one that cannot be read is kept', async () => {
    const clock = new VirtualClock('2026-11-26T17:00:00Z');
    const at = pod();
    const credentials = await credentialsFor(ownLogin(env, at)!, { clock, env: {} });
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer one' });
    const first = credentials.dispatcher;
    writeFileSync(join(at, 'token'), 'two');
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer one' });
    clock.advance(60_000);
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer two' });
    expect(credentials.dispatcher).toBe(first);
    writeFileSync(join(at, 'ca.crt'), pem.replace('MA==', 'MQ=='));
    clock.advance(60_000);
    await credentials.headers();
    expect(credentials.dispatcher).not.toBe(first);
    writeFileSync(join(at, 'token'), '');
    clock.advance(60_000);
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer two' });
    credentials.refused?.();
    await expect(credentials.headers()).rejects.toThrow(/token: is empty/);
  });
});

describe('an exec plugin', () => {
  const counting = (status: string) => {
    const at = folder();
    const answer = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}`;
    const script = `echo x >> '${at}/runs'; n=$(wc -l < '${at}/runs'); printf '%s' '${answer}' | sed "s/N/$n/g"`;
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', script],
      interactiveMode: 'Never',
    };
    return loginOf(parseKubeConfig(config({ exec })));
  };

  it('is asked once, and again when its credential ends or was refused', async () => {
    const clock = new VirtualClock('2026-11-26T17:00:00Z');
    const ends = new Date(clock.now() + 300_000).toISOString();
    const credentials = await credentialsFor(counting(`{"token":"tN","expirationTimestamp":"${ends}"}`), { clock });
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer t1' });
    clock.advance(280_000);
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer t1' });
    clock.advance(15_000);
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer t2' });
    credentials.refused?.();
    expect(await credentials.headers()).toEqual({ authorization: 'Bearer t3' });
  });

  it('that renews a certificate gets new connections with it', async () => {
    const clock = new VirtualClock('2026-11-26T17:00:00Z');
    const status = '{"clientCertificateData":"certN","clientKeyData":"keyN"}';
    const credentials = await credentialsFor(counting(status), { clock, env: process.env });
    // The certificate is no certificate: the connections are made when they are first used.
    await credentials.headers();
    const first = credentials.dispatcher;
    credentials.refused?.();
    await credentials.headers();
    expect(credentials.dispatcher).not.toBe(first);
  });

  it('that never ends is ended after a minute, and said so', async () => {
    const clock = new VirtualClock('2026-11-26T17:00:00Z');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sleep',
      args: ['60'],
      interactiveMode: 'Never',
    };
    const told = credentialsFor(loginOf(parseKubeConfig(config({ exec }))), { clock });
    told.catch(() => undefined);
    clock.advance(60_000);
    await expect(told).rejects.toThrow(/sleep was ended \(SIGKILL\)/);
  });
});

describe('the proxy of the environment', () => {
  const at = (server: string, env: Record<string, string>) => proxyFor(server, undefined, env);
  const HTTPS_PROXY = 'http://proxy:3128';
  it.each([
    ['https://api.example.org:6443', '', HTTPS_PROXY],
    ['https://api.example.org:6443', 'example.org', undefined],
    ['https://api.example.org:6443', '.example.org', undefined],
    ['https://example.org:6443', '.example.org', HTTPS_PROXY],
    ['https://notexample.org', 'example.org', HTTPS_PROXY],
    ['https://api.example.org:6443', 'example.org:443, api.example.org:6443', undefined],
    ['https://api.example.org:6443', 'example.org:443', HTTPS_PROXY],
    ['https://api.example.org:6443', '*', undefined],
    ['https://10.1.2.3:6443', '10.0.0.0/8', undefined],
    ['https://11.1.2.3:6443', '10.0.0.0/8', HTTPS_PROXY],
    ['https://10.1.2.3:6443', '10.1.2.3', undefined],
    ['https://10.1.2.3:6443', '2.3', HTTPS_PROXY],
    ['https://[fd00::1]:6443', 'fd00::/8', undefined],
    ['https://[fd00::1]:6443', '[fd00::1]:6443', undefined],
    ['https://127.0.0.1:6443', '', undefined],
    ['https://localhost:6443', '', undefined],
  ])('of %s without %j is %s', (server, NO_PROXY, proxy) => {
    expect(at(server, { HTTPS_PROXY, NO_PROXY })).toBe(proxy);
    expect(at(server, { https_proxy: HTTPS_PROXY, no_proxy: NO_PROXY })).toBe(proxy);
  });

  it("has a scheme where none is given, and gives way to the kubeconfig's own", () => {
    expect(at('https://a.b', { HTTPS_PROXY: 'proxy:1' })).toBe('http://proxy:1');
    expect(proxyFor('https://a.b', 'socks5://own', { HTTPS_PROXY, NO_PROXY: '*' })).toBe('socks5://own');
    expect(at('https://a.b', { HTTP_PROXY: 'http://other' })).toBeUndefined();
  });
});
