import { bodyOf } from '../cluster/failure.ts';
import { mergePatch, readWukong, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import {
  mostRemembered,
  settledBy,
  settledKey,
  type Skipped,
  skippedKey,
  skippedOf,
  write,
} from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { tellingMs } from '../report/limits.ts';
import type { Limits } from '../time/wait.ts';
import { finishUnclaimed } from './finish.ts';
import { asDryRun } from './plan.ts';

const mostNotes = 8;

/**
 * Tells a result that needed no operation. Of a request for one Wukong it is remembered first that it was skipped or
 * superseded: delivered again later, it might come to something else.
 */
export async function answer(command: Command, wukong: Wukong, told: Outcome, world: World): Promise<Outcome> {
  if (command.dryRun) return { ...told, ...asDryRun(told), forced: false, quiet: true } as Outcome;
  const reason = reasonToRemember(told);
  if (reason && 'name' in command.target)
    await rememberSkipped({ requestId: command.requestId, reason }, wukong, world);
  return finishUnclaimed(world, wukong, told);
}

function reasonToRemember(told: Outcome): Skipped['reason'] | undefined {
  if (told.outcome === 'Superseded') return 'Superseded';
  return told.outcome === 'Skipped' && told.reason !== 'Duplicate' ? told.reason : undefined;
}

async function rememberSkipped(one: Skipped, wukong: Wukong, world: World): Promise<void> {
  const limits = { deadline: world.clock.now() + tellingMs };
  try {
    for (let now = wukong, attempt = 1; attempt <= mostNotes; attempt++) {
      const before = skippedOf(now);
      if (before.some(({ requestId }) => requestId === one.requestId)) return;
      const text = JSON.stringify([one, ...before].slice(0, mostRemembered));
      if (await annotate(now, { [skippedKey]: text }, world, limits)) return;
      now = await readWukong(world, placeOf(wukong), limits);
    }
  } catch (thrown) {
    world.log.warn('a skipped request could not be remembered', { problem: (thrown as Error).message });
  }
}

/**
 * A wish that an older one for the same is fulfilling counts from now on, so that nothing between the two is done after
 * it. False: the Wukong has changed meanwhile, and is to be read again.
 */
export const join = (command: Command, wukong: Wukong, world: World, limits: Limits): Promise<boolean> =>
  annotate(wukong, { [settledKey]: write(settledBy(command, 'Skipped', wukong)) }, world, limits);

async function annotate(
  { metadata: { namespace = '', name, resourceVersion } }: Wukong,
  annotations: Record<string, string>,
  world: World,
  limits: Limits,
): Promise<boolean> {
  const body = { metadata: { resourceVersion, annotations } };
  const answer = await mergePatch(world, wukongPath(namespace, name), body, limits);
  if (answer.status === 409) return false;
  bodyOf(answer, 'what is to be remembered of the request');
  return true;
}
