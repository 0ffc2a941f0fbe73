import { joinedTo } from './joined.ts';
import { lifecycleStateOf } from './lifecycleState.ts';
import type { Wukong } from './model.ts';
import {
  type Last,
  lastKey,
  lastOf,
  newestDone,
  type Operation,
  operationKey,
  operationOf,
  outcomeOf,
  settledKey,
  settledOf,
  skippedKey,
  skippedOf,
} from './operation.ts';
import { isUnobserved, type Outcome, reasonOf } from './outcome.ts';
import { instantIn } from './read.ts';
import type { Member } from './run.ts';

/** An outcome as the part of one VM in a run. */
export function memberOf(outcome: Outcome): Member {
  const { outcome: name, message, startedAt, finishedAt } = outcome;
  const reason = outcome.outcome === 'ForcedOff' ? outcome.forceReason : reasonOf(outcome);
  const did = name === 'Started' || name === 'Stopped' || name === 'ForcedOff' || name === 'Failed';
  return {
    outcome: name,
    ...(reason ? { reason } : {}),
    ...(name === 'Failed' ? { message } : {}),
    ...(isUnobserved(outcome) ? { observed: false } : {}),
    ...(did || name === 'InProgress' ? { startedAt } : {}),
    ...(did ? { finishedAt } : {}),
  };
}

const keys = [operationKey, lastKey, settledKey, skippedKey];

/**
 * Whether a request left any sign on a Wukong: cheap, as it is asked of each at every tick. In the annotations an id stands
 * as JSON has it, where a quote has a backslash before it.
 */
export function mentions({ metadata: { annotations = {} }, status }: Wukong, requestId: string): boolean {
  const written = JSON.stringify(requestId);
  return keys.some((key) => annotations[key]?.includes(written)) || status?.lifecycleState?.requestId === requestId;
}

/** What the Wukong itself says that a request came to; undefined where nothing on it does. */
export function traceOf(wukong: Wukong, requestId: string): Member | undefined {
  if (!mentions(wukong, requestId)) return undefined;
  const is = (one: { requestId: string }) => one.requestId === requestId;
  const op = operationOf(wukong);
  if (op && (is(op) || op.sharpenedBy?.some(is) || joinedTo(wukong, op).some(is)))
    return { outcome: 'InProgress', startedAt: op.startedAt };
  if (op?.supersedes.some(is)) return { outcome: 'Superseded' };
  const last = lastOf(wukong);
  if (last && (is(last) || last.sharpenedBy?.some(is))) return memberOf(outcomeOf(wukong, last));
  if (last?.superseded?.some(is)) return { outcome: 'Superseded' };
  return settledTrace(wukong, requestId, last) ?? failureShown(wukong, requestId);
}

/** What failed before anything was claimed stands in the status alone. */
function failureShown(wukong: Wukong, requestId: string): Member | undefined {
  const shown = lifecycleStateOf(wukong);
  if (shown?.requestId !== requestId || shown.outcome !== 'Failed') return undefined;
  const { reason, message, startedAt, finishedAt } = shown;
  return { outcome: 'Failed', reason, message, startedAt: instantIn(startedAt), finishedAt: instantIn(finishedAt) };
}

function settledTrace(wukong: Wukong, requestId: string, last: Last | undefined): Member | undefined {
  const settled = settledOf(wukong);
  const joined = settled?.joined?.requests.some((one) => one.requestId === requestId);
  if (joined && last?.requestId === settled?.joined?.to) return memberOf(outcomeOf(wukong, last!));
  if (settled?.requestId === requestId && (settled.outcome === 'AlreadyOn' || settled.outcome === 'AlreadyOff'))
    return { outcome: settled.outcome };
  const skipped = skippedOf(wukong).find((one) => one.requestId === requestId);
  if (!skipped) return undefined;
  return skipped.reason === 'Superseded' ? { outcome: 'Superseded' } : { outcome: 'Skipped', reason: skipped.reason };
}

/** Whether the Wukong knows that the request was carried out or superseded, although not any more what it came to. */
export const remembers = (wukong: Wukong, requestId: string): boolean =>
  mentions(wukong, requestId) &&
  [...(lastOf(wukong)?.earlier ?? []), ...(settledOf(wukong)?.earlier ?? [])].includes(requestId);

/** What was asked for last after an instant, by whomever. */
export function wishAfter(wukong: Wukong, instant: number): Pick<Operation, 'action' | 'requestId'> | undefined {
  const all = [operationOf(wukong), newestDone(wukong)].filter((one) => one !== undefined);
  return all
    .filter(({ requestedAt }) => requestedAt >= instant)
    .sort((a, b) => a.requestedAt - b.requestedAt)
    .at(-1);
}
