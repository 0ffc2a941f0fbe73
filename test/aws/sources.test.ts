import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { eksToken } from '../../shared/cluster/aws.ts';
import { credentialsFrom, type ReadSecret } from '../../shared/cluster/sources.ts';
import { type Transport, transportTo } from '../../shared/cluster/transport.ts';
import type { LifecycleError } from '../../shared/domain/errors.ts';
import { type Clock, systemClock } from '../../shared/time/clock.ts';
import { type Sim, startSim } from '../../sim/sim.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function cluster(): Promise<Sim> {
  const sim = await startSim();
  open.push(sim);
  return sim;
}

/** A clock that can be put forward; its timers are the machine's. */
class HandClock implements Clock {
  at = Date.parse('2026-11-23T20:00:00Z');
  now = () => this.at;
  after = systemClock.after;
}
const look = (transport: Transport, clock: Clock) =>
  transport.call<{ items: object[] }>(
    { method: 'GET', path: '/api/v1/namespaces', safe: true },
    { deadline: clock.now() + 5_000 },
  );

describe('a kubeconfig in Secrets Manager', () => {
  const secret = { from: 'secret', id: 'wukong/edge' } as const;

  it('is read once, and once more after a 401, whatever number of calls met it', async () => {
    const [sim, clock] = [await cluster(), new HandClock()];
    sim.addToken('first', 'wukong', 'admin');
    let token = 'first';
    const reads: boolean[] = [];
    const readSecret: ReadSecret = (_id, _region, fresh) => (reads.push(fresh), Promise.resolve(sim.kubeconfig(token)));
    const transport = transportTo(credentialsFrom(secret, { clock, env: {}, readSecret }), clock, Math.random);
    for (let i = 0; i < 3; i++) expect(await look(transport, clock)).toMatchObject({ status: 200 });
    expect(reads).toEqual([false]);
    sim.addToken('second', 'wukong', 'admin');
    sim.expireToken('first');
    token = 'second';
    clock.at += 6_000;
    const answers = await Promise.all(Array.from({ length: 8 }, () => look(transport, clock)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(reads).toEqual([false, true]);
  });

  it('that is not renewed is answered with the 401, and not read again and again', async () => {
    const [sim, clock] = [await cluster(), new HandClock()];
    let reads = 0;
    const readSecret: ReadSecret = () => (reads++, Promise.resolve(sim.kubeconfig('unknown')));
    const transport = transportTo(credentialsFrom(secret, { clock, env: {}, readSecret }), clock, Math.random);
    for (let i = 0; i < 5; i++) expect(await look(transport, clock)).toMatchObject({ status: 401 });
    expect(reads).toBe(1);
  });

  it.each([
    ['is broken', 'users: [{token: very-secret-token', 'Unreachable'],
    ['has no cluster', 'users: [{name: a, user: {token: very-secret-token}}]', 'Unreachable'],
  ])('that %s is told without what it holds', async (_what, text, code) => {
    const clock = new HandClock();
    const readSecret: ReadSecret = () => Promise.resolve(text);
    const transport = transportTo(credentialsFrom(secret, { clock, env: {}, readSecret }), clock, Math.random);
    const thrown = await transport
      .call({ method: 'GET', path: '/', safe: false }, { deadline: clock.now() + 1_000 })
      .catch((error: unknown) => error as LifecycleError);
    expect(thrown).toMatchObject({ code });
    expect((thrown as Error).stack).not.toContain('very-secret');
  });

  it('that may not be read says which permission is missing', async () => {
    const clock = new HandClock();
    const denied = Object.assign(new Error('User is not authorized'), { $metadata: { httpStatusCode: 400 } });
    const readSecret: ReadSecret = () => Promise.reject(new Error('wrapped', { cause: denied }));
    const credentials = credentialsFrom(secret, { clock, env: {}, readSecret });
    await expect(credentials.headers()).rejects.toMatchObject({
      code: 'Denied',
      message: expect.stringMatching(/wukong\/edge.*not authorized.*secretsmanager:GetSecretValue/),
    });
  });
});

const identity = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example-secret', sessionToken: 'example-session' };

describe('an EKS token', () => {
  const now = Date.parse('2026-11-23T20:00:00Z');
  const read = (token: string) => new URL(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString());

  it('is a presigned question to STS that names the cluster, signed as AWS says', async () => {
    const url = read(await eksToken('prod', 'eu-central-1', identity, now));
    expect([url.host, url.searchParams.get('X-Amz-SignedHeaders')]).toEqual([
      'sts.eu-central-1.amazonaws.com',
      'host;x-k8s-aws-id',
    ]);
    expect(url.searchParams.get('X-Amz-Expires')).toBe('60');
    expect(url.searchParams.has('x-k8s-aws-id')).toBe(false);
    expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf(url, 'prod'));
  });

  /** AWS Signature Version 4, written again from its description. */
  function signatureOf(url: URL, name: string): string {
    const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const sha = (text: string) => createHash('sha256').update(text).digest('hex');
    const query = [...url.searchParams]
      .filter(([key]) => key !== 'X-Amz-Signature')
      .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
      .sort()
      .join('&');
    const headers = `host:${url.host}\nx-k8s-aws-id:${name}\n`;
    const canonical = ['GET', '/', query, headers, 'host;x-k8s-aws-id', sha('')].join('\n');
    const date = url.searchParams.get('X-Amz-Date') ?? '';
    const scope = [date.slice(0, 8), 'eu-central-1', 'sts', 'aws4_request'];
    const key = scope.reduce<string | Buffer>((by, part) => hmac(by, part), `AWS4${identity.secretAccessKey}`);
    return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha(canonical)].join('\n')).toString('hex');
  }
});

describe('an EKS cluster by its name', () => {
  async function eks(sim: Sim, described: object = {}) {
    const asked: { path: string | undefined; authorization: string | undefined }[] = [];
    const server = createServer(({ url, headers }, answer) => {
      asked.push({ path: url, authorization: headers.authorization });
      const data = Buffer.from(sim.caPem).toString('base64');
      const cluster = { endpoint: sim.url, certificateAuthority: { data }, status: 'ACTIVE', ...described };
      answer.end(JSON.stringify({ cluster }));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    open.push({ close: () => (server.closeAllConnections(), server.close()) });
    return {
      asked,
      env: {
        AWS_REGION: 'eu-central-1',
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
    };
  }
  const prod = { from: 'eks', name: 'prod' } as const;

  it('is described once, and its token is signed anew before it ends', async () => {
    const [sim, clock] = [await cluster(), new HandClock()];
    const { asked, env } = await eks(sim);
    const login = () => Promise.resolve(identity);
    const transport = transportTo(credentialsFrom(prod, { clock, env, login }), clock, Math.random);
    const tokenNow = () => eksToken('prod', 'eu-central-1', identity, clock.now());
    const first = await tokenNow();
    sim.addToken(first, 'wukong', 'admin');
    expect(await look(transport, clock)).toMatchObject({ status: 200 });
    clock.at += 9 * 60_000;
    expect(await look(transport, clock)).toMatchObject({ status: 200 });
    clock.at += 2 * 60_000;
    sim.expireToken(first);
    sim.addToken(await tokenNow(), 'wukong', 'admin');
    expect(await look(transport, clock)).toMatchObject({ status: 200 });
    expect(asked.map(({ path }) => path)).toEqual(['/clusters/prod']);
    expect(asked[0]?.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/20261123\/eu-central-1\/eks\//);
  });

  it('signs anew before the role’s own credentials end', async () => {
    const [sim, clock] = [await cluster(), new HandClock()];
    const { env } = await eks(sim);
    let logins = 0;
    const login = () => (logins++, Promise.resolve({ ...identity, expiration: new Date(clock.now() + 3 * 60_000) }));
    const credentials = credentialsFrom(prod, { clock, env, login });
    const { authorization } = await credentials.headers();
    clock.at += 2 * 60_000 + 1;
    expect((await credentials.headers()).authorization).not.toBe(authorization);
    expect(logins).toBeGreaterThan(2);
  });

  it('that is still being made is Unreachable, and says so', async () => {
    const [sim, clock] = [await cluster(), new HandClock()];
    const { env } = await eks(sim, { endpoint: undefined, status: 'CREATING' });
    const credentials = credentialsFrom(prod, { clock, env, login: () => Promise.resolve(identity) });
    await expect(credentials.headers()).rejects.toThrow('EKS cluster prod has no endpoint yet (status CREATING)');
  });
});
