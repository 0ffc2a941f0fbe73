import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { WukongOptions } from '../../sim/sim.ts';
import { mortal } from '../flow/mortal.ts';
import { namespace, type Scene } from '../flow/scene.ts';
import { createSchedule } from '../schedule.ts';
import { manyStories } from './manyStories.ts';

export interface Story {
  name: string;
  /** Absent: there is none at first. */
  wukong?: Omit<WukongOptions, 'namespace' | 'name'>;
  /** Others by name, which must come to the same end. */
  beside?: Record<string, Omit<WukongOptions, 'namespace' | 'name'>>;
  /** What was before, without faults. */
  before?(at: Scene): Promise<unknown>;
  /** What the faults befall: one invocation of a function. */
  begin(at: Scene): Promise<unknown>;
  /** Whether its trigger delivers it again when it did not come to an end; else the ticks alone find it. */
  delivered: boolean;
  expected: { state: 'Running' | 'Stopped' | undefined; outcomes: string[]; strategy: string | boolean };
  /** What else is wrong, in words. */
  also?(at: Scene): string[];
}

const place = { namespace, name: 'web' };
const within = (at: Scene, ms = 600_000) => ({ limits: { deadline: at.clock.now() + ms } });
const request = { requestId: 'the-request' };

/** The functions end before their own time limit; what they leave is gone on with by ticks. */
const command =
  (action: 'start' | 'stop', more: object = {}) =>
  (at: Scene) =>
    performOne(at.command(action, 'web', more, request), place, at.world, within(at));
const tick = (at: Scene) => reconcile(at.world, within(at).limits);

const stopped = (strategy: string | boolean, ...outcomes: string[]): Story['expected'] => ({
  state: 'Stopped',
  outcomes: outcomes.length > 0 ? outcomes : ['Stopped'],
  strategy,
});
const on = (strategy: string | boolean): Story['expected'] => ({ state: 'Running', outcomes: ['Started'], strategy });

const stopOf = (name: string, wukong: Story['wukong'], strategy: string | boolean): Story => ({
  name: `stop of ${name}`,
  wukong,
  begin: command('stop'),
  delivered: true,
  expected: stopped(strategy),
});

/** A crashed RerunOnFailure VM in back-off: no VMI, and a Start in the queue that beats a stop (KUBEVIRT §1). */
async function crashed(at: Scene): Promise<void> {
  for (let look = 0; look < 2_000; look++) {
    const queue = at.vm('web').status?.['stateChangeRequests'] as unknown[] | undefined;
    if (queue?.length && !at.vmi('web')) return;
    await at.pass(25);
  }
  throw new Error('it never crashed');
}

/** Switched off by us and then started: the strategy that the owner chose comes back. */
const offBefore = (at: Scene) => at.perform('stop', 'web');

async function diesAfterItsClaim(at: Scene): Promise<void> {
  const life = mortal(at.world, 5, 'after'); // namespace, Wukong, two watches, claim
  const work = performOne(at.command('stop', 'web', {}, request), place, life.world, within(at));
  await at.run(Promise.race([work, life.death]));
}

export const storiesOfOne: Story[] = [
  stopOf('Always', { runStrategy: 'Always' }, 'Halted'),
  stopOf('Once', { runStrategy: 'Once' }, 'Halted'),
  stopOf('running: true', { running: true }, false),
  { ...stopOf('Manual', { runStrategy: 'Manual' }, 'Manual'), before: (at) => at.perform('start', 'web') },
  stopOf('RerunOnFailure', { runStrategy: 'RerunOnFailure' }, 'RerunOnFailure'),
  {
    name: 'forced stop',
    wukong: { runStrategy: 'Always', guest: { 'ignore-acpi': 'true' } },
    begin: command('stop', { force: true }),
    delivered: true,
    expected: stopped('Halted', 'ForcedOff'),
  },
  {
    name: 'a guest that ignores ACPI',
    wukong: { runStrategy: 'Always', guest: { 'ignore-acpi': 'true' }, terminationGracePeriodSeconds: 20 },
    begin: command('stop'),
    delivered: true,
    // A process that was cut off when the guest went cannot say how it went.
    expected: stopped('Halted', 'ForcedOff', 'Stopped'),
  },
  {
    name: 'a guest that hangs, its pod deleted',
    wukong: { runStrategy: 'Always', guest: { hang: 'true' }, terminationGracePeriodSeconds: 10 },
    begin: command('stop', { deletePodWhenStuck: true }),
    delivered: true,
    expected: stopped('Halted', 'ForcedOff'),
  },
  {
    name: 'stop of a crashed VM with a Start queued',
    wukong: { runStrategy: 'RerunOnFailure', guest: { 'never-running': 'true' } },
    before: crashed,
    begin: command('stop'),
    delivered: true,
    expected: stopped('Halted'),
  },
  {
    name: 'start',
    wukong: { runStrategy: 'Halted' },
    begin: command('start'),
    delivered: true,
    expected: on('Always'),
  },
  {
    name: 'start that restores Once',
    wukong: { runStrategy: 'Once' },
    before: offBefore,
    begin: command('start'),
    delivered: true,
    expected: on('Once'),
  },
  {
    name: 'declared stop',
    wukong: { runStrategy: 'Always' },
    async before(at) {
      at.sim.change<{ spec: { lifecycleAction?: unknown } }>('wukongs', namespace, 'web', ({ spec }) => {
        spec.lifecycleAction = { action: 'stop' };
      });
    },
    begin: tick,
    delivered: false,
    expected: stopped('Halted'),
  },
  {
    name: 'scheduled stop',
    wukong: { runStrategy: 'Always', labels: { env: 'dev' } },
    async before(at) {
      delete at.world.bus; // else the tick only puts a command on it
      createSchedule(at.sim, namespace, 'evening');
      await at.pass(60_000);
    },
    begin: tick,
    delivered: false,
    expected: stopped('Halted'),
  },
  {
    name: 'resume of a stop',
    wukong: { runStrategy: 'Always' },
    before: diesAfterItsClaim,
    begin: tick,
    delivered: false,
    expected: stopped('Halted'),
  },
];

export const stories: Story[] = [...storiesOfOne, ...manyStories];
