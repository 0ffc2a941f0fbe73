import { describe, expect, it } from 'vitest';

import { review } from '../../shared/cluster/reviews.ts';
import { connectionFailure, shownServer } from '../../shared/cluster/unreachable.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';

/** What a review of this kind says where the API server answers so. */
async function says(kind: Parameters<typeof review>[1], status: unknown, code = 201) {
  const calls: unknown[] = [];
  const call = (one: unknown, within: unknown) => {
    calls.push([one, within]);
    return Promise.resolve({ status: code, body: status === null ? null : { status }, warnings: [] });
  };
  const limits = { deadline: 7 };
  const told = await review({ transport: { call } as never }, kind, { a: 1 }, limits);
  return { told, calls, limits };
}
const user = { username: 'kim', uid: '1', groups: ['g'], extra: { scopes: ['x'] } };

describe('the API server is asked', () => {
  it.each([
    ['TokenReview', '/apis/authentication.k8s.io/v1/tokenreviews', 'authentication.k8s.io/v1'],
    ['SubjectAccessReview', '/apis/authorization.k8s.io/v1/subjectaccessreviews', 'authorization.k8s.io/v1'],
    ['SelfSubjectAccessReview', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'authorization.k8s.io/v1'],
  ] as const)('by a %s', async (kind, path, apiVersion) => {
    const { calls, limits } = await says(kind, { allowed: true });
    expect(calls).toEqual([[{ method: 'POST', path, body: { apiVersion, kind, spec: { a: 1 } }, safe: true }, limits]]);
  });

  it('whose a token is', async () => {
    const token = { authenticated: true, user, audiences: ['a'], error: 'e' };
    expect((await says('TokenReview', token)).told).toEqual(token);
    expect((await says('TokenReview', {})).told).toEqual({});
  });

  it('what somebody may', async () =>
    expect((await says('SubjectAccessReview', { allowed: false, reason: 'no' })).told).toEqual({
      allowed: false,
      reason: 'no',
    }));

  it.each([
    [{ username: '' }],
    [{}],
    [{ ...user, groups: 'g' }],
    [{ ...user, groups: [7] }],
    [{ ...user, extra: { a: 'b' } }],
    [{ ...user, extra: 7 }],
    [null],
    ['kim'],
  ])('whose a token is, and %j is nobody', async (odd) =>
    expect((await says('TokenReview', { authenticated: true, user: odd })).told).toMatchObject({ user: undefined }),
  );

  it('whose a token is, with a thousand other things said of them at the most', async () => {
    const extra = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, ['v']]));
    const told = async (count: number) =>
      ((await says('TokenReview', { user: { ...user, extra: extra(count) } })).told as { user?: object }).user;
    expect([(await told(1_000)) !== undefined, await told(1_001)]).toEqual([true, undefined]);
    expect((await says('TokenReview', { user: { username: 'kim', extra: null } })).told).toMatchObject({
      user: { username: 'kim' },
    });
  });

  it.each([[{ allowed: 'yes' }], [{}], [undefined], [null]])('and %j is no answer', async (status) =>
    expect(says('SubjectAccessReview', status)).rejects.toMatchObject({
      ...{ code: 'Unreachable', message: "the API server's answer to a SubjectAccessReview is none" },
    }),
  );

  it('and may refuse', async () => {
    await expect(says('TokenReview', {}, 403)).rejects.toMatchObject({
      code: 'Denied',
      message: 'TokenReview: HTTP 403',
    });
    await expect(says('TokenReview', { audiences: 'a' })).rejects.toMatchObject({ code: 'Unreachable' });
  });
});

describe('why nobody answers', () => {
  const server = 'https://kim:pass@api:6443';
  const coded = (code: string, message = '') => Object.assign(new Error(message), { code });
  const said = (thrown: unknown, proxy?: string) => {
    const error = connectionFailure(thrown, { server, ...(proxy ? { proxy } : {}) });
    expect([error.code, error.cause === thrown || error === thrown]).toEqual(['Unreachable', true]);
    return error.message;
  };
  const [api, proxy] = ['https://api:6443: ', 'proxy http://p:1: '];

  it.each<[string, unknown, string, string?]>([
    [
      'a certificate',
      coded('DEPTH_ZERO_SELF_SIGNED_CERT'),
      'TLS is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); check the CA and the server name in the kubeconfig',
      api,
    ],
    ['a name', coded('ENOTFOUND'), 'no such host (ENOTFOUND); check the address'],
    ['a name now', coded('EAI_AGAIN'), 'no such host (EAI_AGAIN); check the address'],
    ['a port', coded('ECONNREFUSED'), 'nothing listens there (ECONNREFUSED); check address and port'],
    [
      'a route',
      coded('EHOSTUNREACH'),
      'no route, or no answer (EHOSTUNREACH); check VPC, subnets, security groups and firewall',
    ],
    [
      'time',
      coded('UND_ERR_CONNECT_TIMEOUT'),
      'no route, or no answer (UND_ERR_CONNECT_TIMEOUT); check VPC, subnets, security groups and firewall',
    ],
    ['a code', new Error('odd'), 'connection lost (odd)'],
    ['an error', 'odd', 'connection lost (odd)'],
    ['a reset', coded('ECONNRESET'), 'connection lost (ECONNRESET)'],
    [
      'a code in words',
      new Error('connect ECONNREFUSED 1.2.3.4'),
      'nothing listens there (ECONNREFUSED); check address and port',
    ],
  ])('is said of what lacks %s, and of the proxy where that is between', (_, thrown, what, always) => {
    expect([said(thrown), said(thrown, 'http://p:1')]).toEqual([api + what, (always ?? proxy) + what]);
  });

  it('is what lies behind, the first of several', () => {
    const inner = coded('ECONNREFUSED');
    expect(said(new Error('fetch failed', { cause: new Error('x', { cause: inner }) }))).toContain('ECONNREFUSED');
    expect(said(new AggregateError([inner, coded('ENOTFOUND')]))).toContain('ECONNREFUSED');
    expect(said(new AggregateError(['x'], 'all failed'))).toBe(`${api}connection lost (all failed)`);
    const known = new LifecycleError('Unreachable', 'known');
    expect(said(known)).toBe('known');
  });

  it('is the proxy that lets nobody through', () => {
    const refused = new Error(`Proxy response (407)${'x'.repeat(300)}\nsecret`);
    expect(said(refused, 'http://p:1')).toBe(
      `${proxy}does not let us through to https://api:6443 (${refused.message.slice(0, 200)})`,
    );
    expect(said(new Error('Socks5 failed'), 'http://p:1')).toBe(
      `${proxy}does not let us through to https://api:6443 (Socks5 failed)`,
    );
    expect(said(new Error('Proxy response'))).toBe(`${api}connection lost (Proxy response)`);
  });

  it('never with who asked', () =>
    expect([shownServer(server), shownServer('https://a/b@c')]).toEqual(['https://api:6443', 'https://a/b@c']));
});
