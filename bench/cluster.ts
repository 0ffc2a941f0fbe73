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
  /** Resolves when so many Wukongs of the namespace have a status of ours. */
  | { do: 'awaitStates'; namespace: string; count: number }
  /** Declares a start on so many, one after the other; resolves with how long each power call took, sorted. */
  | { do: 'declare'; namespace: string; count: number }
  | { do: 'end' };

export interface Figures {
  requests: number;
  bytes: number;
  /** Of them, without the Lease: reads of a whole collection, and what was written. */
  kinds: { lists: number; writes: number };
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

const stated = (namespace: string) =>
  sim
    .list<{ status?: { lifecycleState?: { state?: string } } }>('wukongs', namespace)
    .filter(({ status }) => status?.lifecycleState?.state !== undefined).length;

async function declare(namespace: string, count: number): Promise<number[]> {
  const waits: number[] = [];
  for (let i = 0; i < count; i++) {
    const name = `vm-${i * 7}`;
    const asked = performance.now();
    const seen = sim.requests.length;
    sim.change<{ spec: { lifecycleAction?: object } }>('wukongs', namespace, name, ({ spec }) => {
      spec.lifecycleAction = { action: 'start' };
    });
    const isCall = ({ path }: { path: string }) => path.endsWith(`/virtualmachines/${name}-vm/start`);
    const late = asked + 60_000;
    while (!sim.requests.slice(seen).some(isCall) && performance.now() < late)
      await new Promise((next) => setTimeout(next, 1));
    waits.push(performance.now() - asked);
    await new Promise((next) => setTimeout(next, 50));
  }
  return waits.sort((a, b) => a - b);
}

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
      const others = mine.filter(({ path }) => !path.includes('/leases'));
      const writes = others.filter(({ method }) => method !== 'GET').length;
      const collections =
        /\/(wukongs|wukongschedules|clusterwukongschedules|wukongruns|virtualmachines|virtualmachineinstances|namespaces)$/;
      const lists = others.filter((one) => one.method === 'GET' && !one.watch && collections.test(one.path)).length;
      const kinds = { lists, writes };
      return { requests: mine.length, bytes, kinds, recordMs: watched?.recordMs() ?? [] } satisfies Figures;
    }
    case 'await':
      while (ready(order.namespace) !== order.on) await new Promise((next) => setTimeout(next, 200));
      return undefined;
    case 'awaitStates':
      while (stated(order.namespace) < order.count) await new Promise((next) => setTimeout(next, 1_000));
      return undefined;
    case 'declare':
      return declare(order.namespace, order.count);
    case 'end':
      watched?.end();
      await sim.close();
      return process.disconnect();
    default:
      return order satisfies never;
  }
}

process.once('disconnect', () => process.exit()); // nobody is left who would end it
process.on('message', ({ id, order }: { id: number; order: Order }) => {
  void carryOut(order).then((answer) => process.connected && process.send?.({ id, answer }));
});
const kubeconfigs = Object.fromEntries(users.map((user) => [user, sim.kubeconfig(`token-of-${user}`)]));
process.send?.({ id: 0, answer: { kubeconfig: sim.kubeconfig(), kubeconfigs } satisfies Opened });
