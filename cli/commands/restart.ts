import { clusterOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Options, wukongNames } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { exitCodeOf } from '../terminal/outcomes.ts';
import { printingOf } from '../terminal/printed.ts';
import { commandOf, waitMsOf } from './asked.ts';
import { executeHere } from './executeHere.ts';
import { bothOptions, ctrlC, stopOptions } from './power.ts';
import { showing } from './showing.ts';
import { checkTargets, targetOptions } from './targets.ts';
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
    about: `A stop as wukong stop does it, and for each VM that is off a start, at once. What was off before stays off (exit code 4). Who may not be started now, because of an override, is not stopped either.\n\n${ctrlC} What was stopped comes back then, too.`,
    options,
    examples: ['wukong restart web --grace 2m', 'wukong restart -l app=shop -n team-a'],
    exit: '0 all are up again, 1 at least one failed, 2 wrong usage, 3 at least one is in progress, 4 at least one was off, skipped or superseded.',
  }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    checkTargets(values, names);
    const printing = printingOf(values);
    const command = commandOf('restart', values, io);
    const asking = { values, io, names, verb: 'restart', dryRun: command.dryRun };
    return withTargets(asking, async (wukongs, { world }) => {
      const show = showing('restart', wukongs, printing, io);
      try {
        const stopMs = waitMsOf('stop', {}, command, wukongs.length);
        const outcomes = await executeHere(command, wukongs, world, {
          deadline: world.clock.now() + stopMs + waitMsOf('start', values, command, wukongs.length),
          interrupted: io.interrupt?.() ?? new AbortController().signal,
          wait: true,
          waiting: show.waiting,
          ended: show.ended,
        });
        show.all({ ...command, action: 'start' }, outcomes);
        const code = exitCodeOf(outcomes, wukongs.length);
        // What was off was left alone on purpose.
        const left = code === exitCodes.done && outcomes.some(({ outcome }) => outcome === 'AlreadyOff');
        return left ? exitCodes.left : code;
      } finally {
        show.close();
      }
    });
  },
};
