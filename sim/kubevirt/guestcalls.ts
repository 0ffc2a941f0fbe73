import { randomUUID } from 'node:crypto';

import type { Cluster } from '../apiserver/cluster.ts';
import { type Fields, stamp } from '../apiserver/object.ts';
import { conflict, notFound } from '../apiserver/refusal.ts';
import { conditionOf, told, type Vmi } from './kubevirt.ts';

const vmiNamed = { group: 'kubevirt.io', plural: 'virtualmachineinstance', kind: 'VirtualMachineInstance' };
const vmNamed = { group: 'kubevirt.io', plural: 'virtualmachine', kind: 'VirtualMachine' };

const vmiOf = (cluster: Cluster, namespace: string, name: string): Vmi | undefined =>
  cluster.store.get(cluster.registry.named('virtualmachineinstances'), namespace, name) as Vmi | undefined;

/** Who is logged in to the guest, as its agent says. @throws Refusal where there is none that could say it. */
export function userList(cluster: Cluster, namespace: string, name: string, apiVersion: string): Fields {
  const vmi = vmiOf(cluster, namespace, name);
  if (!vmi) throw notFound(vmiNamed, name);
  if (vmi.status?.phase !== 'Running') throw conflict(vmiNamed, name, 'VMI is not running');
  if (conditionOf(vmi.status.conditions, 'AgentConnected')?.status !== 'True')
    throw conflict(vmiNamed, name, 'VMI does not have guest agent connected');
  const loginTime = Date.parse(vmi.metadata.creationTimestamp) / 1000;
  const items = (told(vmi, 'users') ?? '')
    .split(',')
    .filter(Boolean)
    .map((userName) => ({ userName: userName.trim(), loginTime }));
  return { kind: 'VirtualMachineInstanceGuestOSUserList', apiVersion, metadata: {}, items };
}

/** As `virtctl migrate`. @throws Refusal when it does not run. */
export function migrate(cluster: Cluster, namespace: string, name: string): void {
  const vmi = vmiOf(cluster, namespace, name);
  if (!vmi) throw notFound(vmNamed, name);
  if (vmi.status?.phase !== 'Running') throw conflict(vmNamed, name, 'VM is not running');
  cluster.create(cluster.registry.named('virtualmachineinstancemigrations'), namespace, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: {
      name: `kubevirt-migrate-vm-${randomUUID().slice(0, 5)}`,
      uid: '',
      resourceVersion: '',
      creationTimestamp: stamp(cluster.clock.now()),
    },
    spec: { vmiName: name },
  });
}
