import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject, Wukong } from '../../shared/domain/model.ts';
import { lastOf, operationOf, settledOf, skippedOf } from '../../shared/domain/operation.ts';
import type { Sim } from '../../sim/sim.ts';
import { records, scheduleFields } from './first.ts';
import { live, minute, namespace, place, prelude, stageOf, stories, type Story } from './stories.ts';
import { present } from './versions.ts';
import { namesOn, recorded } from './writes.ts';

const readers = {
  'lifecycle.novasphere.dev/operation': operationOf,
  'lifecycle.novasphere.dev/last-operation': lastOf,
  'lifecycle.novasphere.dev/last-settled': settledOf,
  'lifecycle.novasphere.dev/last-skipped': skippedOf,
};
const open: Sim[] = [];
afterAll(() => Promise.all(open.map((sim) => sim.close())));

/** Each state of the Wukong in which a process of the present version may leave it. */
async function states(story: Story): Promise<Wukong[]> {
  const { sim, clock } = await stageOf(story);
  open.push(sim);
  const found: Wukong[] = [];
  const keep = () => found.push(structuredClone(sim.get<Wukong>('wukongs', namespace, 'web')!));
  const plain = (await present.world(sim, clock)) as World;
  const { world } = recorded(plain, namesOn(sim), keep);
  const all = async () => {
    await prelude(story, present, clock, world);
    await live(story, present, sim, clock, world);
    const { does } = story;
    if (!('command' in does)) return;
    // Found fulfilled, and too late for a newer one: both are remembered too.
    const within = () => clock.now() + minute;
    await present.command(world, does.command, { requestId: 'once-more' }, within());
    const scheduledAt = '2026-11-23T19:00:00Z';
    const other = does.command === 'stop' ? 'start' : 'stop';
    await present.command(world, other, { requestId: 'too-late', scheduledAt }, within());
  };
  await clock.run(all(), { sims: [sim] });
  return found;
}

describe.each(stories)('$name: whatever the present version leaves,', (story) => {
  let all: Wukong[];
  beforeAll(async () => {
    all = await states(story);
  });
  it.each(Object.keys(readers) as (keyof typeof readers)[])('version 0.1.0 reads %s as it is meant', (key) => {
    for (const wukong of all) {
      const text = wukong.metadata.annotations?.[key];
      const mine = readers[key](wukong);
      if (text === undefined) continue;
      const theirs = records[key].parse(JSON.parse(text));
      expect(mine).toMatchObject(theirs as object);
    }
  });
});

it('a schedule that uses nothing new has, as the API server shows it, no field that version 0.1.0 does not know', async () => {
  const { sim, clock } = await stageOf(stories[0]!);
  open.push(sim);
  const spec = { stop: '0 20 * * *', selector: { matchLabels: { env: 'dev' } } };
  const rich = { ...spec, waves: {}, holidays: { dates: ['2026-12-25'], configMapRef: { name: 'public' } } };
  const body = {
    apiVersion: 'vm.novasphere.dev/v1alpha1',
    kind: 'WukongSchedule',
    metadata: { name: 'rich' },
    spec: rich,
  };
  const path = `/apis/vm.novasphere.dev/v1alpha1/namespaces/${place.namespace}/wukongschedules`;
  const world = (await present.world(sim, clock)) as World;
  const answer = await clock.run(
    world.transport.call<KubeObject & { spec: Shown }>({ method: 'POST', path, body, safe: false }),
    {
      sims: [sim],
    },
  );
  const { spec: shown } = answer.body;
  const keys = (of: object) => Object.keys(of).filter((key) => of[key as never] !== undefined);
  expect(scheduleFields.spec).toEqual(expect.arrayContaining(keys(shown)));
  expect(scheduleFields.holidays).toEqual(expect.arrayContaining(keys(shown.holidays)));
  expect(scheduleFields.configMapRef).toEqual(expect.arrayContaining(keys(shown.holidays.configMapRef)));
  expect(scheduleFields.waves).toEqual(expect.arrayContaining(keys(shown.waves)));
});
interface Shown {
  holidays: { configMapRef: object };
  waves: object;
}
