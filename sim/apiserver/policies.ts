import { type Cel, celValue } from './cel.ts';
import { at, type Fields, isFields, type Thing } from './object.ts';
import { qualified, Refusal } from './refusal.ts';
import type { Registry, Resource } from './resources.ts';
import { labelMatcher } from './selectors.ts';
import type { Store } from './store.ts';
import type { User } from './user.ts';

/** Where policies and their bindings are kept, and what evaluates them. */
interface Kept {
  store: Store;
  registry: Registry;
  cel: Cel | undefined;
}

/** A write as a ValidatingAdmissionPolicy sees it. */
export interface Write {
  resource: Resource;
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  subresource: string | undefined;
  old: Thing | undefined;
  next: Thing | undefined;
  user: User;
  dryRun: boolean;
  warn: (text: string) => void;
}

/** A policy as one binding has it evaluated, with one of the objects that the binding hands to it. */
interface Bound {
  policy: Thing;
  binding: Thing;
  params?: Thing | undefined;
}

interface Validation {
  expression: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
}
const codes: Record<string, number> = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 };
const list = (value: unknown, ...path: string[]): Fields[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isFields) : [];
};

/** Asks every ValidatingAdmissionPolicy that is bound and matches. @throws Refusal where one denies. */
export function checkPolicies(cluster: Kept, write: Write): void {
  const { store, registry } = cluster;
  if (/^validatingadmissionpolic/.test(write.resource.plural)) return; // whoever made a bad one must be able to take it back
  for (const binding of store.each(registry.named('validatingadmissionpolicybindings'))) {
    const policies = registry.named('validatingadmissionpolicies');
    const policy = store.get(policies, undefined, String(at(binding, 'spec', 'policyName')));
    if (!policy || !matches(cluster, at(policy, 'spec', 'matchConstraints'), write)) continue;
    const narrowed = at(binding, 'spec', 'matchResources');
    if (isFields(narrowed) && !matches(cluster, { resourceRules: [anyRule], ...narrowed }, write)) continue;
    for (const params of paramsOf(cluster, policy, binding, write)) judge(cluster, { policy, binding, params }, write);
  }
}

const anyRule = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] };

function matches(cluster: Kept, constraints: unknown, write: Write): boolean {
  const { next, old } = write;
  const thing = next ?? old;
  const home = namespaceOf(cluster, thing);
  const selects = (selector: unknown, labels: Thing | undefined) =>
    selector === undefined || (labels !== undefined && labelMatcher(selectorText(selector))(labels));
  return (
    list(constraints, 'resourceRules').some((rule) => covers(rule, write)) &&
    !list(constraints, 'excludeResourceRules').some((rule) => covers(rule, write)) &&
    (home === undefined || selects(at(constraints, 'namespaceSelector'), home)) &&
    [next, old].some((one) => one && selects(at(constraints, 'objectSelector'), one))
  );
}

function namespaceOf({ store, registry }: Kept, thing: Thing | undefined): Thing | undefined {
  const name = thing?.metadata.namespace;
  return name === undefined ? undefined : store.get(registry.named('namespaces'), undefined, name);
}

function covers(rule: Fields, { resource, operation, subresource, next, old }: Write): boolean {
  const has = (key: string, value: string) => {
    const values = rule[key] as string[] | undefined;
    return values?.some((one) => one === '*' || one === value) ?? false;
  };
  const { plural, group, version } = resource;
  const full = subresource ? `${plural}/${subresource}` : plural;
  const wanted = (rule['resources'] ?? []) as string[];
  const listed = wanted.some(
    (one) => one === full || one === '*/*' || (one === '*' && !subresource) || one === `${plural}/*`,
  );
  const names = rule['resourceNames'] as string[] | undefined;
  const named = !names?.length || names.includes((next ?? old)?.metadata.name ?? '');
  return has('apiGroups', group) && has('apiVersions', version) && has('operations', operation) && listed && named;
}

/** A LabelSelector in the words of a query. */
function selectorText(selector: unknown): string {
  const labels = Object.entries((at(selector, 'matchLabels') ?? {}) as Fields).map(
    ([key, value]) => `${key}=${String(value)}`,
  );
  const more = list(selector, 'matchExpressions').map(({ key, operator, values }) => {
    if (operator === 'Exists') return String(key);
    if (operator === 'DoesNotExist') return `!${String(key)}`;
    return `${String(key)} ${String(operator).toLowerCase()} (${((values ?? []) as string[]).join(',')})`;
  });
  return [...labels, ...more].join(',');
}

/** The objects that a binding hands to its policy; one undefined where it takes none. */
function paramsOf(cluster: Kept, policy: Thing, binding: Thing, { next, old }: Write): (Thing | undefined)[] {
  const kind = at(policy, 'spec', 'paramKind') as { apiVersion: string; kind: string } | undefined;
  const reference = at(binding, 'spec', 'paramRef') as Record<string, unknown> | undefined;
  const resource = kind && cluster.registry.ofKind(kind.apiVersion, kind.kind);
  if (!resource || !reference) return [undefined];
  const namespace = resource.namespaced
    ? String(reference['namespace'] ?? (next ?? old)?.metadata.namespace ?? '')
    : undefined;
  const chosen = cluster.store
    .list(resource, namespace)
    .filter(
      (one) =>
        (reference['name'] === undefined || one.metadata.name === reference['name']) &&
        labelMatcher(selectorText(reference['selector']))(one),
    );
  if (chosen.length > 0) return chosen;
  if (reference['parameterNotFoundAction'] === 'Allow') return [];
  throw denied(
    { policy, binding },
    { next, old, resource },
    'no params found for policy binding with `Deny` parameterNotFoundAction',
  );
}

function judge(cluster: Kept, bound: Bound, write: Write): void {
  const { policy, binding } = bound;
  const { cel } = cluster;
  if (!cel) return write.warn(`ValidatingAdmissionPolicy ${policy.metadata.name} is not evaluated here: no CEL`);
  const given = variablesOf(cluster, cel, bound, write);
  const fails = (said: string, reason?: string) => {
    const actions = (at(binding, 'spec', 'validationActions') ?? ['Deny']) as string[];
    if (actions.includes('Warn'))
      write.warn(
        `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${said}`,
      );
    if (actions.includes('Deny')) throw denied(bound, write, said, reason);
  };
  const evaluated = (expression: string): unknown => {
    try {
      return cel.compile(expression)(given);
    } catch (wrong) {
      if (at(policy, 'spec', 'failurePolicy') === 'Ignore') return undefined;
      const why = (wrong as Error).message.split('\n')[0];
      fails(`expression '${expression}' resulted in error: ${why}`);
      return undefined;
    }
  };
  if (!list(policy, 'spec', 'matchConditions').every(({ expression }) => evaluated(String(expression)) === true))
    return;
  for (const validation of list(policy, 'spec', 'validations') as unknown as Validation[]) {
    if (evaluated(validation.expression) !== false) continue;
    const said = validation.messageExpression ? evaluated(validation.messageExpression) : undefined;
    fails(
      typeof said === 'string' && said ? said : (validation.message ?? `failed expression: ${validation.expression}`),
      validation.reason,
    );
  }
}

function variablesOf(cluster: Kept, cel: Cel, { policy, params }: Bound, write: Write): Fields {
  const { resource, operation, subresource, next, old, user, dryRun } = write;
  const { group, version, plural, kind } = resource;
  const thing = next ?? old;
  const variables: Fields = {};
  const given: Fields = {
    object: celValue(next),
    oldObject: celValue(old),
    params: celValue(params),
    namespaceObject: celValue(namespaceOf(cluster, thing)),
    request: celValue({
      kind: { group, version, kind },
      resource: { group, version, resource: plural },
      subResource: subresource ?? '',
      name: thing?.metadata.name ?? '',
      namespace: thing?.metadata.namespace ?? '',
      operation,
      userInfo: { username: user.name, groups: user.groups },
      dryRun,
    }),
    variables,
  };
  for (const { name, expression } of list(policy, 'spec', 'variables'))
    Object.defineProperty(variables, String(name), {
      enumerable: true,
      get: () => cel.compile(String(expression))(given),
    });
  return given;
}

function denied(
  { policy, binding }: Bound,
  { next, old, resource }: Pick<Write, 'next' | 'old' | 'resource'>,
  said: string,
  reason = 'Invalid',
): Refusal {
  const { name } = (next ?? old)?.metadata ?? { name: '' };
  const who = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
  const message = `${qualified(resource)} "${name}" is forbidden: ${who} denied request: ${said}`;
  const details = { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.plural };
  return new Refusal(codes[reason] ?? 422, reason, message, { details: { ...details, causes: [{ message: said }] } });
}
