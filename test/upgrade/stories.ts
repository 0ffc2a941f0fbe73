import { VirtualClock } from '../../sim/clock.ts';
import { type Sim, startSim, type WukongOptions } from '../../sim/sim.ts';

export const namespace = 'team-a';
export const place = { namespace, name: 'web' };
export const minute = 60_000;

/** What one version brings: its own world on a cluster, a command, a tick. */
export interface Version {
  world(sim: Sim, clock: VirtualClock): Promise<unknown>;
  command(world: unknown, action: 'start' | 'stop', more: object, deadline: number): Promise<{ outcome: string }>;
  tick(world: unknown, deadline: number): Promise<unknown>;
}

export interface Story {
  name: string;
  vm: Partial<WukongOptions>;
  does: { command: 'start' | 'stop'; more?: object } | { declares: object } | { schedule: object };
  /** Done before, by the same version, to its end. */
  before?: 'start' | 'stop';
  expected: { outcome: string[]; state: 'Running' | 'Stopped'; strategy?: string };
}

const deaf = { 'ignore-acpi': 'true' };
const stopped = { outcome: ['Stopped'], state: 'Stopped' } as const;
const forced = { outcome: ['ForcedOff', 'Stopped'], state: 'Stopped' } as const;

export const stories: Story[] = [
  {
    name: 'a stop',
    vm: { runStrategy: 'Always' },
    does: { command: 'stop' },
    expected: { ...stopped, outcome: [...stopped.outcome] },
  },
  {
    name: 'a stop of a guest that ignores ACPI',
    vm: { runStrategy: 'Manual', guest: deaf, terminationGracePeriodSeconds: 20 },
    does: { command: 'stop' },
    before: 'start',
    expected: { ...forced, outcome: [...forced.outcome], strategy: 'Manual' },
  },
  {
    name: 'a forced stop whose launcher pod may be deleted',
    vm: { runStrategy: 'Always', guest: { hang: 'true' }, terminationGracePeriodSeconds: 5 },
    does: { command: 'stop', more: { deletePodWhenStuck: true } },
    expected: { ...forced, outcome: [...forced.outcome] },
  },
  {
    name: 'a start that puts the strategy back',
    vm: { runStrategy: 'Once' },
    does: { command: 'start' },
    before: 'stop',
    expected: { outcome: ['Started'], state: 'Running', strategy: 'Once' },
  },
  {
    name: 'a declared stop',
    vm: { runStrategy: 'Always' },
    does: { declares: { action: 'stop', gracePeriodSeconds: 10 } },
    expected: { ...stopped, outcome: [...stopped.outcome] },
  },
  {
    name: 'a stop of a schedule',
    vm: { runStrategy: 'Always' },
    does: { schedule: { stop: '2 20 * * *' } },
    expected: { ...stopped, outcome: [...stopped.outcome] },
  },
];

const uid = '5f0e1c1a-0000-4000-8000-000000000001';
interface Owned {
  metadata: { uid: string; ownerReferences?: { uid: string }[] };
}

/** A cluster at 20:00 with the VM of a story as it was before it. */
export async function stageOf({
  vm,
}: Story): Promise<{ sim: Sim; clock: VirtualClock; pass: (ms: number) => Promise<void> }> {
  const clock = new VirtualClock('2026-11-23T20:00:00Z');
  const sim = await startSim({ clock });
  sim.createWukong({ ...place, labels: { env: 'dev' }, ...vm });
  // Events are named by the uid, so that what one version has told the other knows.
  sim.change<Owned>('wukongs', namespace, 'web', ({ metadata }) => void (metadata.uid = uid));
  sim.change<Owned>('virtualmachines', namespace, 'web-vm', ({ metadata }) => {
    metadata.ownerReferences = metadata.ownerReferences!.map((owner) => ({ ...owner, uid }));
  });
  const pass = (ms: number) => clock.run(new Promise<void>((resolve) => clock.after(ms, resolve)), { sims: [sim] });
  await pass(5_000);
  return { sim, clock, pass };
}

/** What a person or a schedule does, before any of our calls. */
export function declare({ does }: Story, sim: Sim): void {
  if ('declares' in does)
    sim.change<{ spec: object }>('wukongs', namespace, 'web', (o) => {
      o.spec = { ...o.spec, lifecycleAction: does.declares };
    });
  if ('schedule' in does)
    sim.create({
      apiVersion: 'vm.novasphere.dev/v1alpha1',
      kind: 'WukongSchedule',
      metadata: { namespace, name: 'evening' },
      spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, ...does.schedule },
    });
}

export const requestId = 'the-request';

/** What is done before a story, by the version that lives it. */
export async function prelude({ before }: Story, version: Version, clock: VirtualClock, world: unknown): Promise<void> {
  if (before) await version.command(world, before, { requestId: 'the-one-before' }, clock.now() + 10 * minute);
}

/** The whole of a story by one version, with a tick after it. */
export async function live(
  story: Story,
  version: Version,
  sim: Sim,
  clock: VirtualClock,
  world: unknown,
): Promise<void> {
  const pass = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const within = (ms: number) => clock.now() + ms;
  const { does } = story;
  declare(story, sim);
  if ('command' in does) await version.command(world, does.command, { requestId, ...does.more }, within(10 * minute));
  await version.tick(world, within(10 * minute));
  if ('schedule' in does) {
    await pass(Date.parse('2026-11-23T20:02:01Z') - clock.now());
    await version.tick(world, within(10 * minute));
  }
  await version.tick(world, within(10 * minute));
}
