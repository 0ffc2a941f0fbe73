import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';

import { parse } from 'yaml';

import { group, type KubeObject, version, type Wukong } from '../../shared/domain/model.ts';
import { holidayText } from '../../shared/schedule/configMap.ts';
import { type FindText, isCalendar, type TextRef } from '../../shared/schedule/holiday.ts';
import { clusterKind } from '../../shared/schedule/ruling.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { UsageError } from '../command.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** What a plan is made from, wherever it was read: files here, or a cluster. */
export interface Manifests {
  schedules: { object: WukongSchedule; from: string }[];
  configMaps: ConfigMap[];
  wukongs: Wukong[];
  namespaces: KubeObject[];
  /** Finds texts of ConfigMaps where not these are what is known: a cluster's, or calendar files among them. */
  findText?: FindText;
  /** DEFAULT_TIME_ZONE. */
  defaultZone?: string | undefined;
  /** What could not be read at all. */
  problems: string[];
  /** What was left out, on purpose. */
  warnings: string[];
}

/**
 * All objects of YAML or JSON files; `-` is standard input. A document that cannot be read does not hurt the others.
 * @throws UsageError when a file cannot be opened.
 */
export async function readManifests(files: string[], option = 'schedule'): Promise<Manifests> {
  const found: Manifests = { schedules: [], configMaps: [], wukongs: [], namespaces: [], problems: [], warnings: [] };
  for (const file of files) {
    const text = await open(file, option);
    documents(text).forEach(({ body, line }) => {
      try {
        sort(parse(body, { merge: true, logLevel: 'error' }) as unknown, file, found);
      } catch (wrong) {
        const first = (wrong as Error).message.split('\n')[0];
        found.problems.push(`${file}: document at line ${line}: ${first}`);
      }
    });
  }
  return withCalendars(found);
}

/** Of files: calendars among the ConfigMaps are read, in the years about now. */
export async function withCalendars(manifests: Manifests): Promise<Manifests> {
  const texts = manifests.configMaps.flatMap(({ data }) => Object.values(data ?? {}));
  if (!texts.some((text) => typeof text === 'string' && isCalendar(text))) return manifests;
  const { readCalendar } = await import('../../shared/schedule/calendarFile.ts');
  const window = { from: Date.now() - calendarMs, to: Date.now() + calendarMs };
  const plainText = textIn(manifests.configMaps);
  return {
    ...manifests,
    findText: (ref) => {
      const text = plainText(ref);
      return typeof text === 'string' && isCalendar(text) ? readCalendar(text, window) : text;
    },
  };
}
const calendarMs = 5 * 366 * 86_400_000;

/** A ConfigMap of files, by name and namespace; a shared one by its name alone. */
export const textIn =
  (configMaps: ConfigMap[]) =>
  ({ namespace, name, key, shared }: TextRef): string | undefined | null => {
    const anywhere = shared === true || namespace === undefined;
    const map = configMaps.find(
      ({ metadata }) => metadata?.name === name && (anywhere || metadata.namespace === namespace),
    );
    return map && holidayText(map, key);
  };

async function open(file: string, option: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (wrong) {
    throw new UsageError(
      `--${option} ${file}: cannot be read (${(wrong as NodeJS.ErrnoException).code ?? 'unknown'})`,
      {
        cause: wrong,
      },
    );
  }
}

/** The documents that hold anything; the loader takes neither an empty one nor several of which one is empty. */
function documents(text: string): { body: string; line: number }[] {
  let line = 1;
  const found: { body: string; line: number }[] = [];
  for (const body of text.replace(/^\uFEFF/, '').split(/^---(?=\s|$)/m)) {
    if (body.split('\n').some((each) => !/^\s*(#.*|\.\.\.\s*)?$/.test(each))) found.push({ body, line });
    line += body.split('\n').length - 1;
  }
  return found;
}

function sort(value: unknown, from: string, found: Manifests): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    found.problems.push(`${from}: expected Kubernetes objects, found ${JSON.stringify(value)?.slice(0, 40)}`);
    return;
  }
  const object = value as KubeObject & { items?: unknown };
  const { apiVersion, kind, items } = object;
  const name = object.metadata?.name ?? '(no name)';
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    const single = kind.slice(0, -4);
    for (const item of items as object[])
      sort({ ...(single ? { apiVersion, kind: single } : {}), ...item }, from, found);
  } else if (kind === 'WukongSchedule' || kind === clusterKind) {
    if (apiVersion === `${group}/${version}`) found.schedules.push({ object, from });
    else found.problems.push(`${from}: ${name}: apiVersion: expected ${group}/${version}, found ${String(apiVersion)}`);
  } else if (kind === 'ConfigMap') found.configMaps.push(object);
  else if (kind === 'Wukong') found.wukongs.push(object as Wukong);
  else if (kind === 'Namespace') found.namespaces.push(object);
  else found.warnings.push(`${from}: ${String(kind ?? 'an object without kind')} ${name} is ignored`);
}
