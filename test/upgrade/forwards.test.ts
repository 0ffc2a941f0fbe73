import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { operationKey } from '../../shared/domain/operation.ts';
import type { VirtualClock } from '../../sim/clock.ts';
import type { Sim } from '../../sim/sim.ts';
import { declare, minute, namespace, requestId, stageOf, stories, type Story } from './stories.ts';
import { present } from './versions.ts';
import { namesOn, replay, type Told } from './writes.ts';

const told = JSON.parse(readFileSync('test/data/upgrade/0.1.0.json', 'utf8')) as Record<string, Told>;

/** What 0.1.0 has done of a story up to its nth change; then it is gone, and the present version ticks. */
async function goneOn(story: Story, nth: number) {
  const { sim, clock, pass } = await stageOf(story);
  const world = (await present.world(sim, clock)) as World;
  const names = namesOn(sim);
  const run = <T>(work: Promise<T>) => clock.run(work, { sims: [sim] });
  const { before, writes } = told[story.name]!;
  await run(replay(before, names, clock, world));
  await pass(story.before ? 5_000 : 0);
  declare(story, sim);
  await run(replay(writes.slice(0, nth), names, clock, world));
  const underWay = () => {
    const { metadata, status } = sim.get<Wukong>('wukongs', namespace, 'web')!;
    const outcome = status?.lifecycleState?.outcome ?? 'InProgress';
    return metadata.annotations?.[operationKey] !== undefined || outcome === 'InProgress';
  };
  for (let tick = 0; tick === 0 || (tick < 6 && underWay()); tick++, await pass(minute))
    await run(present.tick(world, clock.now() + 50_000));
  const { does } = story;
  const calls = () => sim.requests.filter(({ path }) => path.includes('/apis/subresources')).length;
  const [once] = [calls()];
  // Whoever asked 0.1.0 has no answer, and asks again.
  const again =
    'command' in does
      ? await run(present.command(world, does.command, { requestId, ...does.more }, clock.now() + 10 * minute))
      : undefined;
  const wukong = sim.get<Wukong>('wukongs', namespace, 'web')!;
  const vm = sim.get<KubeObject & { spec: { runStrategy: string } }>('virtualmachines', namespace, 'web-vm')!;
  const events = sim.list<KubeObject & { reason: string }>('events', namespace);
  await sim.close();
  return { wukong, vm, again, askedAgain: calls() - once!, events: events.map(({ reason }) => reason) };
}

describe.each(stories)('$name that version 0.1.0 has begun', (story) => {
  const { writes } = told[story.name]!;
  it.each(writes.map((_, nth) => nth + 1))('and left after its change %i comes to its end', async (nth) => {
    const { wukong, vm, again, askedAgain, events } = await goneOn(story, nth);
    const { state, outcome = '' } = wukong.status?.lifecycleState ?? {};
    expect([state, story.expected.outcome]).toEqual([story.expected.state, expect.arrayContaining([outcome])]);
    expect(wukong.metadata.annotations).not.toHaveProperty([operationKey]);
    expect(wukong.spec?.lifecycleAction).toBeUndefined();
    if (story.expected.strategy) expect(vm.spec.runStrategy).toBe(story.expected.strategy);
    expect(events.filter((reason) => reason === outcome)).toHaveLength(1);
    if (again) expect(again).toMatchObject({ outcome: 'Skipped', reason: 'Duplicate' });
    expect(askedAgain).toBe(0);
  });
});

/** Before anybody has brought the CRDs up to date: the one of schedules as it was, and none of those that came later. */
async function oldCrds(sim: Sim, clock: VirtualClock, world: World) {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const send = (method: 'PUT' | 'DELETE' | 'GET', name: string, body?: unknown) =>
    clock.run(
      world.transport.call<KubeObject>({ method, path: `${crds}/${name}.vm.novasphere.dev`, body, safe: true }),
      {
        sims: [sim],
      },
    );
  const before = parse(readFileSync('test/data/upgrade/0.1.0-wukongschedules.yaml', 'utf8')) as KubeObject;
  const { resourceVersion } = (await send('GET', 'wukongschedules')).body.metadata;
  const metadata = { ...before.metadata, ...(resourceVersion ? { resourceVersion } : {}) };
  expect((await send('PUT', 'wukongschedules', { ...before, metadata })).status).toBe(200);
  for (const name of ['wukongruns', 'clusterwukongschedules']) await send('DELETE', name);
}

it('with the CRDs of version 0.1.0 a schedule goes on: its stop is done, once', async () => {
  const story = stories.find(({ name }) => name === 'a stop of a schedule')!;
  const { sim, clock, pass } = await stageOf(story);
  const world = (await present.world(sim, clock)) as World;
  await oldCrds(sim, clock, world);
  declare(story, sim);
  for (let tick = 0; tick < 4; tick++, await pass(minute))
    await clock.run(present.tick(world, clock.now() + 50_000), { sims: [sim] });
  expect(sim.get<Wukong>('wukongs', namespace, 'web')?.status?.lifecycleState).toMatchObject({ outcome: 'Stopped' });
  const stops = sim.requests.filter(({ path }) => path.endsWith('/stop'));
  expect(stops).toHaveLength(1);
  await sim.close();
});
