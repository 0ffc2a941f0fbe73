import { randomBytes } from 'node:crypto';

import { type Answer, type Call, json, type Scope } from './call.ts';
import { at, type Fields, isFields, stamp } from './object.ts';
import type { Access } from './rbac.ts';
import { notFound } from './refusal.ts';
import { decoded } from './writing.ts';

const path = /^\/api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/([^/]+)\/token$/;
const usualSeconds = 3_600;

/** TokenRequest: a token of a ServiceAccount, which may do what is bound to that. @throws Refusal */
export function tokenRequested({ cluster, clock }: Scope, access: Access, call: Call): Answer | undefined {
  const [, namespace = '', name = ''] = path.exec(call.path) ?? [];
  if (!name || call.method !== 'POST') return undefined;
  const wanted = { verb: 'create', group: '', resource: 'serviceaccounts', subresource: 'token', namespace, name };
  access.check(call.user, wanted);
  const accounts = cluster.registry.named('serviceaccounts');
  if (!cluster.store.get(accounts, namespace, name)) throw notFound(accounts, name);
  const body = decoded(call);
  const spec: Fields = isFields(body) && isFields(body['spec']) ? body['spec'] : {};
  const seconds = Number(at(body as Fields | undefined, 'spec', 'expirationSeconds') ?? usualSeconds);
  const token = randomBytes(24).toString('base64url');
  access.addToken(token, `system:serviceaccount:${namespace}:${name}`, []);
  return json(201, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace },
    spec: { ...spec, expirationSeconds: seconds },
    status: { token, expirationTimestamp: stamp(clock.now() + seconds * 1000) },
  });
}
