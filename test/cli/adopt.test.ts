import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { simulate, type Simulated } from './simulated.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let sim: Simulated;
const vms = '/apis/kubevirt.io/v1/namespaces/default/virtualmachines';
const make = (name: string, labels: Record<string, string>, more: object = {}) =>
  sim.api('POST', vms, {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { name, labels, ...more },
    spec: {
      runStrategy: 'Always',
      template: { spec: { domain: { cpu: { cores: 2 }, devices: {}, memory: { guest: '1Gi' } } } },
    },
  });
beforeAll(async () => {
  sim = await simulate();
  await make('billing-vm', { env: 'dev' });
  await make('mail', { env: 'dev' });
  const owner = {
    apiVersion: 'pool.kubevirt.io/v1beta1',
    kind: 'VirtualMachinePool',
    name: 'p',
    uid: 'u',
    controller: true,
  };
  await make('p-0', { env: 'dev' }, { ownerReferences: [owner] });
});
afterAll(() => sim.close());

it('says of each VM what would be done, and changes nothing', async () => {
  const { code, out, err } = await sim.wukong('adopt -l env=dev -n default --dry-run');
  expect([code, err]).toEqual([4, '']);
  expect(out.split('\n').sort()).toEqual([
    '',
    'default/billing-vm: would be given to Wukong billing (Always, 2 CPUs, 1Gi); no schedule selects it',
    'default/mail: would be given to Wukong mail (Always, 2 CPUs, 1Gi); no schedule selects it',
    'default/p-0: refused: VirtualMachinePool p owns it and decides itself which of its VMs run; scale the pool instead',
  ]);
  expect((await sim.wukong('state -n default')).err).toContain('No Wukongs found');
});

it('adopts, with what schedules will do, and releases', async () => {
  const spec = { stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } } };
  await sim.api('POST', '/apis/vm.novasphere.dev/v1alpha1/namespaces/default/wukongschedules', {
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { name: 'office' },
    spec,
  });
  const adopted = await sim.wukong('adopt vm/billing-vm -n default --name bill');
  expect(adopted.out).toMatch(
    /^default\/billing-vm: given to Wukong bill \(.*\); schedule office selects it: next stop \d{4}-\d\d-\d\dT20:00:00Z\n$/,
  );
  expect((await sim.wukong('state bill -n default -o json')).out).toContain('"name": "billing-vm"');
  expect((await sim.wukong('adopt billing-vm -n default')).out).toBe(
    'default/billing-vm: Wukong bill has it already\n',
  );
  const released = await sim.wukong('release bill -n default');
  expect(released.out).toBe('default/bill: VM given back: billing-vm stays as it is, the Wukong goes\n');
});

it('says what is wrong with what was typed', async () => {
  const unknown = await sim.wukong('adopt billnig-vm -n default');
  expect([unknown.code, unknown.err]).toEqual([
    1,
    'wukong adopt: there is no VM billnig-vm in namespace default; did you mean billing-vm?\n',
  ]);
  expect((await sim.wukong('adopt a b --name c -n default')).code).toBe(2);
  expect((await sim.wukong('release web -n demo-a')).out).toMatch(/^demo-a\/web: refused: it was not made by adopting/);
});
