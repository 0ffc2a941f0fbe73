import { createHash, createHmac } from 'node:crypto';

import type { AwsCredentialIdentity, HttpRequest } from '@smithy/types';

import type { Clock } from '../time/clock.ts';

/** One call to an AWS API. Its client would be many times the size of the two calls that are needed. */
export interface AwsCall {
  service: string;
  region: string;
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export type AwsLogin = () => Promise<AwsCredentialIdentity>;

/** An answer of AWS that is not a success; the message is AWS's own. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The credentials of the function's role, or of whoever runs this: the SDK's own chain, which renews them. */
export function awsLogin(): AwsLogin {
  let chain: Promise<AwsLogin> | undefined;
  const load = async (): Promise<AwsLogin> =>
    (await import('@aws-sdk/credential-provider-node')).defaultProvider() as AwsLogin;
  return async () => (await (chain ??= load()))();
}

class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: Uint8Array) {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset() {}
}

async function signer(service: string, region: string, credentials: AwsCredentialIdentity) {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  return new SignatureV4({ service, region, credentials, sha256: Sha256 as never });
}

const suffix = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com');

/** As the SDK finds it: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, else AWS's own. */
function endpoint(service: string, region: string, env: Record<string, string | undefined>): URL {
  const own = env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ?? env['AWS_ENDPOINT_URL'];
  return new URL(own || `https://${service}.${region}.${suffix(region)}`);
}

const callLimitMs = 10_000;

/**
 * Sends one signed call and returns its JSON.
 * @throws AwsError for an answer that is not a success; fetch's own error when there was none.
 */
export async function callAws<T>(
  call: AwsCall,
  login: AwsLogin,
  { clock, env }: { clock: Clock; env: Record<string, string | undefined> },
): Promise<T> {
  const url = endpoint(call.service, call.region, env);
  const request: HttpRequest = {
    method: call.method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port ? { port: Number(url.port) } : {}),
    path: call.path,
    headers: { host: url.host, ...call.headers },
    body: call.body,
  };
  const by = await signer(call.service, call.region, await login());
  const signed = await by.sign(request, { signingDate: new Date(clock.now()) });
  const { host: _host, ...headers } = signed.headers;
  const answer = await fetch(new URL(call.path, url), {
    method: call.method,
    headers,
    signal: AbortSignal.timeout(callLimitMs),
    ...(call.body === undefined ? {} : { body: call.body }),
  });
  const text = await answer.text();
  if (answer.ok) return (text === '' ? {} : JSON.parse(text)) as T;
  throw new AwsError(answer.status, messageIn(text) ?? `HTTP ${answer.status}`);
}

function messageIn(text: string): string | undefined {
  try {
    const { message, Message, __type } = JSON.parse(text) as { message?: string; Message?: string; __type?: string };
    return [__type?.split('#').at(-1), message ?? Message].filter(Boolean).join(': ') || undefined;
  } catch {
    return undefined;
  }
}

/** What EKS takes as a bearer token: a presigned question to STS who we are, with the cluster's name signed too. */
export async function eksToken(
  cluster: string,
  region: string,
  credentials: AwsCredentialIdentity,
  now: number,
): Promise<string> {
  const hostname = `sts.${region}.${suffix(region)}`;
  const request: HttpRequest = {
    method: 'GET',
    protocol: 'https:',
    hostname,
    path: '/',
    query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
    headers: { host: hostname, 'x-k8s-aws-id': cluster },
  };
  const by = await signer('sts', region, credentials);
  const { query = {} } = await by.presign(request, {
    expiresIn: 60, // what aws-iam-authenticator wants to see; it takes the token for 15 minutes all the same
    signingDate: new Date(now),
    unhoistableHeaders: new Set(['x-k8s-aws-id']),
  });
  const text = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${text.join('&')}`).toString('base64url')}`;
}
