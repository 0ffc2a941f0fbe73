import type { Call } from './call.ts';
import type { Cluster } from './cluster.ts';
import { at, type Fields, type Thing } from './object.ts';
import { qualified, Refusal } from './refusal.ts';
import type { User } from './user.ts';

/** Whom the API server itself is for: a token for somebody else is none here. */
export const ownAudience = 'https://kubernetes.default.svc';
/** What everybody may ask (system:public-info-viewer). */
const open = /^\/(version|healthz|livez|readyz)(\/|$)/;
/** What everybody who is known may ask (system:discovery). */
const discovery = /^\/(api|apis|openapi)(\/|$)/;

export interface PolicyRule {
  /** The sim's own addition for tokens: where the rule holds; absent: everywhere. */
  namespaces?: string[];
  apiGroups?: string[];
  resources?: string[];
  verbs: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Attributes {
  verb: string;
  group: string;
  resource: string;
  subresource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
}

export interface Holder extends User {
  rules: PolicyRule[] | 'admin';
  /** For whom the token is; a token of the sim's own is for the API server. */
  audiences: string[];
  expiresAt: number;
  uid?: string | undefined;
}

const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
export const isKnown = ({ groups }: User): boolean => !groups.includes('system:unauthenticated');
const account = /^system:serviceaccount:([^:]+):(.+)$/;

/** The groups that everybody who is known is in, and those of ServiceAccounts. */
const groupsOf = (name: string): string[] => {
  if (name === anonymous.name) return anonymous.groups;
  const [, home] = account.exec(name) ?? [];
  return ['system:authenticated', ...(home ? ['system:serviceaccounts', `system:serviceaccounts:${home}`] : [])];
};

/** Who a token is, and what that one may do: by its own rules, and by the roles bound to it. */
export class Access {
  #tokens = new Map<string, Holder>();
  /** What the tokens of a name may do, for reviews that name the user. */
  #named = new Map<string, Holder>();
  #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  addToken(
    token: string,
    name: string,
    rules: PolicyRule[] | 'admin',
    {
      audiences = [ownAudience],
      expiresAt = Infinity,
      uid,
    }: Partial<Pick<Holder, 'audiences' | 'expiresAt' | 'uid'>> = {},
  ): void {
    const groups = [...groupsOf(name), ...(rules === 'admin' ? ['system:masters'] : [])];
    const holder = { name, groups, rules, audiences, expiresAt, uid };
    this.#tokens.set(token, holder);
    this.#named.set(name, holder);
  }

  expireToken(token: string): void {
    this.#tokens.delete(token);
  }

  /** Whose token it is, whomever it is for; undefined where it is none, has expired, or its account is gone. */
  holderOf(token: string): Holder | undefined {
    const holder = this.#tokens.get(token);
    if (!holder || holder.expiresAt <= this.#cluster.clock.now()) return undefined;
    if (holder.uid === undefined) return holder;
    const [, namespace, name = ''] = account.exec(holder.name) ?? [];
    const there = this.#cluster.store.get(this.#cluster.registry.named('serviceaccounts'), namespace, name);
    return there?.metadata.uid === holder.uid ? holder : undefined;
  }

  /**
   * Who calls, or whom the caller speaks for. What is no bearer token, or an empty one, is as if nothing had been said
   * (apiserver's bearertoken.go). @throws Refusal 401, or 403 where he may not.
   */
  userOf(headers: Record<string, string | undefined>): User {
    const [scheme = '', token] = (headers['authorization'] ?? '').trim().split(' ');
    if (scheme.toLowerCase() !== 'bearer' || !token) return this.#impersonated(anonymous, headers);
    const holder = this.holderOf(token);
    if (!holder?.audiences.includes(ownAudience)) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
    return this.#impersonated(holder, headers);
  }

  #impersonated(user: User, headers: Record<string, string | undefined>): User {
    const name = headers['impersonate-user'];
    if (!name) return user;
    const asked = (headers['impersonate-group'] ?? '').split(/, ?/).filter(Boolean);
    const [, namespace, short] = account.exec(name) ?? [];
    const who = short ? { resource: 'serviceaccounts', namespace, name: short } : { resource: 'users', name };
    this.check(user, { verb: 'impersonate', group: '', ...who });
    for (const group of asked) this.check(user, { verb: 'impersonate', group: '', resource: 'groups', name: group });
    return { name, groups: [...new Set([...asked, ...groupsOf(name)])] };
  }

  infoOf(user: User): Fields {
    const { uid } = user as Partial<Holder>;
    return { username: user.name, ...(uid ? { uid } : {}), groups: user.groups };
  }

  /** @throws Refusal 403 for a path that is none of objects, and that the caller may not ask for. */
  checkUrl({ user, method, path }: Call): void {
    const verb = method.toLowerCase();
    if (this.allowsUrl(user, verb, path)) return;
    throw new Refusal(403, 'Forbidden', `forbidden: User "${user.name}" cannot ${verb} path "${path}"`, {
      details: {},
    });
  }

  /** @throws Refusal 403 in the words of the API server. */
  check(user: User, wanted: Attributes): void {
    if (this.allows(user, wanted)) return;
    const { verb, group, resource, subresource, namespace, name } = wanted;
    const what = qualified({ group, plural: resource });
    const full = subresource ? `${resource}/${subresource}` : resource;
    const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
    throw new Refusal(
      403,
      'Forbidden',
      `${what}${name ? ` "${name}"` : ''} is forbidden: User "${user.name}" cannot ${verb} resource "${full}" in API group "${group}" ${where}`,
      { details: { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource } },
    );
  }

  allows(user: User, wanted: Attributes): boolean {
    const rules = this.#rulesHeld(user);
    if (rules === 'admin') return true;
    const own = rules.filter(
      ({ namespaces }) => !namespaces || (wanted.namespace && namespaces.includes(wanted.namespace)),
    );
    return [...own, ...this.rulesOf(user, wanted.namespace)].some((rule) => covers(rule, wanted));
  }

  allowsUrl(user: User, verb: string, path: string): boolean {
    if (this.#rulesHeld(user) === 'admin') return true;
    if (verb === 'get' && (open.test(path) || (isKnown(user) && discovery.test(path)))) return true;
    const matches = (url: string) => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)));
    return this.rulesOf(user, undefined).some(
      ({ verbs, nonResourceURLs }) => (verbs.includes('*') || verbs.includes(verb)) && nonResourceURLs?.some(matches),
    );
  }

  #rulesHeld(user: User): PolicyRule[] | 'admin' {
    if (user.groups.includes('system:masters')) return 'admin';
    return (user as Partial<Holder>).rules ?? this.#named.get(user.name)?.rules ?? [];
  }

  /** Rules by bindings in a namespace, and cluster-wide. */
  rulesOf(user: User, namespace: string | undefined): PolicyRule[] {
    const { store, registry } = this.#cluster;
    const bound = (binding: Thing) =>
      ((binding['subjects'] ?? []) as { kind: string; name: string; namespace?: string }[]).some((subject) => {
        if (subject.kind === 'User') return subject.name === user.name;
        if (subject.kind === 'Group') return user.groups.includes(subject.name);
        const home = subject.namespace ?? binding.metadata.namespace ?? '';
        return user.name === `system:serviceaccount:${home}:${subject.name}`;
      });
    const ruled = (binding: Thing): PolicyRule[] => {
      const kind = at(binding, 'roleRef', 'kind');
      const name = String(at(binding, 'roleRef', 'name'));
      const roles = registry.named(kind === 'ClusterRole' ? 'clusterroles' : 'roles');
      const role = store.get(roles, kind === 'ClusterRole' ? undefined : binding.metadata.namespace, name);
      return (role?.['rules'] as PolicyRule[] | null | undefined) ?? [];
    };
    const local = namespace === undefined ? [] : store.list(registry.named('rolebindings'), namespace);
    return [...local, ...store.each(registry.named('clusterrolebindings'))].filter(bound).flatMap(ruled);
  }

  /** What SelfSubjectRulesReview tells: for a token that may do everything, one rule that says so. */
  allRules(user: User, namespace: string): PolicyRule[] {
    const rules = this.#rulesHeld(user);
    if (rules === 'admin') return [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const own = rules.filter(({ namespaces }) => !namespaces || namespaces.includes(namespace));
    return [...own.map(({ namespaces: _, ...rule }) => rule), ...this.rulesOf(user, namespace)];
  }
}

function covers(rule: PolicyRule, { verb, group, resource, subresource, name }: Attributes): boolean {
  const has = (list: string[] | undefined, value: string) => (list ?? []).some((one) => one === '*' || one === value);
  const full = subresource ? `${resource}/${subresource}` : resource;
  const named = rule.resourceNames?.length ? name !== undefined && rule.resourceNames.includes(name) : true;
  const listed = has(rule.resources, full) || (subresource !== undefined && has(rule.resources, `*/${subresource}`));
  return has(rule.verbs, verb) && has(rule.apiGroups, group) && listed && named;
}
