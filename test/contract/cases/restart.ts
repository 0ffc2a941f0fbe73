import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { eventsOf, is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made, strategyOf, type Switch, vmiOf, vmOf } from '../making.ts';
import type { Calling, Stage } from '../stage.ts';
import { annotateSpace, off, on, prefix, ticksUntil } from '../timing.ts';

const restart = (stage: Stage, made: Made, more: object = {}, calling?: Calling) =>
  stage.carryOut('stop', made, { restart: true, ...more }, calling);
const uidOf = async (stage: Stage, made: Made): Promise<string | undefined> => (await vmiOf(stage, made))?.metadata.uid;

/** Another guest than before is up, and the Wukong says so. */
async function isAnother(stage: Stage, made: Made): Promise<void> {
  assert.ok(await isUp(stage, made), 'the guest is not up');
  assert.notEqual(await uidOf(stage, made), made.uid, 'it is the same guest');
  await isToldTrue(stage, made, 'Running', 'Started');
}
const held = (name: string, key: string, value: string, reason: string) => ({
  name,
  async run(stage: Stage) {
    const made = await stage.make({ ...on, annotations: { [prefix + key]: value } });
    is(await restart(stage, made), 'Skipped', reason);
    assert.equal(await uidOf(stage, made), made.uid);
  },
});

export const restartCases = cases('restart', [
  ...(
    [
      { runStrategy: 'Always' },
      { runStrategy: 'Once' },
      { runStrategy: 'Manual' },
      { runStrategy: 'RerunOnFailure' },
      { running: true },
    ] as Switch[]
  ).map((by) => ({
    name: `${JSON.stringify(by)}: shut down, another guest is up and ready, and the strategy is the owner's`,
    async run(stage: Stage) {
      const made = await stage.make({ by, as: 'on' });
      is(await restart(stage, made), 'Started');
      await isAnother(stage, made);
      assert.equal(strategyOf(await vmOf(stage, made)), Object.values(by)[0]);
    },
  })),
  {
    name: 'a guest that ignores ACPI is forced when its grace is over, and started all the same',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'ignore-acpi': 'true' }, graceSeconds: 4 });
      const begun = stage.ground.clock.now();
      is(await restart(stage, made), 'Started');
      assert.ok(stage.ground.clock.now() - begun >= 4_000, 'it was forced before its grace was over');
      await isAnother(stage, made);
    },
  },
  {
    name: 'by force: the guest is not asked',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'ignore-acpi': 'true' }, graceSeconds: 100 });
      const begun = stage.ground.clock.now();
      is(await restart(stage, made, { force: true }), 'Started');
      assert.ok(stage.ground.clock.now() - begun < 60_000);
      await isAnother(stage, made);
    },
  },
  {
    name: 'of a VM that is off: it stays off',
    async run(stage) {
      const made = await stage.make(off);
      is(await restart(stage, made), 'AlreadyOff');
      await isOffNow(stage, made);
    },
  },
  held('of a protected one: it is left alone', 'protected', 'true', 'Protected'),
  held(
    'of one that may not be started again: it is not stopped either',
    'keep-stopped-until',
    '2999-01-01T00:00:00Z',
    'Override',
  ),
  {
    name: 'in a namespace that is to stay on it is left alone',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await annotateSpace(stage, `${prefix}keep-running-until`, '2999-01-01T00:00:00Z');
      is(await restart(stage, made), 'Skipped', 'Override');
      assert.equal(await uidOf(stage, made), made.uid);
    },
  },
  {
    name: 'asked for twice at once: the guest is replaced once',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '3' } });
      const [first, second] = await Promise.all([restart(stage, made), restart(stage, made)]);
      assert.ok([first, second].some(({ outcome }) => outcome === 'Started'));
      await isAnother(stage, made);
      const now = await uidOf(stage, made);
      await stage.sleep(5_000);
      assert.equal(await uidOf(stage, made), now, 'it was replaced twice');
      assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === 'Started').length, 1);
    },
  },
  {
    name: 'the same request delivered again is its duplicate',
    async run(stage) {
      const made = await stage.make(on);
      is(await restart(stage, made, { requestId: 'again' }), 'Started');
      const now = await uidOf(stage, made);
      is(await restart(stage, made, { requestId: 'again' }), 'Skipped', 'Duplicate');
      assert.equal(await uidOf(stage, made), now);
    },
  },
  {
    name: 'left while the guest shuts down: ticks see to the other half',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '6' } });
      is(await restart(stage, made, {}, { leftMs: 2_000 }), 'InProgress');
      await ticksUntil(stage, 'another guest', () =>
        isUp(stage, made).then(async (up) => up && (await uidOf(stage, made)) !== made.uid),
      );
      await stage.tick();
      await isAnother(stage, made);
    },
  },
  {
    name: 'left while the next guest boots: ticks tell when it is up',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '1', 'boot-seconds': '8' } });
      is(await restart(stage, made, {}, { leftMs: 6_000 }), 'InProgress');
      await ticksUntil(stage, 'another guest', () => isUp(stage, made));
      await stage.tick();
      await isAnother(stage, made);
    },
  },
  {
    name: 'a newer stop half-way: the VM ends off',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'shutdown-seconds': '4' } });
      const first = restart(stage, made);
      await stage.until('the shutdown to begin', async () => (await vmiOf(stage, made))?.metadata.deletionTimestamp);
      is(await stage.stop(made), 'Stopped');
      await first;
      await isOffNow(stage, made, 5_000);
    },
  },
  {
    name: 'a guest that does not come up again within its time: TimedOut, and the wish to run stays',
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, guest: { 'boot-seconds': '10' } });
      is(await restart(stage, made, { waitSeconds: 4 }), 'Failed', 'TimedOut');
      await stage.until('the guest to be up', () => isUp(stage, made));
      assert.notEqual(await uidOf(stage, made), made.uid);
    },
  },
  {
    name: 'the function that may only stop refuses it, and the guest runs on',
    async run(stage) {
      const made = await stage.make(on);
      const answer = await stage.stop(made, { restart: true });
      assert.match(answer.message, /restart: expected none/);
      assert.equal(await uidOf(stage, made), made.uid);
    },
  },
]);
