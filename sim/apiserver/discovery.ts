import { type Answer, type Call, json } from './call.ts';
import type { Cluster } from './cluster.ts';
import { openApiV2, openApiV3 } from './openapi.ts';
import { apiVersionOf, type Resource } from './resources.ts';

const versionInfo: Answer = json(200, {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.1',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '2025-09-09T00:00:00Z',
  goVersion: 'go1.24.6',
  compiler: 'gc',
  platform: 'linux/amd64',
});

const crudVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** What is served, told to whoever asks: /api, /apis, /openapi, /version. */
export class Discovery {
  #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  answer(call: Call): Answer | undefined {
    const { path, method } = call;
    if (method !== 'GET') return undefined;
    const parts = path.split('/').filter(Boolean);
    if (path === '/version' || path === '/version/') return versionInfo;
    if (parts[0] === 'openapi')
      return parts[1] === 'v2' ? openApiV2(call) : openApiV3(this.#groups(), parts.slice(2), this.#cluster);
    if (parts[0] === 'api' && parts.length === 1)
      return json(200, {
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1' }],
      });
    if (parts[0] === 'api' && parts.length === 2 && parts[1] === 'v1') return this.#resources('v1');
    if (parts[0] !== 'apis') return undefined;
    if (parts.length === 1) return json(200, { kind: 'APIGroupList', apiVersion: 'v1', groups: this.#grouped() });
    if (parts.length === 2) {
      const found = this.#grouped().find(({ name }) => name === parts[1]);
      return found ? json(200, { kind: 'APIGroup', apiVersion: 'v1', ...found }) : undefined;
    }
    return parts.length === 3 ? this.#resources(`${parts[1]}/${parts[2]}`) : undefined;
  }

  /** Every group/version, once. */
  #groups(): string[] {
    const all = this.#cluster.registry
      .all()
      .flatMap((one) => [apiVersionOf(one), ...(one.alias ? [apiVersionOf(one.alias)] : [])]);
    return [...new Set([...all, ...Object.keys(extra)])];
  }

  /** Every group once, with its versions: the first is the preferred one. */
  #grouped() {
    const names = new Map<string, { groupVersion: string; version: string }[]>();
    for (const groupVersion of this.#groups().filter((one) => one.includes('/'))) {
      const [name = '', version = ''] = groupVersion.split('/');
      names.set(name, [...(names.get(name) ?? []), { groupVersion, version }]);
    }
    return [...names].map(([name, versions]) => ({ name, versions, preferredVersion: versions[0] }));
  }

  #resources(groupVersion: string): Answer | undefined {
    if (!this.#groups().includes(groupVersion)) return undefined;
    const served = this.#cluster.registry
      .all()
      .filter((one) => apiVersionOf(one) === groupVersion || (one.alias && apiVersionOf(one.alias) === groupVersion));
    const resources = [...served.flatMap(entriesOf), ...(extra[groupVersion] ?? [])];
    return json(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
  }
}

function entriesOf({ plural: name, singular, namespaced, kind, shortNames, categories, status }: Resource) {
  const entry = {
    name,
    singularName: singular,
    namespaced,
    kind,
    verbs: crudVerbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
  if (!status) return [entry];
  return [entry, { name: `${name}/status`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'] }];
}

const review = (kind: string) => ({
  name: `${kind.toLowerCase()}s`,
  singularName: kind.toLowerCase(),
  namespaced: false,
  kind,
  verbs: ['create'],
});
const power = (name: string) => ({
  name,
  singularName: '',
  namespaced: true,
  kind: 'VirtualMachine',
  verbs: ['update'],
});

const powers = [
  power('virtualmachines/start'),
  power('virtualmachines/stop'),
  power('virtualmachines/restart'),
  power('virtualmachines/migrate'),
  power('virtualmachineinstances/pause'),
  power('virtualmachineinstances/unpause'),
  { ...power('virtualmachineinstances/guestosinfo'), kind: 'VirtualMachineInstanceGuestAgentInfo', verbs: ['get'] },
  { ...power('virtualmachineinstances/userlist'), kind: 'VirtualMachineInstanceGuestOSUserList', verbs: ['get'] },
];

/** What is no kind with objects of its own. */
const extra: Record<string, object[]> = {
  v1: [
    { name: 'pods/log', singularName: '', namespaced: true, kind: 'Pod', verbs: ['get'] },
    {
      name: 'serviceaccounts/token',
      singularName: '',
      namespaced: true,
      group: 'authentication.k8s.io',
      version: 'v1',
      kind: 'TokenRequest',
      verbs: ['create'],
    },
  ],
  'apps/v1': [
    {
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    },
  ],
  'authorization.k8s.io/v1': [
    review('SelfSubjectAccessReview'),
    review('SelfSubjectRulesReview'),
    review('SubjectAccessReview'),
  ],
  'authentication.k8s.io/v1': [review('TokenReview'), review('SelfSubjectReview')],
  'subresources.kubevirt.io/v1': powers,
  'subresources.kubevirt.io/v1alpha3': powers,
};
