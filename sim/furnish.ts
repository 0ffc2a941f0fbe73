import type { Cluster } from './apiserver/cluster.ts';
import { followCrds, kubevirtCrds, ownCrds } from './apiserver/crds.ts';
import { at, type Thing } from './apiserver/object.ts';
import type { Schema } from './apiserver/schema.ts';
import { WukongOperator } from './operator/operator.ts';

export interface Furnishing {
  /** The Wukong operator's habits, for all Wukongs or for those that are its own (default off). */
  operator?: boolean | ((namespace: string, name: string) => boolean);
  /** Which Wukong CRD is installed: with our fields (default), or as the operator ships it. */
  crd?: 'extended' | 'original';
}

const node = (name: string): Thing => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: '', resourceVersion: '', creationTimestamp: '', labels: { 'kubernetes.io/hostname': name } },
  spec: {},
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    capacity: { cpu: '8', memory: '32Gi', pods: '110' },
    allocatable: { cpu: '8', memory: '32Gi', pods: '110' },
    addresses: [{ type: 'Hostname', address: name }],
  },
});

/** What a cluster has before anybody comes: kinds, namespaces, a node, KubeVirt itself. */
export function furnish(cluster: Cluster, { operator = false, crd = 'extended' }: Furnishing): WukongOperator {
  const { registry } = cluster;
  followCrds(cluster);
  const crds = registry.named('customresourcedefinitions');
  for (const definition of [...kubevirtCrds(), ...ownCrds(crd)]) cluster.create(crds, undefined, definition);
  const made = { uid: '', resourceVersion: '', creationTimestamp: '' };
  const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { ...made, name } });
  for (const name of ['default', 'kube-system', 'kubevirt'])
    cluster.create(registry.named('namespaces'), undefined, namespace(name));
  for (const name of ['node01', 'node02'])
    cluster.create(registry.named('nodes'), undefined, node(name), { internal: true });
  cluster.create(
    registry.named('kubevirts'),
    'kubevirt',
    {
      apiVersion: 'kubevirt.io/v1',
      kind: 'KubeVirt',
      metadata: { ...made, name: 'kubevirt' },
      spec: {},
      status: { phase: 'Deployed', observedKubeVirtVersion: 'v1.9.0', targetKubeVirtVersion: 'v1.9.0' },
    },
    { internal: true },
  );
  const original = ownCrds('original').find(({ metadata }) => metadata.name === 'wukongs.vm.novasphere.dev');
  const versions = at(original, 'spec', 'versions') as { schema: { openAPIV3Schema: Schema } }[];
  return new WukongOperator(cluster, versions[0]?.schema.openAPIV3Schema ?? {}, operator);
}
