import type { Cluster } from '../apiserver/cluster.ts';
import { at, type Fields, type Thing } from '../apiserver/object.ts';
import type { StoreEvent } from '../apiserver/store.ts';
import { isFinal, type Vmi, type VmiStatus } from '../kubevirt/kubevirt.ts';
import { Recorder } from '../kubevirt/recorder.ts';
import { Guest } from './guest.ts';
import { Migrations } from './migrations.ts';
import { isLauncher, Pods } from './pods.ts';

const ownFinalizer = 'foregroundDeleteVirtualMachine';

/** The node side of all VMIs: follows VMIs, launcher pods and PVCs, and gives every VMI its guest. */
export class NodeSide {
  readonly #cluster: Cluster;
  readonly #pods: Pods;
  readonly #recorder: Recorder;
  readonly #handler: Recorder | undefined;
  readonly #guests = new Map<string, Guest>();
  /** How many guests each VM has had. */
  readonly #lives = new Map<string, number>();

  constructor(cluster: Cluster, { guestEvents = false } = {}) {
    this.#cluster = cluster;
    this.#pods = new Pods(cluster);
    new Migrations(cluster, this.#pods);
    this.#recorder = new Recorder(cluster, 'virtualmachine-controller');
    this.#handler = guestEvents ? new Recorder(cluster, 'virt-handler') : undefined;
    const { store, registry } = cluster;
    store.subscribe(registry.named('virtualmachineinstances'), (event) => this.#vmi(event));
    store.subscribe(registry.named('pods'), (event) => this.#pod(event));
    store.subscribe(registry.named('persistentvolumeclaims'), (event) => this.#claim(event));
  }

  /** @throws Error when there is no such VMI. */
  lose(namespace: string, name: string): void {
    const vmi = this.#cluster.store.get(this.#cluster.registry.named('virtualmachineinstances'), namespace, name);
    const guest = vmi && this.#guests.get(vmi.metadata.uid);
    if (!guest) throw new Error(`no VMI ${namespace}/${name}`);
    guest.lose();
  }

  #vmi({ type, object }: StoreEvent): void {
    const vmi = object as unknown as Vmi;
    const { uid } = vmi.metadata;
    if (type === 'DELETED') {
      this.#guests.get(uid)?.dispose();
      this.#guests.delete(uid);
      this.#pods.forget(vmi);
      return;
    }
    const guest = this.#guests.get(uid);
    if (guest) guest.changed(vmi);
    else if (!isFinal(vmi)) this.#guests.set(uid, this.#bear(vmi));
  }

  #bear({ metadata: { uid, namespace, name } }: Vmi): Guest {
    const { store, registry } = this.#cluster;
    const vmis = registry.named('virtualmachineinstances');
    const current = () => {
      const vmi = store.get(vmis, namespace, name) as Vmi | undefined;
      return vmi?.metadata.uid === uid ? vmi : undefined;
    };
    const change = (edit: (old: Thing) => Thing) => current() && this.#cluster.change(vmis, namespace, name, edit);
    const life = (this.#lives.get(`${namespace}/${name}`) ?? 0) + 1;
    this.#lives.set(`${namespace}/${name}`, life);
    return new Guest({
      life,
      clock: this.#cluster.clock,
      pods: this.#pods,
      recorder: this.#recorder,
      handler: this.#handler,
      current,
      setStatus: (edit) => change((old) => ({ ...old, status: edit((old.status ?? {}) as VmiStatus) as Fields })),
      release: () =>
        change((old) => {
          const finalizers = (old.metadata.finalizers ?? []).filter((one) => one !== ownFinalizer);
          return { ...old, metadata: { ...old.metadata, finalizers } };
        }),
      claimPhase: (claim) => {
        const pvc = store.get(registry.named('persistentvolumeclaims'), namespace, claim);
        return pvc && String(at(pvc, 'status', 'phase') ?? 'Pending');
      },
    });
  }

  #pod({ type, object, previous }: StoreEvent): void {
    if (!isLauncher(object) || !this.#pods.isCurrent(object)) return;
    const guest = this.#guests.get(object.metadata.labels?.['kubevirt.io/created-by'] ?? '');
    if (type === 'DELETED') guest?.podGone();
    else if (
      object.metadata.deletionTimestamp &&
      object.metadata.deletionTimestamp !== previous?.metadata.deletionTimestamp
    ) {
      // Not within the write that told us: whoever deletes the pod of a stopping VMI signals the guest itself.
      this.#cluster.clock.after(40, () => guest?.podTerminating());
    }
  }

  /** A PVC is bound soon after it came, unless it says otherwise. */
  #claim({ type, object }: StoreEvent): void {
    if (type === 'DELETED') return;
    const unbound = object.metadata.annotations?.['sim.novasphere.dev/pvc-unbound'] !== undefined;
    if (at(object, 'status', 'phase') === undefined && !unbound) {
      const { namespace, name } = object.metadata;
      const claims = this.#cluster.registry.named('persistentvolumeclaims');
      this.#cluster.clock.after(50, () => {
        if (this.#cluster.store.get(claims, namespace, name))
          this.#cluster.change(claims, namespace, name, (old) => ({ ...old, status: { phase: 'Bound' } }));
      });
    }
    for (const guest of this.#guests.values()) guest.claimsChanged();
  }
}
