import type { World } from '../cluster/world.ts';
import { lifecycleStateOf } from '../domain/lifecycleState.ts';
import type { StateName, Wukong } from '../domain/model.ts';
import { lastOf, operationOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { tellingMs } from '../report/limits.ts';
import { note, putOutcome, tell } from '../report/report.ts';
import { stateAfter, writeStatus } from '../report/status.ts';
import type { Limits } from '../time/wait.ts';
import { newHolder } from './claim.ts';
import { tellBefore, untold } from './finish.ts';

/** Tells an outcome that needed no operation, in the time there is. The status is put right only where it says something else. */
export async function finishUnclaimed(
  world: World,
  wukong: Wukong | undefined,
  outcome: Outcome,
  by: Partial<Limits> = {},
): Promise<Outcome> {
  const limits = { deadline: world.clock.now() + tellingMs };
  if (outcome.outcome === 'Skipped' && (outcome.reason === 'Duplicate' || outcome.reason === 'DryRun')) {
    world.log.info(`${outcome.action} ${outcome.namespace}/${outcome.name}: ${outcome.outcome} (${outcome.reason})`, {
      says: outcome.message,
    });
    return { ...outcome, quiet: true };
  }
  const settled = outcome.outcome === 'AlreadyOn' || outcome.outcome === 'AlreadyOff';
  if (settled || !wukong) {
    note(world, outcome);
    await putOutcome(world, outcome);
    if (wukong && settled) return correctState(world, wukong, outcome, by);
    return outcome;
  }
  await tell(world, wukong, outcome, { teller: newHolder(world), limits });
  if (outcome.outcome === 'Failed') await showFailure(world, wukong, outcome, by);
  return outcome;
}

/** What failed before anything was claimed is seen in the status, too; not where an operation or another cluster's silence speaks. */
async function showFailure(
  world: World,
  wukong: Wukong,
  outcome: Outcome & { outcome: 'Failed' },
  by: Partial<Limits>,
): Promise<void> {
  if (outcome.reason === 'Unreachable' || operationOf(wukong)) return;
  const state = outcome.reason === 'NotFound' ? 'Unknown' : (lifecycleStateOf(wukong)?.state ?? 'Unknown');
  try {
    await showUnclaimed(world, wukong, outcome, state, by);
  } catch (thrown) {
    world.log.warn('the failure could not be written into the status', { problem: (thrown as Error).message });
  }
}

/** An outcome without a record: shown only after the end before it was told, and never over a newer one. */
async function showUnclaimed(
  world: World,
  wukong: Wukong,
  outcome: Outcome,
  state: StateName,
  by: Partial<Limits>,
): Promise<void> {
  await tellBefore(world, wukong, state, by);
  const before = lastOf(wukong)?.requestId;
  const isNewest = (now: Wukong) => !operationOf(now) && lastOf(now)?.requestId === before;
  const limits = { deadline: world.clock.now() + tellingMs };
  await writeStatus(world, wukong, stateAfter(outcome, state, lifecycleStateOf(wukong)), limits, isNewest);
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
