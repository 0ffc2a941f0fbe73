import { bodyOf } from '../cluster/failure.ts';
import { mergePatch, readWukong, wukongPath } from '../cluster/objects.ts';
import { machineOf, type Machines, watchMachines } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { type LifecycleState, type Place, placeOf, vmNameOf, type Wukong } from '../domain/model.ts';
import { leaseKey, type Operation, settledBy, settledKey, write } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import type { Machine } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { answer, join } from './answer.ts';
import { claim, type Extras, newHolder, newOperation } from './claim.ts';
import { type Drive, drive } from './drive.ts';
import { finish, finishUnclaimed, tellBefore } from './finish.ts';
import { admit, already, intentHolds } from './plan.ts';
import { askStart, askStop } from './power.ts';

export interface Performing extends Extras, Pick<Drive, 'watching' | 'turn' | 'begun'> {
  limits: Limits;
  /** Already read, so that it need not be read again. */
  wukong?: Wukong;
  /** A watch that serves more than this one; else one is opened for this VM alone. */
  machines?: Machines;
  /** What schedules will do next, for the status. */
  next?: Pick<LifecycleState, 'nextAction' | 'nextActionTime'>;
  /** Remember the request even where nothing is to be done: an older wish for the other action is about. */
  remember?: boolean;
  /** Overrides may stand on the namespace too. */
  namespaceAnnotations?: Record<string, string>;
}

const mostClaims = 8;
const unclaimable: Result = {
  outcome: 'Failed',
  reason: 'Refused',
  message: 'The Wukong changes faster than it can be claimed.',
};

/**
 * Carries out a command on one Wukong and tells the outcome. Never throws: what fails is an outcome too.
 * Within the limits it comes to an end or to InProgress, from which any other process goes on.
 */
export async function performOne(command: Command, place: Place, world: World, options: Performing): Promise<Outcome> {
  const startedAt = world.clock.now();
  const plain = { ...place, action: command.action, requestId: command.requestId, trigger: command.trigger, startedAt };
  const outcome = (result: Result): Outcome => ({ ...plain, ...result, forced: false, finishedAt: world.clock.now() });
  let wukong = options.wukong;
  try {
    wukong ??= await readWukong(world, place, options.limits);
    return await begin(command, wukong, world, options, outcome);
  } catch (thrown) {
    options.limits.signal?.throwIfAborted();
    const error = asLifecycleError(thrown);
    return finishUnclaimed(world, wukong, outcome({ outcome: 'Failed', reason: error.code, message: error.message }));
  }
}

type ToOutcome = (result: Result) => Outcome;

async function begin(
  command: Command,
  first: Wukong,
  world: World,
  options: Performing,
  outcome: ToOutcome,
): Promise<Outcome> {
  const { limits } = options;
  const place = placeOf(first);
  const vmName = vmNameOf(first);
  let { machines } = options;
  try {
    for (let wukong = first, attempt = 1; ; attempt++, wukong = await readWukong(world, place, limits)) {
      const admitted = admit(command, wukong, world.clock.now(), options.namespaceAnnotations);
      if (admitted.kind === 'joins' && !command.dryRun && options.declared === undefined)
        if (!(await join(command, wukong, world, limits)) && attempt < mostClaims) continue;
      if (admitted.kind !== 'perform') return await answer(command, wukong, outcome(admitted.result), world);
      machines ??= await watchMachines(world, { namespace: place.namespace, vmName }, limits);
      const machine = machines.get(place.namespace, vmName);
      const there = already(command, wukong, machine, world.config.requireAgent);
      if (there?.kind === 'already' && !command.dryRun)
        return await settleAlready(command, wukong, there.result, world, outcome, options);
      if (there) return await answer(command, wukong, outcome(there.result), world);
      if (command.dryRun) return await dryRun(command, machine, world, outcome, limits);
      await tellBefore(world, wukong, limits);
      const holder = newHolder(world);
      const op = newOperation(command, wukong, machine, { ...options, holder, now: world.clock.now() });
      const claimed = await claim(world, wukong, op, limits);
      if (claimed) return await carryOn(op, claimed, world, { ...options, machines });
      if (attempt === mostClaims) return outcome(unclaimable);
    }
  } finally {
    if (!options.machines) machines?.close();
  }
}

/** From a claimed record to the end, or to InProgress; also for a record that another process left behind. */
export async function carryOn(
  op: Operation,
  wukong: Wukong,
  world: World,
  options: Performing & { machines: Machines },
): Promise<Outcome> {
  const { machines, limits, watching, turn, begun } = options;
  let driven: Awaited<ReturnType<typeof drive>>;
  try {
    driven = await drive(op, { world, wukong, machines, limits, watching, turn, begun });
  } catch (thrown) {
    limits.signal?.throwIfAborted();
    const error = asLifecycleError(thrown);
    // A cluster that is away ends nothing: the record stays, and reconcileState goes on from it.
    const result: Result =
      error.code === 'Unreachable'
        ? { outcome: 'InProgress', message: `${error.message}; reconcileState goes on.` }
        : { outcome: 'Failed', reason: error.code, message: error.message };
    driven = { op, result };
  }
  const machine = machineOf(wukong, machines);
  return finish(world, wukong, driven, machine, { next: options.next, until: limits.deadline });
}

/**
 * Nothing to do. An intent that says otherwise is put right, as the operator would act on it at its next change; and a
 * request for one Wukong is remembered, so that neither its duplicate nor an older wish that comes late undoes it. Of
 * fleets nothing is remembered, as that would be a write for each VM that is as it should be; unless they meet another.
 */
async function settleAlready(
  command: Command,
  wukong: Wukong,
  result: Result,
  world: World,
  outcome: ToOutcome,
  options: Performing,
): Promise<Outcome> {
  const told = outcome(result);
  const { namespace = '', name, resourceVersion } = wukong.metadata;
  const leaseUntil = command.leaseSeconds ? new Date(told.startedAt + command.leaseSeconds * 1000).toISOString() : null;
  const lease =
    leaseUntil || (command.action === 'stop' && wukong.metadata.annotations?.[leaseKey])
      ? { [leaseKey]: leaseUntil }
      : undefined;
  const declared = options.declared !== undefined;
  const settled =
    'name' in command.target || options.remember
      ? { [settledKey]: write(settledBy(command, result.outcome, wukong)) }
      : undefined;
  if (intentHolds(command, wukong) && !lease && !declared && !settled) return finishUnclaimed(world, wukong, told);
  const body = {
    metadata: { resourceVersion, ...(lease || settled ? { annotations: { ...lease, ...settled } } : {}) },
    spec: { startStrategy: { autoStart: command.action === 'start' }, ...(declared ? { lifecycleAction: null } : {}) },
  };
  const answer = await mergePatch<Wukong>(world, wukongPath(namespace, name), body, options.limits);
  if (answer.status === 409) return performOne(command, { namespace, name }, world, { ...options, wukong: undefined });
  return finishUnclaimed(world, bodyOf(answer, 'what is to be remembered of the request'), told);
}

/** KubeVirt's own dry run of the call that would be made; nothing is written. */
async function dryRun(
  command: Command,
  { vm }: Machine,
  world: World,
  outcome: ToOutcome,
  limits: Limits,
): Promise<Outcome> {
  const would = (message: string): Outcome => ({
    ...outcome({ outcome: 'Skipped', reason: 'DryRun', message }),
    quiet: true,
  });
  if (!vm) return would('The Wukong has no VM.');
  const grace = command.force ? 0 : command.gracePeriodSeconds;
  const said =
    command.action === 'stop' ? await askStop(world, vm, grace, limits, true) : await askStart(world, vm, limits, true);
  const reply = 'message' in said ? `${said.kind}: ${said.message}` : said.kind;
  return would(`Would ${command.action} VM ${vm.name} (strategy ${vm.strategy}); KubeVirt's dry run: ${reply}.`);
}
