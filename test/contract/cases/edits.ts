import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow } from '../looking.ts';
import { isUp } from '../making.ts';
import type { Stage } from '../stage.ts';
import {
  annotate,
  boundary,
  cronAt,
  laterOn,
  minute,
  on,
  patchWukong,
  prefix,
  schedule,
  scheduleNow,
  soon,
  toldOf,
  until,
} from '../timing.ts';

const edit = (stage: Stage, spec: object) => stage.send('PATCH', paths.schedule(stage.namespace, 'office'), { spec });
const farAway = { stop: '0 0 1 1 *' };

export const editCases = cases('a schedule that changes', [
  {
    name: 'to a time that is past: nothing is switched for it',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await schedule(stage, farAway);
      await stage.tick();
      await edit(stage, { stop: cronAt(stage.ground.clock.now() - 2 * minute) });
      assert.deepEqual([(await stage.tick()).outcomes, (await stage.tick()).outcomes], [[], []]);
      assert.ok(await isUp(stage, made));
      const { metadata, status } = await scheduleNow(stage);
      assert.equal(status.observedGeneration, metadata.generation);
    },
  },
  {
    name: 'from suspended, after its boundary: what it missed is not done later',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop', { suspend: true });
      await stage.tick();
      await edit(stage, { suspend: false });
      await stage.tick();
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'or is deleted: nobody announces any more what it wanted',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await schedule(stage, farAway);
      await stage.tick();
      assert.equal((await toldOf(stage, made)).nextAction, 'stop');
      await stage.send('DELETE', paths.schedule(stage.namespace, 'office'));
      await stage.tick();
      const { nextAction, nextActionTime } = await toldOf(stage, made);
      assert.deepEqual([nextAction, nextActionTime], [undefined, undefined]);
    },
  },
  {
    name: 'and a label that is taken off: the same',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await schedule(stage, farAway);
      await stage.tick();
      await patchWukong(stage, made, { metadata: { labels: { contract: null } } });
      await stage.tick();
      assert.equal((await toldOf(stage, made)).nextAction, undefined);
    },
  },
  {
    name: 'a label that is put on after the boundary stops nothing by itself',
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, labels: { contract: 'other' } });
      await boundary(stage, 'stop');
      await stage.tick();
      await patchWukong(stage, made, { metadata: { labels: { contract: 'scheduled' } } });
      await stage.tick();
      assert.deepEqual((await stage.tick()).outcomes, []);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'two that want opposite things at one instant: it stays on',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const at = soon(stage);
      await schedule(stage, { stop: cronAt(at) }, 'off');
      await schedule(stage, { start: cronAt(at) }, 'on');
      await until(stage, at + 1_000);
      await stage.tick();
      await stage.tick();
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'its own grace period counts, not that of the VM',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'ignore-acpi': 'true' }, graceSeconds: 100 });
      const at = await boundary(stage, 'stop', { gracePeriodSeconds: 4 });
      is((await stage.tick()).outcomes[0]!, 'ForcedOff', 'GracePeriodExceeded');
      assert.ok(stage.ground.clock.now() - at < 50_000);
      await isOffNow(stage, made);
    },
  },
  {
    name: 'keep-running-until that ends after the boundary: the stop is done then',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const made = await stage.make(on);
      const at = laterOn(stage);
      const ends = new Date(at + 45_000).toISOString();
      await annotate(stage, made, `${prefix}keep-running-until`, ends);
      await schedule(stage, { stop: cronAt(at) });
      await stage.tick();
      await until(stage, at + 1_000);
      await stage.tick();
      assert.ok(await isUp(stage, made));
      await until(stage, at + 46_000);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a start by lease ends with a stop when the lease is over',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off', labels: { contract: 'scheduled' } });
      await schedule(stage, { start: '0 0 1 1 *', stop: cronAt(stage.ground.clock.now() - 10 * minute) });
      await stage.tick();
      is(await stage.start(made, { leaseSeconds: 60 }), 'Started');
      await stage.tick();
      assert.ok(await isUp(stage, made));
      await stage.sleep(61_000);
      await stage.tick();
      await isOffNow(stage, made);
    },
  },
]);
