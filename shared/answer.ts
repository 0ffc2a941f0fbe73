import type { Extras } from './claim.ts';
import type { Command } from './command.ts';
import { finishUnclaimed } from './finish.ts';
import { mergePatch, readWukong, wukongPath } from './kube/objects.ts';
import { tellingMs } from './limits.ts';
import type { Wukong } from './model.ts';
import { settledKey, skippedBy, write } from './operation.ts';
import type { Outcome } from './outcome.ts';
import type { World } from './world.ts';

const mostNotes = 3;

/**
 * Tells a result that needed no operation. What was skipped for a reason that may pass is remembered of a request for one
 * Wukong: delivered again later, it would come to something else.
 */
export async function answer(
  command: Command,
  wukong: Wukong | undefined,
  told: Outcome,
  world: World,
  { declared }: Extras,
): Promise<Outcome> {
  if (command.dryRun) {
    const message = `Nothing would be called: ${told.outcome}. ${told.message}`;
    return { ...told, outcome: 'Skipped', reason: 'DryRun', message, forced: false, quiet: true };
  }
  const done = await finishUnclaimed(world, wukong, told);
  const passing = told.outcome === 'Skipped' && (told.reason === 'Override' || told.reason === 'Protected');
  if (!wukong || !passing || declared !== undefined || !('name' in command.target)) return done;
  const { namespace = '', name } = wukong.metadata;
  const limits = { deadline: world.clock.now() + tellingMs };
  try {
    for (let now = wukong, attempt = 1; attempt <= mostNotes; attempt++) {
      const annotations = { [settledKey]: write(skippedBy(command, now)) };
      const body = { metadata: { resourceVersion: now.metadata.resourceVersion, annotations } };
      const { status } = await mergePatch(world, wukongPath(namespace, name), body, limits);
      if (status !== 409) break;
      now = await readWukong(world, { namespace, name }, limits);
    }
  } catch (thrown) {
    world.log.warn('a skipped request could not be remembered', { problem: (thrown as Error).message });
  }
  return done;
}
