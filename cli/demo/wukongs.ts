import { group, version } from '../../shared/domain/model.ts';

/** One of the demo's eight: what its VM is like, and what of it the demo shows. */
export interface DemoWukong {
  namespace: string;
  name: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  strategy: { runStrategy: string } | { running: boolean };
  graceSeconds?: number;
  guest?: Record<string, string>;
  /** Its VM is made, and rewritten at every change, by the Wukong operator. */
  operated?: boolean;
  shows: string;
}

const demo = { demo: 'yes' };

/** Of the embedded cluster: nobody else's can be there. */
export const demoNamespaces: Namespaces = ['demo-a', 'demo-b'];

export const demoWukongs: DemoWukong[] = [
  { namespace: 'demo-a', name: 'web', labels: demo, strategy: { runStrategy: 'Always' }, shows: 'Always' },
  {
    namespace: 'demo-a',
    name: 'db',
    labels: demo,
    annotations: { 'lifecycle.novasphere.dev/protected': 'true' },
    strategy: { runStrategy: 'Always' },
    shows: 'protected',
  },
  {
    namespace: 'demo-a',
    name: 'batch',
    labels: { ...demo, start: 'on-demand' },
    strategy: { runStrategy: 'Manual' },
    shows: 'Manual',
  },
  { namespace: 'demo-a', name: 'import', labels: demo, strategy: { runStrategy: 'Once' }, shows: 'Once' },
  {
    namespace: 'demo-a',
    name: 'shop',
    labels: demo,
    strategy: { running: true },
    operated: true,
    shows: 'its operator rewrites the VM',
  },
  {
    namespace: 'demo-b',
    name: 'deaf',
    labels: demo,
    strategy: { runStrategy: 'Always' },
    graceSeconds: 4,
    guest: { 'ignore-acpi': 'true' },
    shows: 'ignores ACPI',
  },
  {
    namespace: 'demo-b',
    name: 'crashy',
    labels: demo,
    strategy: { runStrategy: 'RerunOnFailure' },
    guest: { 'never-running': 'true' },
    shows: 'dies before it is up, RerunOnFailure',
  },
  {
    namespace: 'demo-b',
    name: 'huge',
    labels: demo,
    strategy: { runStrategy: 'Halted' },
    guest: { unschedulable: 'true' },
    shows: 'fits on no node',
  },
];

export type Namespaces = readonly [first: string, second: string];

/** The eight in namespaces of other names: on a cluster of somebody's own. */
export const demoWukongsIn = ([first, second]: Namespaces): DemoWukong[] =>
  demoWukongs.map((one) => ({ ...one, namespace: one.namespace === demoNamespaces[0] ? first : second }));

/** The Wukong as it is applied. */
export const wukongManifest = ({ namespace, name, labels, annotations }: DemoWukong) => ({
  apiVersion: `${group}/${version}`,
  kind: 'Wukong',
  metadata: { namespace, name, labels, annotations: annotations ?? {} },
  spec: { cpu: 1, memory: '64Mi' },
});

/** Its VM, as the operator would make it; guests obey the sim.novasphere.dev annotations. */
export const vmManifest = ({ namespace, name, strategy, graceSeconds, guest = {} }: DemoWukong, ownerUid: string) => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: {
    namespace,
    name: `${name}-vm`,
    ownerReferences: [{ apiVersion: `${group}/${version}`, kind: 'Wukong', name, uid: ownerUid, controller: true }],
  },
  spec: {
    ...strategy,
    template: {
      metadata: {
        annotations: Object.fromEntries(
          Object.entries(guest).map(([key, value]) => [`sim.novasphere.dev/${key}`, value]),
        ),
      },
      spec: {
        architecture: 'amd64',
        terminationGracePeriodSeconds: graceSeconds ?? 30,
        domain: { devices: {}, resources: { requests: { memory: '64Mi' } } },
      },
    },
  },
});
