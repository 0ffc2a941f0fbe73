import { randomUUID } from 'node:crypto';

import { type Answer, json, text } from '../apiserver/call.ts';
import type { Cluster } from '../apiserver/cluster.ts';
import { type Fields, stamp } from '../apiserver/object.ts';
import { conflict, notFound, type Refusal } from '../apiserver/refusal.ts';
import { conditionOf, told, type Vmi } from './kubevirt.ts';

const vmiNamed = { group: 'kubevirt.io', plural: 'virtualmachineinstance', kind: 'VirtualMachineInstance' };
const vmNamed = { group: 'kubevirt.io', plural: 'virtualmachine', kind: 'VirtualMachine' };

const vmiOf = (cluster: Cluster, namespace: string, name: string): Vmi | undefined =>
  cluster.store.get(cluster.registry.named('virtualmachineinstances'), namespace, name) as Vmi | undefined;

/**
 * What a guest's agent says of it: who is logged in, or what it runs. Whatever it stumbles over is told with 500 in plain
 * text, a guest without an agent too (KubeVirt's httpGetRequestHandler). Undefined for what is no such question.
 */
export function toldByAgent(
  cluster: Cluster,
  { namespace, name, verb }: { namespace: string; name: string; verb: string },
  apiVersion: string,
): Answer | undefined {
  const read = agentCalls[verb];
  if (!read) return undefined;
  const stumbled = ({ message }: Refusal): Answer => text(500, message);
  const vmi = vmiOf(cluster, namespace, name);
  if (!vmi) return stumbled(notFound(vmiNamed, name));
  if (vmi.status?.phase !== 'Running') return stumbled(conflict(vmiNamed, name, 'VMI is not running'));
  if (!conditionOf(vmi.status.conditions, 'AgentConnected'))
    return stumbled(conflict(vmiNamed, name, 'VMI does not have guest agent connected'));
  return json(200, { ...read(vmi), apiVersion });
}

const agentCalls: Record<string, (vmi: Vmi) => Fields> = {
  userlist: (vmi) => {
    const loginTime = Date.parse(vmi.metadata.creationTimestamp) / 1000;
    const items = (told(vmi, 'users') ?? '')
      .split(',')
      .filter(Boolean)
      .map((userName) => ({ userName: userName.trim(), loginTime }));
    return { kind: 'VirtualMachineInstanceGuestOSUserList', metadata: {}, items };
  },
  guestosinfo: ({ metadata: { name } }) => ({
    kind: 'VirtualMachineInstanceGuestAgentInfo',
    guestAgentVersion: '9.0.0',
    hostname: name,
    os: { name: 'Linux', id: 'linux' },
  }),
};

/** As `virtctl migrate`. @throws Refusal when it does not run. */
export function migrate(cluster: Cluster, namespace: string, name: string, dryRun: boolean): void {
  if (!cluster.store.get(cluster.registry.named('virtualmachines'), namespace, name)) throw notFound(vmNamed, name);
  const vmi = vmiOf(cluster, namespace, name);
  if (!vmi) throw notFound(vmiNamed, name);
  if (vmi.status?.phase !== 'Running') throw conflict(vmNamed, name, 'VM is not running');
  if (dryRun) return;
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
