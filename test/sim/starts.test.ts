import { expect, test } from 'vitest';

import { conditionOf, type Strategy, type Vm, type Vmi } from '../../sim/kubevirt/kubevirt.ts';
import type { GuestAnnotations, Sim } from '../../sim/sim.ts';
import { story } from './client.ts';

const vmOf = (sim: Sim) => sim.get<Vm>('virtualmachines', 'dev', 'web-vm') as Vm;
const vmiOf = (sim: Sim) => sim.get<Vmi>('virtualmachineinstances', 'dev', 'web-vm');
const make = (sim: Sim, guest: GuestAnnotations, runStrategy: Strategy = 'Always') =>
  sim.createWukong({ namespace: 'dev', name: 'web', runStrategy, guest });

/** KUBEVIRT.md §2: what it is called, and where the reason is found. */
const causes: [GuestAnnotations, string, string, string, RegExp][] = [
  [{ unschedulable: 'true' }, 'ErrorUnschedulable', 'PodScheduled', 'Unschedulable', /^0\/1 nodes are available: /],
  [{ 'pvc-missing': 'true' }, 'ErrorPvcNotFound', 'Synchronized', 'FailedPvcNotFound', /^PVC dev\/.* does not exist/],
  [{ 'vmi-refused': 'no such memory' }, 'Stopped', 'Failure', 'FailedCreate', /denied the request: no such memory/],
  [{ quota: 'true' }, 'Starting', 'Synchronized', 'FailedCreate', /exceeded quota: /],
  [{ image: 'example.com/a:1' }, 'ImagePullBackOff', 'Synchronized', 'ImagePullBackOff', /example.com\/a:1/],
  [{ 'datavolume-error': 'true' }, 'DataVolumeError', 'DataVolumesReady', 'NotAllDVsReady', /import failed/],
];

test.each(causes)('a start that fails tells why: %o', (guest, label, type, reason, message) =>
  story({}, async ({ sim, sleep }) => {
    make(sim, guest);
    await sleep(10_000);
    const { status } = vmOf(sim);
    expect(status?.printableStatus).toBe(label);
    expect(conditionOf(status?.conditions, type)).toMatchObject({ reason, message: expect.stringMatching(message) });
  }),
);

test('a guest that never runs is tried again after 10 s × n² and up to half of it more', () =>
  story({}, async ({ sim, clock, sleep }) => {
    make(sim, { 'never-running': 'true' });
    const waits: number[] = [];
    for (let count = 1; count <= 3; count++) {
      while (vmOf(sim).status?.startFailure?.consecutiveFailCount !== count) await sleep(100);
      waits.push(Date.parse(vmOf(sim).status?.startFailure?.retryAfterTimestamp ?? '') - clock.now());
      expect(vmOf(sim).status?.printableStatus).toBe('CrashLoopBackOff');
    }
    waits.forEach((ms, i) => {
      expect(ms).toBeGreaterThan(10_000 * (i + 1) ** 2 - 1200);
      expect(ms).toBeLessThan(15_000 * (i + 1) ** 2 + 1000);
    });
  }));

test('a guest that runs and dies is replaced without back-off, with a new uid each time', () =>
  story({}, async ({ sim, sleep }) => {
    make(sim, { 'crash-after-seconds': '1' });
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      await sleep(100);
      seen.add(vmiOf(sim)?.metadata.uid ?? '');
    }
    expect(seen.size).toBeGreaterThan(4);
    expect(vmOf(sim).status?.startFailure).toBeUndefined();
  }));

test('a VM waits for its claim, and starts by itself when that is bound', () =>
  story({}, async ({ sim, sleep }) => {
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: 'disk' } }];
    const template = { spec: { domain: { devices: {} }, volumes } };
    const metadata = { namespace: 'dev', name: 'web-vm' };
    sim.create({
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachine',
      metadata,
      spec: { runStrategy: 'Always', template },
    });
    await sleep(1000);
    expect(vmOf(sim).status?.printableStatus).toBe('ErrorPvcNotFound');
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace: 'dev', name: 'disk' },
      status: { phase: 'Pending' },
    };
    sim.create(claim);
    await sleep(1000);
    sim.change<Vm>('virtualmachines', 'dev', 'web-vm', (vm) => (vm.metadata.labels = { looked: 'again' }));
    await sleep(1000);
    sim.change<typeof claim>('persistentvolumeclaims', 'dev', 'disk', (pvc) => (pvc.status.phase = 'Bound'));
    await sleep(2000);
    expect(vmOf(sim).status?.printableStatus).toBe('Running');
  }));

test('a VM whose node is lost is Unknown', () =>
  story({}, async ({ sim, sleep }) => {
    make(sim, {});
    await sleep(2000);
    sim.loseNode('dev', 'web-vm');
    await sleep(1000);
    expect(vmOf(sim).status?.printableStatus).toBe('Unknown');
    expect(conditionOf(vmiOf(sim)?.status?.conditions, 'Ready')?.status).toBe('Unknown');
  }));

test('a start is seen step by step, in the times of the real one', () =>
  story({}, async ({ sim, power, clock, sleep }) => {
    make(sim, {}, 'Halted');
    await sleep(1000);
    const asked = clock.now();
    await power('dev', 'web-vm', 'start');
    const seen: [string, number][] = [];
    const note = (what: string) => {
      if (seen.at(-1)?.[0] !== what) seen.push([what, clock.now() - asked]);
    };
    while (vmOf(sim).status?.ready !== true) {
      await sleep(1);
      const vmi = vmiOf(sim);
      if (vmi) note(`${vmi.status?.phase} ${conditionOf(vmi.status?.conditions, 'Ready')?.status ?? '-'}`);
    }
    expect(seen.map(([what]) => what)).toEqual([
      'Pending -',
      'Scheduling False',
      'Scheduled False',
      'Running False',
      'Running True',
    ]);
    expect(clock.now() - asked).toBeGreaterThan(900);
    expect(clock.now() - asked).toBeLessThan(1300);
  }));

test('a slow control plane begins a deletion late', () =>
  story({ controllerDelayMs: 20_000 }, async ({ sim, power, sleep }) => {
    make(sim, {});
    await sleep(60_000);
    await power('dev', 'web-vm', 'stop', { gracePeriod: 10 });
    await sleep(19_000);
    expect(vmiOf(sim)?.metadata.deletionTimestamp).toBeUndefined();
    await sleep(2000);
    expect(vmiOf(sim)?.metadata.deletionTimestamp).toBeDefined();
  }));

test('a limited control plane takes down some six VMs a second', () =>
  story({ limits: 'limited' }, async ({ sim, power, clock, sleep }) => {
    const names = Array.from({ length: 60 }, (_, i) => `vm${i}`);
    for (const name of names) sim.createWukong({ namespace: 'dev', name });
    await sleep(60_000);
    const asked = clock.now();
    await Promise.all(names.map((name) => power('dev', `${name}-vm`, 'stop')));
    while (sim.list('virtualmachineinstances').length > 0) await sleep(100);
    expect(clock.now() - asked).toBeGreaterThan(8000);
    expect(clock.now() - asked).toBeLessThan(12_500);
  }));

/** Found by a demo that was interrupted: the cluster died of it. */
test.each([0, 30, 60, 90, 1000])(
  'a namespace that is taken away %i ms after a start goes, and the cluster stays',
  (ms) =>
    story({ operator: true }, async ({ sim, send, sleep }) => {
      make(sim, {});
      await sleep(ms);
      expect((await send('DELETE', '/api/v1/namespaces/dev')).status).toBe(200);
      await sleep(60_000);
      expect((await send('GET', '/api/v1/namespaces/dev')).status).toBe(404);
      expect(sim.list('events', 'dev')).toEqual([]);
    }),
);
