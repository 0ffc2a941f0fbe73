import { expect, it } from 'vitest';

import { executeHere } from '../../cli/commands/executeHere.ts';
import { reconcileState } from '../../functions/reconcileState/handler.ts';
import { stopVm } from '../../functions/stopVm/handler.ts';
import type { BusEntry } from '../../shared/cluster/world.ts';
import { keyOf, type Wukong } from '../../shared/domain/model.ts';
import { outcomeType } from '../../shared/report/report.ts';
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
/** Who asks for the VMs of a namespace; each has twenty seconds. */
const askers: Record<string, Asker> = {
  'a command on one VM': (at, namespace) =>
    stopVm({ target: { namespace, name: 'vm-0' } }, at.invocation('one', leftMs)),
  'a fleet': (at, namespace) =>
    stopVm({ target: { namespaces: [namespace], selector: 'env=dev' } }, at.invocation('fleet', leftMs)),
  'a tick': (at, namespace) => {
    type Declaring = { spec: { lifecycleAction?: unknown } };
    for (const { metadata } of wukongsIn(at, namespace))
      at.sim.change('wukongs', namespace, metadata.name, (wukong: Declaring) => {
        wukong.spec.lifecycleAction = { action: 'stop' };
      });
    const config = { ...at.world.config, watchNamespaces: [namespace] };
    return reconcileState({}, { ...at.invocation('tick', leftMs), world: { ...at.world, config } });
  },
  'the CLI': (at, namespace) =>
    executeHere(at.command('stop', 'vm-0'), wukongsIn(at, namespace), at.world, {
      ...{ deadline: at.clock.now() + leftMs, interrupted: new AbortController().signal, wait: true },
      ...{ waiting: () => {}, ended: () => {} },
    }),
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
