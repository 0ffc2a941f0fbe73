import type { Annotations, KubeObject, Wukong } from '../../shared/domain/model.ts';
import { defaultZoneIn } from '../../shared/schedule/defaultZone.ts';
import { type FindText } from '../../shared/schedule/holiday.ts';
import { countsFrom } from '../../shared/schedule/observed.ts';
import { freezeConfigMap, freezeFrom } from '../../shared/schedule/override.ts';
import { type Labels, namespaceLabels } from '../../shared/schedule/ruling.ts';
import { checkSchedule, type Schedule, type WukongSchedule } from '../../shared/schedule/schedule.ts';
import { type Manifests, textIn } from '../commands/manifest.ts';
import type { Happening } from './happening.ts';

/** All that a page is made from, wherever it was read. */
export interface Sources {
  wukongs: Wukong[];
  schedules: WukongSchedule[];
  findText: FindText;
  defaultZone?: string | undefined;
  namespaces: Map<string, Annotations>;
  labels: Map<string, Labels>;
  freezeUntil?: number;
  /** What operations came to; empty for a plan. */
  happenings: Happening[];
  problems: string[];
  /** What a reader should know although nothing is wrong. */
  notes: string[];
}

/** The objects of files. A ConfigMap that is not in them is taken for empty, and noted. */
export function sourcesOf({
  wukongs,
  schedules,
  configMaps,
  namespaces,
  problems,
  warnings,
  findText: known,
  defaultZone,
}: Manifests): Sources {
  const notes = [...warnings];
  const freeze = freezeFrom(configMaps.find(({ metadata }) => metadata?.name === freezeConfigMap.name)?.data);
  if (freeze.problem) notes.push(freeze.problem);
  const find: FindText = known ?? textIn(configMaps);
  const findText: FindText = (ref) => {
    const text = find(ref);
    if (text !== undefined || known) return text;
    notes.push(`ConfigMap ${ref.namespace ?? ''}/${ref.name} is not in the files, so its holidays are not known`);
    return '';
  };
  const annotationsOf = ({ metadata }: KubeObject) => [metadata?.name ?? '', metadata?.annotations ?? {}] as const;
  return {
    wukongs: wukongs.filter((wukong) => named(wukong, problems)),
    schedules: schedules.map(({ object }) => object),
    findText,
    defaultZone,
    namespaces: new Map(namespaces.map(annotationsOf)),
    labels: new Map(
      namespaces.filter(({ metadata }) => metadata?.name).map((one) => [one.metadata.name, namespaceLabels(one)]),
    ),
    ...(freeze.until === undefined ? {} : { freezeUntil: freeze.until }),
    happenings: [],
    problems: [...problems],
    notes,
  };
}

function named({ metadata }: Wukong, problems: string[]): boolean {
  const fine = typeof metadata?.name === 'string' && metadata.name !== '';
  if (!fine) problems.push('a Wukong without metadata.name is left out');
  return fine;
}

/**
 * The schedules that can be evaluated; what is wrong with the others goes to `problems`. A plan begins at `now`, and
 * makes up for nothing that fell due before a schedule was changed; a report looks at all of what a schedule says.
 */
export function readSchedules(
  { schedules, findText, problems, notes, namespaces, defaultZone }: Sources,
  now?: number,
): Schedule[] {
  return schedules.flatMap((object) => {
    const { namespace, name = '(no name)' } = object.metadata ?? {};
    const key = namespace ? `${namespace}/${name}` : name;
    const { schedule, problems: wrong = [] } = checkSchedule(
      object,
      findText,
      defaultZoneIn(namespaces.get(namespace ?? ''), defaultZone),
    );
    for (const { field, message } of wrong) problems.push(`Schedule ${key}: ${field}: ${message}`);
    if (schedule?.zoneFrom)
      notes.push(`Schedule ${key} names no timeZone: ${schedule.zone.name}, by ${schedule.zoneFrom}.`);
    if (schedule?.suspended) notes.push(`Schedule ${key} is suspended: it does nothing.`);
    if (!schedule) return [];
    return [now === undefined ? schedule : { ...schedule, createdAt: countsFrom(object, now, schedule.zone.name) }];
  });
}
