import { expect, test } from 'vitest';

import type { Vm, Vmi } from '../../sim/kubevirt/kubevirt.ts';
import type { Sim } from '../../sim/sim.ts';
import { story } from './client.ts';

const namespace = 'dev';
const vmOf = (sim: Sim, name: string) => sim.get<Vm>('virtualmachines', namespace, name)!;
const pathOf = (name: string) => `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachines/${name}`;

function make(sim: Sim, name: string, runStrategy: string): void {
  sim.create({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, namespace },
    spec: { runStrategy, template: { spec: { terminationGracePeriodSeconds: 30, domain: { devices: {} } } } },
  });
}

test('a VM says which generation of its spec the controller has acted on, with a VMI and without one', () =>
  story({}, async ({ sim, patch, sleep }) => {
    make(sim, 'web', 'Always');
    await sleep(2_000);
    expect(vmOf(sim, 'web').status).toMatchObject({ observedGeneration: 1, desiredGeneration: 1 });
    await patch(pathOf('web'), { spec: { runStrategy: 'Halted' } });
    const changed = vmOf(sim, 'web');
    expect([changed.metadata.generation, changed.status?.observedGeneration]).toEqual([2, 1]);
    await sleep(60);
    expect(vmOf(sim, 'web').status).toMatchObject({ observedGeneration: 2, desiredGeneration: 2 });
    await sleep(10_000);
    expect(vmOf(sim, 'web').status).toMatchObject({ created: false, observedGeneration: 2 });
    await patch(pathOf('web'), { spec: { template: { spec: { hostname: 'web' } } } });
    await sleep(60);
    expect(vmOf(sim, 'web').status).toMatchObject({ observedGeneration: 3, desiredGeneration: 3 });
  }));

test('the controller acts on what it knew up to 50 ms ago: some VMIs are made after the spec became Halted, and go', () =>
  story({}, async ({ sim, patch, sleep }) => {
    const names = Array.from({ length: 40 }, (_, i) => `vm-${i}`);
    for (const name of names) make(sim, name, 'Halted');
    await sleep(1_000);
    let late = 0;
    for (const name of names) {
      await patch(pathOf(name), { spec: { runStrategy: 'Always' } });
      await sleep(25);
      await patch(pathOf(name), { spec: { runStrategy: 'Halted' } });
      expect(sim.get('virtualmachineinstances', namespace, name)).toBeUndefined();
      for (let ms = 0; ms < 60; ms += 5) {
        await sleep(5);
        const { metadata, status } = vmOf(sim, name);
        if (
          !sim.get<Vmi>('virtualmachineinstances', namespace, name) ||
          status?.observedGeneration === metadata.generation
        )
          continue;
        late++;
        break;
      }
    }
    expect(late).toBeGreaterThan(2);
    expect(late).toBeLessThan(38);
    await sleep(10_000);
    expect(sim.list('virtualmachineinstances', namespace)).toEqual([]);
    for (const name of names) {
      const { metadata, status } = vmOf(sim, name);
      expect(status?.observedGeneration).toBe(metadata.generation);
    }
  }));
