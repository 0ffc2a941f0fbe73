import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ExecPlugin } from '../../shared/cluster/execPlugin.ts';
import type { Login, Proof } from '../../shared/cluster/login.ts';
import { authorizerOf } from '../../shared/cluster/proof.ts';
import { VirtualClock } from '../../sim/clock.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'proof-'));
function authorizing(proof: Proof, more: Partial<Login> = {}) {
  const clock = new VirtualClock('2026-11-26T17:00:00Z');
  const env = { PATH: process.env['PATH'], SECRET: 's' };
  return {
    clock,
    authorize: authorizerOf(
      { context: 'c', server: 'https://a', as: {}, proof, ...more },
      { clock, env, terminal: false },
    ),
  };
}
const headersOf = (proof: Proof) => authorizing(proof).authorize(false);

describe('who one is, is proved', () => {
  it.each<[Proof, object]>([
    [{ by: 'nothing' }, {}],
    [{ by: 'token', token: 't' }, { authorization: 'Bearer t' }],
    [{ by: 'password', username: 'a', password: 'b:c' }, { authorization: 'Basic YTpiOmM=' }],
  ])('by %j', async (proof, headers) => expect(await headersOf(proof)).toEqual({ headers }));

  it('by a token in a file, read each time; where it cannot be, by the one beside it', async () => {
    const at = join(folder(), 'token');
    writeFileSync(at, ' one\n');
    const file = { file: at, where: 'users[0].tokenFile' };
    const { authorize } = authorizing({ by: 'tokenFile', file });
    expect(await authorize(false)).toEqual({ headers: { authorization: 'Bearer one' } });
    writeFileSync(at, 'two');
    expect(await authorize(false)).toEqual({ headers: { authorization: 'Bearer two' } });
    rmSync(at);
    expect(() => authorize(false)).toThrow(/users\[0\].tokenFile/);
    expect(await headersOf({ by: 'tokenFile', file, token: 'instead' })).toEqual({
      headers: { authorization: 'Bearer instead' },
    });
  });
});

describe('an exec plugin', () => {
  const plugin = (script: string, more: Partial<ExecPlugin> = {}): Proof => ({
    by: 'exec',
    plugin: {
      ...{ apiVersion: 'v1', command: 'sh', args: ['-c', script], env: {}, interactiveMode: 'Never', where: 'exec' },
      ...{ provideClusterInfo: false, ...more },
    },
  });
  const answering = (status: object, count = 'true') =>
    plugin(`${count}; printf '%s' '${JSON.stringify({ apiVersion: 'v1', status })}'`);

  it('is asked for what it told until ten seconds before that ends, and when it was refused', async () => {
    const runs = join(folder(), 'runs');
    const proof = answering({ token: 't', expirationTimestamp: '2026-11-26T17:01:00Z' }, `printf x >> '${runs}'`);
    writeFileSync(runs, '');
    const { clock, authorize } = authorizing(proof);
    const asked = async (fresh: boolean) => {
      const told = await authorize(fresh);
      expect(told).toEqual({
        headers: { authorization: 'Bearer t' },
        cert: undefined,
        key: undefined,
        expires: Date.parse('2026-11-26T17:01:00Z'),
      });
      return readFileSync(runs, 'utf8').length;
    };
    expect([await asked(false), await asked(false), await asked(true)]).toEqual([1, 1, 2]);
    clock.advance(49_999);
    expect(await asked(false)).toBe(2);
    clock.advance(1);
    expect(await asked(false)).toBe(3);
  });

  it('may tell a certificate instead of a token', async () => {
    const { authorize } = authorizing(answering({ clientCertificateData: 'c', clientKeyData: 'k' }));
    expect(await authorize(false)).toEqual({ headers: {}, cert: 'c', key: 'k', expires: Infinity });
  });

  it('is told of the cluster, and has the environment', async () => {
    const told = join(folder(), 'told');
    const script = `printf '%s' "$KUBERNETES_EXEC_INFO" > '${told}'; printf '{"apiVersion":"v1","status":{"token":"%s"}}' "$SECRET"`;
    const info = async (more: Partial<Login>) => {
      const { authorize } = authorizing(plugin(script, { provideClusterInfo: true }), more);
      expect(await authorize(false)).toMatchObject({ headers: { authorization: 'Bearer s' } });
      return (JSON.parse(readFileSync(told, 'utf8')) as { spec: { cluster: object } }).spec.cluster;
    };
    expect(await info({})).toEqual({ server: 'https://a', config: null });
    const more = { tlsServerName: 'n', proxyUrl: 'http://p', ca: { text: 'pem', where: 'ca' }, extension: { x: 1 } };
    expect(await info(more)).toEqual({
      ...{ server: 'https://a', 'tls-server-name': 'n', 'certificate-authority-data': 'cGVt', 'proxy-url': 'http://p' },
      config: { x: 1 },
    });
  });

  it('is ended after its time by the clock, whatever it has started', async () => {
    const { clock, authorize } = authorizing(plugin('exec 2>&-; sleep 30; true'));
    const told = authorize(false);
    told.catch(() => undefined);
    clock.advance(60_000);
    await expect(told).rejects.toThrow(/was ended/);
  });
});

describe('OpenID Connect', () => {
  const claims = (exp: number) => ['e30', Buffer.from(JSON.stringify({ exp })).toString('base64url'), 'x'].join('.');
  const provider = (exp: number) => ({ name: 'oidc', config: { 'id-token': claims(exp), 'client-id': 'c' } });

  it('is asked each minute, and what it cannot renew is said', async () => {
    const { clock, authorize } = authorizing({ by: 'provider', provider: provider(9_999_999_999) });
    const told = await authorize(false);
    expect(new Map(Object.entries(told.headers)).get('Authorization')).toBe(`Bearer ${claims(9_999_999_999)}`);
    expect(told.expires).toBe(clock.now() + 60_000);
    await expect(headersOf({ by: 'provider', provider: provider(1) })).rejects.toMatchObject({
      ...{ code: 'Unreachable', message: expect.stringContaining('no token could be had') as string },
    });
  });
});
