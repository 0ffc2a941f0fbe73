import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { namespace, scene } from './scene.ts';

const year = 365 * 86_400_000;

/** A deaf guest that KubeVirt waits for so long; text is written into its VMI as it stands. */
async function deaf(patience: unknown) {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'ignore-acpi': 'true' } });
  await at.pass(5_000);
  at.sim.change<KubeObject & { spec: object }>('virtualmachineinstances', namespace, 'web-vm', ({ spec }) =>
    Object.assign(spec, { terminationGracePeriodSeconds: patience }),
  );
  return at;
}

describe('the stop of a guest whose terminationGracePeriodSeconds are', () => {
  // KubeVirt takes any number of 64 bits, and somebody means by that: never.
  it.each([8e9, 8.7e12, 9e15, 2 ** 53, 2 ** 63 - 1])(
    '%d waits as long as it may, and goes on from its record',
    async (n) => {
      const at = await deaf(n);
      const outcome = await at.perform('stop', 'web', {}, { leftMs: 60_000 });
      expect(outcome).toMatchObject({ outcome: 'InProgress', forced: false });
      const record = JSON.parse(
        at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/operation'] ?? '{}',
      ) as Record<string, string>;
      expect(Date.parse(record['forceAt'] ?? '')).toBeGreaterThan(at.clock.now() + 20 * year);
      const tick = await at.run(reconcile(at.world, { deadline: at.clock.now() + 45_000 }));
      expect(tick).toMatchObject({ problems: [], undone: 0 });
      expect(at.calls().map(({ verb }) => verb)).toEqual(['stop']);
      // Whoever does not want to wait says so.
      expect(await at.perform('stop', 'web', { force: true })).toMatchObject({ outcome: 'ForcedOff' });
    },
  );
});
