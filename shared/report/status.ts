import { bodyOf } from '../cluster/failure.ts';
import { mergePatch, readWukong, withCondition, wukongPath } from '../cluster/objects.ts';
import type { Cluster } from '../cluster/world.ts';
import { isBelievable } from '../domain/believe.ts';
import { LifecycleError } from '../domain/errors.ts';
import { isShown, lifecycleStateOf, mostMessage } from '../domain/lifecycleState.ts';
import {
  type Condition,
  conditionOf,
  type LifecycleState,
  placeOf,
  type StateName,
  type Wukong,
} from '../domain/model.ts';
import { lastOf, operationOf, outcomeOf } from '../domain/operation.ts';
import { isUnobserved, type Outcome, reasonOf } from '../domain/outcome.ts';
import { rfc3339 } from '../time/clock.ts';
import type { Limits } from '../time/wait.ts';
import { plain } from './plain.ts';

export const readyCondition = 'LifecycleReady';
const extend = 'kubectl patch crd wukongs.vm.novasphere.dev --type=json --patch-file infra/crds/wukongs-extension.json';

/** What the status says after an outcome. `next` is kept as it was where the caller does not know it. */
export function stateAfter(outcome: Outcome, state: StateName, before: LifecycleState = {}): LifecycleState {
  const running = outcome.outcome === 'InProgress';
  return {
    state,
    lastAction: outcome.action,
    lastActionTime: rfc3339(outcome.startedAt),
    outcome: outcome.outcome,
    reason: reasonOf(outcome),
    message: plain(outcome.message, mostMessage),
    forced: outcome.forced,
    forceReason: outcome.outcome === 'ForcedOff' ? outcome.forceReason : undefined,
    observed: isUnobserved(outcome) ? false : undefined,
    requestId: plain(outcome.requestId, 1_024),
    trigger: plain(outcome.trigger, 256),
    startedAt: rfc3339(outcome.startedAt),
    finishedAt: running ? undefined : rfc3339(outcome.finishedAt),
    nextAction: before.nextAction,
    nextActionTime: before.nextActionTime,
  };
}

/** What the status tells, or the record in its place: an operator that does not know the field may wipe it (KUBEVIRT §4). */
export function lastShown(wukong: Wukong, state: StateName): LifecycleState | undefined {
  const known = lifecycleStateOf(wukong);
  const last = lastOf(wukong);
  const old = known?.outcome === undefined || (known.outcome === 'InProgress' && !operationOf(wukong));
  return old && last && isBelievable(last, state) ? stateAfter(outcomeOf(wukong, last), state, known) : known;
}

/** Whether the status of this Wukong has still to show the end of this operation. */
export function lacksEndOf(wukong: Wukong, requestId: string): boolean {
  const last = lastOf(wukong);
  return last?.requestId === requestId && !isShown(wukong, last);
}

function conditionFor(wanted: LifecycleState, generation: number | undefined): Condition {
  // What failed and came true later is true: a VM that comes up after its start had timed out.
  const wished = wanted.lastAction === 'start' ? 'Running' : 'Stopped';
  const failed = wanted.outcome === 'Failed' && wanted.state !== wished;
  const busy = wanted.outcome === 'InProgress';
  return {
    type: readyCondition,
    status: failed ? 'False' : busy ? 'Unknown' : 'True',
    reason: (failed && wanted.reason) || wanted.outcome || 'Observed',
    message: wanted.message ?? '',
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

const fields = [
  'state',
  'lastAction',
  'lastActionTime',
  'outcome',
  'reason',
  'message',
  'forced',
  'forceReason',
  'observed',
  'requestId',
  'trigger',
  'startedAt',
  'finishedAt',
  'nextAction',
  'nextActionTime',
] as const satisfies readonly (keyof LifecycleState)[];

const same = (a: LifecycleState = {}, b: LifecycleState) => fields.every((field) => a[field] === b[field]);

/** Whether status and condition say it already. */
export function says({ metadata, status }: Wukong, wanted: LifecycleState): boolean {
  const condition = conditionFor(wanted, metadata.generation);
  const before = conditionOf(status?.conditions, readyCondition);
  const told =
    before?.status === condition.status && before.reason === condition.reason && before.message === condition.message;
  return told && same(status?.lifecycleState, wanted);
}

/**
 * Writes `status.lifecycleState` and the condition LifecycleReady; nothing when both say it already. Other writers'
 * conditions are kept: the list goes up with the resourceVersion it was read at, and again when that has changed,
 * unless `stillTrue` says that something newer has been said meanwhile.
 * @throws LifecycleError CrdNotExtended when the API server pruned it.
 */
export async function writeStatus(
  cluster: Cluster,
  wukong: Wukong,
  wanted: LifecycleState,
  limits: Partial<Limits>,
  stillTrue: (now: Wukong) => boolean = () => true,
): Promise<boolean> {
  const { namespace, name } = placeOf(wukong);
  for (let current = wukong, attempt = 1; ; attempt++) {
    if (says(current, wanted)) return false;
    const condition = conditionFor(wanted, current.metadata.generation);
    const lifecycleState = Object.fromEntries(fields.map((field) => [field, wanted[field] ?? null]));
    const conditions = withCondition(current.status?.conditions, condition, rfc3339(cluster.clock.now()));
    const body = {
      metadata: { resourceVersion: current.metadata.resourceVersion },
      status: { lifecycleState, conditions },
    };
    const answer = await mergePatch<Wukong>(cluster, wukongPath(namespace, name, 'status'), body, limits);
    if (answer.status !== 409 || attempt === 6) {
      const written = bodyOf(answer, `status of Wukong ${namespace}/${name}`).status?.lifecycleState;
      if (written?.state === undefined)
        throw new LifecycleError('CrdNotExtended', `the API server dropped status.lifecycleState; run: ${extend}`);
      return true;
    }
    current = await readWukong(cluster, { namespace, name }, limits);
    if (!stillTrue(current)) return false;
  }
}
