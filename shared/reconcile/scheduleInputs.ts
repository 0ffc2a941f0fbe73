import { listAll } from '../cluster/list.ts';
import { annotationsOf, readNamespaces, type Unanswered } from '../cluster/namespaces.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { type Annotations, group, keyOf, type KubeObject, placeOf, version } from '../domain/model.ts';
import { holidayText } from '../schedule/configMap.ts';
import { type CalendarDates, type FindText, isCalendar } from '../schedule/holiday.ts';
import { freezeConfigMap, freezeFrom } from '../schedule/override.ts';
import { clusterKind, isClusterSchedule, namespaceLabels } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/timetable.ts';
import type { Limits } from '../time/wait.ts';
import { dayMs } from '../time/zone.ts';
import { type ConfigMap, mapOf, readConfigMap, readHolidayMaps } from './holidayMaps.ts';

export const schedulePath = (namespace?: string, name?: string, subresource?: string): string =>
  apiPath({ api: `${group}/${version}`, namespace, kind: 'wukongschedules', name, subresource });

export const clusterSchedulePath = (name?: string, subresource?: string): string =>
  apiPath({ api: `${group}/${version}`, kind: 'clusterwukongschedules', name, subresource });

/**
 * All that schedules depend on: the schedules, the ConfigMaps of their holidays, the annotations of namespaces, the
 * freeze. A cluster without the WukongSchedule CRD has no schedules; what may not be read besides them is reported and
 * taken for absent. In a namespace of which something is `unanswered` no schedule has a say, and elsewhere each has.
 * @throws LifecycleError when the schedules themselves, or the freeze, cannot be read, or nobody answers.
 * `known`: what a process that stays has from its watches, schedules of both kinds. `cluster: false` leaves
 * ClusterWukongSchedules out.
 */
export async function readSurroundings(
  world: World,
  limits: Limits,
  problems: string[],
  known: {
    schedules?: WukongSchedule[];
    namespaces?: KubeObject[] | undefined;
    cluster?: boolean;
  } = {},
  unanswered?: Unanswered,
): Promise<Surroundings> {
  const schedules = known.schedules ?? (await readAllSchedules(world, limits, problems, known.cluster));
  const none: Surroundings = { schedules, findText: () => undefined, namespaces: new Map() };
  if (schedules.length === 0) return none;
  const [wide, own] = [true, false].map((one) => schedules.filter((schedule) => isClusterSchedule(schedule) === one));
  const spaces = new Set(own?.map((one) => placeOf(one).namespace));
  const [texts, { namespaces, labels }, freeze] = await Promise.all([
    readHolidayMaps(world, schedules, limits, problems, unanswered),
    known.namespaces
      ? factsOf(known.namespaces)
      : wide?.length
        ? readAllNamespaces(world, spaces, limits, problems)
        : withoutLabels(readNamespaces(world, spaces, limits, problems, unanswered)),
    readConfigMap(world, { namespace: world.config.lifecycleNamespace, name: freezeConfigMap.name }, limits, problems),
  ]);
  const { until, problem } = freezeFrom(freeze?.data);
  if (problem) problems.push(problem);
  return {
    schedules: schedules.filter((one) => isClusterSchedule(one) || !unanswered?.has(placeOf(one).namespace)),
    findText: await finding(texts, world),
    namespaces,
    defaultZone: world.config.defaultTimeZone,
    ...(labels ? { labels } : {}),
    ...(until === undefined ? {} : { freezeUntil: until }),
  };
}

async function readAllSchedules(world: World, limits: Limits, problems: string[], cluster = true) {
  const [own, wide] = await Promise.all([
    readSchedules(world, limits),
    cluster ? readClusterSchedules(world, limits, problems) : [],
  ]);
  return [...own, ...wide];
}

const factsOf = (namespaces: KubeObject[]) => ({
  namespaces: annotationsOf(namespaces),
  labels: new Map(namespaces.map((one) => [one.metadata.name, namespaceLabels(one)])),
});

const withoutLabels = async (namespaces: Promise<Map<string, Annotations>>) => ({
  namespaces: await namespaces,
  labels: undefined,
});

async function readSchedules({ transport, config }: World, limits: Limits): Promise<WukongSchedule[]> {
  const found: WukongSchedule[] = [];
  try {
    for (const namespace of config.watchNamespaces ?? [undefined])
      for (const one of await listAll<WukongSchedule>(transport, schedulePath(namespace), limits)) found.push(one);
  } catch (thrown) {
    if (thrown instanceof LifecycleError && thrown.code === 'NotFound') return [];
    throw thrown;
  }
  return found;
}

/** Those of the whole cluster; without its CRD, or the right to read them, there are none. */
async function readClusterSchedules(
  { transport, config }: World,
  limits: Limits,
  problems: string[],
): Promise<WukongSchedule[]> {
  try {
    const found = await listAll<WukongSchedule>(transport, clusterSchedulePath(), limits);
    return found.map((one) => ({ ...one, kind: clusterKind }));
  } catch (thrown) {
    if (!(thrown instanceof LifecycleError) || !['NotFound', 'Denied'].includes(thrown.code)) throw thrown;
    if (thrown.code === 'Denied' && config.watchNamespaces === undefined && (await isServed(transport, limits)))
      problems.push(`ClusterWukongSchedules have no say: ${thrown.message}`);
    return [];
  }
}

/** A kind that is not installed is refused as well, by who may not read it. */
async function isServed(transport: World['transport'], limits: Limits): Promise<boolean> {
  const path = apiPath({ api: `${group}/${version}` });
  const { status, body } = await transport.call<{ resources?: { name: string }[] }>(
    { method: 'GET', path, safe: true },
    limits,
  );
  return status === 200 && body.resources?.some(({ name }) => name === 'clusterwukongschedules') === true;
}

/** With their labels, by which ClusterWukongSchedules choose them; who may not list them knows those of `spaces` alone. */
async function readAllNamespaces(world: World, spaces: Set<string>, limits: Limits, problems: string[]) {
  try {
    const all = await listAll(world.transport, apiPath({ api: 'v1', kind: 'namespaces' }), limits);
    return factsOf(all);
  } catch (thrown) {
    if (!(thrown instanceof LifecycleError) || thrown.code !== 'Denied') throw thrown;
    problems.push(`ClusterWukongSchedules with a namespaceSelector have no say: ${thrown.message}`);
    return { namespaces: await readNamespaces(world, spaces, limits, problems), labels: undefined };
  }
}

/** So far before and after today a calendar's recurring events are looked for. */
const calendarMs = { before: 400 * dayMs, after: 800 * dayMs };

/** Finds texts in ConfigMaps; what reads calendar files is loaded where there is one. */
async function finding(maps: Map<string, ConfigMap | undefined>, { clock, config }: World): Promise<FindText> {
  const all = [...maps.values()].flatMap((map) => Object.values(map?.data ?? {}));
  const calendars = all.some((text) => typeof text === 'string' && isCalendar(text))
    ? await import('../schedule/calendarFile.ts')
    : undefined;
  const window = { from: clock.now() - calendarMs.before, to: clock.now() + calendarMs.after };
  const read = new Map<string, CalendarDates>();
  return (ref) => {
    const text = holidayText(maps.get(keyOf(mapOf(ref, config))), ref.key);
    if (typeof text !== 'string' || !calendars || !isCalendar(text)) return text;
    const calendar = read.get(text) ?? calendars.readCalendar(text, window);
    read.set(text, calendar);
    return calendar;
  };
}
