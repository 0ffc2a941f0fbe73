import { readNamespaces } from '../cluster/namespaces.ts';
import { readWukong } from '../cluster/objects.ts';
import { machineOf, type Machines, watchOwn } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { settledBySharpening } from '../domain/joined.ts';
import { type Annotations, type LifecycleState, type Place, placeOf, type Wukong } from '../domain/model.ts';
import { type Operation, runningOf, settledKey, write } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { living, type Machine, stateOf } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { answer, join, settleAlready, type ToOutcome } from './answer.ts';
import { claim, type Extras, newHolder, newOperation } from './claim.ts';
import { type Drive } from './drive.ts';
import { asEndOf, tellBefore } from './finish.ts';
import { admit, already, joins } from './plan.ts';
import { askStart, askStop } from './power.ts';
import { runOperation } from './runOperation.ts';
import { asksForMore, sharpened } from './sharpen.ts';
import { finishUnclaimed } from './unclaimed.ts';

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
  /** Overrides may stand on the namespace too; absent: they are read. */
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
    const around = options.namespaceAnnotations ?? annotationsAround(place, world, options.limits);
    const [read, namespaceAnnotations] = await Promise.all([
      wukong ?? readWukong(world, place, options.limits),
      around,
    ]);
    wukong = read;
    return await begin(command, wukong, world, { ...options, namespaceAnnotations }, outcome);
  } catch (thrown) {
    options.limits.signal?.throwIfAborted();
    const error = asLifecycleError(thrown);
    const failed = outcome({ outcome: 'Failed', reason: error.code, message: error.message });
    return finishUnclaimed(world, wukong, failed, options.limits);
  }
}

/** What stands on the namespace; what may not be read counts as nothing, and is told. @throws LifecycleError Unreachable. */
async function annotationsAround({ namespace }: Place, world: World, limits: Limits): Promise<Annotations> {
  const problems: string[] = [];
  const found = await readNamespaces([namespace], { world, limits, problems });
  for (const problem of problems) world.log.warn('overrides on namespaces are not known', { problem });
  return found.get(namespace) ?? {};
}

async function begin(
  command: Command,
  first: Wukong,
  world: World,
  options: Performing,
  outcome: ToOutcome,
): Promise<Outcome> {
  const { limits } = options;
  const place = placeOf(first);
  let { machines } = options;
  try {
    for (let wukong = first, attempt = 1; ; attempt++, wukong = await readWukong(world, place, limits)) {
      const admitted = admit(command, wukong, world.clock.now(), options.namespaceAnnotations);
      const running = runningOf(wukong, world.clock.now());
      const joined = running?.action === command.action ? running : undefined;
      const mayWrite = attempt < mostClaims;
      const held =
        command.restart && admitted.kind === 'perform' ? heldOff(command, wukong, world, options) : undefined;
      if (held) return await answer(command, wukong, outcome(held), world);
      if (admitted.kind === 'joins' && !(await join(command, wukong, joined, world, options)) && mayWrite) continue;
      if (admitted.kind !== 'perform') return await answer(command, wukong, outcome(admitted.result), world);
      machines ??= await watchOwn(world, wukong, limits);
      const machine = machineOf(wukong, machines);
      const there = already(command, wukong, machine, world.config.requireAgent);
      if (there?.kind === 'already' && !command.dryRun) {
        const settled = await settleAlready(command, wukong, there.result, world, outcome, options);
        if (settled) return settled;
        if (mayWrite) continue;
        return await finishUnclaimed(world, wukong, outcome(unclaimable), limits);
      }
      if (there) return await answer(command, wukong, outcome(there.result), world);
      if (command.dryRun) return await dryRun(command, machine, world, outcome, limits);
      if (joined && !asksForMore(command, joined, world.clock.now(), graceOf(machine))) {
        if (!(await join(command, wukong, joined, world, options)) && mayWrite) continue;
        return await answer(command, wukong, outcome(joins(joined).result), world);
      }
      const begun = await (joined
        ? sharpen(command, wukong, joined, machine, world, options)
        : claimNew(command, wukong, machine, world, options));
      if (!begun && mayWrite) continue;
      if (!begun) return await finishUnclaimed(world, wukong, outcome(unclaimable), limits);
      const ended = await runOperation(begun.op, begun.wukong, world, { ...options, machines });
      return joined ? asEndOf({ ...command, startedAt: outcome(unclaimable).startedAt }, ended) : ended;
    }
  } finally {
    if (!options.machines) machines?.close();
  }
}

/** Why what a restart stops could not be started again: then it is not stopped either. */
function heldOff(
  command: Command,
  wukong: Wukong,
  { clock }: World,
  { namespaceAnnotations }: Performing,
): Result | undefined {
  const plan = admit({ ...command, action: 'start' }, wukong, clock.now(), namespaceAnnotations);
  return plan.kind === 'answer' ? plan.result : undefined;
}

export interface Begun {
  op: Operation;
  /** As the claim left it. */
  wukong: Wukong;
}

/** Undefined: the Wukong has changed meanwhile, and is to be read again. */
async function claimNew(
  command: Command,
  wukong: Wukong,
  machine: Machine,
  world: World,
  options: Performing,
): Promise<Begun | undefined> {
  await tellBefore(world, wukong, stateOf(machine), options.limits);
  const op = newOperation(command, wukong, machine, { ...options, holder: newHolder(world), now: world.clock.now() });
  const claimed = await claim(world, wukong, op, options.limits);
  return claimed && { op, wukong: claimed };
}

/** Writes what a later request asks for into the record under way, and takes it over: so nobody is waited for. */
async function sharpen(
  command: Command,
  wukong: Wukong,
  running: Operation,
  machine: Machine,
  world: World,
  { limits, declared }: Performing,
): Promise<Begun | undefined> {
  const terms = { holder: newHolder(world), now: world.clock.now(), declared, guestGraceSeconds: graceOf(machine) };
  const op = sharpened(running, command, terms);
  const beside = { [settledKey]: write(settledBySharpening(command, wukong, running)) };
  const claimed = await claim(world, wukong, op, limits, beside);
  return claimed && { op, wukong: claimed };
}

const graceOf = ({ vmi }: Machine): number | undefined => living(vmi)?.graceSeconds;

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
