import { readNamespaces } from '../cluster/namespaces.ts';
import { readWukong } from '../cluster/objects.ts';
import { machineOf, type Machines, watchOwn } from '../cluster/vmInformer.ts';
import type { World } from '../cluster/world.ts';
import type { Command } from '../domain/command.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { settledBySharpening } from '../domain/joined.ts';
import { type Annotations, type Place, placeOf, type Wukong } from '../domain/model.ts';
import { type Operation, runningOf, settledKey, write } from '../domain/operation.ts';
import type { Outcome, Result } from '../domain/outcome.ts';
import { living, type Machine, stateOf } from '../domain/vm.ts';
import type { Limits } from '../time/wait.ts';
import { answer, join, type Request, settleAlready } from './answer.ts';
import { type Begun, claim, newHolder, newOperation } from './claim.ts';
import { asEndOf } from './finish.ts';
import { admit, already, joins } from './plan.ts';
import { askStart, askStop } from './power.ts';
import { type Performing, runOperation } from './runOperation.ts';
import { asksForMore, sharpened } from './sharpen.ts';
import { tellBefore } from './tellUntold.ts';
import { finishUnclaimed } from './unclaimed.ts';

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
  const to: Request = { command, world, options, outcome };
  let wukong = options.wukong;
  try {
    const around = options.namespaceAnnotations ?? annotationsAround(place, world, options.limits);
    const [read, namespaceAnnotations] = await Promise.all([
      wukong ?? readWukong(world, place, options.limits),
      around,
    ]);
    wukong = read;
    return await begin({ ...to, options: { ...options, namespaceAnnotations } }, wukong);
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

/** Decides and writes; and reads and decides again where somebody wrote between the two. */
async function begin(to: Request, first: Wukong): Promise<Outcome> {
  const { world, options } = to;
  const { limits } = options;
  let { machines } = options;
  const watched = async (wukong: Wukong) => (machines ??= await watchOwn(world, wukong, limits));
  try {
    for (let wukong = first, attempt = 1; ; attempt++, wukong = await readWukong(world, placeOf(first), limits)) {
      const ended = await beginAs(to, wukong, watched, attempt < mostClaims);
      if (ended) return ended;
    }
  } finally {
    if (!options.machines) machines?.close();
  }
}

/** With the Wukong as it was read. Undefined: it has changed meanwhile, and `mayRead` it again. */
async function beginAs(
  to: Request,
  wukong: Wukong,
  watched: (wukong: Wukong) => Promise<Machines>,
  mayRead: boolean,
): Promise<Outcome | undefined> {
  const { command, world, options, outcome } = to;
  const { clock, config } = world;
  const admitted = admit(command, wukong, clock.now(), options.namespaceAnnotations);
  const running = runningOf(wukong, clock.now());
  const joined = running?.action === command.action ? running : undefined;
  const held = command.restart && admitted.kind === 'perform' ? heldOff(to, wukong) : undefined;
  if (held) return answer(to, wukong, held);
  if (admitted.kind === 'joins' && !(await join(to, wukong, joined)) && mayRead) return undefined;
  if (admitted.kind !== 'perform') return answer(to, wukong, admitted.result);
  const machines = await watched(wukong);
  const machine = machineOf(wukong, machines);
  const there = already(command, wukong, machine, config.requireAgent);
  const unclaimed = () => (mayRead ? undefined : finishUnclaimed(world, wukong, outcome(unclaimable), options.limits));
  if (there?.kind === 'already' && !command.dryRun)
    return (await settleAlready(to, wukong, there.result)) ?? unclaimed();
  if (there) return answer(to, wukong, there.result);
  if (command.dryRun) return dryRun(to, machine);
  if (joined && !asksForMore(command, joined, clock.now(), graceOf(machine))) {
    if (!(await join(to, wukong, joined)) && mayRead) return undefined;
    return answer(to, wukong, joins(joined).result);
  }
  const begun = await (joined ? sharpen(to, wukong, joined, machine) : claimNew(to, wukong, machines));
  if (!begun) return unclaimed();
  const ended = await runOperation(begun.op, begun.wukong, world, { ...options, machines });
  return joined ? asEndOf({ ...command, startedAt: outcome(unclaimable).startedAt }, ended) : ended;
}

/** Why what a restart stops could not be started again: then it is not stopped either. */
function heldOff({ command, world, options }: Request, wukong: Wukong): Result | undefined {
  const asStart: Command = { ...command, action: 'start' };
  const plan = admit(asStart, wukong, world.clock.now(), options.namespaceAnnotations);
  return plan.kind === 'answer' ? plan.result : undefined;
}

/** Undefined: the Wukong has changed meanwhile, and is to be read again. */
async function claimNew(
  { command, world, options }: Request,
  wukong: Wukong,
  machines: Machines,
): Promise<Begun | undefined> {
  await tellBefore(world, wukong, () => stateOf(machineOf(wukong, machines)), options.limits);
  const machine = machineOf(wukong, machines);
  const op = newOperation(command, wukong, machine, { ...options, holder: newHolder(world), now: world.clock.now() });
  const claimed = await claim(world, wukong, op, untilAnswered(options.limits));
  return claimed && { op, wukong: claimed };
}

/** An abort ends waits, and no claim: whoever is left must know whether it was begun. */
const untilAnswered = ({ deadline }: Limits): Limits => ({ deadline });

/** Writes what a later request asks for into the record under way, and takes it over: so nobody is waited for. */
async function sharpen(
  { command, world, options: { limits, declared } }: Request,
  wukong: Wukong,
  running: Operation,
  machine: Machine,
): Promise<Begun | undefined> {
  const terms = { holder: newHolder(world), now: world.clock.now(), declared, guestGraceSeconds: graceOf(machine) };
  const op = sharpened(running, command, terms);
  const beside = { [settledKey]: write(settledBySharpening(command, wukong, running)) };
  const claimed = await claim(world, wukong, op, untilAnswered(limits), beside);
  return claimed && { op, wukong: claimed };
}

const graceOf = ({ vmi }: Machine): number | undefined => living(vmi)?.graceSeconds;

/** KubeVirt's own dry run of the call that would be made; nothing is written. */
async function dryRun({ command, world, outcome, options: { limits } }: Request, { vm }: Machine): Promise<Outcome> {
  const would = (message: string): Outcome => ({
    ...outcome({ outcome: 'Skipped', reason: 'DryRun', message }),
    quiet: true,
  });
  if (!vm) return would('The Wukong has no VM.');
  const graceSeconds = command.force ? 0 : command.gracePeriodSeconds;
  const said =
    command.action === 'stop'
      ? await askStop(world, vm, { graceSeconds, dryRun: true }, limits)
      : await askStart(world, vm, { dryRun: true }, limits);
  const reply = 'message' in said ? `${said.kind}: ${said.message}` : said.kind;
  return would(`Would ${command.action} VM ${vm.name} (strategy ${vm.strategy}); KubeVirt's dry run: ${reply}.`);
}
