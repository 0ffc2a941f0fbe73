import { describe, expect, it } from 'vitest';

import { namespace, type Scene } from '../flow/scene.ts';
import { createClusterSchedule } from '../schedule.ts';
import { ground, home, served } from './serving.ts';

type Declaring = { spec: { lifecycleAction?: unknown } };
const declare = (at: Scene, name: string, action: unknown) =>
  at.sim.change('wukongs', namespace, name, (o: Declaring) => {
    o.spec.lifecycleAction = action;
  });
const outcome = (at: Scene, name: string) => at.wukong(name).status?.lifecycleState?.outcome;
const schedule = (at: Scene, spec: object, name = 'office') =>
  at.sim.create({
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { namespace, name },
    spec: { timeZone: 'UTC', selector: { matchLabels: { env: 'dev' } }, ...spec },
  });
const writes = (at: Scene, from: number) =>
  at.sim.requests.slice(from).filter(({ method, path }) => method !== 'GET' && !path.includes('/leases'));
const collections =
  /\/(wukongs|wukongschedules|clusterwukongschedules|wukongruns|virtualmachines|virtualmachineinstances|namespaces)$/;
const lists = (at: Scene, from: number) =>
  at.sim.requests.slice(from).filter(({ method, path, watch }) => method === 'GET' && !watch && collections.test(path));

describe('the server', () => {
  it('switches a VM off within 100 ms of the declaration, while another guest takes ten minutes to end', async () => {
    const at = await ground();
    at.sim.createWukong({
      namespace,
      name: 'slow',
      runStrategy: 'Always',
      guest: { 'shutdown-seconds': '590' },
      terminationGracePeriodSeconds: 600,
    });
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '3' } });
    await at.pass(5_000);
    const server = await served(at);
    declare(at, 'slow', { action: 'stop' });
    await at.pass(20_000);
    expect(at.calls()).toHaveLength(1);
    const asked = at.clock.now();
    declare(at, 'web', { action: 'stop' });
    await at.pass(10_000);
    expect(at.calls()[1]!.at - asked).toBeLessThan(100);
    expect(outcome(at, 'web')).toBe('Stopped');
    expect(at.wukong('web').spec?.lifecycleAction).toBeUndefined();
    await at.pass(600_000);
    expect(outcome(at, 'slow')).toBe('Stopped');
    expect(at.calls()).toHaveLength(2);
    await server.end();
  });

  it('does what was declared while the same VM was being switched', async () => {
    const at = await ground();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '10' } });
    await at.pass(5_000);
    const server = await served(at);
    declare(at, 'web', { action: 'stop' });
    await at.pass(5_000);
    declare(at, 'web', { action: 'start' });
    await at.pass(20_000);
    expect(outcome(at, 'web')).toBe('Started');
    expect(at.calls().map(({ verb }) => verb)).toEqual(['stop', 'start']);
    await server.end();
  });

  it.each<[string, number, (at: Scene) => void]>([
    ['a schedule', 2, (at) => schedule(at, { stop: '2 20 * * *' })],
    ['a schedule that was made within the same minute', 1, (at) => schedule(at, { stop: '1 20 * * *' })],
    [
      'one of the whole cluster',
      3,
      (at) => createClusterSchedule(at.sim, 'night', { stop: '3 20 * * *', selector: { matchLabels: { env: 'dev' } } }),
    ],
  ])('switches off at the boundary of %s, on the second', async (_what, minute, make) => {
    const at = await ground();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', labels: { env: 'dev' } });
    await at.pass(5_000);
    const server = await served(at);
    await at.pass(15_000);
    make(at);
    await at.pass(200_000);
    const [call] = at.calls();
    expect(call!.at - Date.parse(`2026-11-23T20:0${minute}:00Z`)).toBeLessThan(1_500);
    const runs = at.sim.list<{ status?: { phase: string }; metadata: object }>('wukongruns', namespace);
    expect(runs.map(({ status }) => status?.phase)).toEqual(['Succeeded']);
    expect(outcome(at, 'web')).toBe('Stopped');
    await server.end();
  });

  it('writes nothing and lists nothing where nothing happens', async () => {
    const at = await ground();
    for (let i = 0; i < 20; i++) at.sim.createWukong({ namespace: `team-${i}`, name: 'web', runStrategy: 'Always' });
    schedule(at, { stop: '0 23 * * *' });
    await at.pass(5_000);
    const server = await served(at);
    await at.pass(10_000);
    const from = at.sim.requests.length;
    await at.pass(900_000);
    expect(writes(at, from)).toEqual([]);
    expect(lists(at, from)).toEqual([]);
    await server.end();
  });

  it('takes its own writes for no reason to look at everything again', async () => {
    const at = await ground();
    for (let i = 0; i < 20; i++)
      at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Always', labels: { env: 'dev' } });
    schedule(at, { stop: '0 23 * * *' });
    await at.pass(5_000);
    const server = await served(at);
    await at.pass(50_000);
    expect(at.wukong('vm-19').status?.lifecycleState?.state).toBe('Running');
    const whole = at.sim.requests.filter(({ path }) => path.endsWith('/configmaps/wukong-lifecycle'));
    expect(whole).toHaveLength(1); // the freeze is read once a whole tick
    await server.end();
  });

  it('tells at once that a guest has switched itself off', async () => {
    const at = await ground();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Manual', guest: { 'poweroff-after-seconds': '100' } });
    await at.pass(5_000);
    const server = await served(at);
    declare(at, 'web', { action: 'start' });
    await at.pass(30_000);
    expect(at.wukong('web').status?.lifecycleState?.state).toBe('Running');
    await at.pass(85_000);
    expect(at.wukong('web').status?.lifecycleState?.state).toBe('Stopped');
    await server.end();
  });

  it('leaves what is under way in progress when it is told to end, and the next server goes on', async () => {
    const at = await ground();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always', guest: { 'shutdown-seconds': '20' } });
    await at.pass(5_000);
    const first = await served(at);
    declare(at, 'web', { action: 'stop' });
    await at.pass(5_000);
    await first.end();
    expect(at.wukong('web').metadata.annotations?.['lifecycle.novasphere.dev/operation']).toContain('"action":"stop"');
    expect(at.vmi('web')).toBeDefined();
    const second = await served(at, 'two');
    await at.pass(20_000);
    expect(outcome(at, 'web')).toBe('Stopped');
    expect(at.calls()).toHaveLength(1);
    await second.end();
  });

  it('that is killed is followed by the other within 20 s, and nothing is done twice', async () => {
    const at = await ground();
    at.sim.createWukong({ namespace, name: 'web', runStrategy: 'Always' });
    await at.pass(5_000);
    const first = await served(at, 'one');
    const second = await served(at, 'two');
    await at.pass(10_000);
    const lease = () => at.sim.get<{ spec: { holderIdentity: string } }>('leases', home, 'wukong-lifecycle')?.spec;
    expect(lease()?.holderIdentity).toBe('one');
    first.kill();
    declare(at, 'web', { action: 'stop' });
    await at.pass(20_000);
    expect(lease()?.holderIdentity).toBe('two');
    expect(at.calls()).toHaveLength(1);
    await second.end();
    expect(lease()?.holderIdentity).toBe('');
  });

  it('misses no change though every watch is cut each second', async () => {
    const at = await ground();
    for (let i = 0; i < 30; i++) at.sim.createWukong({ namespace, name: `vm-${i}`, runStrategy: 'Always' });
    await at.pass(5_000);
    const server = await served(at);
    const from = at.sim.requests.length;
    for (let i = 0; i < 30; i++) {
      at.sim.faults.restart(1); // every connection is lost
      await at.pass(i % 7);
      declare(at, `vm-${i}`, { action: 'stop' });
      await at.pass(1_000);
    }
    expect(at.sim.requests.slice(from).filter(({ watch }) => watch).length).toBeGreaterThan(100);
    await at.pass(5_000);
    expect(at.calls()).toHaveLength(30);
    for (let i = 0; i < 30; i++) expect(outcome(at, `vm-${i}`)).toBe('Stopped');
    await server.end();
  });
});
