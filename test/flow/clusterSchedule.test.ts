import { describe, expect, it } from 'vitest';

import { fromRun } from '../../cli/page/fromRun.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { runNameOf, type WukongRun } from '../../shared/domain/run.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { createClusterSchedule, createSchedule } from '../schedule.ts';
import { type Scene, scene } from './scene.ts';

const spaces = ['team-a', 'team-b', 'team-c'] as const;
const devSpaces = { namespaceSelector: { matchLabels: { tier: 'dev' } } };
const tick = (at: Scene) => at.run(reconcile(at.world, { deadline: at.clock.now() + 50_000 }));
const isUp = (at: Scene, space: string) => at.sim.get('virtualmachineinstances', space, 'web-vm') !== undefined;
const up = (at: Scene) => spaces.map((space) => isUp(at, space));
const status = (at: Scene, name = 'night') => at.sim.get<WukongSchedule>('clusterwukongschedules', '', name)?.status;

/** 20:00 UTC; a running VM in each of three namespaces, of which two are tier=dev. */
async function platform(spec: object = {}, env: Record<string, string> = {}): Promise<Scene> {
  const at = await scene({}, env);
  delete at.world.bus;
  for (const namespace of spaces) at.sim.createWukong({ namespace, name: 'web', labels: { env: 'dev' } });
  for (const namespace of ['team-a', 'team-b'])
    at.sim.change<KubeObject>('namespaces', '', namespace, ({ metadata }) => (metadata.labels = { tier: 'dev' }));
  createClusterSchedule(at.sim, 'night', { ...devSpaces, ...spec });
  await at.pass(5_000);
  return at;
}

describe('a ClusterWukongSchedule', () => {
  it('stops what it selects in the namespaces that it selects, once, and counts them', async () => {
    const at = await platform();
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(up(at)).toEqual([false, false, true]);
    expect(status(at)).toMatchObject({
      matched: 2,
      lastHandled: '2026-11-23T20:01:00Z',
      nextStop: '2026-11-24T20:01:00Z',
      namespaces: [
        { name: 'team-a', matched: 1, ruled: 1 },
        { name: 'team-b', matched: 1, ruled: 1 },
      ],
    });
    const wukong = at.sim.get<KubeObject & { status: unknown }>('wukongs', 'team-b', 'web');
    expect(wukong?.status).toMatchObject({
      lifecycleState: {
        outcome: 'Stopped',
        nextAction: 'stop',
        requestId: expect.stringContaining('night@') as string,
      },
    });
    const from = at.sim.requests.length;
    await tick(at);
    expect(at.sim.requests.slice(from).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it("yields to a team's own schedule, and says so", async () => {
    const at = await platform();
    createSchedule(at.sim, 'team-a', 'late', { stop: '0 22 * * *' });
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(up(at)).toEqual([true, false, true]);
    expect(status(at)?.namespaces).toMatchObject([
      { name: 'team-a', matched: 1, ruled: 0 },
      { name: 'team-b', matched: 1, ruled: 1 },
    ]);
    expect(status(at)?.conditions).toMatchObject([
      { status: 'True', message: '2 Wukongs are selected; 1 of them are ruled by team-a/late in its place' },
    ]);
    await at.pass(2 * 3_600_000);
    await tick(at);
    expect(up(at)).toEqual([false, false, true]);
  });

  it("does not take the place of a team's own schedule while nobody answers for that one's holidays", async () => {
    const at = await platform();
    const holidays = { configMapRef: { name: 'holidays', key: 'dates' } };
    createSchedule(at.sim, 'team-a', 'late', { stop: '0 22 * * *', holidays });
    await tick(at);
    await at.pass(60_000);
    const silent = at.sim.faults.add({ when: { path: /team-a\/configmaps/ }, does: { kind: 'status', status: 504 } });
    await tick(at);
    expect(up(at)).toEqual([true, false, true]);
    silent();
    await tick(at);
    expect(up(at)).toEqual([true, false, true]);
  });

  it('that may not list namespaces waits for none that is silent, and does its work in the others', async () => {
    const at = await platform({ namespaceSelector: undefined, selector: { matchLabels: { env: 'dev' } } });
    for (const space of ['team-a', 'team-b']) createSchedule(at.sim, space, 'own', { stop: '1 20 * * *' });
    await tick(at);
    at.sim.faults.add({ when: { path: /\/namespaces\?/ }, does: { kind: 'status', status: 403 } });
    at.sim.faults.add({ when: { path: /\/namespaces\/team-a$/ }, does: { kind: 'delay', ms: 36_000_000 } });
    await at.pass(60_000);
    const begun = at.clock.now();
    const { problems } = await tick(at);
    expect(up(at)).toEqual([true, false, false]);
    expect(problems).toContainEqual(expect.stringContaining('namespace team-a is left to the next tick: no answer'));
    expect(at.clock.now() - begun).toBeLessThan(45_000);
  });

  it("does not yield with enforceOverNamespaces; the team's own says that it has no say", async () => {
    const at = await platform({ enforceOverNamespaces: true });
    createSchedule(at.sim, 'team-a', 'late', { stop: '0 22 * * *' });
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(up(at)).toEqual([false, false, true]);
    const late = at.sim.get<WukongSchedule>('wukongschedules', 'team-a', 'late')?.status;
    expect(late?.matched).toBe(1);
    expect(late?.conditions?.[0]?.message).toContain('1 of them are ruled by night in its place');
  });

  it('obeys the overrides on a namespace and on a Wukong like any other', async () => {
    const at = await platform();
    at.sim.change<KubeObject>('namespaces', '', 'team-a', ({ metadata }) => {
      metadata.annotations = { 'lifecycle.novasphere.dev/protected': 'true' };
    });
    await tick(at);
    await at.pass(60_000);
    await tick(at);
    expect(up(at)).toEqual([true, false, true]);
  });

  it('is nothing to an installation for some namespaces', async () => {
    const at = await platform({}, { WATCH_NAMESPACES: 'team-a' });
    await at.pass(60_000);
    await tick(at);
    expect(isUp(at, 'team-a')).toBe(true);
    expect(at.sim.requests.some(({ path }) => path.includes('clusterwukongschedules'))).toBe(false);
  });

  it('counts a hundred namespaces by name, and the others', async () => {
    const at = await platform({ namespaceSelector: {}, selector: { matchLabels: { env: 'dev' } } });
    for (let i = 0; i < 120; i++)
      at.sim.createWukong({ namespace: `more-${i}`, name: 'web', runStrategy: 'Halted', labels: { env: 'dev' } });
    await at.pass(5_000);
    await tick(at);
    expect(status(at)?.namespaces).toHaveLength(100);
    expect(status(at)).toMatchObject({ matched: 123, omittedNamespaces: 23 });
  });

  it('that is wrong says so in its condition and an Event, and the tick goes on', async () => {
    const at = await platform({ stop: 'at eight' });
    const done = await tick(at);
    expect(done.problems).toEqual([]);
    expect(done.schedules[0]).toMatch(/^schedule night: InvalidCron/);
    expect(status(at)?.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'InvalidCron' }]);
    const events = at.sim.list<KubeObject & { involvedObject: { kind: string } }>('events', 'default');
    expect(events.map(({ involvedObject }) => involvedObject.kind)).toEqual(['ClusterWukongSchedule']);
  });

  it('that may not be read is a problem, where it is there; others go on', async () => {
    const at = await platform();
    createSchedule(at.sim, 'team-c', 'late', { stop: '1 20 * * *' });
    at.sim.faults.add({ when: { path: /clusterwukongschedules/ }, does: { kind: 'status', status: 403 } });
    await tick(at);
    await at.pass(60_000);
    const done = await tick(at);
    expect(done).toMatchObject({ undone: 0 });
    expect(done.problems[0]).toMatch(/^ClusterWukongSchedules have no say/);
    expect(up(at)).toEqual([true, true, false]);
  });
});

describe('the runs of a ClusterWukongSchedule', () => {
  const runs = (at: Scene, space: string) =>
    at.sim.list<WukongRun>('wukongruns', space).sort((a, b) => (a.spec.dueAt < b.spec.dueAt ? -1 : 1));
  const evening = async (spec: object = {}) => {
    const at = await platform(spec);
    await tick(at);
    await at.pass(60_000);
    expect((await tick(at)).problems).toEqual([]);
    return at;
  };

  it('are one in each namespace that has VMs of it, owned by it, and count those alone', async () => {
    const at = await evening();
    const { uid } = at.sim.get<KubeObject>('clusterwukongschedules', '', 'night')!.metadata;
    for (const space of ['team-a', 'team-b'])
      expect(runs(at, space)).toMatchObject([
        {
          metadata: { ownerReferences: [{ kind: 'ClusterWukongSchedule', name: 'night', uid, controller: true }] },
          spec: { schedule: 'night', action: 'stop', dueAt: '2026-11-23T20:01:00Z' },
          status: { phase: 'Succeeded', targets: 1, done: 1 },
        },
      ]);
    expect(runs(at, 'team-c')).toEqual([]);
    expect(runs(at, 'team-a').flatMap(fromRun)).toMatchObject([
      { namespace: 'team-a', outcome: 'Stopped', requestId: 'schedule:night@2026-11-23T20:01:00Z' },
    ]);
    const from = at.sim.requests.length;
    await tick(at);
    expect(at.sim.requests.slice(from).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('are kept as many as it says, in each namespace; go with it, and with their namespace', async () => {
    const at = await evening({ stop: '1 * * * *', start: '31 * * * *', runsHistoryLimit: 2 });
    for (let half = 0; half < 4; half++) {
      await at.pass(30 * 60_000);
      await tick(at);
    }
    for (const space of ['team-a', 'team-b'])
      expect(runs(at, space).map(({ spec }) => spec.dueAt)).toEqual(['2026-11-23T21:31:00Z', '2026-11-23T22:01:00Z']);
    at.sim.remove('namespaces', '', 'team-b');
    at.sim.remove('clusterwukongschedules', '', 'night');
    await at.pass(5_000);
    expect([...runs(at, 'team-a'), ...runs(at, 'team-b')]).toEqual([]);
  });

  it('that end badly are told in their namespace, each for itself', async () => {
    const at = await platform({ stop: '1 20 * * *' });
    const hung = { hang: 'true' };
    for (const namespace of ['team-a', 'team-b'])
      at.sim.createWukong({
        ...{ namespace, name: 'hung', labels: { env: 'dev' }, guest: hung },
        terminationGracePeriodSeconds: 1,
      });
    await at.pass(5_000);
    for (let i = 0; i < 8; i++, await at.pass(60_000)) await tick(at);
    for (const space of ['team-a', 'team-b']) {
      expect(runs(at, space)).toMatchObject([{ status: { phase: 'Incomplete', failed: 1, done: 1 } }]);
      const told = at.sim.list<KubeObject & { reason: string }>('events', space);
      expect(told.filter(({ reason }) => reason === 'RunIncomplete')).toHaveLength(1);
    }
  });

  it('that somebody forges or edits in one namespace are made true there, and make none elsewhere', async () => {
    const at = await evening();
    const [mine] = runs(at, 'team-a');
    const dueAt = '2026-11-20T20:01:00Z';
    const spec = { ...mine!.spec, dueAt };
    const name = runNameOf(spec, mine!.metadata.ownerReferences![0]!.uid);
    const { labels, ownerReferences } = mine!.metadata;
    at.sim.create({ ...mine!, metadata: { namespace: 'team-a', name, labels, ownerReferences }, spec });
    at.sim.create({
      ...mine!,
      metadata: { namespace: 'team-c', name: 'night-by-hand', labels, ownerReferences },
    });
    at.sim.remove('wukongruns', 'team-b', runs(at, 'team-b')[0]!.metadata.name);
    await tick(at);
    expect(runs(at, 'team-b').map((run) => run.spec.dueAt)).toEqual(['2026-11-23T20:01:00Z']);
    expect(runs(at, 'team-c')).toEqual([]);
  });

  it('need no rights beside those of a whole cluster’s tick', async () => {
    const at = await evening();
    const denied = at.sim.requests.filter(({ status: code }) => code === 403);
    expect(denied).toEqual([]);
    expect(at.sim.requests.some(({ method, path }) => method === 'POST' && path.includes('team-b/wukongruns'))).toBe(
      true,
    );
  });
});

describe('the runs of a ClusterWukongSchedule over the whole cluster', () => {
  const runs = (at: Scene) => at.sim.list<WukongRun>('wukongruns');
  it('are one in each namespace in which it rules; a tick after the next boundary has no problem', async () => {
    const at = await platform({ start: '10 20 * * *' });
    await at.pass(60_000);
    await tick(at);
    await at.pass(9 * 60_000);
    for (let i = 0; i < 2; i++) expect(await tick(at)).toMatchObject({ problems: [] });
    const told = runs(at).map(({ metadata, spec, status }) => [
      metadata.namespace,
      spec.action,
      status?.phase,
      status?.done,
    ]);
    expect(told.sort()).toEqual([
      ['team-a', 'start', 'Succeeded', 1],
      ['team-a', 'stop', 'Succeeded', 1],
      ['team-b', 'start', 'Succeeded', 1],
      ['team-b', 'stop', 'Succeeded', 1],
    ]);
    expect(runs(at)[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'ClusterWukongSchedule', name: 'night' }]);
    expect(runs(at).flatMap(fromRun)).toHaveLength(4);
    const before = at.sim.requests.length;
    await tick(at);
    expect(at.sim.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});
