import { describe, expect, it } from 'vitest';

import type { Call } from '../../shared/cluster/transport.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { namespace, type Scene } from '../flow/scene.ts';
import { createClusterSchedule, createSchedule } from '../schedule.ts';
import { ground, home, served } from './serving.ts';

type Declaring = { spec: { lifecycleAction?: unknown } };
const declare = (at: Scene, name: string, action = 'stop') =>
  at.sim.change('wukongs', namespace, name, (o: Declaring) => {
    o.spec.lifecycleAction = { action };
  });
const outcome = (at: Scene, name: string) => at.wukong(name).status?.lifecycleState?.outcome;
const holder = (at: Scene) =>
  at.sim.get<{ spec?: { holderIdentity?: string } }>('leases', home, 'wukong-lifecycle')?.spec?.holderIdentity;
const names = ['vm-0', 'vm-1', 'vm-2', 'vm-3', 'vm-4'];

/** Five VMs whose guests take twelve seconds to end. */
async function five(): Promise<Scene> {
  const at = await ground();
  const guest = { 'shutdown-seconds': '12' };
  for (const name of names)
    at.sim.createWukong({ namespace, name, runStrategy: 'Always', labels: { env: 'dev' }, guest });
  await at.pass(5_000);
  return at;
}

type Fields = Record<string, unknown>;
/** How a version writes its records, in annotations and statuses, beside how this one does. */
const formats: Record<string, (record: Fields) => Fields> = {
  'version 0.1.0, whose ids have no source': ({ wukongUid: _no, ...record }) => ({
    ...record,
    ...(typeof record['requestId'] === 'string' ? { requestId: record['requestId'].replace(/^[a-z]+:/, '') } : {}),
  }),
  'a version to come, whose records have more fields': (record) => ({ ...record, format: 7, nested: { a: ['b'] } }),
};

/** The server as that version would be: only what it writes is another. What a patch tests is what it has read. */
function ofVersion(at: Scene, format: (record: Fields) => Fields): Scene {
  const other = (value: unknown): unknown => {
    if (typeof value === 'string')
      return /^\{.*"requestId"/.test(value) ? JSON.stringify(format(JSON.parse(value) as Fields)) : value;
    if (Array.isArray(value)) return value.map(other);
    if (typeof value !== 'object' || value === null || (value as Fields)['op'] === 'test') return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, other(one)]));
  };
  const { transport } = at.world;
  const call = <T>(one: Call, limits?: Partial<Limits>) =>
    transport.call<T>(one.path.includes('/wukongs/') ? { ...one, body: other(one.body) } : one, limits);
  return { ...at, world: { ...at.world, transport: { ...transport, call } } };
}

describe.each(Object.entries(formats))('beside a server of %s', (_what, format) => {
  it.each(['it is replaced by this one', 'this one is replaced by it'])(
    'nothing is done twice and nothing stalls when %s',
    async (way) => {
      const at = await five();
      const other = ofVersion(at, format);
      const [from, to] = way.startsWith('it') ? [other, at] : [at, other];
      const old = await served(from, 'old');
      declare(at, 'vm-0');
      await at.pass(3_000);
      const young = await served(to, 'young');
      declare(at, 'vm-1');
      await at.pass(2_000);
      expect([holder(at), at.calls().length]).toEqual(['old', 2]);
      const before = at.clock.now();
      await old.end(); // a rolling upgrade ends it once the other is ready
      declare(at, 'vm-2');
      await at.pass(4_000);
      expect(holder(at)).toBe('young');
      expect(at.calls().at(-1)!.at - before).toBeLessThan(4_000);
      await at.pass(25_000);
      for (const name of ['vm-0', 'vm-1', 'vm-2']) expect(outcome(at, name)).toBe('Stopped');
      expect(at.calls().map(({ verb }) => verb)).toEqual(['stop', 'stop', 'stop']);
      await young.end();
    },
  );
});

describe('two that both take themselves for the one that ticks', () => {
  it('switch each VM once, and within five seconds one of them has stopped ticking', async () => {
    const at = await five();
    const [one, two] = [await served(at, 'one'), await served(at, 'two')];
    at.sim.remove('leases', home, 'wukong-lifecycle');
    createSchedule(at.sim, namespace, 'office', { stop: '1 20 * * *' });
    for (let i = 0; i < 3; i++) {
      await at.pass(500);
      declare(at, names[i]!);
    }
    await at.pass(90_000);
    for (const name of names) expect(outcome(at, name)).toBe('Stopped');
    expect(at.calls()).toHaveLength(5);
    const writes = at.sim.requests.filter(({ method, path }) => method === 'PATCH' && path.endsWith('/status'));
    expect(writes.length).toBeLessThan(40); // neither writes over again what the other has written
    const ticking = await Promise.all([one, two].map(async (server) => (await server.send('GET', '/metrics')).body));
    expect(ticking.filter((text) => /^wukong_leader 1$/m.test(text))).toHaveLength(1);
    await one.end();
    await two.end();
  });
});

describe('a Lease', () => {
  const written = (at: Scene, spec: object) =>
    at.sim.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: home, name: 'wukong-lifecycle', labels: { kept: 'yes' } },
      spec,
    });
  const old = '2026-11-23T19:00:00.000000Z';
  it.each<[string, object, number]>([
    ['that somebody gave back', { holderIdentity: '', renewTime: old }, 3_000],
    ['of a holder that is gone', { holderIdentity: 'gone', renewTime: old, leaseDurationSeconds: 15 }, 20_000],
    ['without any time', { holderIdentity: 'gone' }, 20_000],
    ['of a day', { holderIdentity: 'gone', renewTime: old, leaseDurationSeconds: 86_400 }, 20_000],
    [
      'of a holder whose clock is an hour ahead',
      { holderIdentity: 'gone', renewTime: '2026-11-23T21:30:00.000000Z' },
      20_000,
    ],
    ['with fields of a newer Kubernetes', { holderIdentity: '', strategy: 'OldestEmulationVersion' }, 3_000],
  ])('%s is taken in time, and keeps what others wrote on it', async (_what, spec, byMs) => {
    const at = await ground();
    written(at, spec);
    const server = await served(at);
    await at.pass(byMs);
    expect(holder(at)).toBe('one');
    const kept = at.sim.get<{ metadata: { labels?: object }; spec: object }>('leases', home, 'wukong-lifecycle');
    expect(kept?.metadata.labels).toEqual({ kept: 'yes' });
    if ('strategy' in spec) expect(kept?.spec).toMatchObject({ strategy: spec.strategy });
    await server.end();
  });
});

it('beside CronJobs that were left running, nothing is done twice and nothing stalls', async () => {
  const at = await five();
  const server = await served(at);
  createSchedule(at.sim, namespace, 'office', { stop: '2 20 * * *', selector: { matchLabels: { env: 'dev' } } });
  const { bus: _none, ...world } = at.world;
  declare(at, 'vm-0');
  for (let minute = 0; minute < 4; minute++) {
    await at.run(reconcile(world, { deadline: at.clock.now() + 50_000 }));
    await at.pass(Math.max(0, 60_000 - (at.clock.now() % 60_000)));
    declare(at, 'vm-1');
  }
  for (const name of names) expect(outcome(at, name)).toBe('Stopped');
  expect(at.calls()).toHaveLength(5);
  await server.end();
});

it('a server that has waited for long answers for its health at once when it comes to tick', async () => {
  const at = await ground();
  const [one, two] = [await served(at, 'one'), await served(at, 'two')];
  await at.pass(600_000);
  one.kill();
  for (let passed = 0; passed < 24_000; passed += 2_000) {
    await at.pass(2_000);
    expect((await at.run(two.send('GET', '/healthz'))).status).toBe(200);
  }
  expect(holder(at)).toBe('two');
  await two.end();
});

it('a ClusterWukongSchedule is seen at once, and lists nothing at rest', async () => {
  const at = await five();
  const server = await served(at);
  createClusterSchedule(at.sim, 'night', {
    stop: '1 20 * * *',
    timeZone: 'UTC',
    selector: { matchLabels: { env: 'dev' } },
  });
  await at.pass(90_000);
  for (const name of names) expect(outcome(at, name)).toBe('Stopped');
  const from = at.sim.requests.length;
  await at.pass(300_000);
  const lists = at.sim.requests
    .slice(from)
    .filter(
      ({ method, watch, path }) =>
        method === 'GET' && !watch && /(schedules|wukongs|wukongruns|machines|instances|namespaces)$/.test(path),
    );
  expect(lists.map(({ path }) => path)).toEqual([]);
  await server.end();
});

it('the zone of a namespace counts from when it is written, for schedules that name none', async () => {
  const at = await five();
  createSchedule(at.sim, namespace, 'office', { stop: '1 21 * * *', timeZone: undefined });
  const server = await served(at);
  const later = () => at.sim.get<{ status?: { nextStop?: string } }>('wukongschedules', namespace, 'office')?.status;
  await at.pass(10_000);
  expect(later()?.nextStop).toBe('2026-11-23T21:01:00Z');
  at.sim.change<{ metadata: object }>('namespaces', '', namespace, ({ metadata }) => {
    Object.assign(metadata, { annotations: { 'lifecycle.novasphere.dev/time-zone': 'Europe/Berlin' } });
  });
  await at.pass(90_000);
  expect(at.calls()).toHaveLength(5);
  await server.end();
});
