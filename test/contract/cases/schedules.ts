import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, wukongOf } from '../making.ts';
import { boundary, cronAt, minute, off, on, prefix, schedule, soon } from '../timing.ts';

export const scheduleCases = cases('schedules', [
  {
    name: 'a stop that is due is carried out once',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop');
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await wukongOf(stage, made)).status.lifecycleState.trigger, 'schedule');
      assert.deepEqual((await stage.tick()).outcomes, []);
    },
  },
  {
    name: 'a start that is due is carried out once; the schedule says what comes next',
    alone: true,
    async run(stage) {
      const made = await stage.make(off);
      const at = await boundary(stage, 'start');
      is((await stage.tick()).outcomes[0]!, 'Started');
      await isToldTrue(stage, made, 'Running', 'Started');
      await stage.tick();
      const { status } = (await stage.send('GET', paths.schedule(stage.namespace, 'office'))).body;
      assert.equal(Date.parse(status.nextStart), at + 24 * 60 * minute);
      assert.equal(Date.parse(status.lastHandled), at);
      assert.equal(status.conditions[0].status, 'True');
    },
  },
  {
    name: 'a stop that comes later is not done now, but announced in the status',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const at = soon(stage) + 30 * minute;
      await schedule(stage, { stop: cronAt(at) });
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
      const told = (await wukongOf(stage, made)).status.lifecycleState;
      assert.deepEqual([told.nextAction, Date.parse(told.nextActionTime)], ['stop', at]);
    },
  },
  {
    name: 'a suspended schedule does nothing',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop', { suspend: true });
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: "a Wukong without the labels is nobody's; the schedule says how many it has",
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, labels: { contract: 'other' } });
      await boundary(stage, 'stop');
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
      const { status } = (await stage.send('GET', paths.schedule(stage.namespace, 'office'))).body;
      assert.deepEqual([status.matched, status.conditions[0].reason], [0, 'NothingMatched']);
    },
  },
  {
    name: 'a cron that is none: Ready=False with the reason; the others go on',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      // The CRD refuses what is no cron at all; this one is one, and never happens.
      await schedule(stage, { stop: '0 0 30 2 *' }, 'broken');
      await boundary(stage, 'stop');
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
      const { status } = (await stage.send('GET', paths.schedule(stage.namespace, 'broken'))).body;
      assert.deepEqual([status.conditions[0].status, status.conditions[0].reason], ['False', 'InvalidCron']);
    },
  },
  {
    name: 'a time zone that is none: Ready=False with the reason',
    alone: true,
    async run(stage) {
      await stage.make(on);
      await schedule(stage, { stop: '0 20 * * *', timeZone: 'Mars/Olympus' });
      await stage.tick();
      const { status } = (await stage.send('GET', paths.schedule(stage.namespace, 'office'))).body;
      assert.equal(status.conditions[0].reason, 'InvalidTimeZone');
    },
  },
  {
    name: 'keep-running-until holds a stop back, and is told once',
    alone: true,
    async run(stage) {
      const later = new Date(stage.ground.clock.now() + 3_600_000).toISOString();
      const made = await stage.make({ ...on, annotations: { [`${prefix}keep-running-until`]: later } });
      await boundary(stage, 'stop');
      await stage.tick();
      await stage.tick();
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'skip-next leaves out one boundary and is used up',
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, annotations: { [`${prefix}skip-next`]: 'true' } });
      await boundary(stage, 'stop');
      await stage.tick();
      assert.ok(await isUp(stage, made));
      assert.equal((await wukongOf(stage, made)).metadata.annotations[`${prefix}skip-next`], undefined);
      assert.deepEqual((await stage.tick()).outcomes, []);
    },
  },
  {
    name: 'a freeze holds every schedule back',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const freezeUntil = new Date(stage.ground.clock.now() + 3_600_000).toISOString();
      const map = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'wukong-lifecycle' },
        data: { freezeUntil },
      };
      assert.equal((await stage.send('POST', paths.core(stage.namespace, 'configmaps'), map)).status, 201);
      await boundary(stage, 'stop');
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'Respect: a start by hand after the boundary stays; Enforce undoes it',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop');
      await stage.tick();
      await isOffNow(stage, made);
      is(await stage.start(made), 'Started');
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made), 'Respect did not respect it');
      await stage.send('PATCH', paths.schedule(stage.namespace, 'office'), { spec: { policy: 'Enforce' } });
      await stage.tick();
      await isOffNow(stage, made);
    },
  },
]);
