import { readNamespaces } from '../../shared/cluster/namespaces.ts';
import { machineOf, type Machines } from '../../shared/cluster/vmInformer.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { Command } from '../../shared/domain/command.ts';
import { asLifecycleError } from '../../shared/domain/errors.ts';
import { keyOf, type Place, placeOf, type Wukong } from '../../shared/domain/model.ts';
import type { Outcome } from '../../shared/domain/outcome.ts';
import { admit } from '../../shared/lifecycle/plan.ts';
import { clusterOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Options, type Values, wukongNames } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { exitCodeOf } from '../terminal/outcomes.ts';
import { printingOf } from '../terminal/printed.ts';
import { commandOf, deadlineOf } from './asked.ts';
import { executeHere, watchVmsOf } from './executeHere.ts';
import { bothOptions, stopOptions } from './power.ts';
import { showing } from './showing.ts';
import { checkTargets, named, targetOptions } from './targets.ts';
import { withTargets } from './withTargets.ts';

const { wait: _none, ...shared } = bothOptions;
const { force, grace, 'delete-pod-when-stuck': deletePod } = stopOptions;
const options: Options = {
  ...targetOptions,
  force: force!,
  grace: grace!,
  'delete-pod-when-stuck': deletePod!,
  timeout: { type: 'string', value: 'DURATION', about: 'how long a VM may take to be ready again; default 5m' },
  ...shared,
  ...clusterOptions,
};

export const restart: CliCommand = {
  summary: 'switches VMs off and on again, and waits until another guest is really up',
  help: helpOf({
    usage: [
      'restart NAME … [OPTIONS]',
      'restart -l SELECTOR | --all [-n NAME | -A] [OPTIONS]',
      'restart -f FILE [OPTIONS]',
    ],
    about:
      'A stop as wukong stop does it, and for each VM that is off a start, at once. What was off before stays off (exit code 4). Who may not be started now, because of an override, is not stopped either.\n\nAfter Ctrl-C those that were stopped stay off, and are named.',
    options,
    examples: ['wukong restart web --grace 2m', 'wukong restart -l app=shop -n team-a'],
    exit: '0 all are up again, 1 at least one failed or was left off, 2 wrong usage, 3 at least one is in progress, 4 at least one was off, skipped or superseded.',
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    checkTargets(values, names);
    const printing = printingOf(values);
    const commands = {
      stop: commandOf('stop', { ...values, timeout: undefined }, io),
      start: commandOf('start', values, io),
    };
    const asking = { values, io, names, verb: 'restart', dryRun: commands.stop.dryRun };
    return withTargets(asking, async (wukongs, { world }) => {
      const show = showing('restart', wukongs, printing, io);
      try {
        const interrupted = io.interrupt?.() ?? new AbortController().signal;
        const { outcomes, leftOff } = await restartAll(commands, wukongs, world, { values, interrupted, show });
        show.all(commands.start, outcomes);
        for (const place of leftOff)
          io.err(
            `${keyOf(place)} is switched off and not started again: wukong start ${place.name} -n ${place.namespace}\n`,
          );
        return leftOff.length > 0 ? exitCodes.failed : codeOf(outcomes, wukongs.length);
      } finally {
        show.close();
      }
    });
  },
};

/** What was off was left alone on purpose. */
function codeOf(outcomes: Outcome[], wanted: number): number {
  const code = exitCodeOf(outcomes, wanted);
  return code === exitCodes.done && outcomes.some(({ outcome }) => outcome === 'AlreadyOff') ? exitCodes.left : code;
}

interface Commands {
  stop: Command;
  start: Command;
}
interface Restarting {
  values: Values;
  interrupted: AbortSignal;
  show: Pick<ReturnType<typeof showing>, 'waiting' | 'ended'>;
}

/** Each is started as soon as it is off, whatever the guests of the others do. */
async function restartAll(commands: Commands, wukongs: Wukong[], world: World, how: Restarting) {
  const { values, interrupted, show } = how;
  const deadline = deadlineOf('stop', {}, commands.stop, wukongs.length, world.clock.now());
  const machines = await watchVmsOf(wukongs, world, { deadline, signal: interrupted });
  const outcomes: Outcome[] = [];
  const leftOff: Place[] = [];
  const starts: Promise<void>[] = [];
  const end = (outcome: Outcome) => {
    outcomes.push(outcome);
    show.ended(outcome);
  };
  const uids = new Map(wukongs.map((wukong) => [keyOf(wukong.metadata), machineOf(wukong, machines).vmi?.uid]));
  const startAgain = async (stopped: Outcome) => {
    const place = { namespace: stopped.namespace, name: stopped.name };
    try {
      const wukong = await named(world, place, { signal: interrupted });
      const until = deadlineOf('start', values, commands.start, 1, world.clock.now());
      const before = uids.get(keyOf(place));
      const seen = without(before, machines);
      const watching = { deadline: until, interrupted, wait: true, waiting: show.waiting, ended() {}, machines: seen };
      const [started] = await executeHere(commands.start, [wukong], world, watching);
      if (started) end(joined(stopped, started, before, machineOf(wukong, machines).vmi?.uid));
      if (started?.outcome !== 'Started' && started?.outcome !== 'InProgress') leftOff.push(place);
    } catch (thrown) {
      world.log.error('could not be started again', { problem: asLifecycleError(thrown).message });
      leftOff.push(place);
    }
  };
  const ended = (outcome: Outcome) => {
    if (outcome.outcome === 'Stopped' || outcome.outcome === 'ForcedOff') starts.push(startAgain(outcome));
    else end(outcome.outcome === 'AlreadyOff' ? { ...outcome, message: leftAsItWas } : outcome);
    // Somebody else will see it off, and nobody knows that it was to come back.
    if (outcome.outcome === 'InProgress') leftOff.push({ namespace: outcome.namespace, name: outcome.name });
  };
  try {
    const { held, free } = await heldBack(commands.start, wukongs, world);
    held.forEach(end);
    const watching = { deadline, interrupted, wait: true, waiting: show.waiting, ended, machines };
    if (free.length > 0) await executeHere(commands.stop, free, world, watching);
    await Promise.all(starts);
  } finally {
    machines.close();
  }
  return { outcomes, leftOff };
}

/** A guest that was stopped on purpose did not die, so the next one need not prove that it stays up. */
function without(uid: string | undefined, machines: Machines): Machines {
  const get = (namespace: string, vmName: string) => {
    const { gone, ...now } = machines.get(namespace, vmName);
    return gone === undefined || gone.uid === uid ? now : { ...now, gone };
  };
  return { ...machines, get };
}

const leftAsItWas = 'The VM is off, and a restart leaves it so; wukong start switches it on.';

/** Those that must not be started now, and so are not stopped for it. */
async function heldBack(start: Command, wukongs: Wukong[], world: World) {
  const spaces = new Set(wukongs.map((wukong) => placeOf(wukong).namespace));
  const around = await readNamespaces(world, spaces, { deadline: world.clock.now() + 30_000 }, []);
  const now = world.clock.now();
  const held: Outcome[] = [];
  const free = wukongs.filter((wukong) => {
    const place = placeOf(wukong);
    const plan = admit(start, wukong, now, around.get(place.namespace));
    const skipped = plan.kind === 'answer' && plan.result.outcome === 'Skipped' && plan.result.reason === 'Override';
    if (!skipped) return true;
    const { action, requestId, trigger } = start;
    const told = { action, requestId, trigger, startedAt: now, finishedAt: now, forced: false, quiet: true };
    held.push({ ...told, ...place, ...plan.result });
    return false;
  });
  return { held, free };
}

/** Both halves as one: the new guest is another than the old one. */
function joined(stopped: Outcome, started: Outcome, before: string | undefined, after: string | undefined): Outcome {
  const whole = { ...started, startedAt: stopped.startedAt, forced: stopped.forced };
  if (started.outcome !== 'Started') return { ...whole, message: `${stopped.message} ${started.message}` };
  if (before !== undefined && before === after) {
    const message = `the guest that was stopped is the one that runs (VMI uid ${after})`;
    return { ...whole, outcome: 'Failed', reason: 'RestartedItself', message };
  }
  return { ...whole, message: `${stopped.message} Another guest is up (VMI uid ${after ?? 'unknown'}).` };
}
