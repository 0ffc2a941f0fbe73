import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { is, isOffNow, isToldTrue, stoppedAs } from '../looking.ts';
import { type Guest, type Making, strategyOf, type Switch, vmiOf, vmOf } from '../making.ts';
import type { Stage } from '../stage.ts';

type Row = [by: Switch, strategyAfter: string | boolean];
const nameOf = (by: Switch): string => ('running' in by ? `running: ${by.running}` : by.runStrategy);

/** KUBEVIRT §1, the stop table. */
const alive: Row[] = [
  [{ runStrategy: 'Always' }, 'Halted'],
  [{ runStrategy: 'Once' }, 'Halted'],
  [{ running: true }, false],
  [{ runStrategy: 'Manual' }, 'Manual'],
  [{ runStrategy: 'RerunOnFailure' }, 'RerunOnFailure'],
];
const none: Row[] = [
  [{ runStrategy: 'Halted' }, 'Halted'],
  [{ running: false }, false],
  [{ runStrategy: 'Manual' }, 'Manual'],
  [{ runStrategy: 'RerunOnFailure' }, 'RerunOnFailure'],
];

const stopping = cases('stop', [
  ...alive.map(([by, after]) => ({
    name: `${nameOf(by)}, guest up: off, and the strategy is ${after}`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'on' });
      await stoppedAs(stage, made, await stage.stop(made), 'Stopped', after);
    },
  })),
  ...none.map(([by, after]) => ({
    name: `${nameOf(by)}, no guest: AlreadyOff, KubeVirt is not asked`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'off' });
      await stoppedAs(stage, made, await stage.stop(made), 'AlreadyOff', after);
    },
  })),
  ...alive.map(([by, after]) => ({
    name: `${nameOf(by)}, shutting down already: waits for that end`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'stopping', guest: { 'shutdown-seconds': '4' } });
      await stoppedAs(stage, made, await stage.stop(made), 'Stopped', after);
    },
  })),
  ...alive.map(([by]) => ({
    name: `${nameOf(by)}, still starting: off, and stays off`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'starting', guest: { 'boot-seconds': '6' } });
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made, 8_000);
      await isToldTrue(stage, made, 'Stopped');
    },
  })),
  ...(['Always', 'Manual'] as const).map((runStrategy) => ({
    name: `${runStrategy}, a restart under way: off, and does not come back`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ by: { runStrategy }, as: 'restarting', guest: { 'shutdown-seconds': '4' } });
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made, 6_000);
    },
  })),
  {
    name: 'running: true, a restart under way: off, and does not come back',
    guests: true,
    async run(stage) {
      const made = await stage.make({ by: { running: true }, as: 'restarting', guest: { 'shutdown-seconds': '4' } });
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made, 6_000);
    },
  },
]);

const ended = (runStrategy: 'Manual' | 'Once', as: 'Failed' | 'Succeeded') => ({
  name: `${runStrategy}, its guest ended as ${as}: AlreadyOff`,
  guests: true,
  async run(stage: Stage) {
    const guest: Guest = as === 'Failed' ? { 'crash-after-seconds': '1' } : { 'poweroff-after-seconds': '1' };
    const made = await stage.make({ by: { runStrategy }, as, guest });
    is(await stage.stop(made), 'AlreadyOff');
    await isOffNow(stage, made);
  },
});

const crashing = cases('stop', [
  ended('Manual', 'Failed'),
  ended('Manual', 'Succeeded'),
  ended('Once', 'Failed'),
  ended('Once', 'Succeeded'),
  ...([{ runStrategy: 'Always' }, { running: true }, { runStrategy: 'RerunOnFailure' }] as Switch[]).map((by) => ({
    name: `${nameOf(by)}, crashing again and again: off, and stays off`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'crashing', guest: { 'crash-after-seconds': '1' } });
      const { outcome } = await stage.stop(made);
      assert.ok(outcome === 'Stopped' || outcome === 'AlreadyOff' || outcome === 'ForcedOff', outcome);
      await isOffNow(stage, made, 8_000);
      await isToldTrue(stage, made, 'Stopped');
    },
  })),
]);

const deaf: Making = { by: { runStrategy: 'Always' }, as: 'on', guest: { 'ignore-acpi': 'true' } };

const forcing = cases('force', [
  {
    name: 'force ends a guest at once, that would have taken its time',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...deaf, guest: { 'shutdown-seconds': '100' } });
      const begun = stage.ground.clock.now();
      const outcome = await stage.stop(made, { force: true });
      is(outcome, 'ForcedOff', 'Requested');
      assert.ok(stage.ground.clock.now() - begun < 30_000);
      await stoppedAs(stage, made, outcome, 'ForcedOff', 'Halted');
    },
  },
  {
    name: 'force on a guest that is up',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Always' }, as: 'on' });
      await stoppedAs(stage, made, await stage.stop(made, { force: true }), 'ForcedOff', 'Halted');
    },
  },
  ...(['Always', 'Manual', 'RerunOnFailure', 'Once'] as const).map((runStrategy) => ({
    name: `${runStrategy}: KubeVirt ends a guest that ignores ACPI when its grace is over, not before`,
    guests: true,
    async run(stage: Stage) {
      const made = await stage.make({ ...deaf, by: { runStrategy } });
      const begun = stage.ground.clock.now();
      const outcome = await stage.stop(made, { gracePeriodSeconds: 4 });
      is(outcome, 'ForcedOff', 'GracePeriodExceeded');
      assert.ok(stage.ground.clock.now() - begun >= 4_000, 'it went before its grace was over');
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'ForcedOff');
    },
  })),
  {
    name: 'a shorter grace cuts a shutdown short that is under way',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...deaf, as: 'stopping', graceSeconds: 60 });
      is(await stage.stop(made, { gracePeriodSeconds: 3 }), 'ForcedOff');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a guest that needs most of its grace is let be',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...deaf, guest: { 'shutdown-seconds': '6' } });
      await stoppedAs(stage, made, await stage.stop(made, { gracePeriodSeconds: 10 }), 'Stopped', 'Halted');
    },
  },
  {
    name: 'a grace beyond what the launcher pod allows is capped, and said so',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Always' }, as: 'on', graceSeconds: 5 });
      const outcome = await stage.stop(made, { gracePeriodSeconds: 600 });
      is(outcome, 'Stopped');
      assert.match(outcome.message, /600 s was capped at 35 s/);
    },
  },
  {
    name: 'a node side that never answers: Stuck, with VMI, node and uid; nothing more is done',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...deaf, guest: { hang: 'true' }, graceSeconds: 1 });
      const outcome = await stage.stop(made, { force: true });
      is(outcome, 'Failed', 'Stuck');
      assert.match(outcome.message, new RegExp(String(made.uid)));
      assert.ok(await vmiOf(stage, made), 'the VMI is gone');
    },
  },
  {
    name: 'the same with deletePodWhenStuck: the pod is deleted, and the VM is off',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...deaf, guest: { hang: 'true' }, graceSeconds: 1 });
      const outcome = await stage.stop(made, { force: true, deletePodWhenStuck: true });
      is(outcome, 'ForcedOff', 'PodDeleted');
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'ForcedOff');
    },
  },
]);

const patching = cases('POWER_METHOD=patch', [
  ...(
    [
      [{ runStrategy: 'Always' }, 'Halted'],
      [{ running: true }, false],
    ] as Row[]
  ).map(([by, after]) => ({
    name: `${nameOf(by)}: off by a patch of the field that it uses`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'on' });
      const env = { POWER_METHOD: 'patch' };
      await stoppedAs(stage, made, await stage.stop(made, {}, { env }), 'Stopped', after);
    },
  })),
  {
    name: 'Halted: on by a patch',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' });
      is(await stage.start(made, {}, { env: { POWER_METHOD: 'patch' } }), 'Started');
      assert.equal(strategyOf(await vmOf(stage, made)), 'Always');
    },
  },
]);

export const stopCases = [...stopping, ...crashing, ...forcing, ...patching];
