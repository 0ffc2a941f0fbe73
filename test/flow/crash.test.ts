import { describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { createSchedule } from '../schedule.ts';
import { mortal } from './mortal.ts';
import { namespace, type Scene, scene } from './scene.ts';

interface Story {
  name: string;
  guest?: Record<string, string>;
  runStrategy: 'Always' | 'Halted' | 'Once';
  grace?: number;
  /** What the process was doing when it died. */
  begin(at: Scene, world: World): Promise<unknown>;
  expected: { outcome: string; state: string };
}

const place = { namespace, name: 'web' };
const limits = (at: Scene, ms = 600_000) => ({ deadline: at.clock.now() + ms });
const commanded =
  (action: 'start' | 'stop', more: object = {}) =>
  (at: Scene, world: World) =>
    performOne(at.command(action, 'web', more, { requestId: 'the-request' }), place, world, { limits: limits(at) });
const declared = (value: object) => (at: Scene, world: World) => {
  at.sim.change('wukongs', namespace, 'web', (o: { spec: { lifecycleAction?: unknown } }) => {
    o.spec.lifecycleAction = value;
  });
  return reconcile(world, limits(at));
};
const scheduled = async (at: Scene, world: World) => {
  createSchedule(at.sim, namespace, 'evening');
  await at.pass(60_000);
  return reconcile(world, limits(at));
};

const stories: Story[] = [
  {
    name: 'a stop',
    runStrategy: 'Always',
    begin: commanded('stop'),
    expected: { outcome: 'Stopped', state: 'Stopped' },
  },
  {
    name: 'a stop of Once',
    runStrategy: 'Once',
    begin: commanded('stop'),
    expected: { outcome: 'Stopped', state: 'Stopped' },
  },
  {
    name: 'a stop of a guest that ignores ACPI',
    runStrategy: 'Always',
    guest: { 'ignore-acpi': 'true' },
    grace: 20,
    begin: commanded('stop'),
    expected: { outcome: 'ForcedOff', state: 'Stopped' },
  },
  {
    name: 'a stop whose launcher pod may be deleted',
    runStrategy: 'Always',
    guest: { hang: 'true' },
    grace: 10,
    begin: commanded('stop', { deletePodWhenStuck: true }),
    expected: { outcome: 'ForcedOff', state: 'Stopped' },
  },
  {
    name: 'a forced stop',
    runStrategy: 'Always',
    guest: { 'ignore-acpi': 'true' },
    begin: commanded('stop', { force: true }),
    expected: { outcome: 'ForcedOff', state: 'Stopped' },
  },
  {
    name: 'a start',
    runStrategy: 'Halted',
    begin: commanded('start'),
    expected: { outcome: 'Started', state: 'Running' },
  },
  {
    name: 'a declared stop',
    runStrategy: 'Always',
    begin: declared({ action: 'stop' }),
    expected: { outcome: 'Stopped', state: 'Stopped' },
  },
  {
    name: 'a scheduled stop',
    runStrategy: 'Always',
    begin: scheduled,
    expected: { outcome: 'Stopped', state: 'Stopped' },
  },
];

/** One life and death, then ticks until quiet. Returns how many calls the first process made. */
async function dieAt(story: Story, nth: number, when: 'before' | 'after'): Promise<number> {
  const at = await scene();
  if (story.name.includes('scheduled')) delete at.world.bus;
  const told: { id: string }[] = [];
  at.world.bus = { put: async (entries) => void told.push(...entries.map(({ detail }) => detail as { id: string })) };
  const noBus = story.name.includes('scheduled');
  const world = noBus ? { ...at.world, bus: undefined } : at.world;
  at.sim.createWukong({
    namespace,
    name: 'web',
    runStrategy: story.runStrategy,
    labels: { env: 'dev' },
    guest: story.guest,
    terminationGracePeriodSeconds: story.grace,
  });
  await at.pass(5_000);
  const uid = at.vmi('web')?.metadata.uid;
  const deletions: number[] = [];
  const life = mortal(world, nth, when);
  const work = story.begin(at, life.world);
  await at.run(Promise.race([work, life.death]));
  const watchEnd = (): void => {
    const vmi = at.vmi('web');
    if (vmi?.metadata.uid === uid && vmi?.metadata.deletionTimestamp)
      deletions.push(Date.parse(vmi.metadata.deletionTimestamp));
  };
  watchEnd();
  // A trigger delivers an unfinished request again; a declared or scheduled one is found by the ticks alone.
  if (!noBus && !story.name.includes('declared')) {
    await at.run(story.begin(at, world));
    watchEnd();
  }
  for (let minute = 0; minute < 8; minute++) {
    await at.run(reconcile(world, limits(at, 50_000)));
    watchEnd();
    await at.pass(60_000);
  }
  const where = `${story.name}, ${when} call ${nth}`;
  const { lifecycleState } = at.wukong('web').status ?? {};
  expect(lifecycleState, where).toMatchObject({ state: story.expected.state });
  // A process that died after the guest was gone cannot say how it ended.
  const fine = [story.expected.outcome, ...(story.expected.outcome === 'ForcedOff' ? ['Stopped'] : [])];
  expect(fine, where).toContain(lifecycleState?.outcome);
  expect(at.wukong('web').metadata.annotations, where).not.toHaveProperty(['lifecycle.novasphere.dev/operation']);
  expect(at.wukong('web').spec?.lifecycleAction, where).toBeUndefined();
  if (!noBus) expect(new Set(told.map(({ id }) => id)).size, where).toBe(1);
  const events = at.sim.list<{ reason: string }>('events', namespace).filter(({ reason }) => fine.includes(reason));
  expect(events, where).toHaveLength(1);
  const [deletion] = deletions;
  const forcedAt = at.sim.requests.filter(({ path, method }) => method === 'PUT' && path.endsWith('/stop'))[1]?.at;
  if (story.grace && deletion !== undefined && forcedAt !== undefined && story.guest?.['hang'])
    expect(forcedAt, where).toBeGreaterThanOrEqual(deletion + story.grace * 1000);
  await at.sim.close();
  return life.calls();
}

describe('a process that dies', () => {
  it.each(stories)(
    'in $name, at any call, leaves nothing undone or told twice',
    async (story) => {
      for (const when of ['before', 'after'] as const)
        for (let nth = 1; nth <= 40; nth++) if ((await dieAt(story, nth, when)) < nth) break;
    },
    60_000,
  );

  it.each(['before', 'after'] as const)(
    '%s any call of a stop, whose guest then comes back, has not shortened the grace of the new one',
    async (when) => {
      for (let nth = 1; nth <= 40; nth++) if ((await comeBackAfter(nth, when)) < nth) break;
    },
    60_000,
  );
});

/** A hanging guest is stopped by a process that dies; it ends, somebody has it start again, and ticks go on. */
async function comeBackAfter(nth: number, when: 'before' | 'after'): Promise<number> {
  const at = await scene();
  const graceSeconds = 10;
  const hangs = { guest: { hang: 'true' }, terminationGracePeriodSeconds: graceSeconds };
  at.sim.createWukong({ ...place, runStrategy: 'Always', ...hangs });
  await at.pass(5_000);
  const forces: { at: number; since: number }[] = [];
  const { transport } = at.world;
  const world: World = {
    ...at.world,
    transport: {
      ...transport,
      call(call, limits) {
        const isForce = call.path.endsWith('/stop') && (call.body as { gracePeriod?: number }).gracePeriod === 0;
        const since = Date.parse(at.vmi('web')?.metadata.deletionTimestamp ?? '');
        if (isForce || call.method === 'DELETE') forces.push({ at: at.clock.now(), since });
        return transport.call(call, limits);
      },
    },
  };
  const life = mortal(world, nth, when);
  await at.run(Promise.race([commanded('stop', { deletePodWhenStuck: true })(at, life.world), life.death]));
  at.sim.change<{ spec: object }>('virtualmachines', namespace, 'web-vm', (vm) => {
    vm.spec = { ...vm.spec, runStrategy: 'Always' };
  });
  if (at.vmi('web'))
    at.sim.change<{ status?: object }>('virtualmachineinstances', namespace, 'web-vm', (vmi) => {
      vmi.status = { ...vmi.status, phase: 'Failed' };
    });
  await at.pass(5_000);
  for (let minute = 0; minute < 8; minute++) {
    await at.run(reconcile(world, limits(at, 50_000)));
    await at.pass(60_000);
  }
  for (const force of forces)
    expect(force.at, `${when} call ${nth}`).toBeGreaterThanOrEqual(force.since + graceSeconds * 1000);
  await at.sim.close();
  return life.calls();
}
