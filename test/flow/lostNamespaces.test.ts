import { expect, it } from 'vitest';

import { followIn } from '../../shared/cluster/informers.ts';
import { vmPath } from '../../shared/cluster/vmInformer.ts';
import { namespace, scene } from './scene.ts';

const spaces = [namespace, ...Array.from({ length: 100 }, (_, i) => `lost-${i}`)];
const refused = { when: { path: /\/lost-/ }, does: { kind: 'status', status: 403 } } as const;

/** VMs of a namespace that may be watched, and of a hundred that may not. */
async function hundredLost() {
  const at = await scene();
  at.sim.faults.add(refused);
  const { transport } = at.world;
  const streams: AbortSignal[] = [];
  const stream: typeof transport.stream = (path, signal) => (streams.push(signal), transport.stream(path, signal));
  const path = (space?: string) => vmPath('virtualmachines', space);
  const limits = { deadline: at.clock.now() + 30_000 };
  const vms = await at.run(
    followIn(
      { ...at.world, transport: { ...transport, stream } },
      spaces,
      { path, read: (vm) => vm.metadata.name },
      limits,
    ),
  );
  at.sim.requests.length = streams.length = 0;
  return { at, vms, streams };
}

it('a hundred namespaces that may not be watched are not all tried again in the same second', async () => {
  const { at, vms } = await hundredLost();
  expect(vms.lost().size).toBe(100);
  await at.pass(95_000);
  const perSecond = Map.groupBy(at.sim.requests, (request) => Math.floor(request.at / 1_000));
  expect(new Set(at.sim.requests.map(({ path }) => path)).size).toBe(100);
  expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThan(20);
  vms.close();
});

it('once it is closed nothing is tried again, and what was being tried is given up', async () => {
  const { at, vms, streams } = await hundredLost();
  at.sim.faults.clear();
  at.sim.faults.add({ ...refused, does: { kind: 'delay', ms: 20_000 } });
  await at.pass(60_000);
  vms.close();
  const asked = streams.length;
  await at.pass(1_000);
  expect(streams.every(({ aborted }) => aborted)).toBe(true);
  await at.pass(120_000);
  expect(streams).toHaveLength(asked);
});
