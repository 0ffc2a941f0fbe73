import { expect, test } from 'vitest';

import type { Vm, Vmi } from '../../sim/kubevirt/kubevirt.ts';
import type { GuestAnnotations, Sim } from '../../sim/sim.ts';
import { story } from './client.ts';

const namespace = 'dev';
const vms = `/apis/kubevirt.io/v1/namespaces/${namespace}`;
const sub = `/apis/subresources.kubevirt.io/v1/namespaces/${namespace}`;
const vmOf = (sim: Sim) => sim.get<Vm>('virtualmachines', namespace, 'web-vm');
const vmiOf = (sim: Sim) => sim.get<Vmi>('virtualmachineinstances', namespace, 'web-vm');
const make = (sim: Sim, guest: GuestAnnotations = {}, runStrategy: 'Always' | 'Halted' | 'RerunOnFailure' = 'Always') =>
  sim.createWukong({ namespace, name: 'web', runStrategy, guest });

test('a paused guest does not answer ACPI: its grace goes on, and it is killed at its end', () =>
  story({}, async ({ sim, send, power, sleep }) => {
    make(sim);
    await sleep(3_000);
    expect((await send('PUT', `${sub}/virtualmachineinstances/web-vm/pause`, { body: {} })).status).toBe(200);
    await power(namespace, 'web-vm', 'stop', { gracePeriod: 5 });
    await sleep(4_800);
    expect(vmiOf(sim)?.status?.phase).toBe('Running');
    await sleep(320);
    expect(vmiOf(sim)?.status?.phase).toBe('Failed');
  }));

test('one that goes on within its grace obeys then; one that is paused while it shuts down stands still', () =>
  story({}, async ({ sim, send, power, sleep }) => {
    make(sim, { 'shutdown-seconds': '4' });
    await sleep(3_000);
    await power(namespace, 'web-vm', 'stop', { gracePeriod: 60 });
    await sleep(2_000);
    await send('PUT', `${sub}/virtualmachineinstances/web-vm/pause`, { body: {} });
    await sleep(10_000);
    expect(vmiOf(sim)?.status?.phase).toBe('Running');
    await send('PUT', `${sub}/virtualmachineinstances/web-vm/unpause`, { body: {} });
    await sleep(4_050);
    expect(vmiOf(sim)?.status?.phase).toBe('Succeeded');
  }));

test('a VM that is started paused is Paused', () =>
  story({}, async ({ sim, power, sleep }) => {
    make(sim, {}, 'Halted');
    await sleep(1_000);
    await power(namespace, 'web-vm', 'start', { paused: true });
    await sleep(3_000);
    expect(vmOf(sim)?.status?.printableStatus).toBe('Paused');
  }));

test('a guest that dies at once is Ready for about 20 ms in three lives of four', () =>
  story({}, async ({ sim, sleep }) => {
    make(sim, { 'crash-after-seconds': '0' });
    const lives = new Map<string, number>();
    for (let ms = 0; ms < 20_000; ms += 2) {
      await sleep(2);
      const vmi = vmiOf(sim);
      if (vmi?.status?.phase !== 'Running') continue;
      const ready = vmi.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      lives.set(vmi.metadata.uid, (lives.get(vmi.metadata.uid) ?? 0) + (ready ? 2 : 0));
    }
    const seen = [...lives.values()];
    expect(seen.length).toBeGreaterThan(8);
    const ready = seen.filter((ms) => ms > 0);
    for (const ms of ready) expect([18, 20, 22]).toContain(ms);
    expect(ready.length / seen.length).toBeGreaterThan(0.6);
    expect(ready.length / seen.length).toBeLessThan(0.9);
  }));

test.each<[keyof GuestAnnotations, string, string | undefined]>([
  ['fail-early', 'CrashLoopBackOff', undefined],
  ['err-image-pull', 'ErrImagePull', 'failed to pull and unpack image'],
  ['image-pull-backoff', 'ImagePullBackOff', 'Back-off pulling image'],
])("the recorder's annotation %s: the VM reads %s", (key, label, message) =>
  story({}, async ({ sim, sleep }) => {
    make(sim, { [key]: 'true' });
    await sleep(5_000);
    expect(vmOf(sim)?.status?.printableStatus).toBe(label);
    const said = vmOf(sim)?.status?.conditions?.find(({ type }) => type === 'Synchronized')?.message;
    if (message) expect(said).toContain(message);
  }),
);

test("the recorder's annotation stuck-pod: nothing ends the guest but the deletion of its pod", () =>
  story({}, async ({ sim, send, power, sleep }) => {
    make(sim, { 'stuck-pod': 'true' });
    await sleep(3_000);
    await power(namespace, 'web-vm', 'stop', { gracePeriod: 0 });
    await sleep(20_000);
    expect(vmiOf(sim)?.status?.phase).toBe('Running');
    const [pod] = sim.list<{ metadata: { name: string } }>('pods', namespace);
    await send('DELETE', `/api/v1/namespaces/${namespace}/pods/${pod!.metadata.name}?gracePeriodSeconds=0`);
    await sleep(1_000);
    expect(vmiOf(sim)).toBeUndefined();
  }));

const migration = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstanceMigration',
  metadata: { name: 'move' },
  spec: { vmiName: 'web-vm' },
};
const phaseOf = (sim: Sim) =>
  sim.get<{ status?: { phase?: string } }>('virtualmachineinstancemigrations', namespace, 'move')?.status?.phase;

test('a live migration moves the guest to the other node, and the VM reads Migrating meanwhile', () =>
  story({}, async ({ sim, send, sleep }) => {
    make(sim);
    await sleep(3_000);
    const { uid } = vmiOf(sim)!.metadata;
    expect((await send('POST', `${vms}/virtualmachineinstancemigrations`, { body: migration })).status).toBe(201);
    await sleep(1_000);
    expect(vmOf(sim)?.status?.printableStatus).toBe('Migrating');
    expect(sim.list('pods', namespace)).toHaveLength(2);
    await sleep(5_000);
    expect(phaseOf(sim)).toBe('Succeeded');
    expect(vmOf(sim)?.status?.printableStatus).toBe('Running');
    expect(vmiOf(sim)).toMatchObject({ metadata: { uid }, status: { phase: 'Running', nodeName: 'node02' } });
  }));

test('a guest that is stopped during its migration ends, and the migration fails', () =>
  story({}, async ({ sim, send, power, sleep }) => {
    make(sim);
    await sleep(3_000);
    await send('POST', `${vms}/virtualmachineinstancemigrations`, { body: migration });
    await sleep(1_000);
    await power(namespace, 'web-vm', 'stop', {});
    await sleep(2_500);
    expect(phaseOf(sim)).toBe('Failed');
    await sleep(1_000);
    expect(vmiOf(sim)).toBeUndefined();
    expect(sim.list('pods', namespace)).toEqual([]);
  }));

test('one that shuts down slowly is moved all the same, and its grace goes on from the first signal', () =>
  story({}, async ({ sim, power, sleep }) => {
    make(sim, { 'ignore-acpi': 'true', 'migration-seconds': '2' });
    await sleep(3_000);
    await power(namespace, 'web-vm', 'migrate', {});
    await sleep(500);
    await power(namespace, 'web-vm', 'stop', { gracePeriod: 6 });
    await sleep(4_000);
    expect(vmiOf(sim)?.status).toMatchObject({ phase: 'Running', nodeName: 'node02' });
    await sleep(2_600);
    expect(vmiOf(sim)).toBeUndefined();
  }));

test('the power calls are served at v1alpha3 too', () =>
  story({}, async ({ sim, send, sleep }) => {
    make(sim);
    await sleep(3_000);
    const path = `/apis/subresources.kubevirt.io/v1alpha3/namespaces/${namespace}/virtualmachines/web-vm/stop`;
    expect((await send('PUT', path, { body: {} })).status).toBe(202);
    const group = (await send('GET', '/apis/subresources.kubevirt.io')).body;
    expect(group.versions.map(({ version }: { version: string }) => version)).toEqual(['v1', 'v1alpha3']);
    expect((await send('GET', '/apis/subresources.kubevirt.io/v1alpha3')).body.resources).not.toEqual([]);
  }));

test('userlist names who is logged in, where the guest agent can say it', () =>
  story({}, async ({ sim, send, sleep }) => {
    make(sim, { users: 'alice,bob', 'agent-after-seconds': '2' });
    await sleep(2_000);
    const path = `${sub}/virtualmachineinstances/web-vm/userlist`;
    const unable = await send('GET', path);
    expect([unable.status, unable.text]).toEqual([
      500,
      expect.stringMatching(/VMI does not have guest agent connected$/),
    ]);
    await sleep(2_000);
    const { status, body } = await send('GET', path);
    expect(status).toBe(200);
    expect(body.items.map(({ userName }: { userName: string }) => userName)).toEqual(['alice', 'bob']);
    expect((await send('GET', path.replace('web-vm', 'none'))).status).toBe(500);
    expect((await send('GET', path.replace('userlist', 'guestosinfo'))).body.hostname).toBe('web-vm');
    sim.addToken('nobody', 'nobody', []);
    expect((await send('GET', path, { token: 'nobody' })).status).toBe(403);
  }));

test('the container of a launcher waits, is ready while its guest runs, and says how it ended', () =>
  story({}, async ({ sim, sleep }) => {
    type Pod = { status: { containerStatuses: { ready: boolean; state: object }[] } };
    make(sim, { 'poweroff-after-seconds': '5' }, 'RerunOnFailure');
    const seen = new Set<string>();
    for (let ms = 0; ms < 8_000; ms += 20) {
      await sleep(20);
      const [pod] = sim.list<Pod>('pods', namespace);
      for (const { ready, state } of pod?.status.containerStatuses ?? []) seen.add(`${Object.keys(state)[0]} ${ready}`);
    }
    expect([...seen]).toEqual(['waiting false', 'running true', 'terminated false']);
  }));
