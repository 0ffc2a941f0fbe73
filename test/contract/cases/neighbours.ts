import assert from 'node:assert/strict';

import { cases } from '../case.ts';
import { paths } from '../client.ts';
import { eventsOf, is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made, vmiOf, wukongOf } from '../making.ts';
import type { Stage } from '../stage.ts';
import { annotate, annotateSpace, boundary, declare, minute, off, on, prefix, toldOf } from '../timing.ts';

/** One tick over the namespaces of several cases' stages. */
const tickOver = (stage: Stage, others: Stage[]) => {
  const WATCH_NAMESPACES = [stage, ...others].map(({ namespace }) => namespace).join();
  return stage.tick({ env: { WATCH_NAMESPACES } });
};
const fleetOver = (stages: Stage[], more: object = {}) => ({
  target: { namespaces: stages.map(({ namespace }) => namespace), selector: 'contract=scheduled' },
  ...more,
});
const hanging = { ...on, guest: { hang: 'true' }, graceSeconds: 1 } as const;
const unschedulable = { ...off, guest: { unschedulable: 'true' } } as const;
const finished = async (stage: Stage, made: Made) => Date.parse((await toldOf(stage, made)).finishedAt);
const isTold = async (stage: Stage, made: Made, outcome: string) => (await toldOf(stage, made)).outcome === outcome;

export const neighbourCases = cases('neighbours', [
  {
    name: 'a guest that hangs at its stop: the one in the next namespace is off and told long before that is given up',
    alone: true,
    guests: true,
    async run(stage) {
      const other = await stage.another();
      const [bad, good] = [await stage.make(hanging), await other.make(on)];
      await declare(stage, bad, 'stop');
      await declare(other, good, 'stop');
      const begun = stage.ground.clock.now();
      const tick = tickOver(stage, [other]);
      await stage.until('the good one to be told', () => isTold(other, good, 'Stopped'));
      assert.ok(stage.ground.clock.now() - begun < 30_000, 'it waited for its neighbour');
      assert.ok(await vmiOf(stage, bad), 'the guest that hangs is gone');
      const { outcomes } = await tick;
      is(
        outcomes.find(({ name }) => name === bad.wukong)!,
        'Failed',
        'Stuck',
      );
    },
  },
  {
    name: 'a guest that takes its time holds no place of a stop: four are asked one after the other and end together',
    alone: true,
    guests: true,
    async run(stage) {
      const slow = { ...on, guest: { 'shutdown-seconds': '8' } } as const;
      for (let i = 0; i < 4; i++) await stage.make(slow);
      const begun = stage.ground.clock.now();
      const { counts } = await stage.invoke('stopVm', fleetOver([stage], { maxInFlight: 1 }));
      assert.deepEqual(counts, { Stopped: 4 });
      assert.ok(stage.ground.clock.now() - begun < 24_000, 'one waited for the end of another');
    },
  },
  {
    name: 'with one place, a guest is started when the one before it is up',
    alone: true,
    guests: true,
    async run(stage) {
      const all: Made[] = [];
      for (let i = 0; i < 3; i++) all.push(await stage.make({ ...off, guest: { 'boot-seconds': '3' } }));
      const { counts } = await stage.invoke('startVm', fleetOver([stage], { maxInFlight: 1 }));
      assert.deepEqual(counts, { Started: 3 });
      const made = await Promise.all(all.map(async (one) => (await vmiOf(stage, one)).metadata.creationTimestamp));
      const [first = 0, second = 0, third = 0] = made.map((time) => Date.parse(time)).sort((a, b) => a - b);
      assert.ok(second - first >= 2_000 && third - second >= 2_000, made.join());
    },
  },
  {
    name: 'those that fit on no node give their places back: the good ones are up while they are still waited for',
    alone: true,
    guests: true,
    async run(stage) {
      for (let i = 0; i < 3; i++) await stage.make(unschedulable);
      const good = await Promise.all([1, 2, 3].map(() => stage.make(off)));
      const begun = stage.ground.clock.now();
      const asked = fleetOver([stage], { maxInFlight: 1, waitSeconds: 40 });
      const { counts } = await stage.invoke('startVm', asked);
      assert.deepEqual(counts, { Started: 3, Failed: 3 });
      for (const one of good) assert.ok((await finished(stage, one)) - begun < 35_000, one.wukong);
    },
  },
  {
    name: 'places go round the namespaces: the only VM of one is not behind the eight of another',
    alone: true,
    guests: true,
    async run(stage) {
      const small = await stage.another();
      const slow = { ...off, guest: { 'boot-seconds': '3' } } as const;
      const many = await Promise.all(Array.from({ length: 8 }, () => stage.make(slow)));
      const one = await small.make(slow);
      const { counts } = await stage.invoke('startVm', fleetOver([stage, small], { maxInFlight: 2 }));
      assert.deepEqual(counts, { Started: 9 });
      const before = await finished(small, one);
      const later = (await Promise.all(many.map((each) => finished(stage, each)))).filter((at) => at > before);
      assert.ok(later.length >= 6, `${8 - later.length} of the large one came before it`);
    },
  },
  {
    name: 'a Wukong of the same name in the next namespace is not touched',
    alone: true,
    async run(stage) {
      const other = await stage.another();
      const [mine, theirs] = [await stage.make({ ...on, wukong: 'twin' }), await other.make({ ...on, wukong: 'twin' })];
      is(await stage.stop(mine), 'Stopped');
      await stage.tick();
      assert.ok(await isUp(other, theirs));
      assert.equal((await wukongOf(other, theirs)).status?.lifecycleState, undefined);
    },
  },
  {
    name: 'a namespace that is protected is left out of a fleet, and its VMs by name too; the others are stopped',
    alone: true,
    async run(stage) {
      const open = await stage.another();
      const [kept, other] = [await stage.make(on), await open.make(on)];
      await annotateSpace(stage, `${prefix}protected`, 'true');
      const { counts } = await stage.invoke('stopVm', fleetOver([stage, open]));
      assert.deepEqual(counts, { Skipped: 1, Stopped: 1 });
      is(await stage.stop(kept), 'Skipped', 'Protected');
      assert.ok(await isUp(stage, kept));
      await isOffNow(open, other);
    },
  },
  {
    name: 'ten namespaces in one tick: what is declared in each is carried out',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const others: Stage[] = [];
      for (let i = 0; i < 9; i++) others.push(await stage.another());
      const all = await Promise.all([stage, ...others].map(async (one) => ({ one, made: await one.make(on) })));
      for (const { one, made } of all) await declare(one, made, 'stop');
      const { outcomes } = await tickOver(stage, others);
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        Array(10).fill('Stopped'),
      );
      for (const { one, made } of all) await isToldTrue(one, made, 'Stopped', 'Stopped');
    },
  },
  {
    name: 'a record that somebody has spoilt is its own trouble: the others of the same tick are stopped',
    alone: true,
    async run(stage) {
      const [spoilt, good] = [await stage.make(on), await stage.make(on)];
      await annotate(stage, spoilt, `${prefix}operation`, '{"action":["stop"],"deadline":"soon"');
      await declare(stage, good, 'stop');
      await stage.tick();
      await isToldTrue(stage, good, 'Stopped', 'Stopped');
      assert.ok(await isUp(stage, spoilt));
      is(await stage.stop(spoilt), 'Stopped');
      await isToldTrue(stage, spoilt, 'Stopped', 'Stopped');
    },
  },
  {
    name: 'a status of words that nobody knows is made true, and stops nobody',
    alone: true,
    async run(stage) {
      const [foreign, good] = [await stage.make(on), await stage.make(on)];
      const lifecycleState = { state: 'Stopped', outcome: 'Gone Fishing!', reason: 'no\nword', message: 'x' };
      const path = `${paths.wukong(stage.namespace, foreign.wukong)}/status`;
      await stage.send('PATCH', path, { status: { lifecycleState } });
      await declare(stage, good, 'stop');
      await stage.tick();
      await isToldTrue(stage, good, 'Stopped', 'Stopped');
      assert.equal((await toldOf(stage, foreign)).state, 'Running');
    },
  },
  {
    name: 'a list of holidays under a key that every object has costs the one schedule that names it',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      const own = { start: '0 0 1 1 *', holidays: { configMapRef: { name: 'none', key: 'constructor' } } };
      await stage.send('POST', paths.schedule(stage.namespace), {
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'WukongSchedule',
        metadata: { name: 'odd' },
        spec: { timeZone: 'Etc/UTC', selector: { matchLabels: { contract: 'other' } }, ...own },
      });
      await boundary(stage, 'stop');
      is((await stage.tick()).outcomes[0]!, 'Stopped');
      await isOffNow(stage, made);
    },
  },
  {
    name: 'two ticks at the same moment carry out what is due once',
    alone: true,
    async run(stage) {
      const made = await stage.make(on);
      await boundary(stage, 'stop');
      await Promise.all([stage.tick(), stage.tick()]);
      await isToldTrue(stage, made, 'Stopped', 'Stopped');
      assert.equal((await eventsOf(stage, made)).filter(({ reason }) => reason === 'Stopped').length, 1);
    },
  },
  {
    name: 'a fleet of stops and a fleet of starts at once: what is told of each VM is how it is',
    alone: true,
    guests: true,
    async run(stage) {
      const all = await Promise.all(
        [1, 2, 3, 4].map(() => stage.make({ ...on, guest: { 'shutdown-seconds': '2', 'boot-seconds': '2' } })),
      );
      await Promise.all([stage.invoke('stopVm', fleetOver([stage])), stage.invoke('startVm', fleetOver([stage]))]);
      await stage.tick();
      for (const made of all) {
        const up = await isUp(stage, made);
        await isToldTrue(stage, made, up ? 'Running' : 'Stopped');
        if (!up) await isOffNow(stage, made);
      }
    },
  },
]);

const wave = (number: number) => ({ annotations: { [`${prefix}wave`]: `${number}` } });
const begun = async (stage: Stage, made: Made) => Date.parse((await toldOf(stage, made)).startedAt);

export const waveCases = cases('waves', [
  {
    name: 'starts go up: a wave begins when the one before it is up',
    alone: true,
    guests: true,
    async run(stage) {
      const slow = { ...off, guest: { 'boot-seconds': '3' } } as const;
      const [late, early] = [await stage.make({ ...slow, ...wave(20) }), await stage.make({ ...slow, ...wave(10) })];
      const { counts } = await stage.invoke('startVm', fleetOver([stage]));
      assert.deepEqual(counts, { Started: 2 });
      assert.ok((await begun(stage, late)) >= (await finished(stage, early)), 'wave 20 did not wait for wave 10');
    },
  },
  {
    name: 'stops go down: what depends on others goes first',
    alone: true,
    guests: true,
    async run(stage) {
      const slow = { ...on, guest: { 'shutdown-seconds': '3' } } as const;
      const [first, last] = [await stage.make({ ...slow, ...wave(20) }), await stage.make({ ...slow, ...wave(10) })];
      const { counts } = await stage.invoke('stopVm', fleetOver([stage]));
      assert.deepEqual(counts, { Stopped: 2 });
      assert.ok((await begun(stage, last)) >= (await finished(stage, first)), 'wave 10 did not wait for wave 20');
    },
  },
  {
    name: 'a wave that fails holds the next one back no longer than that takes',
    alone: true,
    guests: true,
    async run(stage) {
      const bad = await stage.make({ ...unschedulable, ...wave(10) });
      const good = await stage.make({ ...off, ...wave(20) });
      const { counts } = await stage.invoke('startVm', fleetOver([stage], { waitSeconds: 8 }));
      assert.deepEqual(counts, { Failed: 1, Started: 1 });
      assert.ok((await begun(stage, good)) >= (await finished(stage, bad)), 'it did not wait for the wave before');
    },
  },
  {
    name: 'a schedule waits as long between two waves as it says',
    alone: true,
    async run(stage) {
      const [first, last] = [await stage.make({ ...on, ...wave(20) }), await stage.make({ ...on, ...wave(10) })];
      await boundary(stage, 'stop', { waves: { delaySeconds: 6 } });
      await stage.tick();
      await isToldTrue(stage, last, 'Stopped', 'Stopped');
      const pause = (await begun(stage, last)) - (await finished(stage, first));
      assert.ok(pause >= 5_000 && pause < minute, `${pause} ms`);
    },
  },
]);
