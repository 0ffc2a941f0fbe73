import type { Command } from './command.ts';
import { type Operation } from './operation.ts';

/** KubeVirt may take this long to begin; then it is asked once more, and given the same time again (DESIGN §5). */
export const acceptMs = 120_000;

/** Added to the grace period before the guest is forced (DESIGN §5). */
export const marginMs = 15_000;

/** How long a forced guest may take to go (DESIGN §5). */
export const forceWaitMs = 60_000;

/** A call that nobody gives a deadline is tried for so long. */
export const callLimitMs = 30_000;

/** A power call of a superseded owner may come through a little later than that. */
const inFlightMs = callLimitMs + 5_000;

/** A process that dies has left its record this long after the operation should have been over. */
const slackMs = 60_000;

/** When the claim of an operation that begins now expires. */
export function claimDeadline(
  command: Pick<Command, 'action' | 'waitSeconds'>,
  now: number,
  graceSeconds: number,
): number {
  if (command.action === 'start') return now + command.waitSeconds * 1000 + slackMs;
  return now + 2 * acceptMs + graceSeconds * 1000 + marginMs + 2 * forceWaitMs + slackMs;
}

/** Until when a call of the superseded owner, who wanted the opposite, may still undo what is so. */
export function undoneUntil({ action, startedAt, supersedes }: Operation): number {
  return supersedes.some((old) => old.action !== action) ? startedAt + inFlightMs : startedAt;
}
