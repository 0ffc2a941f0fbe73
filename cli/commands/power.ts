import type { Action } from '../../shared/domain/outcome.ts';
import { clusterOptions } from '../cluster.ts';
import { type CliCommand, type Io, type Options, type Values, wukongNames } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { exitCodeOf } from '../terminal/outcomes.ts';
import { outputOption, printingOf, templateForms } from '../terminal/printed.ts';
import { commandOf, waitMsOf } from './asked.ts';
import { executeHere } from './executeHere.ts';
import { showing } from './showing.ts';
import { checkTargets, targetOptions } from './targets.ts';
import { withTargets } from './withTargets.ts';

const formats = ['wide', 'json', 'jsonl', 'yaml', 'name', ...templateForms] as const;
export const bothOptions: Options = {
  'dry-run': { type: 'boolean', about: 'asks KubeVirt what it would do, and changes nothing' },
  wait: { type: 'boolean', default: true, about: '--wait=false returns as soon as KubeVirt was asked (exit code 3)' },
  reason: { type: 'string', about: 'why; it is kept in the record' },
  'max-targets': { type: 'string', value: 'N', default: '50', about: 'asks before more VMs than this; default 50' },
  'max-in-flight': { type: 'string', value: 'N', about: 'how many at once; default 50' },
  yes: { type: 'boolean', short: 'y', about: 'does not ask' },
  output: outputOption(formats, `default: a line for each VM, as it ends; ${formats.join(', ')}`),
};

export const stopOptions: Options = {
  ...targetOptions,
  force: { type: 'boolean', about: 'ends the guest at once, without asking it' },
  grace: { type: 'string', value: 'DURATION', about: "how long the guest may take; default: the VM's own; 0 forces" },
  'delete-pod-when-stuck': { type: 'boolean', about: 'the last step where a node is dead; the guest may lose data' },
  timeout: { type: 'string', value: 'DURATION', about: 'how long to wait here; default 15m, then exit code 3' },
  ...bothOptions,
  ...clusterOptions,
};
const startOptions: Options = {
  ...targetOptions,
  lease: { type: 'string', value: 'DURATION', about: 'keeps it on that long, then its schedule rules again' },
  timeout: { type: 'string', value: 'DURATION', about: 'how long a VM may take to be ready; default 5m' },
  ...bothOptions,
  ...clusterOptions,
};
const exit =
  '0 all are as wished, 1 at least one failed, 2 wrong usage, 3 at least one is in progress, 4 at least one was skipped or superseded.';
export const ctrlC = 'Ctrl-C leaves what has begun in progress, for reconcileState or wukong reconcile to finish.';

export const stop: CliCommand = {
  summary: 'switches VMs off, waits until they are, and forces those that do not end in time',
  help: helpOf({
    usage: ['stop NAME … [OPTIONS]', 'stop -l SELECTOR | --all [-n NAME | -A] [OPTIONS]', 'stop -f FILE [OPTIONS]'],
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
    usage: ['start NAME … [OPTIONS]', 'start -l SELECTOR | --all [-n NAME | -A] [OPTIONS]', 'start -f FILE [OPTIONS]'],
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
  const printing = printingOf(values);
  const command = commandOf(action, values, io);
  return withTargets({ values, io, names, verb: action, dryRun: command.dryRun }, async (wukongs, { world }) => {
    const show = showing(action, wukongs, printing, io);
    try {
      const outcomes = await executeHere(command, wukongs, world, {
        deadline: world.clock.now() + waitMsOf(action, values, command, wukongs.length),
        interrupted: io.interrupt?.() ?? new AbortController().signal,
        wait: values.wait !== false,
        waiting: show.waiting,
        ended: show.ended,
      });
      show.all(command, outcomes);
      return exitCodeOf(outcomes, wukongs.length);
    } finally {
      show.close();
    }
  });
}
