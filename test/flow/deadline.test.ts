import { expect, it } from 'vitest';

import { executeHere } from '../../cli/commands/executeHere.ts';
import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { BusEntry } from '../../shared/cluster/world.ts';
import { keyOf, type Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { parseSelector } from '../../shared/domain/selector.ts';
import { executeCommand } from '../../shared/execute/command.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { outcomeType } from '../../shared/report/report.ts';
import { Interrupted, type Limits } from '../../shared/time/wait.ts';
import { type Scene, scene } from './scene.ts';
import { furnishIn, minuteMs, sleep, ticks } from './ways.ts';

const hour = 3_600_000;
const leftMs = 20_000;

const hang = (at: Scene, when: object) => at.sim.faults.add({ when, does: { kind: 'delay', ms: 10 * hour } });
const silent = (at: Scene) => void (at.world.bus!.put = () => new Promise<never>(() => {}));
const record = { method: 'PATCH', path: /\/wukongs\/[^/]+$/ };
/** What answers no longer, from five seconds before the deadline on. */
const silences: Record<string, (at: Scene) => void> = {
  'no call': (at) => hang(at, {}),
  'no patch of a record': (at) => hang(at, record),
  'no Event': (at) => hang(at, { path: /\/events/ }),
  'no status': (at) => hang(at, { method: 'PATCH', path: /\/wukongs\/[^/]+\/status$/ }),
  'no bus': silent,
  'neither bus nor record': (at) => (hang(at, record), silent(at)),
};

type Asker = (at: Scene, namespace: string) => Promise<unknown>;
const wukongsIn = (at: Scene, namespace: string) => at.sim.list<Wukong>('wukongs', namespace);
const declareStops = (at: Scene, namespace: string) => {
  type Declaring = { spec: { lifecycleAction?: unknown } };
  for (const { metadata } of wukongsIn(at, namespace))
    at.sim.change('wukongs', namespace, metadata.name, (wukong: Declaring) => {
      wukong.spec.lifecycleAction = { action: 'stop' };
    });
};
const only = (at: Scene, namespace: string) => ({
  ...at.world,
  config: { ...at.world.config, watchNamespaces: [namespace] },
});
const byCli = (at: Scene, namespace: string, deadline: number, interrupted = new AbortController().signal) =>
  executeHere(at.command('stop', 'vm-0'), wukongsIn(at, namespace), at.world, {
    ...{ deadline, interrupted, wait: true, waiting: () => {}, ended: () => {} },
  });
/** Who asks for the VMs of a namespace; each has twenty seconds. */
const askers: Record<string, Asker> = {
  'a command on one VM': (at, namespace) =>
    stopVm({ target: { namespace, name: 'vm-0' } }, at.invocation('one', leftMs)),
  'a fleet': (at, namespace) =>
    stopVm({ target: { namespaces: [namespace], selector: 'env=dev' } }, at.invocation('fleet', leftMs)),
  'a tick': (at, namespace) => {
    declareStops(at, namespace);
    return reconcileState({}, { ...at.invocation('tick', leftMs), world: only(at, namespace) });
  },
  'the CLI': (at, namespace) => byCli(at, namespace, at.clock.now() + leftMs),
};

/** How much later than its deadline each is back. */
async function lateness(at: Scene, silence: (at: Scene) => void): Promise<[string, number][]> {
  const deadline = at.clock.now() + leftMs;
  at.clock.after(leftMs - 5_000, () => silence(at));
  const one = async ([who, ask]: [string, Asker], i: number): Promise<[string, number]> => {
    await ask(at, `n${i}`).catch(() => {});
    return [who, at.clock.now() - deadline];
  };
  return Promise.all(Object.entries(askers).map(one));
}

it.each(Object.entries(silences))(
  'where %s answers, each is back within a second of its deadline, and what it could not tell is told later',
  { timeout: 60_000 },
  async (_what, silence) => {
    const at = await scene();
    const told: BusEntry[] = [];
    const put = async (entries: BusEntry[]) => void told.push(...entries);
    at.world.bus = { put };
    const spaces = Object.keys(askers).map((_who, i) => `n${i}`);
    for (const namespace of spaces) {
      furnishIn(at, namespace, 2, { guest: { 'shutdown-seconds': '18' } }); // ends just before the deadline
      furnishIn(at, namespace, 1, { guest: { 'shutdown-seconds': '25' } }, 'slow');
    }
    await at.pass(minuteMs);
    const late = await at.run(() => lateness(at, silence));
    expect(late.filter(([, ms]) => ms > 1_000)).toEqual([]);

    at.sim.faults.clear();
    at.world.bus.put = put;
    await at.run(async () => {
      await sleep(at, minuteMs);
      await ticks(at, 3);
    }, hour);
    const stopped = spaces
      .flatMap((space) => wukongsIn(at, space))
      .filter(({ status }) => status?.lifecycleState?.outcome);
    const known = new Set(told.filter(({ type }) => type === outcomeType).map(({ detail }) => keyOf(detail as never)));
    expect(
      stopped.filter(({ status }) => status?.lifecycleState?.outcome !== 'Stopped').map((one) => keyOf(one.metadata)),
    ).toEqual([]);
    expect(stopped.map(({ metadata }) => keyOf(metadata)).filter((key) => !known.has(key))).toEqual([]);
    expect(stopped.length).toBeGreaterThanOrEqual(spaces.length);
  },
);

type Interruptible = (at: Scene, namespace: string, limits: Limits & { signal: AbortSignal }) => Promise<unknown>;
/** Who may be interrupted by a person; each has ten minutes. */
const interruptible: Record<string, Interruptible> = {
  'the CLI': (at, namespace, { deadline, signal }) => byCli(at, namespace, deadline, signal),
  'a tick': (at, namespace, limits) => {
    declareStops(at, namespace);
    return reconcile(only(at, namespace), limits);
  },
  'a fleet': (at, namespace, limits) => {
    const command = at.command('stop', 'vm-0');
    const target = { namespaces: [namespace], selector: parseSelector('env=dev') };
    return executeCommand({ ...command, requestId: 'fleet', target }, at.world, { limits });
  },
};

it.each<[string, (at: Scene) => void]>([...Object.entries(silences), ['everything, at once,', () => {}]])(
  'where %s answers, each is back within a second of Ctrl-C, and what is under way is said to be in progress',
  { timeout: 60_000 },
  async (_what, silence) => {
    const at = await scene();
    const spaces = Object.keys(interruptible).map((_who, i) => `n${i}`);
    for (const namespace of spaces) {
      furnishIn(at, namespace, 1, { guest: { 'shutdown-seconds': '18' } }); // ends just before Ctrl-C
      furnishIn(at, namespace, 2, { guest: { 'shutdown-seconds': '25' } }, 'slow');
    }
    await at.pass(minuteMs);
    const controller = new AbortController();
    at.world.bus = { put: () => Promise.resolve() };
    const limits = { deadline: at.clock.now() + 10 * minuteMs, signal: controller.signal };
    const interruptedAt = at.clock.now() + leftMs;
    at.clock.after(leftMs - 5_000, () => silence(at));
    at.clock.after(leftMs, () => controller.abort(new Interrupted(at.clock.now())));
    const one = async ([who, ask]: [string, Interruptible], i: number) => {
      const came = await ask(at, `n${i}`, limits).catch((thrown: unknown) => thrown);
      return { who, came, ms: at.clock.now() - interruptedAt };
    };
    const all = await at.run(() => Promise.all(Object.entries(interruptible).map(one)));
    expect(all.filter(({ ms }) => ms > 1_000)).toEqual([]);
    const said = all[0]!.came as Outcome[];
    const left = said.filter(({ outcome, name }) => outcome === 'InProgress' && name.startsWith('slow'));
    expect(left.map(({ name }) => name).sort()).toEqual(['slow-0', 'slow-1']);

    at.sim.faults.clear();
    at.world.bus.put = () => Promise.resolve();
    await at.run(async () => {
      await sleep(at, minuteMs);
      await ticks(at, 3);
    }, hour);
    const ends = spaces.flatMap((space) => wukongsIn(at, space)).map(({ status }) => status?.lifecycleState?.outcome);
    expect(ends).toEqual(Array(3 * spaces.length).fill('Stopped'));
  },
);

it('whose record is being written at Ctrl-C is said to be in progress, and goes on', async () => {
  const at = await scene();
  furnishIn(at, 'n0', 2, { guest: { 'shutdown-seconds': '5' } });
  await at.pass(minuteMs);
  at.sim.faults.add({ when: record, does: { kind: 'delay', ms: 300 } });
  const controller = new AbortController();
  const said = await at.run(() => {
    at.clock.after(200, () => controller.abort(new Interrupted(at.clock.now())));
    return byCli(at, 'n0', at.clock.now() + minuteMs, controller.signal);
  });
  expect(said.map(({ outcome }) => outcome)).toEqual(['InProgress', 'InProgress']);
  at.sim.faults.clear();
  await at.run(() => ticks(at, 2), hour);
  const ends = wukongsIn(at, 'n0').map(({ status }) => status?.lifecycleState?.outcome);
  expect(ends).toEqual(['Stopped', 'Stopped']);
});
