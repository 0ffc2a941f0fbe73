import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isToldTrue, startedAs } from '../looking.ts';
import { conditionOf, isUp, strategyOf, type Switch, vmiOf, vmOf, wukongOf } from '../making.ts';
import type { Stage } from '../stage.ts';

const nameOf = (by: Switch): string => ('running' in by ? `running: ${by.running}` : by.runStrategy);

/** KUBEVIRT §1, the start table: what KubeVirt writes, and what comes back of what the owner chose. */
const off: [by: Switch, after: string | boolean][] = [
  [{ runStrategy: 'Halted' }, 'Always'],
  [{ running: false }, true],
  [{ runStrategy: 'Manual' }, 'Manual'],
  [{ runStrategy: 'RerunOnFailure' }, 'RerunOnFailure'],
];
const kept: [by: Switch, after: string | boolean][] = [
  [{ runStrategy: 'Always' }, 'Always'],
  [{ running: true }, true],
  [{ runStrategy: 'Once' }, 'Once'],
  [{ runStrategy: 'Manual' }, 'Manual'],
  [{ runStrategy: 'RerunOnFailure' }, 'RerunOnFailure'],
];

export const startCases = cases('start', [
  ...off.map(([by, after]) => ({
    name: `${nameOf(by)}, no guest: up and ready, and the strategy is ${after}`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'off' });
      await startedAs(stage, made, await stage.start(made), 'Started', after);
    },
  })),
  ...kept.map(([by, after]) => ({
    name: `${nameOf(by)}, guest up: AlreadyOn, nothing is asked`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'on' });
      await startedAs(stage, made, await stage.start(made), 'AlreadyOn', after);
      assert.equal((await vmiOf(stage, made)).metadata.uid, made.uid);
    },
  })),
  ...kept.map(([by, after]) => ({
    name: `${nameOf(by)}, off by us and on again: the owner's strategy is back`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'on' });
      is(await stage.stop(made), 'Stopped');
      await startedAs(stage, made, await stage.start(made), 'Started', after);
    },
  })),
  ...kept.map(([by]) => ({
    name: `${nameOf(by)}, the old guest still shutting down: its 409 is no success, a new guest is`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'stopping', guest: { 'shutdown-seconds': '4' } });
      is(await stage.start(made), 'Started');
      assert.ok(await isUp(stage, made));
      assert.notEqual((await vmiOf(stage, made)).metadata.uid, made.uid, 'the old guest was taken for the new one');
      await isToldTrue(stage, made, 'Running', 'Started');
    },
  })),
  ...(['Always', 'Manual'] as const).map((runStrategy) => ({
    name: `${runStrategy}, starting already: waits until it is ready`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ by: { runStrategy }, as: 'starting', guest: { 'boot-seconds': '5' } });
      await startedAs(stage, made, await stage.start(made), 'Started', runStrategy);
    },
  })),
  ...(
    [
      ['Manual', 'Failed'],
      ['Manual', 'Succeeded'],
      ['Once', 'Succeeded'],
      ['RerunOnFailure', 'Succeeded'],
    ] as const
  ).map(([runStrategy, as]) => ({
    name: `${runStrategy}, its guest ended as ${as}: a new one comes up`,
    guests: true,
    async run(stage: Stage) {
      const guest = as === 'Failed' ? { 'crash-after-seconds': '3' } : { 'poweroff-after-seconds': '3' };
      const made = await stage.make({ by: { runStrategy }, as, guest });
      is(await stage.start(made), 'Started');
      const told = (await wukongOf(stage, made)).status.lifecycleState;
      assert.equal(told.outcome, 'Started');
      assert.notEqual((await vmiOf(stage, made))?.metadata.uid, made.uid);
    },
  })),
  {
    name: 'a lease is written down, and a stop by hand takes it away',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' });
      is(await stage.start(made, { leaseSeconds: 3_600 }), 'Started');
      const key = 'lifecycle.novasphere.dev/lease-until';
      assert.ok((await wukongOf(stage, made)).metadata.annotations[key]);
      is(await stage.stop(made), 'Stopped');
      await stage.until(
        'the lease to end',
        async () => {
          const until = (await wukongOf(stage, made)).metadata.annotations[key];
          return until === undefined || Date.parse(until) <= stage.ground.clock.now();
        },
        5_000,
      );
    },
  },
]);

const absentDisk = (claimName: string) => ({
  domain: { devices: { disks: [{ name: 'd', disk: { bus: 'virtio' } }] }, resources: { requests: { memory: '64Mi' } } },
  volumes: [{ name: 'd', persistentVolumeClaim: { claimName } }],
});
const halted = { by: { runStrategy: 'Halted' }, as: 'off' } as const;

export const failureCases = cases('start that fails', [
  {
    name: 'a PVC that does not exist: StorageNotReady, naming it',
    async run(stage) {
      const made = await stage.make({ ...halted, template: absentDisk('nowhere') });
      const outcome = await stage.start(made, { waitSeconds: 8 });
      is(outcome, 'Failed', 'StorageNotReady');
      assert.match(outcome.message, /nowhere/);
    },
  },
  {
    name: 'a PVC that is not bound: StorageNotReady',
    async run(stage) {
      const { namespace } = stage;
      // No class of that name: it stays Pending. An embedded cluster, which has no classes, is told so.
      const metadata = { name: 'unbound', annotations: { 'sim.novasphere.dev/pvc-unbound': 'true' } };
      const spec = {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'contract-nobody',
        resources: { requests: { storage: '1Mi' } },
      };
      const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec };
      assert.equal((await stage.send('POST', paths.core(namespace, 'persistentvolumeclaims'), claim)).status, 201);
      const made = await stage.make({ ...halted, template: absentDisk('unbound') });
      is(await stage.start(made, { waitSeconds: 8 }), 'Failed', 'StorageNotReady');
    },
  },
  {
    name: "no node fits: Unschedulable, in the scheduler's words; the wish to run stays",
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...halted, guest: { unschedulable: 'true' } });
      const outcome = await stage.start(made, { waitSeconds: 8 });
      is(outcome, 'Failed', 'Unschedulable');
      assert.match(outcome.message, /nodes are available/);
      assert.equal((await wukongOf(stage, made)).spec.startStrategy.autoStart, true);
      assert.equal(strategyOf(await vmOf(stage, made)), 'Always');
    },
  },
  {
    name: 'a guest that dies again and again: GuestCrashLoop',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...halted, guest: { 'crash-after-seconds': '0' } });
      is(await stage.start(made, { waitSeconds: 12 }), 'Failed', 'GuestCrashLoop');
    },
  },
  {
    name: 'a guest that is too slow: TimedOut; when it comes up later the next tick says Running',
    guests: true,
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...halted, guest: { 'boot-seconds': '12' } });
      is(await stage.start(made, { waitSeconds: 4 }), 'Failed', 'TimedOut');
      await stage.until('the guest to be up', () => isUp(stage, made));
      await stage.tick();
      const { status } = await wukongOf(stage, made);
      assert.equal(status.lifecycleState.state, 'Running');
      const ready = status.conditions.find(({ type }: { type: string }) => type === 'LifecycleReady');
      assert.equal(ready.status, 'True');
    },
  },
  {
    name: 'REQUIRE_AGENT without an agent: TimedOut, naming the agent',
    async run(stage) {
      const made = await stage.make(halted);
      const outcome = await stage.start(made, { waitSeconds: 8 }, { env: { REQUIRE_AGENT: 'true' } });
      is(outcome, 'Failed', 'TimedOut');
      assert.match(outcome.message, /agent/);
    },
  },
  {
    name: 'a paused VM is not ready: TimedOut, saying how to resume it',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Always' }, as: 'on' });
      const path = paths.sub(stage.namespace, 'virtualmachineinstances', made.vm, 'pause');
      assert.equal((await stage.send('PUT', path, {})).status, 200); // done at once, by virt-handler
      await stage.until('the pause', async () => conditionOf(await vmiOf(stage, made), 'Paused') === 'True');
      const outcome = await stage.start(made, { waitSeconds: 4 });
      is(outcome, 'Failed', 'TimedOut');
      assert.match(outcome.message, /unpause/);
    },
  },
  {
    name: 'networks that the operator says are not ready: NetworkNotReady in its words, where nothing else tells',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...halted, guest: { 'boot-seconds': '30' } });
      const lastTransitionTime = '2026-01-01T00:00:00Z';
      const condition = {
        type: 'NetworksConfigured',
        status: 'False',
        reason: 'Missing',
        message: 'no attachment blue',
        lastTransitionTime,
      };
      const path = `${paths.wukong(stage.namespace, made.wukong)}/status`;
      assert.equal((await stage.send('PATCH', path, { status: { conditions: [condition] } })).status, 200);
      const outcome = await stage.start(made, { waitSeconds: 4 });
      is(outcome, 'Failed', 'NetworkNotReady');
      assert.match(outcome.message, /attachment blue/);
    },
  },
  {
    name: 'a Wukong that does not exist: NotFound',
    async run(stage) {
      is(await stage.start({ wukong: 'nobody', vm: 'nobody-vm', uid: undefined }), 'Failed', 'NotFound');
    },
  },
  {
    name: 'a Wukong without its VM: NotFound',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' });
      await stage.send('DELETE', paths.vm(stage.namespace, made.vm));
      await stage.until('the VM to go', async () => !(await vmOf(stage, made)));
      is(await stage.start(made), 'Failed', 'NotFound');
    },
  },
]);
