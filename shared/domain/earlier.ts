import type { Command } from './command.ts';
import { type Wukong } from './model.ts';
import { type Last, type Operation, type Settled, settledOf } from './operation.ts';
import { type Action, isUnobserved, type Outcome, reasonOf } from './outcome.ts';

/** Of requests that needed no operation so many are remembered. */
export const mostRemembered = 5;

/** And of those that came to their end, or were superseded, before the last operation. */
const mostEarlier = 8;

/** The newest request that found its wish fulfilled, and those before it that may be delivered once more. */
export function settledBy(command: Command, outcome: Settled['outcome'], wukong: Wukong): Settled {
  const { requestId, action, requestedAt } = command;
  const before = settledOf(wukong);
  const earlier = before ? [before, ...earlierOf(before)].slice(0, mostRemembered - 1) : [];
  const { uid } = wukong.metadata;
  return { ...(uid ? { wukongUid: uid } : {}), requestId, action, outcome, requestedAt, ...asEarlier(earlier) };
}

/** A request, and what it was for where that is known. */
export interface Earlier {
  requestId: string;
  action?: Action | undefined;
}

export const earlierOf = ({ earlier = [], earlierActions = [] }: Pick<Last, 'earlier' | 'earlierActions'>): Earlier[] =>
  earlier.map((requestId, i) => ({ requestId, action: earlierActions[i] ?? undefined }));

const asEarlier = (requests: Earlier[]) => ({
  earlier: requests.map(({ requestId }) => requestId),
  ...(requests.length > 0 ? { earlierActions: requests.map(({ action }) => action ?? null) } : {}),
});

/** The requests that an end answers for, newest first. */
const knownBy = (last: Last): Earlier[] => [
  last,
  ...(last.sharpenedBy ?? []),
  ...(last.superseded ?? []),
  ...earlierOf(last),
];

/** What stays on the Wukong after the end, in the place of what was there before. */
export function lastAfter(op: Operation, outcome: Outcome, before?: Last): Last {
  return {
    wukongUid: op.wukongUid,
    requestId: op.requestId,
    action: op.action,
    outcome: outcome.outcome,
    reason: reasonOf(outcome),
    message: outcome.message,
    ...('forceReason' in outcome ? { forceReason: outcome.forceReason } : {}),
    ...(isUnobserved(outcome) ? { observed: false } : {}),
    trigger: op.trigger,
    requestedAt: op.requestedAt,
    startedAt: op.startedAt,
    finishedAt: outcome.finishedAt,
    restore: op.restore,
    ...(op.supersedes.length > 0 ? { superseded: op.supersedes } : {}),
    ...(op.sharpenedBy ? { sharpenedBy: op.sharpenedBy } : {}),
    ...(before ? asEarlier(knownBy(before).slice(0, mostEarlier)) : {}),
  };
}
