import assert from 'node:assert/strict';

import { cases, NotApplicable } from '../case.ts';
import { eventsOf, is, isOffNow, isToldTrue } from '../looking.ts';
import { conditionOf, isUp, type Made, vmiOf } from '../making.ts';
import type { Stage } from '../stage.ts';
import { annotate, boundary, minute, off, on, scheduleNow, toldOf, until } from '../timing.ts';

const busy = 'ci.example.com/busy';
const byAnnotation = { skipWhileInUse: { annotation: busy } };
const waits = async (stage: Stage, made: Made) =>
  (await eventsOf(stage, made)).filter(({ reason }) => reason === 'StopWaits');

/** A guest with an agent, and whoever is logged in; only some clusters can have one. */
async function withAgent(stage: Stage, users?: string): Promise<Made> {
  const told: Record<string, string> = { 'agent-after-seconds': '1', ...(users ? { users } : {}) };
  const made = await stage.make({ ...on, guest: told });
  const agent = async () => conditionOf(await vmiOf(stage, made), 'AgentConnected') === 'True';
  await stage.until('the agent', agent, 10_000).catch(() => {
    throw new NotApplicable('guests have no agent here');
  });
  return made;
}

export const inUseCases = cases('a VM that is in use', [
  {
    name: 'the annotation holds a scheduled stop back, told once; without it the stop is carried out',
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, annotations: { [busy]: 'build 7' } });
      const at = await boundary(stage, 'stop', byAnnotation);
      await stage.tick();
      await stage.tick();
      assert.ok(await isUp(stage, made));
      assert.equal((await waits(stage, made)).length, 1);
      assert.equal((await scheduleNow(stage)).status.lastHandled, undefined);
      await annotate(stage, made, busy, null);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
      assert.equal(Date.parse((await scheduleNow(stage)).status.lastHandled), at);
    },
  },
  {
    name: 'an annotation that says false holds nothing back',
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, annotations: { [busy]: 'false' } });
      await boundary(stage, 'stop', byAnnotation);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'a stop waits no longer than its schedule lets it',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const made = await stage.make({ ...on, annotations: { [busy]: 'true' } });
      const at = await boundary(stage, 'stop', { skipWhileInUse: { annotation: busy, maxDelaySeconds: 60 } });
      await stage.tick();
      assert.ok(await isUp(stage, made));
      await until(stage, at + minute + 1_000);
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'by hand it is stopped at once',
    alone: true,
    async run(stage) {
      const made = await stage.make({ ...on, annotations: { [busy]: 'true' } });
      await boundary(stage, 'stop', byAnnotation);
      await stage.tick();
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'users that the guest agent reports hold a stop back',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await withAgent(stage, 'kim,lee');
      await boundary(stage, 'stop', { skipWhileInUse: { loggedIn: true } });
      await stage.tick();
      assert.ok(await isUp(stage, made));
      assert.match((await waits(stage, made))[0]?.message ?? '', /2 users are logged in/);
    },
  },
  {
    name: 'an agent that reports nobody holds nothing back',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await withAgent(stage);
      await boundary(stage, 'stop', { skipWhileInUse: { loggedIn: true } });
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
]);

export const roomCases = cases('no room', [
  {
    name: 'a VM that fits on no node says since when it waits for room, and is written no more while that is so',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...off, guest: { unschedulable: 'true' } });
      is(await stage.start(made, { waitSeconds: 8 }), 'Failed', 'Unschedulable');
      await stage.tick();
      const { message } = await toldOf(stage, made);
      assert.match(message, /^Waiting for room since \d{4}-.*nodes are available/);
      await stage.tick();
      assert.equal((await toldOf(stage, made)).message, message);
    },
  },
  {
    name: 'a VM that waits for room is stopped like any other, and waits no more',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...off, guest: { unschedulable: 'true' } });
      is(await stage.start(made, { waitSeconds: 8 }), 'Failed', 'Unschedulable');
      is(await stage.stop(made), 'Stopped');
      await isOffNow(stage, made);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      await stage.tick();
      assert.doesNotMatch((await toldOf(stage, made)).message ?? '', /room/);
    },
  },
]);
