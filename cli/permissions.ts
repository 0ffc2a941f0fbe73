import { readdirSync, readFileSync } from 'node:fs';

import { loadAllYaml } from '@kubernetes/client-node';

import { each } from '../shared/each.ts';
import { bodyOf } from '../shared/kube/failure.ts';
import type { World } from '../shared/world.ts';
import type { Examined } from './checks.ts';
import type { Finding } from './doctor.ts';

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs: string[];
  resourceNames?: string[];
}
interface Role {
  kind?: string;
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

const folder = new URL('../infra/rbac/', import.meta.url);

/** Every permission that the roles of infra/rbac grant, once. Undefined when they are not shipped with this program. */
export function shippedPermissions(): Permission[] | undefined {
  try {
    const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
    return permissionsOf(files.map((file) => readFileSync(new URL(file, folder), 'utf8')));
  } catch {
    return undefined;
  }
}

/** The permissions of all Roles and ClusterRoles in YAML texts, once each. */
export function permissionsOf(texts: string[]): Permission[] {
  const objects = texts.flatMap((text) => loadAllYaml(text) as (Role | null)[]);
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

export async function checkPermissions({ world, namespace }: Examined): Promise<Finding[]> {
  const wanted = shippedPermissions();
  const check = 'permissions';
  if (!wanted || wanted.length === 0)
    return [{ level: 'WARN', check, found: 'not checked: infra/rbac is not shipped with this program' }];
  const missing = await missingPermissions(world, wanted, namespace);
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  if (missing.length === 0)
    return [{ level: 'OK', check, found: `all ${wanted.length} of infra/rbac are granted ${where}` }];
  return missing
    .toSorted()
    .map((one) => ({ level: 'FAIL', check, found: `missing ${where}: ${one}`, next: 'bind the role of infra/rbac' }));
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

async function allowed({ transport }: World, permission: Permission, namespace = ''): Promise<boolean> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { ...permission, namespace } },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answer = await transport.call<{ status?: { allowed?: boolean } }>({ method: 'POST', path, body, safe: true });
  return bodyOf(answer, 'SelfSubjectAccessReview').status?.allowed === true;
}
