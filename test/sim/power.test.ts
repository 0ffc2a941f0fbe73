import { describe, expect, test } from 'vitest';

import type { Strategy, Vm, Vmi } from '../../sim/kubevirt/kubevirt.ts';
import type { GuestAnnotations, Sim } from '../../sim/sim.ts';
import { story } from './client.ts';

const vmOf = (sim: Sim) => sim.get<Vm>('virtualmachines', 'dev', 'web-vm') as Vm;
const vmiOf = (sim: Sim) => sim.get<Vmi>('virtualmachineinstances', 'dev', 'web-vm');
const queueOf = (sim: Sim) => (vmOf(sim).status?.stateChangeRequests ?? []).map(({ action }) => action);
const make = (sim: Sim, runStrategy: Strategy, guest: GuestAnnotations = {}, terminationGracePeriodSeconds?: number) =>
  sim.createWukong({ namespace: 'dev', name: 'web', runStrategy, guest, terminationGracePeriodSeconds });

describe('a power call', () => {
  test('is refused for Accept: application/json alone, and answers 202 with nothing in it', () =>
    story({}, async ({ sim, send, sleep }) => {
      make(sim, 'Always');
      await sleep(2000);
      const stop = '/apis/subresources.kubevirt.io/v1/namespaces/dev/virtualmachines/web-vm/stop';
      const refused = await send('PUT', stop, { accept: 'application/json' });
      expect([refused.status, vmOf(sim).spec.runStrategy]).toEqual([406, 'Always']);
      expect(refused.headers['content-type']).toContain('text/plain');
      const done = await send('PUT', stop);
      expect([done.status, done.text, done.headers['content-type']]).toEqual([202, '', undefined]);
      expect((await send('POST', stop)).status).toBe(405);
      expect((await send('PUT', stop, { body: '{' })).status).toBe(400);
      expect((await send('PUT', stop, { body: { gracePeriod: 'soon' } })).status).toBe(400);
    }));

  test('dries only by its body: the query is ignored', () =>
    story({}, async ({ sim, power, sleep }) => {
      make(sim, 'Always');
      await sleep(2000);
      expect((await power('dev', 'web-vm', 'stop', { dryRun: ['All'] })).status).toBe(202);
      expect(vmOf(sim).spec.runStrategy).toBe('Always');
      await power('dev', 'web-vm', 'stop?dryRun=All');
      expect(vmOf(sim).spec.runStrategy).toBe('Halted');
    }));

  test('of six at once is granted once', () =>
    story({}, async ({ sim, power, sleep }) => {
      for (const strategy of ['Halted', 'Manual'] as const) {
        const name = strategy.toLowerCase();
        sim.createWukong({ namespace: 'dev', name, runStrategy: strategy });
        await sleep(500);
        const all = await Promise.all(Array.from({ length: 6 }, () => power('dev', `${name}-vm`, 'start', {})));
        expect(all.map(({ status }) => status).sort()).toEqual([202, 500, 500, 500, 500, 500]);
      }
    }));

  test('of a missing VM is 404 in virt-api’s words', () =>
    story({}, async ({ power }) => {
      const reply = await power('dev', 'x', 'start');
      expect([reply.status, reply.body.message]).toEqual([404, 'virtualmachine.kubevirt.io "x" not found']);
    }));

  test('with virt-api down: 503 in plain text, VM writes fail at their webhook, reads go on', () =>
    story({}, async ({ sim, power, patch, send }) => {
      make(sim, 'Halted');
      sim.faults.virtApiDown(true);
      const reply = await power('dev', 'web-vm', 'start');
      expect([reply.status, reply.headers['content-type'], reply.headers['retry-after']]).toEqual([
        503,
        'text/plain; charset=utf-8',
        undefined,
      ]);
      const path = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines/web-vm';
      const write = await patch(path, { metadata: { annotations: { a: 'b' } } });
      expect([write.status, write.body.message]).toEqual([500, expect.stringContaining('failed calling webhook')]);
      expect((await send('GET', path)).status).toBe(200);
    }));
});

describe('a stop', () => {
  test('of a guest that ignores ACPI ends it when its grace is over, as Failed', () =>
    story({}, async ({ sim, power, clock, sleep }) => {
      make(sim, 'Always', { 'ignore-acpi': 'true' });
      await sleep(2000);
      const asked = clock.now();
      await power('dev', 'web-vm', 'stop', { gracePeriod: 3 });
      while (vmiOf(sim)?.status?.phase === 'Running') await sleep(10);
      expect(vmiOf(sim)?.status?.phase).toBe('Failed');
      expect(clock.now() - asked).toBeGreaterThan(3000);
      expect(clock.now() - asked).toBeLessThan(3500);
    }));

  test.each(['Always', 'Manual', 'RerunOnFailure', 'Once'] as const)(
    'with grace 0 ends a stopping guest at once: %s',
    (strategy) =>
      story({}, async ({ sim, power, sleep }) => {
        make(sim, strategy, { 'ignore-acpi': 'true' });
        await sleep(700);
        if (strategy === 'Manual') await power('dev', 'web-vm', 'start');
        await sleep(2000);
        await power('dev', 'web-vm', 'stop');
        await sleep(1000);
        expect((await power('dev', 'web-vm', 'stop', { gracePeriod: 0 })).status).toBe(202);
        await sleep(400);
        expect(vmiOf(sim)).toBeUndefined();
      }),
  );

  test('that is refused with a longer grace extends the shutdown all the same, up to what the pod allows', () =>
    story({}, async ({ sim, power, sleep }) => {
      make(sim, 'Always', { 'ignore-acpi': 'true' }, 5);
      await sleep(2000);
      await power('dev', 'web-vm', 'stop');
      await sleep(1000);
      expect((await power('dev', 'web-vm', 'stop', { gracePeriod: 600 })).status).toBe(409);
      await sleep(29_000);
      expect(vmiOf(sim)?.status?.phase).toBe('Running');
      await sleep(8000);
      expect(vmiOf(sim)).toBeUndefined();
    }));

  test('of a hanging node does nothing, until the launcher pod is deleted by force', () =>
    story({}, async ({ sim, power, send, sleep }) => {
      make(sim, 'Always', { hang: 'true' }, 5);
      await sleep(2000);
      await power('dev', 'web-vm', 'stop', { gracePeriod: 0 });
      await sleep(120_000);
      const { uid } = vmiOf(sim)?.metadata ?? { uid: '' };
      const selector = encodeURIComponent(`kubevirt.io/created-by=${uid}`);
      const pods = await send('GET', `/api/v1/namespaces/dev/pods?labelSelector=${selector}`);
      expect(pods.body.items).toHaveLength(1);
      const { name, deletionGracePeriodSeconds } = pods.body.items[0].metadata;
      expect(deletionGracePeriodSeconds).toBe(35);
      await send('DELETE', `/api/v1/namespaces/dev/pods/${name}?gracePeriodSeconds=0`);
      await sleep(300);
      expect(vmiOf(sim)).toBeUndefined();
    }));

  test('while a start is queued loses against it: the VM becomes Always', () =>
    story({}, async ({ sim, power, patch, sleep }) => {
      make(sim, 'RerunOnFailure', { 'never-running': 'true' });
      await sleep(3000);
      expect([queueOf(sim), vmOf(sim).status?.printableStatus]).toEqual([['Start'], 'CrashLoopBackOff']);
      const refused = await power('dev', 'web-vm', 'stop');
      expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('VM is not running')]);
      const path = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines/web-vm';
      await patch(path, { spec: { runStrategy: 'Halted' } });
      await sleep(500);
      expect(vmOf(sim).spec.runStrategy).toBe('Always');
    }));

  test('holds once the queue is cleared through /status first', () =>
    story({}, async ({ sim, patch, sleep }) => {
      make(sim, 'RerunOnFailure', { 'never-running': 'true' });
      await sleep(3000);
      const path = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachines/web-vm';
      const type = 'application/json-patch+json';
      const queue = vmOf(sim).status?.stateChangeRequests;
      const place = '/status/stateChangeRequests';
      const cleared = await patch(
        `${path}/status`,
        [
          { op: 'test', path: place, value: queue },
          { op: 'remove', path: place },
        ],
        type,
      );
      expect(cleared.status).toBe(200);
      await patch(path, { spec: { runStrategy: 'Halted' } });
      await sleep(60_000);
      expect([vmOf(sim).spec.runStrategy, vmiOf(sim)]).toEqual(['Halted', undefined]);
    }));

  test('during a restart: alone it comes back as Always, with a shorter grace it holds', () =>
    story({}, async ({ sim, power, sleep }) => {
      make(sim, 'Always', { 'shutdown-seconds': '6' });
      await sleep(2000);
      await power('dev', 'web-vm', 'restart');
      await power('dev', 'web-vm', 'stop');
      await sleep(9000);
      expect([vmOf(sim).spec.runStrategy, vmiOf(sim)?.status?.phase]).toEqual(['Always', 'Running']);
      await power('dev', 'web-vm', 'restart');
      await power('dev', 'web-vm', 'stop');
      await power('dev', 'web-vm', 'stop', { gracePeriod: 10 });
      await sleep(9000);
      expect([vmOf(sim).spec.runStrategy, vmiOf(sim)]).toEqual(['Halted', undefined]);
    }));

  test('by deleting the VMI alone brings another one', () =>
    story({}, async ({ sim, send, patch, sleep }) => {
      make(sim, 'Always');
      await sleep(2000);
      const before = vmiOf(sim)?.metadata.uid;
      await send('DELETE', '/apis/kubevirt.io/v1/namespaces/dev/virtualmachineinstances/web-vm?gracePeriodSeconds=0');
      expect(vmiOf(sim)?.status?.phase).toBe('Running');
      await sleep(4000);
      expect([vmiOf(sim)?.status?.phase, vmiOf(sim)?.metadata.uid === before]).toEqual(['Running', false]);
      const path = '/apis/kubevirt.io/v1/namespaces/dev/virtualmachineinstances/web-vm';
      expect((await patch(path, { spec: { terminationGracePeriodSeconds: 0 } })).status).toBe(422);
    }));
});
