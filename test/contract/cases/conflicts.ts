import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { eventsOf, is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, vmiOf, wukongOf } from '../making.ts';

const on = { by: { runStrategy: 'Always' }, as: 'on' } as const;
const slow = { ...on, guest: { 'shutdown-seconds': '4' } } as const;

export const conflictCases = cases('conflicts', [
  {
    name: 'two stops at once: one stops it, the other is its duplicate; both wait for nothing twice',
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      const both = await Promise.all([stage.stop(made), stage.stop(made)]);
      const names = both.map(({ outcome }) => outcome).sort();
      assert.ok(names.includes('Stopped'), names.join());
      assert.ok(
        names.every((name) => /^(Stopped|Skipped|Superseded|InProgress)$/.test(name)),
        names.join(),
      );
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
    },
  },
  {
    name: 'the same request twice: the second is a Duplicate',
    async run(stage) {
      const made = await stage.make(on);
      is(await stage.stop(made, { requestId: 'once' }), 'Stopped');
      is(await stage.stop(made, { requestId: 'once' }), 'Skipped', 'Duplicate');
      assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === 'Stopped').length, 1);
    },
  },
  {
    name: 'a start takes over from a stop that runs: the stop ends as Superseded, the VM is on',
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      const stopped = stage.stop(made);
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      is(await stage.start(made), 'Started');
      is(await stopped, 'Superseded');
      assert.ok(await isUp(stage, made));
      await isToldTrue(stage, made, 'Running', 'Started');
    },
  },
  {
    name: 'an older stop that comes late does not undo a newer start',
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' });
      const scheduledAt = new Date(stage.ground.clock.now() - 60_000).toISOString();
      is(await stage.start(made), 'Started');
      is(await stage.stop(made, { scheduledAt }), 'Superseded');
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'somebody who writes the Wukong all the time',
    async run(stage) {
      const made = await stage.make(on);
      const path = paths.wukong(stage.namespace, made.wukong);
      let over = false;
      const stopped = stage.stop(made).finally(() => (over = true));
      for (let count = 0; !over; count++) {
        await stage.send('PATCH', path, { metadata: { annotations: { 'contract/count': String(count) } } });
        await stage.sleep(40);
      }
      is(await stopped, 'Stopped');
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.ok((await wukongOf(stage, made)).metadata.annotations['contract/count'], 'their annotation is gone');
    },
  },
  {
    name: "six who stop the same VM by KubeVirt's own call meanwhile",
    async run(stage) {
      const made = await stage.make(on);
      const [outcome] = await Promise.all([
        stage.stop(made),
        ...Array.from({ length: 6 }, () => stage.power(made, 'stop')),
      ]);
      is(outcome, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'somebody who starts it while we stop it: the newest wish, ours, is what counts at the end',
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      const stopped = stage.stop(made);
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      await stage.send('PATCH', paths.vm(stage.namespace, made.vm), { spec: { runStrategy: 'Always' } });
      is(await stopped, 'Stopped');
      await isOffNow(stage, made, 4_000);
    },
  },
  {
    name: 'a Wukong that is deleted while it is being stopped',
    guests: true,
    async run(stage) {
      const made = await stage.make(slow);
      const stopped = stage.stop(made);
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      await stage.send('DELETE', paths.wukong(stage.namespace, made.wukong));
      const { outcome } = await stopped;
      assert.ok(/^(Failed|Stopped|Superseded)$/.test(outcome), outcome);
      assert.equal(await wukongOf(stage, made), undefined, 'it was made anew');
    },
  },
]);
