import { type Answer, type Call, json } from './call.ts';
import { decoded } from './decoding.ts';
import { at, type Fields, isFields } from './object.ts';
import { type Access, isKnown, ownAudience } from './rbac.ts';
import { badRequest, invalid, methodNotAllowed, noSuchResource } from './refusal.ts';
import type { User } from './user.ts';

type Text = string | undefined;

/** Questions that the API server answers and keeps nothing of: who is that, may that one do this? @throws Refusal */
export function reviewOf(access: Access, call: Call, parts: string[]): Answer {
  const [, group = '', version = '', ...rest] = parts;
  const local = rest[0] === 'namespaces';
  const [plural = '', more] = local ? rest.slice(2) : rest;
  const review = local ? localReviews[plural] : reviews[`${group}/${plural}`];
  const namespace = local ? rest[1] : undefined;
  // Whoever is known may ask about himself (system:basic-user).
  if (!plural.startsWith('selfsubject') || !isKnown(call.user))
    access.check(call.user, { verb: 'create', group, resource: plural, namespace });
  if (version !== 'v1' || !review || more !== undefined) throw noSuchResource();
  if (call.method !== 'POST') throw methodNotAllowed();
  const body = decoded(call);
  const sent: Fields = isFields(body) ? body : {};
  const spec: Fields = isFields(sent['spec']) ? sent['spec'] : {};
  const kind = kinds[plural] ?? '';
  const said = String(sent['kind'] ?? kind);
  if (!Object.values(kinds).includes(said) || (sent['apiVersion'] ?? `${group}/v1`) !== `${group}/v1`)
    throw badRequest(`${kind} in version "v1" cannot be handled as a ${said}`);
  const head = { kind, apiVersion: `${group}/v1`, metadata: { creationTimestamp: null }, spec };
  return json(201, { ...head, status: review(access, call.user, spec) });
}

const kinds: Record<string, string> = Object.fromEntries(
  [
    'SelfSubjectAccessReview',
    'SubjectAccessReview',
    'LocalSubjectAccessReview',
    'SelfSubjectRulesReview',
    'TokenReview',
    'SelfSubjectReview',
  ].map((kind) => [`${kind.toLowerCase()}s`, kind]),
);

type Review = (access: Access, user: User, spec: Fields) => Fields;

const reviews: Record<string, Review> = {
  'authorization.k8s.io/selfsubjectaccessreviews': (access, user, spec) =>
    verdict(access, user, spec, 'SelfSubjectAccessReview'),
  'authorization.k8s.io/subjectaccessreviews': (access, _, spec) => verdict(access, subjectOf(spec), spec),
  'authorization.k8s.io/selfsubjectrulesreviews': (access, user, { namespace }) => {
    if (typeof namespace !== 'string' || namespace === '') throw badRequest('no namespace on request');
    return { resourceRules: access.allRules(user, namespace), nonResourceRules: [], incomplete: false };
  },
  'authentication.k8s.io/tokenreviews': (access, _, spec) => tokenReview(access, spec),
  'authentication.k8s.io/selfsubjectreviews': (access, user) => ({ userInfo: access.infoOf(user) }),
};
const localReviews: Record<string, Review> = {
  localsubjectaccessreviews: (access, _, spec) => verdict(access, subjectOf(spec), spec),
};

function subjectOf(spec: Fields): User {
  const groups = Array.isArray(spec['groups']) ? (spec['groups'] as string[]) : [];
  const name = String(spec['user'] ?? '');
  if (!name && groups.length === 0)
    throw invalid(subjectAccessReview, '', [
      { field: 'spec.user', message: 'Required value: at least one of user or group must be specified' },
    ]);
  return { name, groups };
}

const subjectAccessReview = {
  group: 'authorization.k8s.io',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
};

function verdict(access: Access, user: User, spec: Fields, kind = 'SubjectAccessReview'): Fields {
  const asked = at(spec, 'resourceAttributes') as Record<string, Text> | undefined;
  const url = at(spec, 'nonResourceAttributes') as Record<string, Text> | undefined;
  if ((asked === undefined) === (url === undefined))
    throw invalid({ ...subjectAccessReview, kind }, '', [
      {
        field: 'spec.resourceAttributes',
        message: 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      },
    ]);
  const { verb = '', group = '', resource = '', subresource, namespace, name } = asked ?? {};
  const optional = (value: Text) => value || undefined;
  const wanted = { verb, group, resource, subresource: optional(subresource), namespace: optional(namespace) };
  const allowed = asked
    ? access.allows(user, { ...wanted, name: optional(name) })
    : access.allowsUrl(user, url?.['verb'] ?? '', url?.['path'] ?? '');
  return { allowed, ...(allowed ? { reason: 'RBAC: allowed' } : {}) };
}

function tokenReview(access: Access, spec: Fields): Fields {
  const token = String(spec['token'] ?? '');
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  const asked = Array.isArray(spec['audiences']) && spec['audiences'].length > 0;
  const wanted = asked ? (spec['audiences'] as string[]) : [ownAudience];
  const holder = access.holderOf(token);
  const audiences = holder ? wanted.filter((one) => holder.audiences.includes(one)) : [];
  if (!holder || audiences.length === 0)
    return { user: {}, error: holder ? 'token audiences are invalid' : 'invalid bearer token' };
  return { authenticated: true, user: access.infoOf(holder), ...(asked ? { audiences } : {}) };
}
