import { overrideKeys } from '../../shared/schedule/override.ts';
import { clusterOptions } from '../cluster.ts';
import { type CliCommand, type Options, wukongNames } from '../command.ts';
import { helpOf } from '../terminal/help.ts';
import { annotate } from './annotate.ts';
import { checkTargets, targetOptions } from './targets.ts';

const options: Options = {
  off: { type: 'boolean', about: 'takes it back' },
  ...targetOptions,
  ...clusterOptions,
};

interface Mark {
  name: string;
  summary: string;
  about: string;
  key: string;
  on: string;
  off: string;
  /** What that means where no schedule selects the VM. */
  unselected?: string;
}

const command = ({ name, summary, about, key, on, off, unselected }: Mark): CliCommand => ({
  summary,
  help: helpOf({ usage: [`${name} NAME … [--off]`, `${name} -l SELECTOR [-n NAME | -A] [--off]`], about, options }),
  options,
  positionals: true,
  completes: [wukongNames],
  run: async (values, io, names) => {
    checkTargets(values, names);
    const change =
      values.off === true
        ? { annotations: { [key]: null }, say: off }
        : { annotations: { [key]: 'true' }, say: on, ...(unselected === undefined ? {} : { unselected }) };
    return annotate(values, io, names, () => change);
  },
});

export const skipNext = command({
  name: 'skip-next',
  summary: 'lets the next start or stop of a schedule pass',
  about: "Writes the annotation skip-next, which the schedule's next action uses up.",
  key: overrideKeys.skipNext,
  on: 'the next scheduled action is skipped',
  off: 'nothing is skipped',
  unselected: ', so there is nothing to skip until one does',
});

export const protect = command({
  name: 'protect',
  summary: 'forbids to stop VMs',
  about: "Writes the annotation protected: nobody's stop is carried out, nor is a schedule's.",
  key: overrideKeys.protected,
  on: 'protected: it is not stopped',
  off: 'not protected by itself any more',
});
