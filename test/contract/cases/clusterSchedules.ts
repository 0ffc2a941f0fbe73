import assert from 'node:assert/strict';

import { cases, NotApplicable } from '../case.ts';
import { paths } from '../client.ts';
import type { Fence } from '../fence.ts';
import { is, isOffNow, isToldTrue } from '../looking.ts';
import { isUp, type Made } from '../making.ts';
import type { Stage } from '../stage.ts';
import { annotateSpace, cronAt, laterOn, on, prefix, schedule, scheduleNow, toldOf, until } from '../timing.ts';

/** Three teams with a VM each; the first two are of the tier `dev`. Whoever looks at the whole cluster sees these alone. */
async function teams(stage: Stage) {
  const { status } = await stage.send('GET', `${paths.clusterSchedule()}?limit=1`);
  if (status !== 200)
    throw new NotApplicable('this cluster does not serve ClusterWukongSchedules, or not to this user');
  const spaces = [stage, await stage.another(), await stage.another()];
  const all: { space: Stage; made: Made }[] = [];
  for (const [index, space] of spaces.entries()) {
    const labels = { 'contract/team': stage.namespace, 'contract/tier': index < 2 ? 'dev' : 'prod' };
    await stage.send('PATCH', `/api/v1/namespaces/${space.namespace}`, { metadata: { labels } });
    all.push({ space, made: await space.make(on) });
  }
  const name = `night-${stage.namespace}`;
  const fence: Fence = { namespaces: new Set(spaces.map(({ namespace }) => namespace)), clusterWide: new Set([name]) };
  const inTeams = { 'contract/team': stage.namespace };
  return {
    all,
    name,
    inTeams,
    /** A stop that is soon due in namespaces of the tier dev, and nowhere but here. */
    async schedule(spec: object = {}): Promise<number> {
      const at = laterOn(stage);
      const namespaceSelector = { matchLabels: { ...inTeams, 'contract/tier': 'dev' } };
      const object = {
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'ClusterWukongSchedule',
        metadata: { name },
        spec: { timeZone: 'Etc/UTC', stop: cronAt(at), namespaceSelector, ...spec },
      };
      const { status: made, body } = await stage.clusterWide(paths.clusterSchedule(), object);
      assert.equal(made, 201, JSON.stringify(body).slice(0, 300));
      return at;
    },
    /** Of an installation for all namespaces. */
    tick: () => stage.invoke('reconcileState', {}, { env: { LIFECYCLE_NAMESPACE: stage.namespace }, fence }),
    up: () => Promise.all(all.map(({ space, made }) => isUp(space, made))),
    now: async () => (await stage.send('GET', paths.clusterSchedule(name))).body,
  };
}
type Teams = Awaited<ReturnType<typeof teams>>;

/** The boundary comes; two ticks as a minute would have them. */
async function night(stage: Stage, { tick }: Teams, at: number): Promise<void> {
  await tick();
  await until(stage, at + 1_000);
  await tick();
  await tick();
}

export const clusterScheduleCases = cases('cluster schedules', [
  {
    name: 'stops what it selects in the namespaces that it selects, once, and counts them by namespace',
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      await night(stage, at, await at.schedule());
      assert.deepEqual(await at.up(), [false, false, true]);
      const [first, second] = at.all;
      await isToldTrue(first!.space, first!.made, 'Stopped', 'Stopped');
      await isOffNow(second!.space, second!.made);
      const { matched, namespaces } = (await at.now()).status;
      assert.equal(matched, 2);
      assert.deepEqual(
        namespaces.map((one: { matched: number; ruled: number }) => [one.matched, one.ruled]),
        [
          [1, 1],
          [1, 1],
        ],
      );
    },
  },
  {
    name: "a team's own schedule rules in its place, and the status says so",
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      await schedule(stage, { stop: '0 0 1 1 *' });
      await night(stage, at, await at.schedule());
      assert.deepEqual(await at.up(), [true, false, true]);
      const { conditions } = (await at.now()).status;
      assert.match(conditions[0].message, /1 of them are ruled by .*office in its place/);
    },
  },
  {
    name: "enforceOverNamespaces: it rules, and the team's own says that it has no say",
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      await schedule(stage, { stop: '0 0 1 1 *' });
      await night(stage, at, await at.schedule({ enforceOverNamespaces: true }));
      assert.deepEqual(await at.up(), [false, false, true]);
      assert.match((await scheduleNow(stage)).status.conditions[0].message, /ruled by night-.* in its place/);
    },
  },
  {
    name: "a team's own schedule that is suspended keeps its VMs out of it all the same",
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      await schedule(stage, { stop: '0 0 1 1 *', suspend: true });
      await night(stage, at, await at.schedule());
      assert.deepEqual(await at.up(), [true, false, true]);
    },
  },
  {
    name: 'obeys what stands on a namespace like any other',
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      await annotateSpace(stage, `${prefix}keep-running-until`, '2999-01-01T00:00:00Z');
      await night(stage, at, await at.schedule());
      assert.deepEqual(await at.up(), [true, false, true]);
    },
  },
  {
    name: 'with expressions and the labels of Wukongs: who has both is stopped',
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      const other = await stage.make({ ...on, labels: { contract: 'other' } });
      const matchExpressions = [{ key: 'contract/tier', operator: 'NotIn', values: ['prod'] }];
      const due = await at.schedule({
        namespaceSelector: { matchLabels: at.inTeams, matchExpressions },
        selector: { matchExpressions: [{ key: 'contract', operator: 'In', values: ['scheduled'] }] },
      });
      await night(stage, at, due);
      assert.deepEqual(await at.up(), [false, false, true]);
      assert.ok(await isUp(stage, other));
    },
  },
  {
    name: 'a namespace that gets the label after the boundary is not switched for it',
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      await night(stage, at, await at.schedule());
      const { space, made } = at.all[2]!;
      const labels = { 'contract/tier': 'dev' };
      await stage.send('PATCH', `/api/v1/namespaces/${space.namespace}`, { metadata: { labels } });
      await at.tick();
      await at.tick();
      assert.ok(await isUp(space, made));
    },
  },
  {
    name: 'that is deleted: nobody announces what it wanted any more',
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      const due = await at.schedule({ stop: '0 0 1 1 *' });
      await at.tick();
      const { space, made } = at.all[0]!;
      assert.equal((await toldOf(space, made)).nextAction, 'stop');
      await stage.send('DELETE', paths.clusterSchedule(at.name));
      await at.tick();
      assert.equal((await toldOf(space, made)).nextAction, undefined);
      assert.ok(due > 0);
    },
  },
  {
    name: 'is nothing to an installation for some namespaces',
    alone: true,
    async run(stage) {
      const at = await teams(stage);
      const due = await at.schedule();
      await stage.tick();
      await until(stage, due + 1_000);
      await stage.tick();
      assert.deepEqual(await at.up(), [true, true, true]);
      is(await stage.stop(at.all[0]!.made), 'Stopped');
    },
  },
  {
    name: 'without any selector, or with empty ones, is refused by the API server',
    alone: true,
    async run(stage) {
      const { name } = await teams(stage);
      for (const selectors of [{}, { selector: {}, namespaceSelector: { matchLabels: {} } }]) {
        const object = {
          apiVersion: 'vm.novasphere.dev/v1alpha1',
          kind: 'ClusterWukongSchedule',
          metadata: { name },
          spec: { timeZone: 'Etc/UTC', stop: '0 20 * * *', ...selectors },
        };
        assert.equal((await stage.clusterWide(paths.clusterSchedule(), object)).status, 422);
      }
    },
  },
]);
