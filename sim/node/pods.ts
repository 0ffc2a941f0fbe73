import { randomUUID } from 'node:crypto';

import type { Cluster } from '../apiserver/cluster.ts';
import { at, type Fields, stamp, type Thing } from '../apiserver/object.ts';
import { quantity } from '../apiserver/quota.ts';
import type { Vmi } from '../kubevirt/kubevirt.ts';

const launcherMarginSeconds = 30;
const launcherMebibytes = 256;
const nodes = ['node01', 'node02'] as const;

const compute = { name: 'compute', image: 'quay.io/kubevirt/virt-launcher:v1.9.0' };

export const isLauncher = (pod: Thing): boolean => pod.metadata.labels?.['kubevirt.io'] === 'virt-launcher';

/** What the launcher asks for: the guest's memory and a little for itself, a tenth of a core for each of the guest's. */
function resourcesOf({ spec }: Vmi): Fields {
  const asked = at(spec, 'domain', 'resources', 'requests', 'memory') ?? at(spec, 'domain', 'memory', 'guest');
  const bytes = quantity(asked ?? '64Mi');
  const mebibytes = Math.ceil((Number.isNaN(bytes) ? 0 : bytes) / 2 ** 20) + launcherMebibytes;
  const cores = Number(at(spec, 'domain', 'cpu', 'cores') ?? 1);
  return { requests: { cpu: `${cores * 100}m`, memory: `${mebibytes}Mi` } };
}

/** The launcher pods: one a VMI, with a time limit of its own that no later call changes. */
export class Pods {
  #cluster: Cluster;
  #next = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.graceRules.set('pods', (pod, { gracePeriodSeconds }) => {
      const phase = at(pod, 'status', 'phase');
      if (!isLauncher(pod) || phase === 'Succeeded' || phase === 'Failed') return 0;
      return gracePeriodSeconds ?? (at(pod, 'spec', 'terminationGracePeriodSeconds') as number | undefined) ?? 30;
    });
  }

  #resource() {
    return this.#cluster.registry.named('pods');
  }

  #of(vmi: Vmi): Thing | undefined {
    const name = this.#names.get(vmi.metadata.uid);
    return name === undefined ? undefined : this.#cluster.store.get(this.#resource(), vmi.metadata.namespace, name);
  }

  /** Pods by the uid of their VMI: the one whose guest runs, and the one that it is being moved to. */
  readonly #names = new Map<string, string>();
  readonly #targets = new Map<string, { source: Thing; name: string }>();
  readonly #nodes = new Map<string, string>();

  nodeOf({ metadata }: Vmi): string {
    return this.#nodes.get(metadata.uid) ?? nodes[0];
  }

  /** Whether the guest lives in this pod. */
  isCurrent({ metadata }: Thing): boolean {
    const name = this.#names.get(metadata.labels?.['kubevirt.io/created-by'] ?? '');
    return name === undefined || name === metadata.name;
  }

  /** The pod that a migration moves the guest to. Returns both nodes: from, to. */
  createTarget(vmi: Vmi): [string, string] {
    const source = this.#of(vmi);
    const from = this.nodeOf(vmi);
    const to = from === nodes[0] ? nodes[1] : nodes[0];
    const name = this.#make(vmi);
    if (source) this.#targets.set(vmi.metadata.uid, { source, name });
    return [from, to];
  }

  /** The migration has ended: the guest lives in the target now, or the target goes. Returns its node. */
  moved(uid: string, well: boolean): string {
    const here = this.#nodes.get(uid) ?? nodes[0];
    const target = this.#targets.get(uid);
    this.#targets.delete(uid);
    if (!target) return here;
    const { namespace, name } = target.source.metadata;
    const pod = this.#cluster.store.get(this.#resource(), namespace, well ? name : target.name);
    const there = here === nodes[0] ? nodes[1] : nodes[0];
    if (!well) {
      if (pod) this.#cluster.store.delete(this.#resource(), pod);
      return here;
    }
    this.#names.set(uid, target.name);
    this.#nodes.set(uid, there);
    const fresh = this.#cluster.store.get(this.#resource(), namespace, target.name);
    if (fresh) this.#change(fresh, { spec: { ...fresh.spec, nodeName: there }, status: this.#status('Running') });
    if (pod?.metadata.deletionTimestamp) this.#cluster.store.delete(this.#resource(), pod);
    else if (pod) this.#change(pod, { status: { ...pod.status, ...this.#status('Succeeded') } });
    return there;
  }

  /** Whether it could be made: not in a namespace that is going, and its VMI with it. */
  create(vmi: Vmi): boolean {
    if (!this.#cluster.takesNew(vmi.metadata.namespace)) return false;
    this.#names.set(vmi.metadata.uid, this.#make(vmi));
    return true;
  }

  #make(vmi: Vmi): string {
    const { namespace, uid } = vmi.metadata;
    const name = `virt-launcher-${vmi.metadata.name}-${randomUUID().slice(0, 5)}`;
    const grace = (vmi.spec.terminationGracePeriodSeconds ?? 30) + launcherMarginSeconds;
    this.#cluster.create(
      this.#resource(),
      namespace,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name,
          uid: '',
          resourceVersion: '',
          creationTimestamp: '',
          labels: {
            'kubevirt.io': 'virt-launcher',
            'kubevirt.io/created-by': uid,
            'vm.kubevirt.io/name': vmi.metadata.name,
          },
          annotations: { 'kubevirt.io/domain': vmi.metadata.name },
          ownerReferences: [
            {
              apiVersion: 'kubevirt.io/v1',
              kind: 'VirtualMachineInstance',
              name: vmi.metadata.name,
              uid,
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: {
          containers: [{ ...compute, resources: resourcesOf(vmi) }],
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: grace,
        },
        status: this.#status('Pending'),
      },
      { internal: true },
    );
    return name;
  }

  run(vmi: Vmi): void {
    const pod = this.#of(vmi);
    if (!pod) return;
    const podIP = this.addressOf(vmi);
    const status = { ...this.#status('Running'), podIP, podIPs: [{ ip: podIP }] };
    this.#change(pod, { spec: { ...pod.spec, nodeName: this.nodeOf(vmi) }, status });
  }

  terminate(vmi: Vmi): void {
    const pod = this.#of(vmi);
    if (pod && !pod.metadata.deletionTimestamp)
      this.#cluster.remove(this.#resource(), pod.metadata.namespace, pod.metadata.name);
  }

  /** When the kubelet kills the pod, if it is to go; the stamp is cut to whole seconds, the kubelet is not. */
  killedAt(vmi: Vmi): number | undefined {
    const stamped = this.#of(vmi)?.metadata.deletionTimestamp;
    return stamped === undefined ? undefined : Date.parse(stamped) + 999;
  }

  /** The guest has ended: so has its pod; one that was to go is gone. */
  ended(vmi: Vmi, phase: 'Succeeded' | 'Failed'): void {
    const pod = this.#of(vmi);
    if (!pod) return;
    if (pod.metadata.deletionTimestamp) this.#cluster.store.delete(this.#resource(), pod);
    else this.#change(pod, { status: { ...pod.status, ...this.#status(phase) } });
  }

  forget(vmi: Vmi): void {
    const pod = this.#of(vmi);
    this.#names.delete(vmi.metadata.uid);
    this.#addresses.delete(vmi.metadata.uid);
    this.#nodes.delete(vmi.metadata.uid);
    if (pod) this.#cluster.store.delete(this.#resource(), pod);
  }

  addressOf(vmi: Vmi): string {
    const number = this.#addresses.get(vmi.metadata.uid) ?? ++this.#next;
    this.#addresses.set(vmi.metadata.uid, number);
    return `10.244.${(number >> 8) & 255}.${number & 255}`;
  }

  readonly #addresses = new Map<string, number>();

  /** As clients that count ready containers read it: k9s, `kubectl wait`, metrics of the cluster. */
  #status(phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'): Fields {
    const now = stamp(this.#cluster.clock.now());
    const ready = phase === 'Running';
    const ended = { exitCode: phase === 'Failed' ? 1 : 0, reason: phase === 'Failed' ? 'Error' : 'Completed' };
    const states = { Pending: { waiting: { reason: 'ContainerCreating' } }, Running: { running: { startedAt: now } } };
    const state =
      phase in states ? states[phase as keyof typeof states] : { terminated: { ...ended, finishedAt: now } };
    return {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ ...compute, imageID: '', ready, started: ready, restartCount: 0, state }],
    };
  }

  #change(pod: Thing, change: Fields): void {
    this.#cluster.change(this.#resource(), pod.metadata.namespace, pod.metadata.name, (old) => ({ ...old, ...change }));
  }
}
