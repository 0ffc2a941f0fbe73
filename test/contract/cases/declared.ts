import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made, wukongOf } from '../making.ts';
import type { Stage } from '../stage.ts';

const on = { by: { runStrategy: 'Always' }, as: 'on' } as const;

const declare = async (stage: Stage, made: Made, lifecycleAction: object): Promise<void> => {
  const { status, body } = await stage.send('PATCH', paths.wukong(stage.namespace, made.wukong), {
    spec: { lifecycleAction },
  });
  assert.equal(status, 200, JSON.stringify(body).slice(0, 300));
};
const isGone = async (stage: Stage, made: Made): Promise<void> =>
  assert.equal((await wukongOf(stage, made)).spec.lifecycleAction, undefined, 'the action is still there');

export const declaredCases = cases('spec.lifecycleAction', [
  {
    name: 'stop is carried out once, recorded and removed',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await declare(stage, made, { action: 'stop' });
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      await isGone(stage, made);
      assert.deepEqual((await stage.tick()).outcomes, []);
    },
  },
  {
    name: 'start is carried out, recorded and removed',
    alone: true,
    async run(stage) {
      const made = await stage.make({ by: { runStrategy: 'Halted' }, as: 'off' });
      await declare(stage, made, { action: 'start' });
      is((await stage.tick()).outcomes[0]!, 'Started');
      await isToldTrue(stage, made, 'Running', 'Started');
      await isGone(stage, made);
    },
  },
  {
    name: 'stop by force',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'ignore-acpi': 'true' } });
      await declare(stage, made, { action: 'stop', force: true });
      is((await stage.tick()).outcomes[0]!, 'ForcedOff', 'Requested');
      await isOffNow(stage, made);
      await isGone(stage, made);
    },
  },
  {
    name: 'an action that nobody knows is told as InvalidAction and removed; nothing is called',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const other = await stage.make(on);
      await declare(stage, made, { action: 'explode' });
      await declare(stage, other, { action: 'stop' });
      const { outcomes } = await stage.tick();
      is(
        outcomes.find(({ name }) => name === made.wukong)!,
        'Failed',
        'InvalidAction',
      );
      is(
        outcomes.find(({ name }) => name === other.wukong)!,
        'Stopped',
      );
      assert.ok(await isUp(stage, made));
      await isGone(stage, made);
      assert.equal((await wukongOf(stage, made)).status.lifecycleState.reason, 'InvalidAction');
    },
  },
  {
    name: 'a grace that is no grace is told as InvalidAction and removed',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await declare(stage, made, { action: 'stop', gracePeriodSeconds: -5 });
      is((await stage.tick()).outcomes[0]!, 'Failed', 'InvalidAction');
      assert.ok(await isUp(stage, made));
      await isGone(stage, made);
    },
  },
  {
    name: 'a value that is written meanwhile is not removed, and is carried out next',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '4' } });
      await declare(stage, made, { action: 'stop' });
      const tick = stage.tick();
      await stage.until(
        'the claim',
        async () => (await wukongOf(stage, made)).metadata.annotations?.['lifecycle.novasphere.dev/operation'],
      );
      await declare(stage, made, { action: 'start' });
      await tick;
      for (let again = 0; again < 3 && !(await isUp(stage, made)); again++) await stage.tick();
      await isToldTrue(stage, made, 'Running', 'Started');
      await isGone(stage, made);
    },
  },
]);
