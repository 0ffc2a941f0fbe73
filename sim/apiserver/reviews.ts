import { type Answer, type Call, json } from './call.ts';
import { at, type Fields, isFields } from './object.ts';
import type { Access } from './rbac.ts';
import { noSuchPath } from './refusal.ts';
import { decoded } from './writing.ts';

/** `kubectl auth can-i` and its kin: may I do that? Everybody may ask. */
export function reviewOf(access: Access, call: Call, plural: string): Answer {
  if (call.method !== 'POST') throw noSuchPath();
  const body = decoded(call);
  const sent: Fields = isFields(body) ? body : {};
  const head = { kind: sent['kind'], apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec: sent['spec'] };
  if (plural === 'selfsubjectaccessreviews') {
    const asked = at(sent, 'spec', 'resourceAttributes') as Record<string, string | undefined> | undefined;
    const { verb = '', group = '', resource = '', subresource, namespace, name } = asked ?? {};
    const wanted = {
      verb,
      group,
      resource,
      subresource: subresource || undefined,
      namespace: namespace || undefined,
      name: name || undefined,
    };
    const allowed = asked ? access.allows(call.user, wanted) : true;
    return json(201, { ...head, status: { allowed, ...(allowed ? { reason: 'RBAC: allowed' } : {}) } });
  }
  if (plural === 'selfsubjectrulesreviews') {
    const resourceRules = access.allRules(call.user, String(at(sent, 'spec', 'namespace') ?? 'default'));
    return json(201, { ...head, status: { resourceRules, nonResourceRules: [], incomplete: false } });
  }
  throw noSuchPath();
}
