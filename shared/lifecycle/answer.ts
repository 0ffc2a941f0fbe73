import { bodyOf } from '../cluster/failure.ts';
import { mergePatch, readWukong, wukongPath } from '../cluster/objects.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { mostRemembered, settledBy } from '../domain/earlier.ts';
import { instantText } from '../domain/instant.ts';
import { settledByJoining } from '../domain/joined.ts';
import { hasIntent, placeOf, type Wukong } from '../domain/model.ts';
import {
  leaseKey,
  type Operation,
  settledKey,
  type Skipped,
  skippedKey,
  skippedOf,
  write,
} from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { tellingMs } from '../report/report.ts';
import type { Limits } from '../time/wait.ts';
import { asDryRun, intentHolds, knownRequest } from './plan.ts';
import type { Performing } from './runOperation.ts';
import { finishUnclaimed } from './unclaimed.ts';

/** One command on one Wukong, as each step of beginning it sees it. */
export interface Request {
  command: Command;
  world: World;
  options: Performing;
  /** What a result is to whoever asked. */
  outcome: (result: Result) => Outcome;
}

const mostNotes = 8;

/**
 * Tells a result that needed no operation. Of a request for one Wukong it is remembered first that it was skipped or
 * superseded: delivered again later, it might come to something else; and so it may while it is written down, as another
 * delivery of it came to something else before. Then that is told.
 */
export async function answer(to: Request, wukong: Wukong, result: Result): Promise<Outcome> {
  const { command, world, outcome } = to;
  const told = outcome(result);
  if (command.dryRun) return { ...told, ...asDryRun(told), forced: false, quiet: true } as Outcome;
  const reason = reasonToRemember(told);
  if (!reason || !('name' in command.target)) return finishUnclaimed(world, wukong, told);
  const end = await rememberSkipped(to, wukong, told, reason);
  return finishUnclaimed(world, wukong, end ?? told, { remembered: end !== undefined });
}

function reasonToRemember(told: Outcome): Skipped['reason'] | undefined {
  if (told.outcome === 'Superseded') return 'Superseded';
  return told.outcome === 'Skipped' && told.reason !== 'Duplicate' ? told.reason : undefined;
}

/** What the request has come to, by a record: by that of before, or by this one. Undefined: it could not be written. */
async function rememberSkipped(
  { command, world, outcome }: Request,
  wukong: Wukong,
  told: Outcome,
  reason: Skipped['reason'],
): Promise<Outcome | undefined> {
  const { requestId, action } = command;
  const limits = { deadline: world.clock.now() + tellingMs };
  try {
    for (let now = wukong, attempt = 1; attempt <= mostNotes; attempt++) {
      const known = knownRequest(command, now, world.clock.now());
      const before = known && outcome(known.result);
      if (before) return reasonToRemember(before) === reason ? told : before;
      const text = JSON.stringify([{ requestId, reason, action }, ...skippedOf(now)].slice(0, mostRemembered));
      if (await annotate(now, { [skippedKey]: text }, world, limits)) return told;
      now = await readWukong(world, placeOf(wukong), limits);
    }
  } catch (thrown) {
    world.log.warn('a skipped request could not be remembered', { problem: (thrown as Error).message });
  }
  return undefined;
}

/**
 * A wish that an older one for the same is fulfilling counts from now on, so that nothing between the two is done after
 * it. False: the Wukong has changed meanwhile, and is to be read again.
 */
export async function join(
  { command, world, options: { declared, limits } }: Request,
  wukong: Wukong,
  running: Operation | undefined,
): Promise<boolean> {
  if (!running || command.dryRun || declared !== undefined) return true;
  const settled = settledByJoining(command, wukong, running, world.clock.now());
  return annotate(wukong, { [settledKey]: write(settled) }, world, limits);
}

/**
 * Nothing to do. An intent that says otherwise is put right, as the operator would act on it at its next change; and a
 * request for one Wukong is remembered, so that neither its duplicate nor an older wish that comes late undoes it. Of
 * fleets nothing is remembered, as that would be a write for each VM that is as it should be; unless they meet another.
 * Undefined: the Wukong has changed meanwhile, and is to be read again.
 */
export async function settleAlready(
  { command, world, outcome, options }: Request,
  wukong: Wukong,
  result: Result,
): Promise<Outcome | undefined> {
  const told = outcome(result);
  const { namespace = '', name, resourceVersion } = wukong.metadata;
  const leaseUntil = command.leaseSeconds ? instantText(told.startedAt + command.leaseSeconds * 1000) : null;
  const lease =
    leaseUntil || (command.action === 'stop' && wukong.metadata.annotations?.[leaseKey])
      ? { [leaseKey]: leaseUntil }
      : undefined;
  const declared = options.declared !== undefined;
  const settled =
    'name' in command.target || options.remember
      ? { [settledKey]: write(settledBy(command, result.outcome, wukong)) }
      : undefined;
  if (intentHolds(command, wukong) && !lease && !declared && !settled)
    return finishUnclaimed(world, wukong, told, options.limits);
  const body = {
    metadata: { resourceVersion, annotations: { ...lease, ...settled } },
    spec: {
      ...(hasIntent(wukong) ? { startStrategy: { autoStart: command.action === 'start' } } : {}),
      ...(declared ? { lifecycleAction: null } : {}),
    },
  };
  const answer = await mergePatch<Wukong>(world, wukongPath(namespace, name), body, options.limits);
  if (answer.status === 409) return undefined;
  return finishUnclaimed(world, bodyOf(answer, 'what is to be remembered of the request'), told, options.limits);
}

async function annotate(
  { metadata: { namespace = '', name, resourceVersion } }: Wukong,
  annotations: Record<string, string>,
  world: World,
  limits: Limits,
): Promise<boolean> {
  const body = { metadata: { resourceVersion, annotations } };
  const answer = await mergePatch(world, wukongPath(namespace, name), body, limits);
  if (answer.status === 409) return false;
  bodyOf(answer, 'what is to be remembered of the request');
  return true;
}
