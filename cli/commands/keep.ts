import type { Wukong } from '../../shared/domain/model.ts';
import { overrideKeys } from '../../shared/schedule/override.ts';
import type { Schedule } from '../../shared/schedule/schedule.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { localText } from '../../shared/time/wallclock.ts';
import type { Zone } from '../../shared/time/zone.ts';
import { clusterOptions } from '../cluster.ts';
import { checkChoice, type CliCommand, type Options, UsageError, type Values, wukongNames } from '../command.ts';
import { endOf, needsZone, spoken } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { zoneOf } from '../terminal/span.ts';
import { annotate } from './annotate.ts';
import { checkTargets, targetOptions } from './targets.ts';

const words = ['running', 'stopped'] as const;
const options: Options = {
  for: { type: 'string', value: 'DURATION', about: 'from now on' },
  until: {
    type: 'string',
    value: 'TIME',
    about: "18:00 is the next one in the schedule's zone; or 2026-03-29T01:00:00Z",
  },
  zone: { type: 'string', value: 'ZONE', about: "the zone of --until 18:00, in the place of the schedule's" },
  clear: { type: 'boolean', about: 'takes both annotations away: the schedule rules again' },
  ...targetOptions,
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
    examples: ['wukong keep web running --for 3h', 'wukong keep web running --until 22:00', 'wukong keep web --clear'],
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
    const cleared = { annotations: { [keepRunning]: null, [keepStopped]: null }, say: 'its schedules rule again' };
    if (clear) return annotate(values, io, names, () => cleared);
    const zone = zoneOf(values);
    if (zone ?? !needsZone(values.until)) endOf(values, io.now, zone); // what is wrong with it is said at once
    const [set, drop] = word === 'running' ? [keepRunning, keepStopped] : [keepStopped, keepRunning];
    const [other, verb] = word === 'running' ? ['Stopped', 'start'] : ['Running', 'stop'];
    return annotate(values, io, names, ({ metadata, status }, schedules) => {
      const where = needsZone(values.until) ? (zone ?? zoneOfSchedules(values, schedules)) : undefined;
      const until = endOf(values, io.now, where);
      const shown = where ? `${localText(where, until)}, ${where.name}` : rfc3339(until);
      return {
        annotations: { [set]: rfc3339(until), [drop]: null },
        say: `kept ${word} until ${shown} (${spoken(until - io.now)})${isOther(status, other) ? `; it is ${other} now: wukong ${verb} ${metadata.name} -n ${metadata.namespace}` : ''}`,
        unselected: ': this holds back only what people and events ask for',
      };
    });
  },
};

const isOther = (status: Wukong['status'], other: string | undefined): boolean =>
  status?.lifecycleState?.state === other;

/** @throws UsageError where they do not name one zone. */
function zoneOfSchedules({ until }: Values, schedules: Schedule[]): Zone {
  const zones = new Map(schedules.map(({ zone }) => [zone.name, zone]));
  const [zone, ...others] = zones.values();
  if (zone && others.length === 0) return zone;
  const why = zone
    ? `its schedules are in ${[...zones.keys()].join(' and ')}`
    : 'no schedule that can be read selects it';
  throw new UsageError(`--until ${String(until)} has no time zone, as ${why}; add --zone ZONE`);
}
