import type { Command } from './command.ts';
import { settledBy } from './earlier.ts';
import type { Wukong } from './model.ts';
import { mostSuperseded, type Operation, type Settled, settledOf, type SupersededRequest } from './operation.ts';

/** A request as the record of another one names it. */
export const named = ({ requestId, action, trigger, startedAt }: SupersededRequest): SupersededRequest => ({
  requestId,
  action,
  trigger,
  startedAt,
});

/** The requests that joined this operation, newest first. */
export function joinedTo(wukong: Wukong, { requestId }: Operation): SupersededRequest[] {
  const joined = settledOf(wukong)?.joined;
  return joined?.to === requestId ? joined.requests : [];
}

/** What is to be remembered of a request that asks for no more than the operation under way. */
export const settledByJoining = (command: Command, wukong: Wukong, running: Operation, now: number): Settled =>
  settledWith(command, wukong, running, [named({ ...command, startedAt: now }), ...joinedTo(wukong, running)]);

/** And of one that asks for more: the record names it, and those that joined are not forgotten. */
export const settledBySharpening = (command: Command, wukong: Wukong, running: Operation): Settled =>
  settledWith(command, wukong, running, joinedTo(wukong, running));

function settledWith(command: Command, wukong: Wukong, { requestId }: Operation, joined: SupersededRequest[]): Settled {
  const requests = joined.slice(0, mostSuperseded);
  return { ...settledBy(command, 'Skipped', wukong), joined: { to: requestId, requests } };
}

/** All whom a newer wish for the other action supersedes together with this operation, newest first. */
export function supersededWith(wukong: Wukong, running: Operation): SupersededRequest[] {
  const all = [running, ...(running.sharpenedBy ?? []), ...joinedTo(wukong, running), ...running.supersedes];
  return all.map(named).slice(0, mostSuperseded);
}
