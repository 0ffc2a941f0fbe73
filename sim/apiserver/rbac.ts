import type { User } from './call.ts';
import type { Cluster } from './cluster.ts';
import { at, type Thing } from './object.ts';
import { qualified, Refusal } from './refusal.ts';

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

interface Holder extends User {
  rules: PolicyRule[] | 'admin';
}

/** Who a token is, and what that one may do: by its own rules, and by the roles bound to it. */
export class Access {
  #tokens = new Map<string, Holder>();
  #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  addToken(token: string, name: string, rules: PolicyRule[] | 'admin'): void {
    const account = /^system:serviceaccount:([^:]+):/.exec(name);
    const groups = ['system:authenticated'];
    if (rules === 'admin') groups.push('system:masters');
    if (account) groups.push('system:serviceaccounts', `system:serviceaccounts:${account[1]}`);
    this.#tokens.set(token, { name, groups, rules });
  }

  expireToken(token: string): void {
    this.#tokens.delete(token);
  }

  /** @throws Refusal 401 */
  userOf(authorization: string | undefined): User {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    const holder = token === undefined ? undefined : this.#tokens.get(token);
    if (!holder) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
    return holder;
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
    const { rules } = user as Holder;
    if (rules === 'admin') return true;
    const own = (rules ?? []).filter(
      ({ namespaces }) => !namespaces || (wanted.namespace && namespaces.includes(wanted.namespace)),
    );
    return [...own, ...this.rulesOf(user, wanted.namespace)].some((rule) => covers(rule, wanted));
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
    const { rules } = user as Holder;
    if (rules === 'admin') return [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    const own = (rules ?? []).filter(({ namespaces }) => !namespaces || namespaces.includes(namespace));
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
