import { readFileSync } from 'node:fs';

import { parseAllDocuments } from 'yaml';

import type { PolicyRule } from '../../sim/sim.ts';

export type FunctionName = 'reconcile' | 'stop' | 'start' | 'state';
/** What goes beyond them: for whoever serves all namespaces, deletes pods of stuck guests, uses skip-next up, stays, adopts. */
export type Extra = 'all-namespaces' | 'cluster-schedules' | 'stuck-pods' | 'skip-next' | 'serve' | 'adopt';
const extras: string[] = [
  'all-namespaces',
  'cluster-schedules',
  'stuck-pods',
  'skip-next',
  'serve',
  'adopt',
] satisfies Extra[];
export type Rule = Required<Pick<PolicyRule, 'apiGroups' | 'resources' | 'verbs'>> & Pick<PolicyRule, 'resourceNames'>;

const filesOf = (role: FunctionName | Extra) => {
  if (role === 'serve') return ['role', 'lease', 'reviews'].map((name) => `serve/${name}.yaml`);
  return [extras.includes(role) ? `${role}/role.yaml` : `${role}.yaml`];
};

interface Bound {
  rules?: Rule[];
  roleRef?: { name: string };
  subjects?: { kind: string; name: string }[];
}
const read = new Map<string, Bound[]>();
/** Read once: each scene, and each process in it, has all of them. */
function objectsIn(path: string): Bound[] {
  const known = read.get(path);
  if (known) return known;
  const objects = [...parseAllDocuments(readFileSync(path, 'utf8'))].map((one) => one.toJS() as Bound);
  read.set(path, objects);
  return objects;
}

/** Whom the bindings of a file give an extra Role: accounts, or groups. */
export const boundTo = (path: string, extra: Extra): string[] =>
  objectsIn(path)
    .filter(({ roleRef }) => roleRef?.name === `wukong-${extra}`)
    .flatMap(({ subjects }) => subjects?.map(({ name }) => name) ?? []);

/** The rules of infra/rbac, in all namespaces as the ClusterRoles that an overlay makes of them. */
export function shippedRules(roles: (FunctionName | Extra)[]): Rule[] {
  return roles
    .flatMap(filesOf)
    .flatMap((file) => objectsIn(`infra/rbac/${file}`))
    .flatMap(({ rules }) => rules ?? []);
}

/** All of them: what the functions have together, for stories in which several meet. */
export const allRules = (): Rule[] =>
  shippedRules([
    'reconcile',
    'stop',
    'start',
    'state',
    'all-namespaces',
    'cluster-schedules',
    'stuck-pods',
    'skip-next',
  ]);

/** Each (group, resource, verb) alone. */
export const single = (rules: Rule[]): Rule[] =>
  rules.flatMap(({ apiGroups, resources, verbs, ...named }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => ({ apiGroups: [group], resources: [resource], verbs: [verb], ...named })),
      ),
    ),
  );
