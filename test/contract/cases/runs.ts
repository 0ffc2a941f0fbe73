import assert from 'node:assert/strict';

import type { WukongRun } from '../../../shared/domain/run.ts';
import { cases, NotApplicable } from '../case.ts';
import { paths } from '../client.ts';
import { is } from '../looking.ts';
import { isUp } from '../making.ts';
import type { Stage } from '../stage.ts';
import {
  boundary,
  cronAt,
  laterOn,
  minute,
  off,
  on,
  prefix,
  schedule,
  scheduleNow,
  ticksUntil,
  until,
} from '../timing.ts';

/** Those of this namespace, oldest first. */
async function runsOf({
  send,
  namespace,
}: Stage): Promise<(WukongRun & { metadata: { ownerReferences?: unknown[] } })[]> {
  const { status, body } = await send('GET', paths.run(namespace));
  if (status === 404) throw new NotApplicable('this cluster does not serve WukongRuns');
  return body.items.sort((a: WukongRun, b: WukongRun) => (a.spec.dueAt < b.spec.dueAt ? -1 : 1));
}
/** The only one, which has come to its end. */
async function ended(stage: Stage): Promise<WukongRun> {
  const over = async () => {
    const [one] = await runsOf(stage);
    return one?.status && one.status.phase !== 'Running' ? one : undefined;
  };
  const run: WukongRun = await ticksUntil(stage, 'the run to end', over);
  assert.equal((await runsOf(stage)).length, 1);
  return run;
}
const counts = ({ status }: WukongRun) => {
  const { phase, targets, done, already, forced, failed, skipped, inProgress } = status!;
  return { phase, targets, done, already, forced, failed, skipped, inProgress };
};
const none = { done: 0, already: 0, forced: 0, failed: 0, skipped: {}, inProgress: 0 };
const eventsOn = async ({ send, namespace }: Stage, reason: string) =>
  (await send('GET', paths.core(namespace, 'events'))).body.items.filter(
    (one: { reason: string }) => one.reason === reason,
  );

export const runCases = cases('runs', [
  {
    name: 'a boundary has one, with what became of each VM: done, already so, left alone',
    alone: true,
    async run(stage) {
      await stage.make({ ...on, wukong: 'web' });
      await stage.make({ ...off, wukong: 'idle' });
      await stage.make({ ...on, wukong: 'kept', annotations: { [`${prefix}protected`]: 'true' } });
      const at = await boundary(stage, 'stop');
      const run = await ended(stage);
      assert.deepEqual([run.spec.schedule, run.spec.action, Date.parse(run.spec.dueAt)], ['office', 'stop', at]);
      const expected = { ...none, phase: 'Succeeded', targets: 3, done: 1, already: 1, skipped: { Protected: 1 } };
      assert.deepEqual(counts(run), expected);
      assert.deepEqual(
        run.status?.vms?.map((line) => line.split(' ').slice(0, 2).join(' ')),
        ['idle AlreadyOff', 'kept Skipped/Protected', 'web Stopped'],
      );
    },
  },
  {
    name: 'guests that had to be forced and such as hang: Incomplete, with their names and why, and one Event',
    alone: true,
    guests: true,
    limitMs: 300_000,
    async run(stage) {
      await stage.make({ ...on, wukong: 'deaf', guest: { 'ignore-acpi': 'true' }, graceSeconds: 3 });
      await stage.make({ ...on, wukong: 'lost', guest: { hang: 'true' }, graceSeconds: 1 });
      await boundary(stage, 'stop');
      const run = await ended(stage);
      assert.deepEqual(counts(run), { ...none, phase: 'Incomplete', targets: 2, forced: 1, failed: 1 });
      assert.deepEqual(run.status?.forcedNames, ['deaf']);
      assert.deepEqual(
        run.status?.failures.map(({ name, reason }) => `${name} ${reason}`),
        ['lost Stuck'],
      );
      await stage.tick();
      assert.equal((await eventsOn(stage, 'RunIncomplete')).length, 1);
    },
  },
  {
    name: 'is there while a guest shuts down, and whoever waits for its phase sees the end',
    alone: true,
    guests: true,
    async run(stage) {
      await stage.make({ ...on, guest: { 'shutdown-seconds': '25' } });
      await boundary(stage, 'stop');
      await stage.tick({ leftMs: 20_000 });
      const [run] = await runsOf(stage);
      assert.deepEqual(counts(run!), { ...none, phase: 'Running', targets: 1, inProgress: 1 });
      assert.equal((await ended(stage)).metadata.name, run!.metadata.name);
      assert.equal((await runsOf(stage))[0]?.status?.phase, 'Succeeded');
    },
  },
  {
    name: 'what no tick did in time is Missed, and is not done later',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      const made = await stage.make(on);
      const at = laterOn(stage);
      await schedule(stage, { stop: cronAt(at), startingDeadlineSeconds: 60 });
      await stage.tick();
      await until(stage, at + minute + 5_000);
      await stage.tick();
      const [run] = await runsOf(stage);
      assert.deepEqual([run?.status?.phase, run?.status?.targets], ['Missed', 1]);
      assert.equal((await eventsOn(stage, 'RunMissed')).length, 1);
      assert.ok(await isUp(stage, made));
    },
  },
  {
    name: 'where all were left alone on purpose: Skipped, with the reason',
    alone: true,
    async run(stage) {
      const annotations = { [`${prefix}keep-running-until`]: '2999-01-01T00:00:00Z' };
      await stage.make({ ...on, annotations });
      await boundary(stage, 'stop');
      const run = await ended(stage);
      assert.deepEqual(counts(run), { ...none, phase: 'Skipped', targets: 1, skipped: { Override: 1 } });
    },
  },
  {
    name: 'belongs to its schedule, and goes with it',
    alone: true,
    async run(stage) {
      await stage.make(on);
      await boundary(stage, 'stop');
      const run = await ended(stage);
      const { uid } = (await scheduleNow(stage)).metadata;
      assert.deepEqual(
        run.metadata.ownerReferences?.map((one) => [one.kind, one.uid]),
        [['WukongSchedule', uid]],
      );
      await stage.send('DELETE', paths.schedule(stage.namespace, 'office'));
      await stage.until('the run to go', async () => (await runsOf(stage)).length === 0);
    },
  },
  {
    name: 'so many are kept as the schedule says, the newest',
    alone: true,
    limitMs: 300_000,
    async run(stage) {
      await stage.make(on);
      const at = laterOn(stage);
      await schedule(stage, { stop: '* * * * *', runsHistoryLimit: 1 });
      await until(stage, at + 1_000);
      const first = (await ended(stage)).metadata.name;
      await until(stage, at + minute + 1_000);
      await ticksUntil(stage, 'the older run to go', async () => {
        const all = await runsOf(stage);
        return all.length === 1 && all[0]!.metadata.name !== first;
      });
    },
  },
  {
    name: 'that is over is changed by nobody: the API server refuses it',
    alone: true,
    async run(stage) {
      await stage.make(on);
      await boundary(stage, 'stop');
      const { metadata } = await ended(stage);
      for (const body of [{ status: { done: 7 } }, { spec: { action: 'start' } }]) {
        const { status } = await stage.send('PATCH', paths.run(stage.namespace, metadata.name), body);
        assert.equal(status, 422, JSON.stringify(body));
      }
    },
  },
  {
    name: 'that somebody deletes is made anew by the next tick, as it was',
    alone: true,
    async run(stage) {
      await stage.make(on);
      await boundary(stage, 'stop');
      const { metadata, status } = await ended(stage);
      await stage.send('DELETE', paths.run(stage.namespace, metadata.name));
      await stage.tick();
      const [again] = await runsOf(stage);
      assert.deepEqual([again?.metadata.name, again?.status], [metadata.name, status]);
    },
  },
  {
    name: 'that somebody makes for a time that was none goes away',
    alone: true,
    async run(stage) {
      await stage.make(on);
      await boundary(stage, 'stop');
      const { apiVersion, kind, metadata, spec, status } = (await ended(stage)) as WukongRun & Record<string, unknown>;
      const dueAt = new Date(Date.parse(spec.dueAt) - 3_600_000).toISOString().replace('.000', '');
      const { labels, ownerReferences } = metadata as { labels?: object; ownerReferences?: object[] };
      const forged = {
        apiVersion,
        kind,
        metadata: { name: 'forged', labels, ownerReferences },
        spec: { ...spec, dueAt },
        status,
      };
      assert.equal((await stage.send('POST', paths.run(stage.namespace), forged)).status, 201);
      await ticksUntil(stage, 'the forged one to go', async () => (await runsOf(stage)).length === 1);
      assert.equal((await runsOf(stage))[0]?.metadata.name, metadata.name);
    },
  },
  {
    name: 'keeps what a VM came to that somebody starts again afterwards',
    alone: true,
    guests: true,
    async run(stage) {
      const made = await stage.make({ ...on, wukong: 'web' });
      await stage.make({ ...on, wukong: 'slow', guest: { 'shutdown-seconds': '30' } });
      await boundary(stage, 'stop');
      await stage.tick({ leftMs: 25_000 });
      is(await stage.start(made), 'Started');
      const run = await ended(stage);
      assert.deepEqual(counts(run), { ...none, phase: 'Succeeded', targets: 2, done: 2 });
    },
  },
  {
    name: 'of a fleet command: without an owner, counted at once, finished by ticks',
    alone: true,
    guests: true,
    async run(stage) {
      await stage.make({ ...on, guest: { 'shutdown-seconds': '15' } });
      await stage.make(off);
      const target = { namespaces: [stage.namespace], selector: 'contract=scheduled' };
      await stage.invoke('stopVm', { target }, { leftMs: 14_000 });
      const [run] = await runsOf(stage);
      assert.equal(run?.metadata.ownerReferences, undefined);
      assert.deepEqual(counts(run!), { ...none, phase: 'Running', targets: 2, already: 1, inProgress: 1 });
      assert.deepEqual(counts(await ended(stage)), { ...none, phase: 'Succeeded', targets: 2, done: 1, already: 1 });
    },
  },
]);
