import * as z from 'zod';

import { jsonPatch, pointer, wukongPath } from '../cluster/objects.ts';
import { machineOf, type Machines } from '../cluster/vmInformer.ts';
import type { Cluster, World } from '../cluster/world.ts';
import { type Command, parseCommand } from '../domain/command.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { lifecycleStateOf } from '../domain/lifecycleState.ts';
import { placeOf, type Wukong } from '../domain/model.ts';
import { operationOf } from '../domain/operation.ts';
import type { Outcome } from '../domain/outcome.ts';
import { requestIdOf } from '../domain/requestId.ts';
import { stateOf } from '../domain/vm.ts';
import { tell } from '../report/report.ts';
import { stateAfter, writeStatus } from '../report/status.ts';
import type { Limits } from '../time/wait.ts';
import { newHolder } from './claim.ts';
import { performOne } from './perform.ts';
import type { Performing } from './runOperation.ts';

const schema = z.strictObject({
  action: z.enum(['start', 'stop'], { error: 'expected start or stop' }),
  force: z.boolean({ error: 'expected true or false' }).optional(),
  gracePeriodSeconds: z.number().optional(),
});

/** The request of a declared action: another one every time that it is written, as the spec changes with it. */
export const declaredId = ({ metadata }: Wukong): string =>
  requestIdOf('declared', `${metadata.uid ?? ''}.${metadata.generation ?? 0}`);

/** `spec.lifecycleAction` as a Command. @throws LifecycleError InvalidAction naming the wrong fields. */
export function parseDeclared(wukong: Wukong, now: number): Command {
  const read = schema.safeParse(wukong.spec?.lifecycleAction);
  if (!read.success) {
    const wrong = read.error.issues.map(
      ({ path, message }) => `spec.lifecycleAction${path.map((key) => `.${String(key)}`).join('')}: ${message}`,
    );
    throw new LifecycleError('InvalidAction', wrong.join('; '));
  }
  const { action, ...rest } = read.data;
  const origin = { action, trigger: 'declared', requestId: declaredId(wukong), requestedAt: now };
  try {
    return parseCommand({ target: placeOf(wukong), ...rest }, origin);
  } catch (thrown) {
    const message = (thrown as Error).message.split('; ').map((problem) => `spec.lifecycleAction.${problem}`);
    throw new LifecycleError('InvalidAction', message.join('; '));
  }
}

/**
 * Carries `spec.lifecycleAction` out, and removes it once that has ended. One that nobody knows is reported as
 * InvalidAction and removed; nobody else is disturbed.
 */
export async function performDeclared(
  wukong: Wukong,
  world: World,
  options: Performing & { machines: Machines },
): Promise<Outcome> {
  const value = wukong.spec?.lifecycleAction;
  const command = parsed(wukong, world.clock.now());
  const outcome =
    command instanceof LifecycleError
      ? await refuse(wukong, command.message, world, options)
      : await performOne(command, placeOf(wukong), world, { ...options, wukong, declared: value });
  if (hasEnded(outcome, wukong)) await removeDeclared(world, wukong, value, options.limits);
  return outcome;
}

function parsed(wukong: Wukong, now: number): Command | LifecycleError {
  try {
    return parseDeclared(wukong, now);
  } catch (thrown) {
    return asLifecycleError(thrown);
  }
}

/** Not so: what goes on, what never reached the cluster, and the duplicate of what is under way, which waits for its end. */
function hasEnded(outcome: Outcome, wukong: Wukong): boolean {
  if (outcome.outcome === 'Skipped' && outcome.reason === 'Duplicate') return operationOf(wukong) === undefined;
  if (outcome.outcome === 'Failed') return outcome.reason !== 'Unreachable';
  return outcome.outcome !== 'InProgress';
}

async function refuse(
  wukong: Wukong,
  message: string,
  world: World,
  { machines, limits }: { machines: Machines; limits: Limits },
): Promise<Outcome> {
  const now = world.clock.now();
  const outcome: Outcome = {
    ...placeOf(wukong),
    action: 'stop',
    outcome: 'Failed',
    reason: 'InvalidAction',
    message,
    forced: false,
    requestId: declaredId(wukong),
    trigger: 'declared',
    startedAt: now,
    finishedAt: now,
  };
  await tell(world, wukong, outcome, { teller: newHolder(world), limits });
  const before = lifecycleStateOf(wukong);
  const { lastAction, lastActionTime } = before ?? {};
  const state = { ...stateAfter(outcome, stateOf(machineOf(wukong, machines)), before), lastAction, lastActionTime };
  await writeStatus(world, wukong, state, limits);
  return outcome;
}

/** Takes the declared action away, only while it is still this value. */
async function removeDeclared(
  cluster: Cluster,
  { metadata }: Wukong,
  value: unknown,
  limits: Partial<Limits>,
): Promise<void> {
  const path = pointer('spec', 'lifecycleAction');
  const steps = [{ op: 'test', path, value } as const, { op: 'remove', path } as const];
  await jsonPatch(cluster, wukongPath(metadata.namespace, metadata.name), steps, limits);
}
