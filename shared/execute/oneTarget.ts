import { createHash } from 'node:crypto';

import { listPages } from '../cluster/list.ts';
import { slim, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import type { Command, Target } from '../domain/command.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { keyOf, type Place, type Wukong } from '../domain/model.ts';
import type { Outcome } from '../domain/outcome.ts';
import { remember } from '../domain/remember.ts';
import { format } from '../domain/selector.ts';
import { knowsRequest } from '../lifecycle/plan.ts';
import { finishUnclaimed } from '../lifecycle/unclaimed.ts';
import type { Limits } from '../time/wait.ts';
import { rateLimiterOf } from './rateLimiter.ts';

/** So many ids are known by one process; it forgets the oldest. */
const mostKnown = 10_000;
const known = new WeakMap<object, Map<string, string>>();

/**
 * Holds an id that a caller gave to one target and one action (DESIGN §14): by the memory of this process, and for one
 * Wukong by the records on the others of its namespace (docs/decisions/0135).
 * @throws LifecycleError Refused for an id that was for something else.
 */
export async function holdToOneTarget(command: Command, world: World, limits: Limits): Promise<void> {
  const { requestId, given, dryRun, target, part } = command;
  // A part is the same request as the whole, for other Wukongs.
  if (!given || dryRun || part !== undefined) return;
  const ids = idsOf(world);
  const meant = meaning(command);
  const before = ids.get(requestId);
  if (before === meant) return;
  if (before !== undefined) throw refused(requestId, before);
  remember(ids, requestId, meant, mostKnown);
  // Of a fleet no record decides: whoever may write one in its namespace could keep all others from being stopped.
  if (!('name' in target)) return;
  try {
    const other = await otherOf(requestId, target, world, limits);
    if (other !== undefined) throw refused(requestId, other);
  } catch (thrown) {
    ids.delete(requestId); // asked again, it is looked for again
    throw thrown;
  }
}

/** The same for one Wukong: what is told of a request whose id was for something else. */
export async function refusedFor(
  command: Command,
  place: Place,
  world: World,
  limits: Limits,
): Promise<Outcome | undefined> {
  const startedAt = world.clock.now();
  try {
    await holdToOneTarget(command, world, limits);
    return undefined;
  } catch (thrown) {
    limits.signal?.throwIfAborted();
    const { code, message } = asLifecycleError(thrown);
    const { action, requestId, trigger } = command;
    const told = { ...place, action, requestId, trigger, startedAt, finishedAt: world.clock.now(), forced: false };
    return finishUnclaimed(world, undefined, { ...told, outcome: 'Failed', reason: code, message });
  }
}

const refused = (requestId: string, before: string): LifecycleError =>
  new LifecycleError(
    'Refused',
    `Request ${requestId} was for ${before} before, so nothing is done. Give each request an id of its own.`,
  );

/** All that reach a cluster by the same transport in this process share what is known. */
function idsOf(world: World): Map<string, string> {
  const limiter = rateLimiterOf(world);
  const ids = known.get(limiter) ?? new Map<string, string>();
  known.set(limiter, ids);
  return ids;
}

/** Of what is longer, a hash is kept. */
const longestMeaning = 512;

function meaning({ action, restart, target }: Command): string {
  const text = `${restart ? 'restart' : action} of ${wordsOf(target)}`;
  if (text.length <= longestMeaning) return text;
  return `${text.slice(0, 100)}… (${createHash('sha256').update(text).digest('hex')})`;
}

function wordsOf(target: Target): string {
  if ('name' in target) return keyOf(target);
  if ('names' in target) return target.names.map(keyOf).sort().join(' ');
  return `${format(target.selector)} in ${target.namespaces?.toSorted().join(' ') ?? 'all namespaces'}`;
}

/** Another Wukong of the namespace that knows the request. Elsewhere others write, who may do nothing here. */
async function otherOf(requestId: string, place: Place, world: World, limits: Limits): Promise<string | undefined> {
  const now = world.clock.now();
  try {
    for await (const { items } of listPages<Wukong>(world.transport, wukongPath(place.namespace), limits)) {
      const others = items.filter(({ metadata }) => metadata.name !== place.name);
      const other = others.find((one) => knowsRequest(requestId, slim(one), now));
      if (other) return keyOf(other.metadata);
    }
  } catch (thrown) {
    if (asLifecycleError(thrown).code !== 'Denied') throw thrown;
    world.log.debug('the other Wukongs cannot be asked for the id of a request', { ...place, requestId });
  }
  return undefined;
}
