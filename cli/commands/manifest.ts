import { parse } from 'yaml';

import { group, type KubeObject, version, type Wukong } from '../../shared/domain/model.ts';
import { holidayText } from '../../shared/schedule/configMap.ts';
import { type FindText, isCalendar, type TextRef } from '../../shared/schedule/holiday.ts';
import { clusterKind } from '../../shared/schedule/ruling.ts';
import type { WukongSchedule } from '../../shared/schedule/schedule.ts';
import { documents, manifestTexts } from './manifestTexts.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** What a plan is made from, wherever it was read: files here, or a cluster. */
export interface Manifests {
  schedules: { object: WukongSchedule; from: string }[];
  configMaps: ConfigMap[];
  wukongs: Wukong[];
  /** VirtualMachines and their instances, which no plan needs: in files they may stand for their Wukongs. */
  vms?: KubeObject[];
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
 * All objects of YAML or JSON files and of directories of them; `-` is standard input. A document that cannot be read
 * does not hurt the others.
 * @throws UsageError when a file cannot be opened.
 */
export async function readManifests(files: string[], option = 'schedule'): Promise<Manifests> {
  const found: Manifests = {
    schedules: [],
    configMaps: [],
    wukongs: [],
    vms: [],
    namespaces: [],
    problems: [],
    warnings: [],
  };
  for (const file of files)
    for (const { from, text } of await manifestTexts(file, option))
      for (const { body, line } of documents(text))
        try {
          sort(parse(body, { merge: true, logLevel: 'error' }) as unknown, from, found);
        } catch (wrong) {
          found.problems.push(`${from}: document at line ${line}: ${printable((wrong as Error).message)}`);
        }
  return withCalendars(found);
}

/** The beginning of a parser's message, which quotes the file: what that holds must not steer a terminal. */
const printable = (message: string): string =>
  (message.split('\n')[0] ?? '').replaceAll(/[\p{C}\uFFFD]+/gu, '?').slice(0, 160);

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

const vmKinds = /^kubevirt\.io\/\S+ VirtualMachine(Instance)?$/;

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function sort(value: unknown, from: string, found: Manifests): void {
  if (!isObject(value)) {
    found.problems.push(`${from}: expected Kubernetes objects, found ${JSON.stringify(value)?.slice(0, 40)}`);
    return;
  }
  const object = value as KubeObject & { items?: unknown };
  const { apiVersion, kind, items } = object;
  const name = object.metadata?.name ?? '(no name)';
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    const single = kind.slice(0, -4);
    for (const item of items as unknown[])
      sort(isObject(item) && single ? { apiVersion, kind: single, ...item } : item, from, found);
  } else if (kind === 'WukongSchedule' || kind === clusterKind) {
    if (apiVersion === `${group}/${version}`) found.schedules.push({ object, from });
    else found.problems.push(`${from}: ${name}: apiVersion: expected ${group}/${version}, found ${String(apiVersion)}`);
  } else if (kind === 'ConfigMap') found.configMaps.push(object);
  else if (kind === 'Wukong' && String(apiVersion ?? group).split('/')[0] === group)
    found.wukongs.push(object as Wukong);
  else if (kind === 'Namespace') found.namespaces.push(object);
  else {
    if (vmKinds.test(`${String(apiVersion)} ${String(kind)}`)) found.vms?.push(object);
    found.warnings.push(`${from}: ${String(kind ?? 'an object without kind')} ${name} is ignored`);
  }
}
