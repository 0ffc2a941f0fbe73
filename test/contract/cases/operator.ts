import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made, vmiOf, vmOf, wukongOf } from '../making.ts';
import type { Stage } from '../stage.ts';

/** What the operator does at every change of a Wukong (KUBEVIRT §4): the whole VM spec anew, by autoStart. */
async function rewriteVm(stage: Stage, made: Made): Promise<void> {
  const wukong = await wukongOf(stage, made);
  const vm = await vmOf(stage, made);
  const spec = { running: wukong.spec.startStrategy.autoStart, template: vm.spec.template };
  const { status, body } = await stage.send('PUT', paths.vm(stage.namespace, made.vm), { ...vm, spec });
  assert.ok(status === 200 || status === 409, JSON.stringify(body).slice(0, 300));
}

/** Its typed PUT of the status: what it does not know is gone. */
async function wipeStatus(stage: Stage, made: Made): Promise<void> {
  const wukong = await wukongOf(stage, made);
  const { lifecycleState: _unknown, ...known } = wukong.status ?? {};
  const path = `${paths.wukong(stage.namespace, made.wukong)}/status`;
  assert.equal((await stage.send('PUT', path, { ...wukong, status: { ...known, phase: 'Running' } })).status, 200);
}

const on = { by: { running: true }, as: 'on' } as const;

export const operatorCases = cases('the operator', [
  {
    name: 'rewrites the VM after a stop: it stays off, because the wish was written too',
    async run(stage) {
      const made = await stage.make(on);
      is(await stage.stop(made), 'Stopped');
      await rewriteVm(stage, made);
      await isOffNow(stage, made, 4_000);
    },
  },
  {
    name: 'rewrites the VM after a start: it stays on',
    async run(stage) {
      const made = await stage.make({ by: { running: false }, as: 'off' });
      is(await stage.start(made), 'Started');
      await rewriteVm(stage, made);
      await stage.sleep(3_000);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'rewrites the VM again and again while it is being stopped',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '4' } });
      let over = false;
      const stopped = stage.stop(made).finally(() => (over = true));
      while (!over) {
        await rewriteVm(stage, made);
        await stage.sleep(300);
      }
      is(await stopped, 'Stopped');
      await isOffNow(stage, made, 4_000);
    },
  },
  {
    name: 'wipes the status after a stop: the next tick writes it again, as it was',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const { requestId } = await stage.stop(made);
      await wipeStatus(stage, made);
      assert.equal((await wukongOf(stage, made)).status.lifecycleState, undefined);
      await stage.tick();
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await wukongOf(stage, made)).status.lifecycleState.requestId, requestId);
    },
  },
  {
    name: 'wipes the status while a stop runs: its end is told all the same',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '4' } });
      const stopped = stage.stop(made);
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      await wipeStatus(stage, made);
      is(await stopped, 'Stopped');
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
    },
  },
  {
    name: 'its own phase and conditions are never written by us',
    async run(stage) {
      const made = await stage.make(on);
      const lastTransitionTime = '2026-01-01T00:00:00Z';
      const ready = { type: 'Ready', status: 'True', reason: 'VMRunning', message: 'up', lastTransitionTime };
      const path = `${paths.wukong(stage.namespace, made.wukong)}/status`;
      assert.equal(
        (await stage.send('PATCH', path, { status: { phase: 'Running', conditions: [ready] } })).status,
        200,
      );
      is(await stage.stop(made), 'Stopped');
      const { status } = await wukongOf(stage, made);
      assert.equal(status.phase, 'Running');
      const { lastTransitionTime: when, ...kept } = status.conditions.find(
        ({ type }: { type: string }) => type === 'Ready',
      );
      assert.deepEqual([kept.status, kept.reason, kept.message, when], ['True', 'VMRunning', 'up', lastTransitionTime]);
    },
  },
  {
    name: 'drops spec.lifecycleAction while it is carried out: the operation goes on to its end',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '4' } });
      const path = paths.wukong(stage.namespace, made.wukong);
      await stage.send('PATCH', path, { spec: { lifecycleAction: { action: 'stop' } } });
      const tick = stage.tick();
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      await stage.send('PATCH', path, { spec: { lifecycleAction: null } });
      await tick;
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      await isOffNow(stage, made);
    },
  },
]);
