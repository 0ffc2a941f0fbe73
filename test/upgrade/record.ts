/**
 * node test/upgrade/record.ts [--back]
 * Needs the history of this repository: takes version 0.1.0 out of it. Without an option it writes what that version
 * changes on the cluster in each story (test/data/upgrade/0.1.0.json). With `--back` the present version dies after each
 * of its changes, version 0.1.0 goes on, and what came of it is printed.
 */
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { World } from '../../shared/cluster/world.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { outOfHistory } from './outOfHistory.ts';
import { live, minute, namespace, prelude, requestId, stageOf, stories, type Story, type Version } from './stories.ts';
import { first, present } from './versions.ts';
import { namesOn, recorded, type Told } from './writes.ts';

const data = join(import.meta.dirname, '../data/upgrade');
const file = join(data, '0.1.0.json');

async function record(version: Version): Promise<void> {
  const all: Record<string, Told> = {};
  for (const story of stories) {
    const { sim, clock } = await stageOf(story);
    const found: Told = (all[story.name] = { before: [], writes: [] });
    const names = namesOn(sim);
    const plain = (await version.world(sim, clock)) as World;
    const first = recorded(plain, names, (write) => found.before.push(write));
    await clock.run(prelude(story, version, clock, first.world), { sims: [sim] });
    const { world } = recorded(plain, names, (write) => found.writes.push(write));
    await clock.run(live(story, version, sim, clock, world), { sims: [sim] });
    await sim.close();
    console.log(`${story.name}: ${found.writes.length} changes`);
  }
  writeFileSync(file, `${JSON.stringify(all, null, 1)}\n`);
}

/** How a story ends that the present version leaves after so many changes, and version 0.1.0 goes on with. */
async function back(story: Story, old: Version, most: number) {
  const { sim, clock, pass } = await stageOf(story);
  let writes = 0;
  const mine = (await present.world(sim, clock)) as World;
  await clock.run(prelude(story, present, clock, mine), { sims: [sim] });
  const { world, death } = recorded(mine, namesOn(sim), () => writes++, most);
  const life = live(story, present, sim, clock, world);
  await clock.run(Promise.race([life, death]), { sims: [sim] });
  const theirs = await old.world(sim, clock);
  const { does } = story;
  if ('command' in does)
    await clock.run(old.command(theirs, does.command, { requestId, ...does.more }, clock.now() + 10 * minute), {
      sims: [sim],
    });
  for (let tick = 0; tick < 8; tick++, await pass(minute))
    await clock.run(old.tick(theirs, clock.now() + 50_000), { sims: [sim] });
  const { status, metadata } = sim.get<Wukong>('wukongs', namespace, 'web')!;
  const { state, outcome } = status?.lifecycleState ?? {};
  const left = metadata.annotations?.['lifecycle.novasphere.dev/operation'] !== undefined;
  await sim.close();
  return { writes, state, outcome, left };
}

async function allBack(old: Version): Promise<void> {
  let wrong = 0;
  for (const story of stories)
    for (let most = 0; ; most++) {
      const { writes, state, outcome, left } = await back(story, old, most);
      const right = state === story.expected.state && story.expected.outcome.includes(outcome ?? '') && !left;
      if (!right) wrong++;
      console.log(`${right ? 'right' : 'WRONG'}  ${story.name}, left after ${most} changes: ${state}, ${outcome}`);
      if (writes < most || most > 40) break;
    }
  process.exitCode = wrong > 0 ? 1 : 0;
}

const folder = outOfHistory();
try {
  const old = await first(folder);
  const crd = 'wukongschedules.vm.novasphere.dev.yaml';
  copyFileSync(join(folder, 'infra/crds', crd), join(data, '0.1.0-wukongschedules.yaml'));
  await (process.argv.includes('--back') ? allBack(old) : record(old));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
