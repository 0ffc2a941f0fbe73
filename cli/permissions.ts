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
  let files: string[];
  try {
    files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
  } catch {
    return undefined;
  }
  const roles = files.flatMap((file) => loadAllYaml(readFileSync(new URL(file, folder), 'utf8')) as (Role | null)[]);
  const rules = roles
    .filter((role) => role?.kind === 'Role' || role?.kind === 'ClusterRole')
    .flatMap((role) => role?.rules ?? []);
  const all = rules.flatMap(({ apiGroups = [], resources = [], verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((full) => {
        const [resource = '', subresource] = full.split('/');
        return verbs.flatMap((verb) =>
          (resourceNames as (string | undefined)[]).map((name) => ({
            verb,
            group,
            resource,
            ...(subresource ? { subresource } : {}),
            ...(name ? { name } : {}),
          })),
        );
      }),
    ),
  );
  return [...new Map(all.map((one) => [written(one), one])).values()];
}

const written = ({ verb, group, resource, subresource, name }: Permission): string =>
  `${verb} ${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}${name ? ` ${name}` : ''}`;

export async function checkPermissions({ world, namespace }: Examined): Promise<Finding[]> {
  const wanted = shippedPermissions();
  const check = 'permissions';
  if (!wanted || wanted.length === 0)
    return [{ level: 'WARN', check, found: 'not checked: infra/rbac is not shipped with this program' }];
  const missing: string[] = [];
  await each(wanted, 8, async (permission) => {
    // Namespaces are cluster-wide, and authorised each in itself.
    if (!(await allowed(world, permission, namespace))) missing.push(written(permission));
  });
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  if (missing.length === 0)
    return [{ level: 'OK', check, found: `all ${wanted.length} of infra/rbac are granted ${where}` }];
  return missing
    .toSorted()
    .map((one) => ({ level: 'FAIL', check, found: `missing ${where}: ${one}`, next: 'bind the role of infra/rbac' }));
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
