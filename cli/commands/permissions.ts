import { readdirSync, readFileSync } from 'node:fs';

import { parseAllDocuments } from 'yaml';

import { review } from '../../shared/cluster/reviews.ts';
import type { World } from '../../shared/cluster/world.ts';
import { each } from '../../shared/time/forEachLimited.ts';
import type { Examined, Finding } from './finding.ts';

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs: string[];
  resourceNames?: string[];
}
interface Role {
  kind?: string;
  metadata?: { name?: string };
  rules?: Rule[] | null;
}

/** One thing that may be allowed, as a SelfSubjectAccessReview asks for it. */
export interface Permission {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  name?: string;
}

const folder = new URL('../../infra/rbac/', import.meta.url);

/** The Roles of infra/rbac, one a function. Undefined when they are not shipped with this program. */
export function shippedRoles(): { name: string; permissions: Permission[] }[] | undefined {
  try {
    const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file) && file !== 'kustomization.yaml');
    return files.map((file) => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const [role] = rolesIn(text);
      return { name: role?.metadata?.name ?? file, permissions: permissionsOf([text]) };
    });
  } catch {
    return undefined;
  }
}

const rolesIn = (text: string): (Role | null)[] => [...parseAllDocuments(text)].map((one) => one.toJS() as Role | null);

/** The permissions of all Roles and ClusterRoles in YAML texts, once each. */
export function permissionsOf(texts: string[]): Permission[] {
  const objects = texts.flatMap(rolesIn);
  const roles = objects.filter((object) => object?.kind === 'Role' || object?.kind === 'ClusterRole');
  const all = roles.flatMap((role) => role?.rules ?? []).flatMap(permissionsIn);
  return [...new Map(all.map((one) => [written(one), one])).values()];
}

function permissionsIn({ apiGroups = [], resources = [], verbs, resourceNames = [] }: Rule): Permission[] {
  const names = resourceNames.length > 0 ? resourceNames : [undefined];
  const places = apiGroups.flatMap((group) => resources.map((full) => ({ group, full })));
  return places.flatMap(({ group, full }) => {
    const [resource = '', subresource] = full.split('/');
    return verbs.flatMap((verb) =>
      names.map((name) => ({ verb, group, resource, ...(subresource && { subresource }), ...(name && { name }) })),
    );
  });
}

const written = ({ verb, group, resource, subresource, name }: Permission): string =>
  `${verb} ${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}${name ? ` ${name}` : ''}`;

/**
 * An account has one Role or several: what it has only in part is a warning, and a failure when it has none in full,
 * of the one that it is nearest to.
 */
export async function checkPermissions({ world, namespace }: Examined): Promise<Finding[]> {
  const roles = shippedRoles() ?? [];
  const check = 'permissions';
  if (roles.length === 0)
    return [{ level: 'WARN', check, found: 'not checked: infra/rbac is not shipped with this program' }];
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  const looked: { name: string; missing: string[]; share: number }[] = [];
  for (const { name, permissions } of roles) {
    const missing = await missingPermissions(world, permissions, namespace);
    looked.push({ name, missing, share: missing.length / permissions.length });
  }
  const granted = looked.filter(({ missing }) => missing.length === 0);
  const partly = looked.filter(({ missing }) => missing.length > 0).sort((a, b) => a.share - b.share);
  if (granted.length === 0)
    return (partly[0]?.missing ?? []).map((one) => ({
      level: 'FAIL',
      check,
      found: `missing ${where}: ${one}`,
      next: `bind ${partly[0]?.name} of infra/rbac`,
    }));
  const all = granted.map(({ name }) => name).join(', ');
  return [
    { level: 'OK', check, found: `all of ${all} ${granted.length === 1 ? 'is' : 'are'} granted ${where}` },
    ...partly.map(({ name, missing }): Finding => ({
      level: 'WARN',
      check,
      found: `no ${name} ${where}, for want of ${missing.join(', ')}`,
    })),
  ];
}

/** Which of these this account lacks, in words: `update virtualmachines/stop.subresources.kubevirt.io`. */
export async function missingPermissions(
  world: World,
  wanted: Permission[],
  namespace: string | undefined,
): Promise<string[]> {
  const missing: string[] = [];
  await each(wanted, 8, async (permission) => {
    if (!(await allowed(world, permission, namespace))) missing.push(written(permission));
  });
  return missing.toSorted();
}

async function allowed(world: World, permission: Permission, namespace = ''): Promise<boolean> {
  const spec = { resourceAttributes: { ...permission, namespace } };
  return (await review(world, 'SelfSubjectAccessReview', spec)).allowed;
}
