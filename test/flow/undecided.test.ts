import { describe, expect, it } from 'vitest';

import { look } from '../../shared/reconcile/look.ts';
import { reconcile, type Standing } from '../../shared/reconcile/reconcile.ts';
import { type Scene, scene } from './scene.ts';
import { asked, boundary, deliver } from './ways.ts';

const sinks = ['here', 'bus'] as const;
const office = { apiVersion: 'vm.novasphere.dev/v1alpha1', kind: 'WukongSchedule' };

/** A tick that sees one VM so that whoever decides about it throws. */
function tick(at: Scene, broken?: string) {
  const standing: Standing = {
    busy: new Set(),
    look: async (...args) => {
      const seen = await look(...args);
      const get: typeof seen.machines.get = (namespace, name, ...rest) => {
        if (name === broken) throw new TypeError(`cannot read the view of ${name}`);
        return seen.machines.get(namespace, name, ...rest);
      };
      return { ...seen, machines: { ...seen.machines, get } };
    },
  };
  return reconcile(at.world, { deadline: at.clock.now() + 50_000 }, standing);
}

async function prepared(sink: (typeof sinks)[number], names: string[]) {
  const at = await scene();
  const bus = sink === 'bus' ? deliver(at) : (delete at.world.bus, undefined);
  for (const [i, namespace] of ['team-a', 'team-a', 'team-b'].entries())
    at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Always', labels: { env: 'dev' } });
  for (const namespace of ['team-a', 'team-b'])
    for (const name of names)
      at.sim.create({
        ...office,
        metadata: { namespace, name, creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, stop: '30 20 * * *' },
      });
  await at.pass(5_000);
  await at.run(tick(at));
  await at.pass(boundary - at.clock.now());
  return { at, settled: () => bus?.settled() };
}

describe.each(sinks)('over the sink %s', (sink) => {
  it('a Wukong whose decision throws has its boundary done when that is mended, and its neighbours at once', async () => {
    const { at, settled } = await prepared(sink, ['office']);
    const once = await at.run(() => tick(at, 'vm-0-vm'));
    await at.run(async () => settled(), 600_000);
    expect(once).toMatchObject({ undone: 1, problems: [expect.stringContaining('vm-0')] });
    expect(
      asked(at, 'stop')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['vm-1', 'vm-2']);
    await at.pass(60_000);
    expect((await at.run(() => tick(at, 'vm-0-vm'))).undone).toBe(1);
    await at.pass(60_000);
    expect(await at.run(() => tick(at))).toMatchObject({ undone: 0 });
    await at.run(async () => settled(), 600_000);
    expect(asked(at, 'stop').map(({ name }) => name)).toEqual(expect.arrayContaining(['vm-0']));
    await at.pass(60_000);
    await at.run(() => tick(at));
    await at.run(async () => settled(), 600_000);
    expect(asked(at, 'stop')).toHaveLength(3);
  });

  it.each([240, 253])('a schedule whose name has %i characters has its stops carried out', async (length) => {
    const { at, settled } = await prepared(sink, ['s'.repeat(length)]);
    expect((await at.run(() => tick(at))).problems).toEqual([]);
    await at.run(async () => settled(), 600_000);
    await at.pass(60_000);
    expect((await at.run(() => tick(at))).problems).toEqual([]);
    for (const [i, namespace] of ['team-a', 'team-a', 'team-b'].entries())
      expect(at.sim.get('virtualmachineinstances', namespace, `vm-${i}-vm`)).toBeUndefined();
    expect(at.sim.list('wukongruns', 'team-a')).toMatchObject([{ status: { phase: 'Succeeded', done: 2 } }]);
  });
});
