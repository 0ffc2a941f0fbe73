import { describe, expect, it } from 'vitest';

import { stopVm } from '../../functions/stopVm/handler.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { Retry } from '../../shared/entry/entry.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { namespace, type Scene, scene } from './scene.ts';

const prefix = 'lifecycle.novasphere.dev/';

interface Ending {
  annotations?: Record<string, string>;
  more?: object;
  age?: number;
  before?: 'start';
  foreign?: true;
  comes: string;
}
const endings: [string, Ending][] = [
  ['too late', { more: { notAfter: '2026-11-23T19:00:00Z' }, comes: 'SkippedStale' }],
  ['for a protected VM', { annotations: { [`${prefix}protected`]: 'true' }, comes: 'SkippedProtected' }],
  [
    'against an override',
    { annotations: { [`${prefix}keep-running-until`]: '2026-11-24T08:00:00Z' }, comes: 'SkippedOverride' },
  ],
  ['older than what was done', { before: 'start', age: 600_000, comes: 'Superseded' }],
  ['for a VM of somebody else', { foreign: true, comes: 'FailedNotOwned' }],
];

async function made({ annotations = {}, before, foreign }: Ending): Promise<Scene> {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: before ? 'Halted' : 'Always', annotations });
  await at.pass(5_000);
  if (before) await at.perform(before, 'web');
  if (foreign)
    at.sim.change<{ metadata: object }>('virtualmachines', namespace, 'web-vm', (vm) => {
      vm.metadata = { ...vm.metadata, ownerReferences: [] };
    });
  at.bus.length = 0;
  return at;
}

const silentBus = async (): Promise<never> => {
  throw new LifecycleError('Unreachable', 'the bus did not take it');
};

const lose = (at: Scene, ...methods: string[]) => {
  for (const method of methods) at.sim.faults.add({ when: { method }, does: { kind: 'dropBefore' } });
};

/** One delivery of the same request. */
async function deliver(at: Scene, { more, age = 0 }: Ending, world: World): Promise<Outcome> {
  const requestedAt = at.clock.now() - age;
  const command = at.command('stop', 'web', more, { requestId: 'event:one', requestedAt });
  const limits = { deadline: at.clock.now() + 500 };
  return at.run(performOne(command, { namespace, name: 'web' }, world, { limits }));
}
const wordsOf = (one: Outcome) => `${one.outcome}${'reason' in one ? (one.reason ?? '') : ''}`;

describe.each(endings)('a request that is %s', (_what, one) => {
  it('and that nobody could be told of is asked for again, and told then', async () => {
    const at = await made(one);
    lose(at, 'POST', 'PATCH');
    const first = await deliver(at, one, { ...at.world, bus: { put: silentBus } });
    expect(wordsOf(first)).toBe('FailedUnreachable');
    at.sim.faults.clear();
    expect(wordsOf(await deliver(at, one, at.world))).toBe(one.comes);
    expect(at.bus).toHaveLength(1);
  });

  it.each([
    ['an Event', ['PATCH'], silentBus],
    ['a record or the status', ['POST'], silentBus],
    ['the bus', ['POST', 'PATCH'], async () => {}],
  ])('has come to its end where %s says so', async (_hearer, lost, put) => {
    const at = await made(one);
    lose(at, ...lost);
    expect(wordsOf(await deliver(at, one, { ...at.world, bus: { put } }))).toBe(one.comes);
  });
});

/** As an asynchronous trigger delivers it. */
const event = (detail: object) => ({
  ...{ id: 'one', source: 'a.team', 'detail-type': 'Wukong VM Stop Requested', time: '2026-11-23T20:00:00Z' },
  detail: { notAfter: '2026-11-23T19:00:00Z', ...detail },
});
const targets = [
  ['one', { target: { namespace, name: 'web' } }],
  ['a fleet', { target: { namespaces: [namespace], selector: 'env=dev' } }],
] as const;

it.each(targets)('an event for %s that nobody could be told of is delivered again', async (_what, detail) => {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
  await at.pass(5_000);
  lose(at, 'POST', 'PATCH');
  const world = { ...at.world, bus: undefined };
  const first = stopVm(event(detail), { ...at.invocation('one', 500), world });
  await expect(at.run(first)).rejects.toThrow(Retry);
  at.sim.faults.clear();
  const again = await at.run(stopVm(event(detail), { ...at.invocation('two', 500), world }));
  expect(again.skipped).toEqual({ Stale: 1 });
});

it('a request for what cannot be told of in any way is an end: nothing would be otherwise later', async () => {
  const at = await scene();
  lose(at, 'POST', 'PATCH');
  const outcome = await deliver(at, { comes: '' }, { ...at.world, bus: undefined });
  expect(wordsOf(outcome)).toBe('FailedNotFound');
});

it('who may write nothing is told that, as trying again would not help', async () => {
  const [, one] = endings[0]!;
  const at = await made(one);
  for (const method of ['POST', 'PATCH'])
    at.sim.faults.add({ when: { method }, does: { kind: 'status', status: 403 } });
  expect(wordsOf(await deliver(at, one, { ...at.world, bus: undefined }))).toBe('FailedDenied');
});

it('a request that failed before it was begun, and is delivered again when that was mended, has its end told too', async () => {
  const at = await scene();
  at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
  await at.pass(5_000);
  const owners = (of: unknown[]) =>
    at.sim.change<{ metadata: { ownerReferences?: unknown[] } }>('virtualmachines', namespace, 'web-vm', (vm) => {
      const before = vm.metadata.ownerReferences;
      vm.metadata.ownerReferences = of;
      of = before ?? [];
    });
  const before = (at.sim.get('virtualmachines', namespace, 'web-vm') as { metadata: { ownerReferences: unknown[] } })
    .metadata.ownerReferences;
  owners([]);
  const ask = () => at.perform('stop', 'web', {}, { requestId: 'http:anna:one' });
  expect(await ask()).toMatchObject({ outcome: 'Failed', reason: 'NotOwned' });
  owners(before);
  expect(await ask()).toMatchObject({ outcome: 'Stopped' });
  const events = at.sim.list<{ metadata: object; reason: string }>('events', namespace).map(({ reason }) => reason);
  expect(events).toEqual(expect.arrayContaining(['FailedNotOwned', 'Stopped']));
  expect(at.bus.map(({ detail }) => (detail as { outcome: string }).outcome)).toEqual(['Failed', 'Stopped']);
  expect(new Set(at.bus.map(({ detail }) => (detail as { id: string }).id)).size).toBe(2);
});

describe('while it is written down that a request was skipped', () => {
  const held: Ending = { annotations: { [`${prefix}protected`]: 'true' }, comes: 'SkippedProtected' };
  const slowWrite = (at: Scene) =>
    at.sim.faults.add({
      when: { method: 'PATCH', path: /wukongs\/web$/ },
      times: 1,
      does: { kind: 'delay', ms: 3_000 },
    });

  it('another delivery of it that was carried out meanwhile is its end', async () => {
    const at = await made(held);
    slowWrite(at);
    const first = deliver(at, held, at.world);
    await at.pass(1_000);
    at.sim.change<{ metadata: { annotations: object } }>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.annotations = {};
    });
    const command = at.command('stop', 'web', {}, { requestId: 'event:one', requestedAt: at.clock.now() - 1_000 });
    const limits = { deadline: at.clock.now() + 60_000 };
    const second = at.run(performOne(command, { namespace, name: 'web' }, at.world, { limits }));
    expect(wordsOf(await second)).toBe('Stopped');
    expect(wordsOf(await first)).toBe('SkippedDuplicate');
    expect(at.bus.map(({ detail }) => (detail as Outcome).outcome)).toEqual(['Stopped']);
  });

  it('a change that has nothing to do with it leaves it as it is', async () => {
    const at = await made(held);
    slowWrite(at);
    const first = deliver(at, held, at.world);
    await at.pass(1_000);
    at.sim.change<{ metadata: { labels: object } }>('wukongs', namespace, 'web', ({ metadata }) => {
      metadata.labels = { touched: 'yes' };
    });
    expect(wordsOf(await first)).toBe('SkippedProtected');
    expect(at.bus).toHaveLength(1);
  });
});
