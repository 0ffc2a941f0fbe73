import { crdSchema } from './crdschema.ts';
import type { Schema } from './schema.ts';

export interface PrinterColumn {
  name: string;
  type: string;
  jsonPath: string;
  priority?: number;
  description?: string;
  format?: string;
}

/** A kind that is served. */
export interface Resource {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  listKind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  /** Whether /status is a place of its own. */
  status: boolean;
  /** Present for custom resources: what is not in the schema is pruned. */
  custom?: { schema: Schema; columns: PrinterColumn[]; /** Fields that it may be selected by. */ selectable: string[] };
  /** The fields of a built-in kind, where they are known: others are dropped, as of custom resources. */
  typed?: Schema;
  /** Served under a second group as well: Events. */
  alias?: { group: string; version: string };
}

export const apiVersionOf = (resource: { group: string; version: string }): string =>
  resource.group ? `${resource.group}/${resource.version}` : resource.version;

export const keyOf = (resource: { group: string; plural: string }): string => `${resource.plural}.${resource.group}`;

/** group/version, kind, plural, short names, then c: cluster-wide, s: has /status. */
const builtin = `
v1 Namespace namespaces ns cs
v1 Pod pods po s
v1 Event events ev
v1 ConfigMap configmaps cm
v1 Secret secrets -
v1 Service services svc s
v1 ServiceAccount serviceaccounts sa
v1 PersistentVolumeClaim persistentvolumeclaims pvc s
v1 ResourceQuota resourcequotas quota s
v1 Node nodes no cs
coordination.k8s.io/v1 Lease leases -
rbac.authorization.k8s.io/v1 Role roles -
rbac.authorization.k8s.io/v1 RoleBinding rolebindings -
rbac.authorization.k8s.io/v1 ClusterRole clusterroles - c
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings - c
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions crd,crds cs
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy validatingadmissionpolicies - cs
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings - c
apps/v1 Deployment deployments deploy s
apps/v1 ControllerRevision controllerrevisions -
batch/v1 CronJob cronjobs cj s
batch/v1 Job jobs - s
networking.k8s.io/v1 NetworkPolicy networkpolicies netpol
policy/v1 PodDisruptionBudget poddisruptionbudgets pdb s
`;

export const builtinResources: Resource[] = builtin
  .trim()
  .split('\n')
  .map((line) => {
    const [apiVersion = '', kind = '', plural = '', short = '-', flags = ''] = line.split(' ');
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    return {
      group: group ?? '',
      version: version ?? 'v1',
      kind,
      plural,
      singular: kind.toLowerCase(),
      listKind: `${kind}List`,
      namespaced: !flags.includes('c'),
      shortNames: short === '-' ? [] : short.split(','),
      categories: ['pods', 'services', 'deployments', 'cronjobs', 'jobs'].includes(plural) ? ['all'] : [],
      status: flags.includes('s'),
      ...(plural === 'customresourcedefinitions' ? { typed: crdSchema } : {}),
      ...(plural === 'events' ? { alias: { group: 'events.k8s.io', version: 'v1' } } : {}),
    };
  });

/** What is served, by group and plural. */
export class Registry {
  #byKey = new Map<string, Resource>();
  /** The first that was added of each plural. */
  #byPlural = new Map<string, Resource>();

  constructor(resources: Resource[]) {
    for (const resource of resources) this.add(resource);
  }

  add(resource: Resource): void {
    this.#byKey.set(keyOf(resource), resource);
    this.#byPlural.clear();
  }

  remove(resource: { group: string; plural: string }): void {
    this.#byKey.delete(keyOf(resource));
    this.#byPlural.clear();
  }

  all(): Resource[] {
    return [...this.#byKey.values()];
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    const resource = this.#byKey.get(`${plural}.${group}`);
    if (resource?.version === version) return resource;
    return this.all().find((r) => r.plural === plural && r.alias?.group === group && r.alias.version === version);
  }

  ofKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all().find(
      (r) => r.kind === kind && (apiVersionOf(r) === apiVersion || aliasVersion(r) === apiVersion),
    );
  }

  /** By plural alone: for the sim's own callers, who name no group. */
  named(plural: string): Resource {
    if (this.#byPlural.size === 0)
      for (const resource of this.all().reverse()) this.#byPlural.set(resource.plural, resource);
    const found = this.#byPlural.get(plural);
    if (!found) throw new Error(`no kind is served as ${plural}`);
    return found;
  }
}

const aliasVersion = (resource: Resource): string | undefined => resource.alias && apiVersionOf(resource.alias);
