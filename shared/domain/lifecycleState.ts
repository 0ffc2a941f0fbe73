import * as z from 'zod';

import { failureCodes } from './errors.ts';
import { type LifecycleState, stateNames, type Wukong } from './model.ts';
import { oneLine } from './oneLine.ts';
import { type Action, forceReasons, outcomeNames, skipReasons } from './outcome.ts';

/** Why a command was skipped or failed, and why a guest was forced: the closed sets, in whatever text they are found. */
export const knownReason = z
  .enum([...skipReasons, ...failureCodes])
  .optional()
  .catch(undefined);
export const knownForceReason = z.enum(forceReasons).optional().catch(undefined);
/** A message as it is kept and shown: a condition takes 32768 characters, and nobody reads so many. */
export const mostMessage = 4_000;
export const shownMessage = z.string().transform((text) => oneLine(text, mostMessage));

const ours = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const action = ours(z.enum(['start', 'stop']));
const instant = ours(z.iso.datetime({ offset: true }));
const text = ours(
  z
    .string()
    .min(1)
    .max(1_024)
    .transform((given) => oneLine(given, 1_024)),
);

const now = z.object({ state: ours(z.enum(stateNames)), nextAction: action, nextActionTime: instant });
const end = z.object({
  lastAction: action,
  lastActionTime: instant,
  outcome: z.enum(outcomeNames),
  reason: knownReason,
  message: ours(shownMessage),
  forced: ours(z.boolean()),
  observed: ours(z.boolean()),
  forceReason: knownForceReason,
  requestId: text,
  trigger: text,
  startedAt: instant,
  finishedAt: instant,
});

/**
 * `status.lifecycleState` as far as it is in our words. Whoever may write the status can write anything there: a field
 * that is not from its closed set counts as absent, and what is told of an outcome that nobody knows is not read at all.
 */
export function lifecycleStateOf({ status }: Wukong): LifecycleState | undefined {
  const given: unknown = status?.lifecycleState;
  const found = now.safeParse(given).data;
  const told = found && (given as { outcome?: unknown }).outcome !== undefined;
  return told ? { ...found, ...end.safeParse(given).data } : found;
}

/**
 * Whether the status shows this end, or something newer: an outcome that needed no operation is written there without a
 * record, and only after the end before it was told. The status counts in whole seconds.
 */
export function isShown(wukong: Wukong, last: { requestId: string; action: Action; finishedAt: number }): boolean {
  const shown = lifecycleStateOf(wukong);
  // A status that still says InProgress was written before the end.
  if (!shown?.outcome || shown.outcome === 'InProgress') return false;
  if (shown.requestId === last.requestId) return true;
  const [shownAt, endedAt] = [Date.parse(shown.finishedAt ?? ''), Math.floor(last.finishedAt / 1_000) * 1_000];
  if (shownAt !== endedAt) return shownAt > endedAt;
  // Of the same second: what was on already was so before it was switched off, and the other way round.
  return !shown.outcome.startsWith('Already') || shown.lastAction === last.action;
}
