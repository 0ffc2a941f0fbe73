import type { World } from '../cluster/world.ts';
import type { LifecycleError } from '../domain/errors.ts';
import { lifecycleStateOf } from '../domain/lifecycleState.ts';
import type { StateName, Wukong } from '../domain/model.ts';
import { lastOf, operationOf, untoldEnd } from '../domain/operation.ts';
import { type Outcome, reasonOf } from '../domain/outcome.ts';
import { note, putOutcome, tell, tellingMs } from '../report/report.ts';
import { stateAfter, writeStatus } from '../report/status.ts';
import type { Limits } from '../time/wait.ts';
import { newHolder } from './claim.ts';
import { untold } from './finish.ts';
import { tellBefore } from './tellUntold.ts';

interface Unclaimed extends Partial<Limits> {
  /** A record on the Wukong says already what the request came to. */
  remembered?: boolean;
}

/**
 * Tells an outcome that needed no operation, in the time there is. The status is put right only where it says something
 * else. What neither record, Event, status nor bus could be told of is Failed instead: as no tick will find it, whoever
 * asked has to ask again.
 */
export async function finishUnclaimed(
  world: World,
  wukong: Wukong | undefined,
  outcome: Outcome,
  { remembered = false, ...by }: Unclaimed = {},
): Promise<Outcome> {
  const limits = { deadline: world.clock.now() + tellingMs };
  if (outcome.outcome === 'Skipped' && (outcome.reason === 'Duplicate' || outcome.reason === 'DryRun')) {
    world.log.info(`${outcome.action} ${outcome.namespace}/${outcome.name}: ${outcome.outcome} (${outcome.reason})`, {
      says: outcome.message,
    });
    return { ...outcome, quiet: true };
  }
  if (wukong && (outcome.outcome === 'AlreadyOn' || outcome.outcome === 'AlreadyOff')) {
    note(world, outcome);
    await putOutcome(world, outcome);
    return correctState(world, wukong, outcome, by);
  }
  if (!wukong) {
    const unsent = await putOutcome(world, outcome);
    return unsent ? unheard(world, outcome, unsent) : noted(world, outcome);
  }
  const onlyHeard = !remembered;
  const untold = await tell(world, wukong, outcome, { teller: newHolder(world), limits, onlyHeard });
  const shown = outcome.outcome === 'Failed' && (await showFailure(world, wukong, outcome, by));
  if (!untold || remembered) return outcome;
  return shown ? noted(world, outcome) : unheard(world, outcome, untold);
}

function noted(world: World, outcome: Outcome): Outcome {
  note(world, outcome);
  return outcome;
}

/** An end that stands nowhere: only who asked is left to be told, and asks again where that may help. */
function unheard(world: World, outcome: Outcome, why: LifecycleError): Outcome {
  const isLost = why.code !== 'Unreachable' && outcome.outcome === 'Failed';
  if (isLost || reasonOf(outcome) === 'Unreachable') return noted(world, outcome);
  const message = `${outcome.outcome}: ${outcome.message} But nobody could be told: ${why.message}`;
  return noted(world, { ...outcome, outcome: 'Failed', reason: why.code, message } as Outcome);
}

/**
 * What failed before anything was claimed is seen in the status, too; not where an operation or another cluster's
 * silence speaks. Returns whether it is.
 */
async function showFailure(
  world: World,
  wukong: Wukong,
  outcome: Outcome & { outcome: 'Failed' },
  by: Partial<Limits>,
): Promise<boolean> {
  if (outcome.reason === 'Unreachable' || operationOf(wukong)) return false;
  if (untoldEnd(wukong, world.clock.now())) return false; // nobody has looked whether the VM agrees with it
  const state = outcome.reason === 'NotFound' ? 'Unknown' : (lifecycleStateOf(wukong)?.state ?? 'Unknown');
  try {
    return await showUnclaimed(world, wukong, outcome, state, by);
  } catch (thrown) {
    world.log.warn('the failure could not be written into the status', { problem: (thrown as Error).message });
    return false;
  }
}

/** An outcome without a record: shown only after the end before it was told, and never over a newer one. Whether it is. */
async function showUnclaimed(
  world: World,
  wukong: Wukong,
  outcome: Outcome,
  state: StateName,
  by: Partial<Limits>,
): Promise<boolean> {
  await tellBefore(world, wukong, () => state, by);
  const before = lastOf(wukong)?.requestId;
  const isNewest = (now: Wukong) => !operationOf(now) && lastOf(now)?.requestId === before;
  const limits = { deadline: world.clock.now() + tellingMs };
  return writeStatus(world, wukong, stateAfter(outcome, state, lifecycleStateOf(wukong)), limits, isNewest);
}

async function correctState(world: World, wukong: Wukong, outcome: Outcome, by: Partial<Limits>): Promise<Outcome> {
  const state = outcome.outcome === 'AlreadyOn' ? 'Running' : 'Stopped';
  if (lifecycleStateOf(wukong)?.state === state) return outcome;
  try {
    await showUnclaimed(world, wukong, outcome, state, by);
    return outcome;
  } catch (thrown) {
    return untold(world, outcome, thrown);
  }
}
