import type { Cluster } from '../apiserver/cluster.ts';
import { at, clone, type Fields, type Thing } from '../apiserver/object.ts';
import { asThing, type GuestAnnotations, isGuestKey, type Strategy, type Vm } from '../kubevirt/kubevirt.ts';

/** How a Wukong is made for a test or the demo. */
export interface WukongOptions {
  namespace: string;
  name: string;
  runStrategy?: Strategy;
  /** The legacy field, instead of a run strategy. */
  running?: boolean;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** How the guest behaves; keys without their prefix. */
  guest?: GuestAnnotations;
  terminationGracePeriodSeconds?: number;
  cpu?: number;
  memory?: string;
  /** Merged over the Wukong's spec. */
  spec?: object;
  status?: object;
}

export const vmNameOf = (wukong: string): string => `${wukong}-vm`;

/** The VM of a Wukong as the operator builds it; guests keep how they were told to behave. */
export function vmOf(wukong: Thing, old: Partial<Vm>): Thing {
  const { namespace, name, uid } = wukong.metadata;
  const told = Object.entries(wukong.metadata.annotations ?? {}).filter(([key]) => isGuestKey(key));
  const template = old.spec?.template;
  const running = (at(wukong, 'spec', 'startStrategy', 'autoStart') as boolean | undefined) ?? true;
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {
      name: vmNameOf(name),
      namespace,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      ownerReferences: [
        {
          apiVersion: 'vm.novasphere.dev/v1alpha1',
          kind: 'Wukong',
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      running,
      template: {
        metadata: { annotations: { ...template?.metadata?.annotations, ...Object.fromEntries(told) } },
        spec: template?.spec ?? machineOf(Number(at(wukong, 'spec', 'cpu')), String(at(wukong, 'spec', 'memory'))),
      },
    },
  };
}

const machineOf = (cpu: number, memory: string): Fields => ({
  architecture: 'amd64',
  domain: { cpu: { cores: cpu }, devices: {}, resources: { requests: { memory } } },
});

/** A Wukong and its VM, as they stand when the operator has done its work. */
export function createWukong(cluster: Cluster, options: WukongOptions, guest: Record<string, string>): Thing {
  const { namespace, name, labels, annotations, running, runStrategy, cpu = 1, memory = '64Mi' } = options;
  const { registry } = cluster;
  const strategy = runStrategy ?? (running === undefined ? 'Always' : undefined);
  const autoStart = strategy ? !['Halted', 'Manual'].includes(strategy) : running;
  const head = { uid: '', resourceVersion: '', creationTimestamp: '' };
  const wukong = cluster.create(
    registry.named('wukongs'),
    namespace,
    {
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'Wukong',
      metadata: {
        ...head,
        name,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      },
      spec: { cpu, memory, startStrategy: { autoStart }, ...options.spec },
      status: { phase: autoStart ? 'Running' : 'Stopped', vmName: vmNameOf(name), ...options.status },
    },
    { internal: true },
  );
  const spec = machineOf(cpu, memory);
  if (options.terminationGracePeriodSeconds !== undefined)
    spec['terminationGracePeriodSeconds'] = options.terminationGracePeriodSeconds;
  const made = vmOf(wukong, { spec: { template: { metadata: { annotations: guest }, spec } } });
  const wish = strategy ? { runStrategy: strategy } : { running };
  const vm: Thing = {
    ...made,
    metadata: { ...made.metadata, ...(labels ? { labels: clone(labels) } : {}) },
    spec: { ...wish, template: made.spec?.['template'] },
  };
  cluster.create(registry.named('virtualmachines'), namespace, asThing(vm as unknown as Vm), { internal: true });
  return cluster.get(registry.named('wukongs'), namespace, name);
}
