import { expect, it } from 'vitest';

import type { Scene } from '../flow/scene.ts';
import { asked, furnishIn, scheduleIn } from '../flow/ways.ts';
import { ground, served } from './serving.ts';

const limit = { timeout: 60_000 };
const inX = (rest: string) => new RegExp(`/namespaces/x/.*${rest}`);
const hang = { kind: 'delay', ms: 36_000_000 } as const;

type Declaring = { spec: { lifecycleAction?: unknown } };
const declare = (at: Scene, namespace: string, name: string) =>
  at.sim.change('wukongs', namespace, name, ({ spec }: Declaring) => void (spec.lifecycleAction = { action: 'stop' }));

/** What the API server does to whoever asks for something of namespace x. */
const troubles: Record<string, Parameters<Scene['sim']['faults']['add']>[0]> = {
  'whose statuses hang': { when: { method: 'PATCH', path: inX('/status$') }, does: hang },
  'whose power calls are 429': { when: { path: inX('/stop$') }, does: { kind: 'status', status: 429 } },
};

it.each(Object.entries(troubles))('a stop waits for no namespace %s', limit, async (_what, trouble) => {
  const at = await ground({ wire: true });
  const offsets = [6, 14];
  furnishIn(at, 'y', offsets.length);
  furnishIn(at, 'x', 80);
  await at.pass(60_000);
  const server = await served(at);
  await at.pass(5_000);
  at.sim.faults.add(trouble);
  for (let i = 0; i < 80; i++) declare(at, 'x', `vm-${i}`);
  const declared = new Map<string, number>();
  for (const [i, seconds] of offsets.entries()) {
    await at.pass(seconds * 1_000);
    declared.set(`vm-${i}`, at.clock.now());
    declare(at, 'y', `vm-${i}`);
  }
  await at.pass(10_000);
  const late = asked(at).flatMap(({ namespace, name, at: when }) =>
    namespace === 'y' ? [when - declared.get(name)!] : [],
  );
  expect(late).toHaveLength(offsets.length);
  expect(Math.max(...late)).toBeLessThan(1_000);
  at.sim.faults.clear();
  await server.end();
});

it.each([
  ['Events', { method: 'POST', path: inX('events') }],
  ['statuses', { method: 'PATCH', path: inX('/status$') }],
])('a stop waits for no %s of its own namespace that hang', limit, async (_what, when) => {
  const at = await ground();
  furnishIn(at, 'x', 41);
  await at.pass(30_000);
  const server = await served(at);
  at.sim.faults.add({ when, does: hang });
  for (let i = 0; i < 40; i++) declare(at, 'x', `vm-${i}`);
  await at.pass(12_000);
  declare(at, 'x', 'vm-40');
  const declared = at.clock.now();
  await at.pass(5_000);
  const [last] = asked(at).filter(({ name }) => name === 'vm-40');
  expect((last?.at ?? Infinity) - declared).toBeLessThan(1_000);
  at.sim.faults.clear();
  await server.end();
});

it(
  'a namespace whose rights are withdrawn is left alone, the others are not, and it is done once they are back',
  limit,
  async () => {
    const at = await ground();
    const spaces = ['x', 'y', 'z'];
    at.world.config = { ...at.world.config, watchNamespaces: spaces };
    for (const space of spaces) furnishIn(at, space, 2);
    await at.pass(30_000);
    const server = await served(at);
    at.sim.faults.add({ when: { path: /\/namespaces\/x(\/|$)/ }, does: { kind: 'status', status: 403 } });
    at.sim.faults.restart(500);
    await at.pass(30_000);
    for (const space of spaces) declare(at, space, 'vm-0');
    await at.pass(90_000);
    expect(
      asked(at)
        .map(({ namespace }) => namespace)
        .sort(),
    ).toEqual(['y', 'z']);
    expect(server.errors.join()).toContain('namespace x is left to the next tick');
    at.sim.faults.clear();
    await at.pass(130_000);
    declare(at, 'x', 'vm-1');
    await at.pass(5_000);
    expect(
      asked(at)
        .map(({ namespace, name }) => `${namespace} ${name}`)
        .sort(),
    ).toEqual(['x vm-0', 'x vm-1', 'y vm-0', 'z vm-0']);
    await server.end();
  },
);

it('starts although one of its namespaces may not be read', limit, async () => {
  const at = await ground();
  at.world.config = { ...at.world.config, watchNamespaces: ['x', 'y'] };
  for (const space of ['x', 'y']) furnishIn(at, space, 1);
  await at.pass(30_000);
  at.sim.faults.add({ when: { path: /\/namespaces\/x(\/|$)/ }, does: { kind: 'status', status: 403 } });
  const server = await served(at);
  for (const space of ['x', 'y']) declare(at, space, 'vm-0');
  await at.pass(5_000);
  expect(asked(at).map(({ namespace }) => namespace)).toEqual(['y']);
  await server.end();
});

it('where runs may be watched no more, a bad one is not told again at every tick', limit, async () => {
  const at = await ground();
  const notices: object[] = [];
  at.world.webhook = { put: (notice) => void notices.push(notice), flush: () => Promise.resolve() };
  at.world.config = { ...at.world.config, watchNamespaces: ['x', 'y'] };
  for (const space of ['x', 'y']) furnishIn(at, space, 1, { guest: { hang: 'true' }, labels: { env: 'dev' } });
  scheduleIn(at, 'x', { start: '0 8 * * *', stop: '2 20 * * *' });
  await at.pass(30_000);
  const server = await served(at);
  await at.pass(600_000);
  expect(at.sim.list('wukongruns', 'x')).toMatchObject([{ status: { phase: 'Incomplete' } }]);
  const told = notices.length;
  at.sim.faults.add({ when: { path: /\/namespaces\/x\/wukongruns\?/ }, does: { kind: 'status', status: 403 } });
  at.sim.faults.restart(500);
  await at.pass(240_000);
  expect(notices.slice(told)).toEqual([]);
  await server.end();
});

it.each(['virtualmachines', 'virtualmachineinstances'])(
  'a stop on whose way its %s may be watched no more has no end until they are seen again',
  limit,
  async (kind) => {
    const at = await ground();
    at.world.config = { ...at.world.config, watchNamespaces: ['x', 'y'] };
    furnishIn(at, 'y', 1);
    furnishIn(at, 'x', 1, { guest: { 'shutdown-seconds': '100' }, terminationGracePeriodSeconds: 150 });
    await at.pass(30_000);
    const server = await served(at);
    declare(at, 'x', 'vm-0');
    await at.pass(3_000);
    at.sim.faults.add({
      when: { path: new RegExp(`/namespaces/x/${kind}\\?`) },
      does: { kind: 'status', status: 403 },
    });
    at.sim.faults.restart(500);
    const told = () =>
      at.sim
        .list<{ metadata: never; reason: string; involvedObject: { kind: string } }>('events', 'x')
        .flatMap(({ reason, involvedObject }) => (involvedObject.kind === 'Wukong' ? [reason] : []));
    await at.pass(60_000);
    expect(told()).toEqual([]);
    at.sim.faults.clear();
    await at.pass(240_000);
    expect(told()).toEqual(['Stopped']);
    expect(asked(at)).toHaveLength(1);
    await server.end();
  },
);
