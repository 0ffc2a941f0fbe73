import { describe, expect, it } from 'vitest';

import type { Machines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { lastKey, operationOf, settledKey } from '../../shared/domain/operation.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import type { Performing } from '../../shared/lifecycle/runOperation.ts';
import { machineOf } from '../unit/machines.ts';
import { namespace, type Scene, scene } from './scene.ts';
import { annotate, endOf, place, s, told } from './telling.ts';

const prefix = 'lifecycle.novasphere.dev/';
type How = Partial<Performing> & { id?: string; world?: World };

async function vm(runStrategy: 'Always' | 'Halted' = 'Always', more: object = {}): Promise<Scene> {
  const at = await scene();
  at.sim.createWukong({ ...place, runStrategy, ...more });
  await at.pass(5_000);
  return at;
}
/** One command, beside whatever else happens. */
function begin(at: Scene, action: Action, more: object = {}, { id = 'one', world = at.world, ...how }: How = {}) {
  const limits = { deadline: at.clock.now() + 600 * s };
  return performOne(at.command(action, 'web', more, { requestId: id }), place, world, { limits, ...how });
}
const perform = (at: Scene, ...args: [Action, object?, How?]) => at.run(begin(at, ...args));
const asked = (at: Scene, method: string, path: RegExp) =>
  at.sim.requests.filter((one) => one.method === method && path.test(one.path)).length;
const guest = (at: Scene) => at.vmi('web')?.metadata.uid;

/** A world in which somebody writes the Wukong just before each of our first `times` patches of it. */
function meddled(at: Scene, times: number) {
  const { transport } = at.world;
  const world: World & { patches: number } = { ...at.world, patches: 0 };
  world.transport = {
    ...transport,
    call(call, limits) {
      if (call.method === 'PATCH' && /wukongs\/web$/.test(call.path) && ++world.patches <= times)
        at.sim.change<Wukong>('wukongs', namespace, 'web', ({ metadata }) => {
          metadata.labels = { turn: `${world.patches}` };
        });
      return transport.call(call, limits);
    },
  };
  return world;
}

describe('a command', () => {
  it('for a Wukong that is not there fails, and says of which request and when', async () => {
    const at = await scene();
    const now = at.clock.now();
    const outcome = await perform(at, 'start');
    const message = expect.stringContaining('team-a/web') as string;
    expect(outcome).toEqual({
      ...{ ...place, action: 'start', requestId: 'one', trigger: 'direct', startedAt: now, finishedAt: now },
      ...{ outcome: 'Failed', reason: 'NotFound', message, forced: false },
    });
  });

  it('of a schedule says when it was due', async () => {
    const at = await vm();
    const command = { ...at.command('stop', 'web'), trigger: 'schedule' } as const;
    const limits = { deadline: at.clock.now() + 60 * s };
    const outcome = await at.run(performOne(command, place, at.world, { limits }));
    expect(outcome).toMatchObject({ outcome: 'Stopped', dueAt: command.requestedAt });
  });

  it('that nobody wants any more is no outcome', async () => {
    const at = await vm();
    const signal = AbortSignal.abort(new Error('closed'));
    const limits = { deadline: at.clock.now() + 60 * s, signal };
    await expect(perform(at, 'stop', {}, { limits })).rejects.toThrow('closed');
  });

  it('reads Wukong and namespace once, and neither where its caller has read it', async () => {
    const at = await vm();
    const reads = () => [asked(at, 'GET', /wukongs\/web$/), asked(at, 'GET', /namespaces\/team-a$/)];
    const before = reads();
    await perform(at, 'stop');
    expect(reads().map((now, i) => now - (before[i] ?? 0))).toEqual([1, 1]);
    const again = reads();
    await perform(at, 'start', {}, { id: 'two', wukong: at.wukong('web'), namespaceAnnotations: {} });
    expect(reads()).toEqual(again);
  });

  it('is held by what stands on the namespace, as read or as given', async () => {
    const at = await vm();
    const protecting = { [`${prefix}protected`]: 'true' };
    const held = { outcome: 'Skipped', reason: 'Protected' };
    expect(await perform(at, 'stop', {}, { namespaceAnnotations: protecting })).toMatchObject(held);
    at.sim.change<Wukong>('namespaces', '', namespace, ({ metadata }) => {
      metadata.annotations = protecting;
    });
    expect(await perform(at, 'stop', {}, { id: 'two' })).toMatchObject(held);
    expect(guest(at)).toBeDefined();
  });

  it('goes on where the namespace may not be read, and the log says so', async () => {
    const at = await vm();
    const warned: unknown[][] = [];
    at.world.log = { ...at.world.log, warn: (...words) => void warned.push(words) };
    at.sim.faults.add({ when: { path: /namespaces\/team-a$/ }, does: { kind: 'status', status: 403 } });
    expect(await perform(at, 'stop')).toMatchObject({ outcome: 'Stopped' });
    const problem = expect.stringContaining('annotations of namespace team-a are not known') as string;
    expect(warned).toEqual([['overrides on namespaces are not known', { problem }]]);
  });

  it('whose claim is not answered keeps nobody longer than its time', async () => {
    const at = await vm();
    at.sim.faults.add({ when: { method: 'PATCH' }, does: { kind: 'delay', ms: 36_000 * s } });
    const begun = at.clock.now();
    const outcome = await perform(at, 'stop', {}, { limits: { deadline: begun + 5 * s } });
    expect(outcome).toMatchObject({ reason: 'Unreachable' });
    expect(at.clock.now() - begun).toBeLessThanOrEqual(6 * s);
  });

  it('ends its own watch, and leaves that of its caller', async () => {
    const at = await vm();
    const streams: AbortSignal[] = [];
    const { transport } = at.world;
    const stream: typeof transport.stream = (path, signal) => (streams.push(signal), transport.stream(path, signal));
    const world = { ...at.world, transport: { ...transport, stream } };
    await perform(at, 'stop', {}, { world });
    expect(streams.map(({ aborted }) => aborted)).toEqual([true, true]);
    let closed = 0;
    const get = () => machineOf({ strategy: 'Halted', adoptedBy: 'web' }, null);
    const machines: Machines = { get, changed: () => Promise.resolve(false), close: () => void closed++ };
    expect(await perform(at, 'stop', {}, { id: 'two', machines })).toMatchObject({ outcome: 'AlreadyOff' });
    expect(closed).toBe(0);
  });
});

describe('a Wukong that changes all the time', () => {
  const gaveUp = { outcome: 'Failed', reason: 'Refused', message: 'The Wukong changes faster than it can be claimed.' };
  it.each([
    ['a stop', 'Always', 'Stopped'],
    ['a stop of what is off', 'Halted', 'AlreadyOff'],
  ] as const)('is claimed at the eighth time, or not at all: %s', async (_what, runStrategy, expected) => {
    const at = await vm(runStrategy);
    const seven = meddled(at, 7);
    expect(await perform(at, 'stop', {}, { world: seven })).toMatchObject({ outcome: expected });
    const other = await vm(runStrategy);
    const always = meddled(other, 99);
    expect(await perform(other, 'stop', {}, { world: always })).toMatchObject(gaveUp);
    expect(always.patches).toBe(8);
    expect(told(other)).toEqual(['one Failed']);
    expect(other.calls()).toEqual([]);
  });

  it.each([
    ['joins', { gracePeriodSeconds: 60 }, { gracePeriodSeconds: 300 }, 'Duplicate'],
    ['joins, as it has the guest’s own time', {}, { gracePeriodSeconds: 100 }, 'Duplicate'],
    ['sharpens', { gracePeriodSeconds: 60 }, { gracePeriodSeconds: 50 }, 'Refused'],
  ])('has a stop under way that another %s, at the eighth time as well', async (_how, own, more, last) => {
    const at = await vm('Always', { terminationGracePeriodSeconds: 100, guest: { 'ignore-acpi': 'true' } });
    const first = begin(at, 'stop', own);
    await at.pass(2_000);
    const always = meddled(at, 99);
    expect(await perform(at, 'stop', more, { id: 'two', world: always })).toMatchObject({ reason: last });
    expect(always.patches).toBe(8);
    const seven = meddled(at, 7);
    const second = begin(at, 'stop', more, { id: 'three', world: seven });
    const ends = await at.run(Promise.all([first, second]));
    expect(ends[0]).toMatchObject({ outcome: 'ForcedOff' });
    const annotations = at.wukong('web').metadata.annotations ?? {};
    expect(JSON.parse(annotations[settledKey] ?? '{}')).toMatchObject({ requestId: 'three' });
    expect(seven.patches).toBeGreaterThanOrEqual(8);
  });
});

describe('a command beside one for the same', () => {
  it('joins it where it asks for no more: remembered where it is the newer one', async () => {
    const at = await vm('Always', { guest: { 'shutdown-seconds': '20' } });
    const first = begin(at, 'stop');
    await at.pass(2_000);
    const calls = at.calls().length;
    const settled = () => JSON.parse(at.wukong('web').metadata.annotations?.[settledKey] ?? 'null') as unknown;
    const requestedAt = at.clock.now() - 60 * s;
    const limits = { deadline: at.clock.now() + 60 * s };
    const old = at.command('stop', 'web', {}, { requestId: 'old', requestedAt });
    expect(await at.run(performOne(old, place, at.world, { limits }))).toMatchObject({ reason: 'Duplicate' });
    expect(settled()).toBeNull();
    const joined = await perform(at, 'stop', {}, { id: 'two' });
    const message = 'The same is being carried out already, by request one.';
    expect(joined).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate', message });
    expect(settled()).toMatchObject({ requestId: 'two', joined: { to: 'one', requests: [{ requestId: 'two' }] } });
    expect(at.calls()).toHaveLength(calls);
    await at.run(first);
  });

  it('sharpens it as of when it was asked, by a process of its own, and takes what was declared away', async () => {
    const at = await vm('Always', { terminationGracePeriodSeconds: 100, guest: { 'ignore-acpi': 'true' } });
    const first = begin(at, 'stop');
    await at.pass(5_000);
    const holder = operationOf(at.wukong('web'))?.holder;
    const declared = { action: 'stop', gracePeriodSeconds: 20 };
    at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
      wukong.spec = { ...wukong.spec, lifecycleAction: declared };
    });
    const now = at.clock.now();
    const second = begin(at, 'stop', { gracePeriodSeconds: 20 }, { id: 'two', declared });
    await at.pass(500);
    const record = operationOf(at.wukong('web'));
    expect(record?.holder.length).toBeGreaterThan(9);
    expect(record?.holder).not.toBe(holder);
    expect(record).toMatchObject({ requestId: 'one', declared, sharpenedBy: [{ requestId: 'two' }] });
    const [, end] = await at.run(Promise.all([first, second]));
    expect(end).toMatchObject({ ...place, requestId: 'two', trigger: 'direct', startedAt: now, outcome: 'ForcedOff' });
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
  });

  it('is of the guest’s own time where none was given', async () => {
    const at = await vm('Always', { terminationGracePeriodSeconds: 100, guest: { 'ignore-acpi': 'true' } });
    const first = begin(at, 'stop');
    await at.pass(2_000);
    const longer = await perform(at, 'stop', { gracePeriodSeconds: 100 }, { id: 'two' });
    expect(longer).toMatchObject({ reason: 'Duplicate' });
    const shorter = begin(at, 'stop', { gracePeriodSeconds: 90 }, { id: 'three' });
    await at.pass(500);
    expect(operationOf(at.wukong('web'))).toMatchObject({ graceSeconds: 90, sharpenedBy: [{ requestId: 'three' }] });
    await at.run(Promise.all([first, shorter]));
  });

  it('for a start whose guest is not there yet is waited for together with it', async () => {
    const at = await vm('Halted', { guest: { unschedulable: 'true' } });
    const first = begin(at, 'start', { waitSeconds: 30 });
    await at.pass(20);
    expect(guest(at)).toBeUndefined();
    const second = begin(at, 'start', { waitSeconds: 60 }, { id: 'two' });
    const ends = await at.run(Promise.all([first, second]));
    expect(ends).toMatchObject([{ reason: 'Unschedulable' }, { reason: 'Unschedulable', requestId: 'two' }]);
  });
});

it('before a new operation the end is told that its process did not tell', async () => {
  const at = await vm('Halted');
  const finishedAt = new Date(at.clock.now() - 10 * s).toISOString();
  annotate(at, { [lastKey]: endOf(at, { requestId: 'dead' }, { finishedAt }) });
  await perform(at, 'start');
  expect(told(at)).toEqual(['dead Stopped', 'one Started']);
});

it('an action that was declared is taken away with the end, another that was declared since is not', async () => {
  for (const declared of [{ action: 'stop' }, { action: 'stop', force: true }]) {
    const at = await vm();
    at.sim.change<Wukong>('wukongs', namespace, 'web', (wukong) => {
      wukong.spec = { ...wukong.spec, lifecycleAction: { action: 'stop' } };
    });
    await perform(at, 'stop', {}, { declared });
    const left = 'force' in declared ? { action: 'stop' } : undefined;
    expect(at.wukong('web').spec?.lifecycleAction).toEqual(left);
  }
});

describe('what may not be started', () => {
  const kept = { [`${prefix}keep-stopped-until`]: '2027-01-01T00:00:00Z' };
  it('is stopped all the same, and not by a restart, which says what holds it first', async () => {
    const at = await vm('Always', { annotations: kept });
    expect(await perform(at, 'stop', { restart: true })).toMatchObject({ outcome: 'Skipped', reason: 'Override' });
    expect(guest(at)).toBeDefined();
    expect(await perform(at, 'stop', {}, { id: 'two' })).toMatchObject({ outcome: 'Stopped' });
    const both = await vm('Always', { annotations: { ...kept, [`${prefix}protected`]: 'true' } });
    expect(await perform(both, 'stop', { restart: true })).toMatchObject({ outcome: 'Skipped', reason: 'Protected' });
  });

  it('a restart in the middle of a start makes another guest of it', async () => {
    const at = await vm('Halted', { guest: { 'boot-seconds': '20' } });
    const first = begin(at, 'start', { waitSeconds: 300 });
    await at.pass(5_000);
    const before = guest(at);
    const second = begin(at, 'stop', { restart: true }, { id: 'two' });
    const ends = await at.run(Promise.all([first, second]));
    expect(ends.map(({ outcome }) => outcome)).toEqual(['Superseded', 'Started']);
    expect(guest(at)).not.toBe(before);
  });
});

describe('a dry run', () => {
  const would = (action: Action, strategy: string, reply: string) =>
    `Would ${action} VM web-vm (strategy ${strategy}); KubeVirt's dry run: ${reply}.`;
  it.each<[string, Action, object, 'Always' | 'Halted', object]>([
    ['of a stop', 'stop', {}, 'Always', { dryRun: ['All'] }],
    ['of a forced stop', 'stop', { force: true }, 'Always', { gracePeriod: 0, dryRun: ['All'] }],
    ['of a stop in its time', 'stop', { gracePeriodSeconds: 5 }, 'Always', { gracePeriod: 5, dryRun: ['All'] }],
    ['of a start', 'start', {}, 'Halted', { dryRun: ['All'] }],
  ])('%s asks KubeVirt what it would say, and does nothing', async (_what, action, more, strategy, body) => {
    const at = await vm(strategy);
    const bodies: unknown[] = [];
    const { transport } = at.world;
    const call: typeof transport.call = (one, limits) => {
      if (one.method !== 'GET') bodies.push(one.path.split('/').at(-1), one.body);
      return transport.call(one, limits);
    };
    const world = { ...at.world, transport: { ...transport, call } };
    const before = [guest(at), at.wukong('web')];
    const now = at.clock.now();
    expect(await perform(at, action, { dryRun: true, ...more }, { world })).toEqual({
      ...{ ...place, action, requestId: 'one', trigger: 'direct', startedAt: now, finishedAt: at.clock.now() },
      ...{ outcome: 'Skipped', reason: 'DryRun', message: would(action, strategy, 'accepted') },
      ...{ forced: false, quiet: true },
    });
    expect(bodies).toEqual([action, body]);
    await at.pass(5_000);
    expect([guest(at), at.wukong('web')]).toEqual(before);
    expect(told(at)).toEqual([]);
  });

  it('says what KubeVirt has against it', async () => {
    const at = await vm();
    const does = { kind: 'status', status: 409, message: 'not now' } as const;
    at.sim.faults.add({ when: { path: /\/stop/ }, does });
    const { message } = await perform(at, 'stop', { dryRun: true });
    expect(message).toBe(would('stop', 'Always', 'refused: not now (409)'));
  });

  it('of what is so already, or of a VM that is not there, says so and remembers nothing', async () => {
    const at = await vm('Halted');
    const before = at.wukong('web');
    const already = await perform(at, 'stop', { dryRun: true });
    expect(already).toMatchObject({ outcome: 'Skipped', reason: 'DryRun', quiet: true });
    expect(already.message).toContain('off');
    at.sim.remove('virtualmachines', namespace, 'web-vm');
    await at.pass(1_000);
    const none = await perform(at, 'stop', { dryRun: true });
    expect(none).toMatchObject({ outcome: 'Skipped', reason: 'DryRun', quiet: true });
    expect(none.message).toContain('has no VM');
    expect([at.wukong('web').metadata.annotations, told(at)]).toEqual([before.metadata.annotations, []]);
  });
});
