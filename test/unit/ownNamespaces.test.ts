import { afterEach, beforeEach, expect, it } from 'vitest';

import { leftOver, removalOf } from '../../cli/demo/leftOver.ts';
import { newRun, OwnNamespaces, processAnnotation, runLabel } from '../../cli/demo/ownNamespaces.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { connect } from '../../shared/entry/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { type Sim, startSim, VirtualClock } from '../../sim/sim.ts';

let clock: VirtualClock;
let sim: Sim;
let world: World;

beforeEach(async () => {
  clock = new VirtualClock('2026-11-23T20:00:00Z');
  sim = await startSim({ clock });
  const credentials = await credentialsOf(parseKubeConfig(sim.kubeconfig()), sim.inProcess());
  world = await connect({ env: {}, log: silentLog, metrics: silentMetrics, credentials, clock });
});
afterEach(() => sim.close());

const run = <T>(work: () => Promise<T>) => clock.run(work, { sims: [sim] });
const call = (method: 'POST' | 'DELETE', path: string, body?: object) =>
  world.transport.call({ method, path, body, safe: false });
const post = (name: string, labels = {}, annotations = {}) =>
  call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } });
const there = () =>
  sim
    .list<KubeObject>('namespaces')
    .map(({ metadata }) => metadata.name)
    .filter((name) => /demo/.test(name));
const nothing = () => {};

it('two namespaces are made and taken away', () =>
  run(async () => {
    const mine = newRun();
    const own = new OwnNamespaces(world, mine);
    await own.make();
    expect(there()).toEqual(mine.names);
    expect(await own.remove(nothing)).toEqual([]);
    expect(there()).toEqual([]);
  }));

it('a namespace of the same name is refused and left alone, and the other one is taken away', () =>
  run(async () => {
    const mine = newRun();
    await post(mine.names[1], { [runLabel]: 'somebody-else' });
    const own = new OwnNamespaces(world, mine);
    await expect(own.make()).rejects.toThrow(`namespace ${mine.names[1]} exists already, so it is left alone`);
    expect(await own.remove(nothing)).toEqual([]);
    expect(there()).toEqual([mine.names[1]]);
  }));

it('a namespace that somebody made anew meanwhile stays, label or not', () =>
  run(async () => {
    const mine = newRun();
    const own = new OwnNamespaces(world, mine);
    await own.make();
    const [first] = mine.names;
    await call('DELETE', `/api/v1/namespaces/${first}`);
    while ((await post(first, { [runLabel]: mine.label })).status !== 201)
      await new Promise((go) => clock.after(50, () => go(0)));
    expect(await own.remove(nothing)).toEqual([]);
    expect(there()).toEqual([first]);
  }));

it('one whose making was not answered is known by its label, and taken away', () =>
  run(async () => {
    const mine = newRun();
    const { transport } = world;
    const lossy: World['transport'] = {
      ...transport,
      call: async (asked, limits) => {
        const answer = await transport.call<never>(asked, limits);
        if (asked.method === 'POST') throw new Error('connection lost');
        return answer;
      },
    };
    const own = new OwnNamespaces({ ...world, transport: lossy }, mine);
    await expect(own.make()).rejects.toThrow('connection lost');
    expect(there()).toEqual([mine.names[0]]);
    expect(await own.remove(nothing)).toEqual([]);
    expect(there()).toEqual([]);
  }));

it('nothing is made any more once they are being taken away', () =>
  run(async () => {
    const own = new OwnNamespaces(world, newRun());
    const making = own.make();
    expect(await own.remove(nothing)).toEqual([]);
    await making;
    expect(there()).toEqual([]);
  }));

it('what others left is named by what we would have made alone; what merely bears the label is nobody to remove', () =>
  run(async () => {
    const label = 'abcdef0123456789abcd';
    await post('wukong-demo-abcdef-a', { [runLabel]: label }, { [processAnnotation]: 'elsewhere 12' });
    await post('demo-production', { [runLabel]: label });
    await post('wukong-demo-123456-a', { [runLabel]: label });
    await post('wukong-demo-fedcba-b', { [runLabel]: 'fedcba0123' }, { [processAnnotation]: '\u001b[2J; rm -rf / 0' });
    const found = await leftOver(world, 'a context');
    expect(found.map(({ command }) => command)).toEqual([
      "kubectl --context 'a context' delete namespace wukong-demo-abcdef-a",
      "kubectl --context 'a context' delete namespace wukong-demo-fedcba-b",
    ]);
    expect(found[0]?.says).toContain('on elsewhere. If it has ended');
    expect(found[1]?.says).toContain('on an unknown machine. If it has ended');
  }));

it('a context is quoted for the shell', () => {
  expect(removalOf(['x'], "it's; rm")).toBe("kubectl --context 'it'\\''s; rm' delete namespace x");
  expect(removalOf(['x'], '')).toBe('kubectl delete namespace x');
});
