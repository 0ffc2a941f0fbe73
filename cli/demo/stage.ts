import type { Context } from 'aws-lambda';

import { follow, type Followed } from '../../shared/cluster/informer.ts';
import { namespacePath } from '../../shared/cluster/namespaces.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import type { Call, Transport } from '../../shared/cluster/transport.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { operationOf } from '../../shared/domain/operation.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { readVm, readVmi } from '../../shared/domain/readVm.ts';
import type { Machine } from '../../shared/domain/vm.ts';
import type { Report } from '../../shared/report/fleetOutcome.ts';
import { type Row } from '../terminal/liveTable.ts';
import { shownState, waitingFor } from './waiting.ts';
import { demoNamespaces, type DemoWukong, demoWukongs, vmManifest, wukongManifest } from './wukongs.ts';

/** Asks for one thing with the plain transport; the demo's own requests are not the handler's. */
export async function ask<T>(world: World, call: Omit<Call, 'safe'>): Promise<T> {
  const answer = await world.transport.call<T>({ ...call, safe: false });
  if (answer.status >= 300 && answer.status !== 409)
    throw new Error(`${call.method} ${call.path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`);
  return answer.body;
}

/** The eight Wukongs and their two namespaces on the embedded cluster, with the operator of `shop`. */
export async function furnishEmbedded(world: World): Promise<void> {
  for (const name of demoNamespaces) await ask(world, makeNamespace({ name }));
  await furnish(world, demoWukongs, true);
}

export const makeNamespace = (metadata: KubeObject['metadata']): Omit<Call, 'safe'> => ({
  method: 'POST',
  path: namespacePath(),
  body: { apiVersion: 'v1', kind: 'Namespace', metadata },
});

/** The Wukongs and their VMs in namespaces that are there, through the API, as their owners would apply them. */
export async function furnish(world: World, wukongs: DemoWukong[], operatorIsThere: boolean): Promise<void> {
  await Promise.all(wukongs.map((one) => furnishOne(world, one, operatorIsThere)));
}

async function furnishOne(world: World, one: DemoWukong, operatorIsThere: boolean): Promise<void> {
  const made = await ask<KubeObject>(world, {
    method: 'POST',
    path: wukongPath(one.namespace),
    body: wukongManifest(one),
  });
  if (one.operated && operatorIsThere) return;
  await ask(world, {
    method: 'POST',
    path: vmPath('virtualmachines', one.namespace),
    body: vmManifest(one, made.metadata.uid ?? ''),
  });
  const body = { status: { vmName: `${one.name}-vm` } };
  await ask(world, {
    method: 'PATCH',
    path: wukongPath(one.namespace, one.name, 'status'),
    body,
    contentType: 'application/merge-patch+json',
  });
}

/** What the demo sees by its own watches, for the table. */
export interface View {
  wukong(one: DemoWukong): Wukong | undefined;
  machine(one: DemoWukong): Machine;
  rows(): Row[];
  /** Of the longest `namespace/name`. */
  keyWidth: number;
  close(): void;
}

export async function look(world: World, shown: DemoWukong[]): Promise<View> {
  const limits = { deadline: world.clock.now() + 10_000 };
  const open = <V>(path: (namespace: string) => string, read: (o: KubeObject) => V) =>
    Promise.all(
      [...new Set(shown.map(({ namespace }) => namespace))].map(
        async (ns) => [ns, await follow(world, { path: path(ns), read }, limits)] as const,
      ),
    ).then((all) => new Map(all));
  const wukongs = await open(
    (ns) => wukongPath(ns),
    (o) => o as Wukong,
  );
  const vms = await open((ns) => vmPath('virtualmachines', ns), readVm);
  const vmis = await open((ns) => vmPath('virtualmachineinstances', ns), readVmi);
  const of = <V>(all: Map<string, Followed<V>>, { namespace }: DemoWukong, name: string) =>
    all.get(namespace)?.get(namespace, name);
  const machine = (one: DemoWukong): Machine => ({
    vm: of(vms, one, `${one.name}-vm`),
    vmi: of(vmis, one, `${one.name}-vm`),
  });
  const wukong = (one: DemoWukong) => of(wukongs, one, one.name);
  return {
    wukong,
    machine,
    keyWidth: keyWidthOf(shown),
    rows: () => shown.map((one) => rowOf(one, wukong(one), machine(one), world.clock.now())),
    close: () => [...wukongs.values(), ...vms.values(), ...vmis.values()].forEach((followed) => followed.close()),
  };
}

export const keyWidthOf = (shown: DemoWukong[]): number =>
  Math.max(...shown.map(({ namespace, name }) => namespace.length + name.length + 1));

function rowOf({ namespace, name }: DemoWukong, wukong: Wukong | undefined, machine: Machine, now: number): Row {
  const op = wukong && operationOf(wukong);
  const elapsed = op ? `${((now - op.startedAt) / 1000).toFixed(1)} s` : '';
  return {
    namespace,
    name,
    strategy: machine.vm?.strategy ?? '',
    state: shownState(machine, op?.action),
    elapsed,
    waiting: waitingFor(machine, op?.action),
  };
}

/** Requests per Wukong, by what they name, with its share of those that one command asks for all (lists, watches). */
export function countRequests(transport: Transport): {
  transport: Transport;
  of(name: string, sharers: number): number;
  reset(): void;
} {
  let byName = new Map<string, number>();
  let shared = 0;
  const count = (path: string, body?: unknown) => {
    const involved = (body as { involvedObject?: { name?: string } } | undefined)?.involvedObject?.name;
    const [, plural, name] = /\/(wukongs|virtualmachines|virtualmachineinstances)\/([^/?]+)/.exec(path) ?? [];
    const whose = involved ?? (plural === 'wukongs' ? name : name?.replace(/-vm$/, ''));
    if (whose === undefined) shared++;
    else byName.set(whose, (byName.get(whose) ?? 0) + 1);
  };
  return {
    transport: {
      call(call, limits) {
        count(call.path, call.body);
        return transport.call(call, limits);
      },
      stream(path, signal) {
        const one = /fieldSelector=metadata.name%3D([^&]+)/.exec(path)?.[1];
        count(one ? `/virtualmachines/${one}` : path);
        return transport.stream(path, signal);
      },
    },
    of: (name, sharers) => (byName.get(name) ?? 0) + Math.ceil(shared / sharers),
    reset() {
      byName = new Map();
      shared = 0;
    },
  };
}

export type Handler = (event: unknown, context: Context) => Promise<unknown>;

/** Calls a handler as Lambda does. */
export async function invoke(handler: Handler, event: unknown, id: string): Promise<Outcome[]> {
  const end = Date.now() + 60_000;
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => end - Date.now() } as Context;
  const answer = (await handler(event, context)) as Partial<Report> & { message?: string };
  if (!answer.outcomes) throw new Error(answer.message ?? 'the handler gave no answer');
  return answer.outcomes;
}
