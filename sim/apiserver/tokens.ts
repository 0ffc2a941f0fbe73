import { createHmac, randomBytes } from 'node:crypto';

import { type Answer, type Call, json, type Scope } from './call.ts';
import { decoded } from './decoding.ts';
import { at, type Fields, isFields, stamp, type Thing } from './object.ts';
import { type Access, ownAudience } from './rbac.ts';
import { invalid, notFound } from './refusal.ts';

const path = /^\/api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/([^/]+)\/token$/;
const usualSeconds = 3_600;
const leastSeconds = 600;

const key = randomBytes(32);

/** A token of a ServiceAccount as a JSON Web Token, which holds for these audiences until then. */
export function accountToken(account: Thing, audiences: string[], issuedAt: number, expiresAt: number): string {
  const { namespace, name, uid } = account.metadata;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ alg: 'HS256', typ: 'JWT' });
  const body = part({
    aud: audiences,
    exp: Math.floor(expiresAt / 1000),
    iat: Math.floor(issuedAt / 1000),
    iss: ownAudience,
    jti: randomBytes(8).toString('hex'),
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
    sub: `system:serviceaccount:${namespace}:${name}`,
  });
  return `${head}.${body}.${createHmac('sha256', key).update(`${head}.${body}`).digest('base64url')}`;
}

/** TokenRequest: a token of a ServiceAccount, which may do what is bound to that. @throws Refusal */
export function tokenRequested({ cluster, clock }: Scope, access: Access, call: Call): Answer | undefined {
  const [, namespace = '', name = ''] = path.exec(call.path) ?? [];
  if (!name || call.method !== 'POST') return undefined;
  const wanted = { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token', namespace, name };
  access.check(call.user, wanted);
  const account = cluster.store.get(cluster.registry.named('serviceaccounts'), namespace, name);
  if (!account) throw notFound(cluster.registry.named('serviceaccounts'), name);
  const body = decoded(call);
  const spec: Fields = isFields(body) && isFields(body['spec']) ? body['spec'] : {};
  const seconds = Number(at(spec, 'expirationSeconds') ?? usualSeconds);
  if (!(seconds >= leastSeconds))
    throw invalid({ group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' }, '', [
      {
        field: 'spec.expirationSeconds',
        message: `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
      },
    ]);
  const audiences =
    Array.isArray(spec['audiences']) && spec['audiences'].length > 0 ? spec['audiences'] : [ownAudience];
  const expiresAt = clock.now() + seconds * 1000;
  const token = accountToken(account, audiences as string[], clock.now(), expiresAt);
  const { uid } = account.metadata;
  access.addToken(token, `system:serviceaccount:${namespace}:${name}`, [], {
    audiences: audiences as string[],
    expiresAt,
    uid,
  });
  return json(201, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: stamp(clock.now()) },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: stamp(expiresAt) },
  });
}
