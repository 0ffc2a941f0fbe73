import type { World } from '../../shared/cluster/world.ts';
import { type Outcome, reasonOf } from '../../shared/domain/outcome.ts';
import { schedulePath } from '../../shared/reconcile/scheduleInputs.ts';
import { parseCron } from '../../shared/time/cron.ts';
import { parseZone } from '../../shared/time/parseZone.ts';
import { sleep } from '../../shared/time/wait.ts';
import { nextAfter } from '../../shared/time/wallclock.ts';
import { describeWukong } from '../commands/describe.ts';
import { wrap } from '../terminal/help.ts';
import { JumpClock } from './jumpClock.ts';
import { play, type Player, playerOf } from './play.ts';
import { meantToFail, office, scenesIn, scheduled, zone } from './scenes.ts';
import { ask, furnish, keyWidthOf, look, type View } from './stage.ts';
import type { Voice } from './voice.ts';
import { demoWukongsIn, type Namespaces } from './wukongs.ts';

export interface Stage {
  world: World;
  /** They are there already. */
  namespaces: Namespaces;
  /** Whether the operator that makes the VM of `shop` is there. */
  operator: boolean;
  voice: Voice;
  /** Ends the story between two calls; the namespaces are the caller's to take away. */
  signal: AbortSignal;
}

/** The whole demo in two namespaces. Answers whether all came out as it was meant to. @throws LifecycleError */
export async function tell(stage: Stage): Promise<boolean> {
  const { world, namespaces, voice, signal } = stage;
  const wukongs = demoWukongsIn(namespaces);
  const width = keyWidthOf(wukongs);
  for (const { namespace, name, shows } of wukongs) voice.say(`  ${`${namespace}/${name}`.padEnd(width)}  ${shows}`);
  await furnish(world, wukongs, stage.operator);
  const view = await look(world, wukongs);
  voice.say();
  voice.say('Five of them start by themselves: a moment …');
  await untilUp(view, stage);
  const player = playerOf(world, { voice, view, signal });
  const outcomes: Outcome[] = [];
  for (const scene of scenesIn(namespaces)) outcomes.push(...(await play(scene(), player)));
  const after = player.begun;
  const described = await describeWukong(world, namespaces[1], 'deaf');
  if (world.clock instanceof JumpClock) outcomes.push(...(await bySchedule(world.clock, world, player)));
  else
    voice.say(
      '\nThe scenes with a schedule need a clock that can be put forward, which a real cluster has not: left out.',
    );
  view.close();
  voice.say(`\n${voice.bold(`What kubectl describe wukong -n ${namespaces[1]} deaf says after scene ${after}:`)}`);
  voice.say(described);
  return summary(outcomes, voice);
}

/** The scenes in which nobody calls. */
async function bySchedule(clock: JumpClock, world: World, player: Player): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await ask(world, { method: 'POST', path: schedulePath(office.metadata.namespace), body: office });
  for (const { name, title, hour } of scheduled) {
    clock.jumpTo(nextAfter(parseCron(`0 ${hour} * * *`), parseZone(zone), clock.now()) ?? 0);
    outcomes.push(...(await play({ name, title, handler: 'reconcileState', event: {} }, player)));
  }
  return outcomes;
}

/** The VMs that start by themselves are given a moment. */
async function untilUp(view: View, { world, namespaces, signal }: Stage): Promise<void> {
  const starting = demoWukongsIn(namespaces).filter(({ name }) =>
    ['web', 'db', 'import', 'shop', 'deaf'].includes(name),
  );
  const up = () => starting.every((one) => view.machine(one).vmi?.ready === 'True');
  for (const end = world.clock.now() + 20_000; !up() && world.clock.now() < end;) await sleep(world.clock, 100, signal);
}

/** What came out, and whether it was meant to. */
function summary(outcomes: Outcome[], voice: Voice): boolean {
  const counts = Map.groupBy(outcomes, ({ outcome }) => outcome);
  const list = [...counts].map(([name, those]) => `${those.length} ${name}`).join(', ');
  voice.say();
  for (const line of wrap(`${outcomes.length} outcomes, each seen: ${list}`, voice.width() - 1))
    voice.say(voice.bold(line));
  const failed = counts.get('Failed') ?? [];
  const isMeant = (one: Outcome) => meantToFail[one.name]?.reason === reasonOf(one);
  const meant = failed.filter(isMeant);
  if (meant.length > 0) {
    const why = meant.map(({ namespace, name }) => `${namespace}/${name} ${meantToFail[name]?.because}`).join(', ');
    voice.say(`${meant.length === 1 ? 'One failure was' : `${meant.length} failures were`} meant to be seen: ${why}.`);
  }
  const others = failed.filter((one) => !isMeant(one));
  if (others.length > 0)
    voice.say(`Not meant to fail: ${others.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}.`);
  return others.length === 0;
}
