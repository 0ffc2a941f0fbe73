import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';

import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { keyOf, type Wukong } from '../../shared/domain/model.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values, wukongNames } from '../command.ts';
import { openBoard } from '../terminal/board.ts';
import { dump, text, widest } from '../terminal/columns.ts';
import { durationSeconds } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { exitCodeOf, outcomeLine, summaryOf, toJson } from '../terminal/outcomes.ts';
import { executeHere } from './executeHere.ts';
import { checkTargets, findTargets } from './targets.ts';

const formats = ['wide', 'json', 'yaml', 'name'] as const;
const bothOptions: Options = {
  'dry-run': { type: 'boolean', about: 'asks KubeVirt what it would do, and changes nothing' },
  wait: { type: 'boolean', default: true, about: '--wait=false returns as soon as KubeVirt was asked (exit code 3)' },
  reason: { type: 'string', about: 'why; it is kept in the record' },
  'max-targets': { type: 'string', value: 'N', default: '50', about: 'asks before more VMs than this; default 50' },
  'max-in-flight': { type: 'string', value: 'N', about: 'how many at once; default 50' },
  yes: { type: 'boolean', short: 'y', about: 'does not ask' },
  output: { type: 'string', short: 'o', choices: formats, about: 'default: a line for each VM, as it ends' },
};

const stopOptions: Options = {
  ...scopeOptions,
  force: { type: 'boolean', about: 'ends the guest at once, without asking it' },
  grace: { type: 'string', value: 'DURATION', about: "how long the guest may take; default: the VM's own period" },
  'delete-pod-when-stuck': { type: 'boolean', about: 'the last step where a node is dead; the guest may lose data' },
  timeout: { type: 'string', value: 'DURATION', about: 'how long to wait here; default 15m, then exit code 3' },
  ...bothOptions,
  ...clusterOptions,
};
const startOptions: Options = {
  ...scopeOptions,
  lease: { type: 'string', value: 'DURATION', about: 'keeps it on that long, then its schedule rules again' },
  timeout: { type: 'string', value: 'DURATION', about: 'how long a VM may take to be ready; default 5m' },
  ...bothOptions,
  ...clusterOptions,
};
const exit =
  '0 all are as wished, 1 at least one failed, 2 wrong usage, 3 at least one is in progress, 4 at least one was skipped or superseded.';
const ctrlC = 'Ctrl-C leaves what has begun in progress, for reconcileState or wukong reconcile to finish.';

export const stop: CliCommand = {
  summary: 'switches VMs off, waits until they are, and forces those that do not end in time',
  help: helpOf({
    usage: ['stop NAME … [OPTIONS]', 'stop -l SELECTOR [-n NAME | -A] [OPTIONS]'],
    about: `Asks the guest to shut down and waits until the VM is really off. A guest that has not ended when its grace period is over is forced, never earlier.\n\n${ctrlC}`,
    options: stopOptions,
    examples: ['wukong stop web --grace 2m', 'wukong stop -A -l env=dev,tier!=db --reason "office hours are over"'],
    exit,
  }),
  options: stopOptions,
  positionals: true,
  completes: [wukongNames],
  run: (values, io, names) => run('stop', values, io, names),
};

export const start: CliCommand = {
  summary: 'switches VMs on and waits until they are really up',
  help: helpOf({
    usage: ['start NAME … [OPTIONS]', 'start -l SELECTOR [-n NAME | -A] [OPTIONS]'],
    about: `Waits until the guest is up and ready. A VM that is not ready in time has failed, and the cause is told; the wish to run stays.\n\n${ctrlC}`,
    options: startOptions,
    examples: ['wukong start batch --lease 2h', 'wukong start -l env=dev -n team-a --timeout 10m'],
    exit,
  }),
  options: startOptions,
  positionals: true,
  completes: [wukongNames],
  run: (values, io, names) => run('start', values, io, names),
};

async function run(action: Action, values: Values, io: Io, names: string[]): Promise<number> {
  checkTargets(values, names);
  const maxTargets = countOf(values, 'max-targets') ?? 50;
  const command = commandOf(action, values, io, names);
  const session = await openCluster(values, io);
  const { world } = session;
  const wukongs = await findTargets(session, values, names);
  if (wukongs.length === 0) {
    io.err('No Wukong matches; nothing was called.\n');
    return exitCodes.done;
  }
  if (!command.dryRun && wukongs.length > maxTargets && values.yes !== true)
    if (!(await agreed(action, wukongs, maxTargets, io))) return exitCodes.failed;
  const interrupted = io.interrupt?.() ?? new AbortController().signal;
  const keys = wukongs.map(({ metadata }) => keyOf(metadata));
  const width = widest(keys);
  const format = values.output as (typeof formats)[number] | undefined;
  const lines = format === undefined || format === 'wide';
  const board = openBoard(lines ? io : { ...io, out() {} }, action, wukongs.length);
  try {
    const outcomes = await executeHere(command, wukongs, world, {
      deadline: deadlineOf(action, values, command, wukongs.length, world.clock.now()),
      interrupted,
      wait: values.wait !== false,
      waiting: (key, what) => board.show(key, what),
      ended: (outcome) => board.done(keyOf(outcome), outcomeLine(outcome, width, io.colour, format === 'wide')),
    });
    board.close();
    if (format === 'json' || format === 'yaml') io.out(dump(format, toJson(command, outcomes)));
    if (format === 'name') io.out(text(outcomes.map(({ name }) => `wukong.vm.novasphere.dev/${name}`)));
    io.err(summaryOf(outcomes, wukongs.length));
    return exitCodeOf(outcomes, wukongs.length);
  } finally {
    board.close();
  }
}

async function agreed(action: Action, wukongs: Wukong[], maxTargets: number, io: Io): Promise<boolean> {
  const spaces = new Set(wukongs.map(({ metadata }) => metadata.namespace)).size;
  const many = `${wukongs.length} VMs in ${spaces} namespace${spaces === 1 ? '' : 's'}`;
  if (!io.ask)
    throw new UsageError(
      `would ${action} ${many}, more than --max-targets ${maxTargets}: expected --yes; nothing was called`,
    );
  if (await io.ask(`${action} ${many}?`)) return true;
  io.err('Nothing was called.\n');
  return false;
}

const flagOf: Record<string, string> = {
  gracePeriodSeconds: '--grace (in seconds)',
  waitSeconds: '--timeout (in seconds)',
  leaseSeconds: '--lease (in seconds)',
  maxInFlight: '--max-in-flight',
  reason: '--reason',
};

/** The Command of the library; its target is only for the record here. @throws UsageError in the words of the options. */
function commandOf(action: Action, values: Values, io: Io, names: string[]): Command {
  const timeout = durationSeconds('timeout', values.timeout as string | undefined);
  const input = {
    target: names.length > 0 ? { namespace: 'any', name: 'any' } : { selector: values.selector },
    dryRun: values['dry-run'] === true,
    reason: values.reason,
    requestedBy: userOf(io),
    maxInFlight: countOf(values, 'max-in-flight'),
    ...(action === 'stop'
      ? {
          force: values.force === true,
          gracePeriodSeconds: durationSeconds('grace', values.grace as string | undefined),
          deletePodWhenStuck: values['delete-pod-when-stuck'] === true,
        }
      : { waitSeconds: timeout, leaseSeconds: durationSeconds('lease', values.lease as string | undefined) }),
  };
  try {
    return parseCommand(input, { action, trigger: 'cli', requestId: `cli:${randomUUID()}`, requestedAt: Date.now() });
  } catch (thrown) {
    if (!(thrown instanceof LifecycleError)) throw thrown;
    const message = thrown.message.replace(/(^|; )(\w+):/g, (all, before: string, field: string) =>
      flagOf[field] ? `${before}${flagOf[field]}:` : all,
    );
    throw new UsageError(message, { cause: thrown });
  }
}

/** Stop: when to come back with what there is. Start: late enough for every VM's own time limit. */
function deadlineOf(action: Action, values: Values, command: Command, count: number, now: number): number {
  if (action === 'stop') return now + (durationSeconds('timeout', values.timeout as string | undefined) ?? 900) * 1000;
  return now + (command.waitSeconds * Math.ceil(count / command.maxInFlight) + 60) * 1000;
}

function countOf(values: Values, option: string): number | undefined {
  const typed = values[option] as string | undefined;
  if (typed === undefined) return undefined;
  if (/^\d{1,6}$/.test(typed)) return Number(typed);
  throw new UsageError(`--${option} ${typed}: expected a whole number`);
}

function userOf(io: Io): string | undefined {
  try {
    return io.env?.['USER'] || userInfo().username;
  } catch {
    return undefined; // a container's user may have no name
  }
}
