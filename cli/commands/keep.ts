import { overrideKeys } from '../../shared/schedule/override.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { clusterOptions, scopeOptions } from '../cluster.ts';
import { checkChoice, type CliCommand, type Options, UsageError, wukongNames } from '../command.ts';
import { endOf, spoken } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { annotate } from './annotate.ts';
import { checkTargets } from './targets.ts';

const words = ['running', 'stopped'] as const;
const options: Options = {
  for: { type: 'string', value: 'DURATION', about: 'from now on' },
  until: { type: 'string', value: 'TIME', about: 'RFC 3339, such as 2026-03-29T01:00:00Z' },
  clear: { type: 'boolean', about: 'takes both annotations away: the schedule rules again' },
  ...scopeOptions,
  ...clusterOptions,
};

export const keep: CliCommand = {
  summary: 'keeps VMs running or stopped for a while, whatever their schedules say',
  help: helpOf({
    usage: [
      'keep NAME … running|stopped --for DURATION | --until TIME',
      'keep -l SELECTOR running|stopped --for DURATION | --until TIME',
      'keep NAME … --clear',
    ],
    about:
      'Writes the annotation keep-running-until or keep-stopped-until and removes the other one. It switches nothing now, and expires by itself.',
    options,
    examples: ['wukong keep web running --for 3h', 'wukong keep web --clear'],
  }),
  options,
  positionals: true,
  completes: [wukongNames, 'running', 'stopped'],
  run: async (values, io, positionals) => {
    const clear = values.clear === true;
    const names = clear ? positionals : positionals.slice(0, -1);
    const word = clear ? undefined : positionals.at(-1);
    if (clear && (values.for ?? values.until) !== undefined)
      throw new UsageError('expected --clear without --for and --until');
    if (!clear && word === undefined) throw new UsageError('expected NAME and running or stopped');
    if (word !== undefined) checkChoice('after the names:', word, words);
    checkTargets(values, names);
    const { keepRunning, keepStopped } = overrideKeys;
    if (clear)
      return annotate(values, io, names, { [keepRunning]: null, [keepStopped]: null }, 'its schedules rule again');
    const until = endOf(values, io.now);
    const [set, drop] = word === 'running' ? [keepRunning, keepStopped] : [keepStopped, keepRunning];
    const say = `kept ${word} until ${rfc3339(until)} (${spoken(until - io.now)})`;
    return annotate(values, io, names, { [set]: rfc3339(until), [drop]: null }, say);
  },
};
