import { executeHere } from '../../cli/commands/executeHere.ts';
import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { startVm } from '../../functions/startVm/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import type { BusEntry, World } from '../../shared/cluster/world.ts';
import { parseCommand, requestedType } from '../../shared/domain/command.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import type { Action, Outcome } from '../../shared/domain/outcome.ts';
import type { Tick } from '../../shared/reconcile/reconcile.ts';
import { source } from '../../shared/report/bus.ts';
import type { WukongOptions } from '../../sim/sim.ts';
import { type Scene, scene, worldOn } from './scene.ts';

/** The ways in which many VMs may be asked for. `bus`: by schedule, with the functions at the other end of the bus. */
export const ways = ['fleet', 'schedule', 'cli', 'bus'] as const;
export type Way = (typeof ways)[number];

export const minuteMs = 60_000;
/** The boundary of every schedule here: half an hour after a scene begins. */
export const boundary = Date.parse('2026-11-23T20:30:00Z');
export const sleep = (at: Scene, ms: number) =>
  new Promise<void>((resolve) => at.clock.after(Math.max(0, ms), resolve));

/** Power calls that were accepted, with the VM and when. */
export const asked = (at: Scene, verb?: Action) =>
  at.sim.requests.flatMap(({ path, at: when, status }) => {
    const [, namespace = '', vm = '', done] =
      /^\/apis\/subresources.+\/namespaces\/([^/]+)\/virtualmachines\/(.+)-vm\/(start|stop)$/.exec(path) ?? [];
    return status === 202 && done && (!verb || verb === done) ? [{ namespace, name: vm, at: when }] : [];
  });

/** So many Wukongs in a namespace, labelled env=dev. */
export function furnishIn(
  at: Scene,
  namespace: string,
  count: number,
  more: Partial<WukongOptions> = {},
  prefix = 'vm',
) {
  for (let i = 0; i < count; i++)
    at.sim.createWukong({ namespace, name: `${prefix}-${i}`, runStrategy: 'Always', labels: { env: 'dev' }, ...more });
}

export const scheduleIn = (at: Scene, namespace: string, spec: object) =>
  at.sim.create({
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { namespace, name: 'office', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, ...spec },
  });

/** A bus with the functions at its other end: each message is delivered, and again when its function throws. */
export function deliver(
  at: Scene,
  { afterMs = 1_000, leftMs = 290_000, again = 5 } = {},
): { settled(): Promise<unknown> } {
  const open = new Set<Promise<unknown>>();
  const world = at.world;
  const one = async ({ type, detail, time }: BusEntry, id: string) => {
    const handler = type === requestedType.start ? startVm : type === requestedType.stop ? stopVm : undefined;
    if (!handler) return;
    const message = {
      'detail-type': type,
      source,
      id,
      time: new Date(time).toISOString(),
      detail: JSON.parse(JSON.stringify(detail)),
    };
    const record = { eventSource: 'aws:sqs', messageId: id, body: JSON.stringify(message) };
    for (let attempt = 1; attempt <= again; attempt++) {
      await sleep(at, attempt === 1 ? afterMs : 30_000);
      // A process of its own, with its own connections.
      const { config, metrics } = world;
      const own = { ...(await worldOn(at.sim, at.clock)), config, metrics, bus: world.bus! };
      const done = await handler(record, { ...at.invocation(id, leftMs), world: own }).then(
        () => true,
        () => false,
      );
      if (done) return;
    }
  };
  world.bus = {
    put: (entries) => {
      for (const entry of entries) {
        const work = one(entry, `message-${at.bus.push(entry)}`).finally(() => open.delete(work));
        open.add(work);
      }
      return Promise.resolve();
    },
  };
  return {
    async settled() {
      while (open.size > 0) await Promise.all(open);
    },
  };
}

/** A tick at each full minute, as the function has them: they may overlap. */
export async function ticks(at: Scene, minutes: number, world: World = at.world): Promise<(Tick | Error)[]> {
  const all: Promise<Tick | Error>[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    all.push(reconcileState({}, { ...at.invocation(`tick-${minute}`, 50_000), world }).catch((error: Error) => error));
    await sleep(at, minuteMs);
  }
  return Promise.all(all);
}

export interface Wish {
  action: Action;
  namespaces: string[];
  /** Of the command, or of each schedule. */
  maxInFlight?: number;
  jitterSeconds?: number;
  delaySeconds?: number;
  /** For how long. */
  minutes?: number;
}

/** Asks for all that are labelled env=dev in these namespaces, in one of the ways. Resolves when that is over. */
export async function ask(at: Scene, way: Way, wish: Wish): Promise<Outcome[]> {
  const { action, namespaces, maxInFlight, minutes = 15 } = wish;
  if (way === 'schedule' || way === 'bus') {
    if (way === 'schedule') delete at.world.bus;
    const bus = way === 'bus' ? deliver(at) : undefined;
    const { jitterSeconds = 0, delaySeconds = 0 } = wish;
    const waves = { delaySeconds, ...(maxInFlight ? { maxInFlight } : {}) };
    for (const namespace of namespaces) scheduleIn(at, namespace, { [action]: '30 20 * * *', waves, jitterSeconds });
    await sleep(at, boundary - at.clock.now());
    const done = await ticks(at, minutes);
    await bus?.settled();
    return done.flatMap((tick) => (tick instanceof Error ? [] : tick.outcomes));
  }
  await sleep(at, boundary - at.clock.now());
  const input = {
    target: { namespaces, selector: 'env=dev' },
    maxTargets: 1_000,
    ...(maxInFlight ? { maxInFlight } : {}),
  };
  if (way === 'fleet') {
    const handler = action === 'start' ? startVm : stopVm;
    return (await handler(input, at.invocation('fleet', minutes * minuteMs))).outcomes;
  }
  const origin = { action, trigger: 'cli', requestId: 'cli-1', requestedAt: at.clock.now() };
  const lists = namespaces.map((one) =>
    listAll<Wukong>(at.world.transport, `${wukongPath(one)}?labelSelector=env%3Ddev`, {}),
  );
  return executeHere(parseCommand(input, origin), (await Promise.all(lists)).flat(), at.world, {
    deadline: at.clock.now() + minutes * minuteMs,
    interrupted: new AbortController().signal,
    wait: true,
    waiting() {},
    ended() {},
  });
}

/** A scene whose VMs have come up, in these namespaces. */
export async function prepared(
  make: (at: Scene) => void,
  options: Parameters<typeof scene>[0] = {},
  env = {},
): Promise<Scene> {
  const at = await scene(options, env);
  make(at);
  await at.pass(60_000);
  return at;
}
