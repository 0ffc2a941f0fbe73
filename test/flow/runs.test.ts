import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../shared/domain/model.ts';
import { currentKey, scheduleUidKey, type WukongRun } from '../../shared/domain/run.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { fleet } from './fleet.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { scheduleIn } from './ways.ts';

const dev = { labels: { env: 'dev' } };
const office = { start: '0 8 * * *', stop: '30 20 * * *' };
const minuteMs = 60_000;

/** A scene at 20:00 UTC with these VMs running, and one schedule. */
async function evening(names: Record<string, object>, spec: object = {}): Promise<Scene> {
  const at = await scene();
  delete at.world.bus;
  for (const [name, more] of Object.entries(names))
    at.sim.createWukong({ namespace, name, runStrategy: 'Always', ...dev, ...more });
  scheduleIn(at, namespace, { ...office, ...spec });
  await at.pass(5_000);
  return at;
}
const tick = (at: Scene, leftMs = 50_000) => at.run(reconcile(at.world, { deadline: at.clock.now() + leftMs }));
const at2 = (clock: string, day = 23) => Date.parse(`2026-11-${day}T${clock}:00Z`);
const goTo = (at: Scene, instant: number) => at.pass(instant - at.clock.now());
const runs = (at: Scene) =>
  at.sim.list<WukongRun>('wukongruns', namespace).sort((a, b) => (a.spec.dueAt < b.spec.dueAt ? -1 : 1));
const only = (at: Scene) => runs(at)[0]!;
const events = (at: Scene, reason: string) =>
  at.sim.list<{ reason: string }>('events', namespace).filter((event) => event.reason === reason).length;
const writes = (at: Scene, from: number) =>
  at.sim.requests.slice(from).filter(({ method, path }) => method !== 'GET' && path.includes('/wukongruns'));
const off = (key: string, value: string) => ({ annotations: { [`lifecycle.novasphere.dev/${key}`]: value } });

describe('a run', () => {
  it('says what came of a boundary: done, already, forced, failed, skipped', async () => {
    const at = await evening({
      web: {},
      idle: { runStrategy: 'Halted' },
      stubborn: { guest: { 'ignore-acpi': 'true' }, gracePeriodSeconds: 5 },
      kept: off('protected', 'true'),
      lost: { guest: { hang: 'true' } },
    });
    await tick(at);
    expect(runs(at)).toEqual([]);
    await goTo(at, at2('20:30'));
    for (let i = 0; i < 6; i++) {
      const from = at.sim.requests.length;
      await tick(at);
      expect(writes(at, from).length).toBeLessThanOrEqual(1);
      await at.pass(minuteMs);
    }
    expect(only(at)).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'WukongSchedule', name: 'office' }] },
      spec: { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' },
    });
    expect(only(at).status).toEqual({
      phase: 'Incomplete',
      ...{ targets: 5, done: 1, already: 1, forced: 1, failed: 1, skipped: { Protected: 1 }, inProgress: 0 },
      startedAt: '2026-11-23T20:30:00Z',
      finishedAt: '2026-11-23T20:31:50Z',
      latestSeconds: 0,
      failures: [{ name: 'lost', reason: 'Stuck', message: expect.stringContaining('still there') as string }],
      forcedNames: ['stubborn'],
      vms: [
        'idle AlreadyOff',
        'kept Skipped/Protected',
        'lost Failed/Stuck 0 110',
        'stubborn ForcedOff/GracePeriodExceeded 0 30',
        'web Stopped 0 2',
      ],
    });
    const from = at.sim.requests.length;
    await tick(at);
    expect(writes(at, from)).toEqual([]);
  });

  it('is Missed when no tick came in time, for each boundary that passed', async () => {
    const at = await evening({ web: {}, db: {} });
    await tick(at);
    await goTo(at, at2('21:00', 25));
    await tick(at);
    const told = runs(at).map(({ spec, status }) => `${spec.dueAt} ${spec.action} ${status?.phase} ${status?.targets}`);
    expect(told).toEqual([
      '2026-11-23T20:30:00Z stop Missed 2',
      '2026-11-24T08:00:00Z start Succeeded 2',
      '2026-11-24T20:30:00Z stop Missed 2',
      '2026-11-25T08:00:00Z start Succeeded 2',
      '2026-11-25T20:30:00Z stop Succeeded 2',
    ]);
    expect(events(at, 'RunMissed')).toBe(2);
    const from = at.sim.requests.length;
    await tick(at);
    expect(writes(at, from)).toEqual([]);
  });

  it('tells its end once when it is bad, on the schedule and on the bus', async () => {
    const at = await evening({ web: {}, lost: { guest: { hang: 'true' } } });
    at.world.bus = { put: (entries) => Promise.resolve(void at.bus.push(...entries)) };
    await goTo(at, at2('20:30'));
    delete at.world.bus;
    await tick(at);
    at.world.bus = { put: (entries) => Promise.resolve(void at.bus.push(...entries)) };
    for (let i = 0; i < 5; i++, await at.pass(minuteMs)) await tick(at);
    expect(events(at, 'RunIncomplete')).toBe(1);
    const sent = at.bus.filter(({ type }) => type === 'Wukong VM Lifecycle Run');
    expect(sent).toMatchObject([{ detail: { phase: 'Incomplete', failed: 1, done: 1, schedule: 'office' } }]);
  });

  it('of a namespace where runs cannot be read is neither told again nor written, tick after tick', async () => {
    const at = await evening({ lost: { guest: { hang: 'true' } } });
    at.world.config = { ...at.world.config, watchNamespaces: [namespace, 'elsewhere'] };
    const notices: object[] = [];
    at.world.webhook = { put: (notice) => void notices.push(notice), flush: () => Promise.resolve() };
    await goTo(at, at2('20:30'));
    for (let i = 0; i < 5; i++, await at.pass(minuteMs)) await tick(at);
    expect(only(at).status?.phase).toBe('Incomplete');
    const [told, from] = [notices.length, at.sim.requests.length];
    at.sim.faults.add({ when: { method: 'GET', path: /team-a\/wukongruns/ }, does: { kind: 'status', status: 403 } });
    for (let i = 0; i < 3; i++) {
      await at.pass(minuteMs);
      expect((await tick(at)).problems.join()).toMatch(/^runs of namespace team-a are not kept: /);
    }
    expect([notices.length - told, writes(at, from)]).toEqual([0, []]);
  });

  it('keeps what a VM came to that is switched again while others are still under way', async () => {
    const at = await evening({ web: {}, lost: { guest: { hang: 'true' } } });
    await goTo(at, at2('20:30'));
    await tick(at);
    await at.perform('start', 'web');
    for (let i = 0; i < 4; i++, await at.pass(minuteMs)) await tick(at);
    expect(only(at).status?.vms?.[1]).toMatch(/^web Stopped 0 /);
    expect(only(at).status).toMatchObject({ phase: 'Incomplete', done: 1, failed: 1 });
  });

  it('counts a newer wish as Superseded, and what an override holds back as Override', async () => {
    const at = await evening({ web: {}, db: off('keep-running-until', '2026-11-23T22:00:00Z'), idle: {} });
    await goTo(at, at2('20:31'));
    await at.perform('start', 'web');
    await tick(at);
    expect(only(at).status).toMatchObject({ phase: 'Succeeded', done: 1, skipped: { Override: 1, Superseded: 1 } });
  });

  it('keeps as many as its schedule says, the newest', async () => {
    const at = await evening({ web: {} }, { stop: '*/10 * * * *', start: undefined, runsHistoryLimit: 3 });
    for (let i = 0; i < 60; i += 5, await at.pass(5 * minuteMs)) await tick(at);
    expect(runs(at).map(({ spec }) => spec.dueAt.slice(11, 16))).toEqual(['20:30', '20:40', '20:50']);
  });

  it('goes away with its schedule, and is finished when the schedule is suspended or edited meanwhile', async () => {
    for (const edit of [{ suspend: true }, { stop: '45 20 * * *' }, { stop: 'nonsense' }]) {
      const at = await evening({ web: {}, lost: { guest: { hang: 'true' } } });
      await goTo(at, at2('20:30'));
      await tick(at);
      expect(only(at).status?.phase).toBe('Running');
      at.sim.change('wukongschedules', namespace, 'office', (o: { spec: object }) => void Object.assign(o.spec, edit));
      for (let i = 0; i < 4; i++, await at.pass(minuteMs)) await tick(at);
      expect(only(at).status, JSON.stringify(edit)).toMatchObject({ phase: 'Incomplete', done: 1, failed: 1 });
      expect(runs(at)).toHaveLength(1);
      at.sim.remove('wukongschedules', namespace, 'office');
      await at.pass(minuteMs);
      expect(runs(at)).toEqual([]);
    }
  });
});

describe('a run that somebody', () => {
  const night = async () => {
    const at = await evening({ web: {}, idle: { runStrategy: 'Halted' }, kept: off('protected', 'true') });
    await goTo(at, at2('20:30'));
    await tick(at);
    await at.pass(minuteMs);
    return { at, truth: only(at).status };
  };

  it('edits is made true', async () => {
    const { at, truth } = await night();
    expect(truth).toMatchObject({ phase: 'Succeeded', done: 1, already: 1, skipped: { Protected: 1 } });
    for (const edit of [
      { phase: 'Incomplete' },
      { done: 7 },
      { vms: [] },
      { vms: 'nothing', failures: [{}] },
      { vms: ['web Failed/Stuck 0 9', 'ghost Stopped'] },
      { phase: 'Running', vms: ['web InProgress 1'], forcedNames: ['web'] },
    ]) {
      at.sim.change('wukongruns', namespace, only(at).metadata.name, (o: { status: object }) => {
        Object.assign(o.status, edit);
      });
      await tick(at);
      await tick(at);
      const { vms, ...rest } = only(at).status!;
      expect(vms!.filter((line) => !line.startsWith('ghost')).length, JSON.stringify(edit)).toBe(3);
      if (!JSON.stringify(edit).includes('ghost')) expect({ vms, ...rest }, JSON.stringify(edit)).toEqual(truth);
    }
  });

  it('deletes is made anew, and one whose label is taken off is found again', async () => {
    const { at, truth } = await night();
    at.sim.remove('wukongruns', namespace, only(at).metadata.name);
    await tick(at);
    expect(only(at).status).toEqual(truth);
    at.sim.change('wukongruns', namespace, only(at).metadata.name, (o: WukongRun) => void delete o.metadata.labels);
    for (let i = 0; i < 3; i++) await tick(at);
    expect(only(at)).toMatchObject({
      status: truth,
      metadata: { labels: { 'lifecycle.novasphere.dev/current': 'true' } },
    });
  });

  it('forges for a time that was none, or that is to come, goes away', async () => {
    const { at, truth } = await night();
    const real = only(at);
    for (const dueAt of ['2026-11-23T19:30:00Z', '2026-11-29T20:30:00Z'])
      at.sim.create({
        ...real,
        metadata: { ...real.metadata, name: `x-${dueAt.toLowerCase().replaceAll(':', '')}` },
        spec: { ...real.spec, dueAt },
      });
    await tick(at);
    await tick(at);
    expect(runs(at).map(({ metadata, status }) => [metadata.name, status])).toEqual([[real.metadata.name, truth]]);
  });

  it('forges by the hundred elsewhere, where nothing can be deleted, holds up no run of others', async () => {
    const at = await evening({ web: {} });
    await goTo(at, at2('20:30'));
    const { uid } = at.sim.list<KubeObject>('wukongschedules', namespace)[0]!.metadata;
    const labels = { [currentKey]: 'true', [scheduleUidKey]: uid! };
    for (let i = 0; i < 100; i++)
      at.sim.create({
        ...{
          apiVersion: 'vm.novasphere.dev/v1alpha1',
          kind: 'WukongRun',
          metadata: { namespace: 'x', name: `a-${i}`, labels },
        },
        spec: { schedule: 'office', action: 'stop', dueAt: '2026-11-23T20:30:00Z' },
      });
    at.sim.faults.add({
      when: { path: /\/x\/wukongruns/, from: 1 },
      times: 10_000,
      does: { kind: 'status', status: 500 },
    });
    await tick(at);
    expect(only(at).status).toMatchObject({ phase: 'Succeeded', done: 1 });
    const made = at.sim.requests.find(
      ({ method, path }) => method === 'POST' && path.includes(`${namespace}/wukongruns`),
    );
    expect(made!.at - at2('20:30')).toBeLessThan(5_000);
  });

  it('tries to change is refused by the API server once it is over', async () => {
    const { at } = await night();
    const path = `/apis/vm.novasphere.dev/v1alpha1/namespaces/${namespace}/wukongruns/${only(at).metadata.name}`;
    const contentType = 'application/merge-patch+json';
    for (const body of [{ status: { done: 3 } }, { status: null }, { spec: { action: 'start' } }]) {
      const answer = await at.run(at.world.transport.call({ method: 'PATCH', path, body, contentType, safe: true }));
      expect(answer.status, JSON.stringify(body)).toBe(422);
    }
  });
});

describe('the run of a fleet command', () => {
  it('is made when it begins and finished by the ticks', async () => {
    const at = await evening({ web: {}, idle: { runStrategy: 'Halted' }, lost: { guest: { hang: 'true' } } });
    await at.run(fleet(at, 'stop', {}, { leftMs: 20_000 }));
    expect(only(at)).toMatchObject({ spec: { action: 'stop' }, status: { phase: 'Running', targets: 3, already: 1 } });
    expect(only(at).metadata.ownerReferences).toBeUndefined();
    for (let i = 0; i < 5; i++, await at.pass(minuteMs)) await tick(at);
    expect(only(at).status).toMatchObject({ phase: 'Incomplete', done: 1, already: 1, failed: 1 });
    const from = at.sim.requests.length;
    await tick(at);
    expect(writes(at, from)).toEqual([]);
  });
});

describe('two schedules that meet at one instant', () => {
  it.each([
    ['stop', 'stop', 'Always', ['Succeeded', 'Succeeded'], ['AlreadyOff', 'Stopped']],
    ['start', 'start', 'Halted', ['Succeeded', 'Succeeded'], ['AlreadyOn', 'Started']],
    ['stop', 'start', 'Always', ['Skipped', 'Succeeded'], ['Superseded', 'AlreadyOn']],
    ['start', 'stop', 'Halted', ['Succeeded', 'Succeeded'], ['Started', 'AlreadyOff']],
  ])('%s and %s: nothing was missed', async (one, other, runStrategy, phases, ends) => {
    const at = await scene();
    delete at.world.bus;
    at.sim.createWukong({ namespace, name: 'web', ...dev, runStrategy: runStrategy as 'Always' });
    const make = (name: string, action: string) =>
      at.sim.create({
        apiVersion: 'vm.novasphere.dev/v1alpha1',
        kind: 'WukongSchedule',
        metadata: { namespace, name, creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, [action]: '30 20 * * *' },
      });
    make('a', one);
    make('b', other);
    await goTo(at, at2('20:30'));
    for (let i = 0; i < 4; i++) {
      await tick(at);
      await at.pass(minuteMs);
    }
    const mine = runs(at).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    expect(mine.map(({ status }) => status?.phase)).toEqual(phases);
    expect(mine.map(({ status }) => status?.vms?.[0]?.split(' ')[1])).toEqual(ends);
    expect(events(at, 'RunMissed')).toBe(0);
  });
});
