// The embedded cluster in a process of its own, so that what it costs is not counted as ours. Spoken to over IPC.
import { credentialsOf, parseKubeConfig } from '../shared/cluster/credentials.ts';
import { startSim, type WukongOptions } from '../sim/sim.ts';
import { observe } from './observe.ts';

export interface Furnishing {
  namespace: string;
  count: number;
  wukong?: Omit<Partial<WukongOptions>, 'namespace' | 'name'>;
}
export type Order =
  | { do: 'furnish'; with: Furnishing }
  /** A WukongSchedule over all of a namespace. */
  | { do: 'schedule'; namespace: string; spec: object }
  /** What is asked from now on counts. */
  | { do: 'begin' }
  | { do: 'figures'; user: string }
  /** Resolves when so many VMs of the namespace are on and ready. */
  | { do: 'await'; namespace: string; on: number }
  | { do: 'end' };

export interface Figures {
  requests: number;
  bytes: number;
  /** Milliseconds from "VMI gone" (stop) or "VMI ready" (start) to "outcome recorded", of each VM, sorted. */
  recordMs: number[];
}
export interface Opened {
  kubeconfig: string;
  /** By user, so that each contender's requests are told apart. */
  kubeconfigs: Record<string, string>;
}

export const users = ['ours', 'bare', 'virtctl', 'original'] as const;

const limits = process.argv[2] === 'limited' ? 'limited' : 'unlimited';
const sim = await startSim({ limits });
for (const user of users) sim.addToken(`token-of-${user}`, user, 'admin');
const watched = limits === 'limited' ? observe(await credentialsOf(parseKubeConfig(sim.kubeconfig()))) : undefined;
let from = 0;

const ready = (namespace: string) =>
  sim
    .list<{ status?: { conditions?: { type: string; status: string }[] } }>('virtualmachineinstances', namespace)
    .filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    .length;

async function carryOut(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'furnish': {
      const { namespace, count, wukong } = order.with;
      for (let i = 0; i < count; i++) {
        sim.createWukong({ labels: { bench: 'yes' }, runStrategy: 'Halted', ...wukong, namespace, name: `vm-${i}` });
        if (i % 200 === 0) await new Promise((next) => setImmediate(next));
      }
      return undefined;
    }
    case 'schedule':
      if (sim.get('wukongschedules', order.namespace, 'bench')) sim.remove('wukongschedules', order.namespace, 'bench');
      sim.create({
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'WukongSchedule',
        metadata: { namespace: order.namespace, name: 'bench', creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: { timeZone: 'UTC', selector: { matchLabels: { bench: 'yes' } }, ...order.spec },
      });
      return undefined;
    case 'begin':
      from = sim.requests.length;
      watched?.begin();
      return undefined;
    case 'figures': {
      const mine = sim.requests.slice(from).filter(({ user }) => user === order.user);
      const bytes = mine.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0);
      return { requests: mine.length, bytes, recordMs: watched?.recordMs() ?? [] } satisfies Figures;
    }
    case 'await':
      while (ready(order.namespace) !== order.on) await new Promise((next) => setTimeout(next, 200));
      return undefined;
    case 'end':
      watched?.end();
      await sim.close();
      return process.disconnect();
    default:
      return order satisfies never;
  }
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  void carryOut(order).then((answer) => process.connected && process.send?.({ id, answer }));
});
const kubeconfigs = Object.fromEntries(users.map((user) => [user, sim.kubeconfig(`token-of-${user}`)]));
process.send?.({ id: 0, answer: { kubeconfig: sim.kubeconfig(), kubeconfigs } satisfies Opened });
