import type { Config } from '../cluster/config.ts';
import { answerFailure } from '../cluster/failure.ts';
import { type Reading, readingApart } from '../cluster/namespaces.ts';
import { ours } from '../cluster/ours.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, type KubeObject, type Place } from '../domain/model.ts';
import { isObjectName } from '../domain/names.ts';
import { remember } from '../domain/remember.ts';
import { holidayText } from '../schedule/configMap.ts';
import { type CalendarDates, type FindText, isCalendar, type TextRef } from '../schedule/holiday.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import { eachApart } from '../time/forEachLimited.ts';
import { dayMs } from '../time/zone.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** The texts of holidays that schedules name, from their ConfigMaps, each of which is read once. */
export const holidayTexts = async (schedules: WukongSchedule[], to: Reading): Promise<FindText> =>
  finding(await readConfigMaps(schedules, to), to.world);

/** So far before and after today a calendar's recurring events are looked for. */
const calendarMs = { before: 400 * dayMs, after: 800 * dayMs };

/** Finds texts in ConfigMaps; what reads calendar files is loaded where there is one. */
async function finding(maps: Map<string, ConfigMap | undefined>, { clock, config }: World): Promise<FindText> {
  const all = [...maps.values()].flatMap((map) => Object.values(map?.data ?? {}));
  const calendars = all.some((text) => typeof text === 'string' && isCalendar(text))
    ? await import('../schedule/calendarFile.ts')
    : undefined;
  const today = Math.floor(clock.now() / dayMs) * dayMs;
  const window = { from: today - calendarMs.before, to: today + dayMs + calendarMs.after };
  const read = new Map<string, Known>();
  return (ref) => {
    const text = holidayText(maps.get(keyOf(mapOf(ref, config))), ref.key);
    if (typeof text !== 'string' || !calendars || !isCalendar(text)) return text;
    const before = read.get(text) ?? lately.get(text);
    const known = before?.today === today ? before : { today, calendar: calendars.readCalendar(text, window) };
    read.set(text, known);
    remember(lately, text, known, mostLately);
    return known.calendar;
  };
}

/** A calendar as it was read on a day. */
interface Known {
  today: number;
  calendar: CalendarDates;
}

/** The newest ones: a process that stays asks for the same each minute. */
const lately = new Map<string, Known>();
const mostLately = 8;

/** Where a ConfigMap of a schedule stands: beside it, or for many namespaces where the lifecycle functions are. */
const mapOf = ({ namespace, name, shared }: Omit<TextRef, 'key'>, { lifecycleNamespace }: Config): Place => ({
  namespace: shared || namespace === undefined ? lifecycleNamespace : namespace,
  name,
});

/** One that may not be read is a problem, and taken for absent. @throws LifecycleError Unreachable. */
export async function readConfigMap(
  { namespace, name }: Place,
  { world, limits, problems }: Reading,
): Promise<ConfigMap | undefined> {
  const path = apiPath({ api: 'v1', namespace, kind: 'configmaps', name });
  const answer = await world.transport.call<ConfigMap>({ method: 'GET', path, safe: true }, limits);
  if (answer.status === 200) return ours<ConfigMap>(answer.body);
  if (answer.status === 404) return undefined;
  const failure = answerFailure(answer, `ConfigMap ${namespace}/${name} cannot be read`);
  if (failure.code === 'Unreachable') throw failure;
  problems.push(failure.message);
  return undefined;
}

/** Of the schedules of a namespace. */
const atOnce = 8;
/**
 * So many they may name: the most of a calendar takes a tenth of a second, in which nobody else's schedules are read.
 */
const mostMaps = 10;

interface Named {
  place: Place;
  /** The namespaces of the schedules that name it, undefined for those of the cluster. */
  by: Set<string | undefined>;
}

async function readConfigMaps(schedules: WukongSchedule[], to: Reading): Promise<Map<string, ConfigMap | undefined>> {
  const read = new Map<string, ConfigMap | undefined>();
  const first = ([, { by }]: [string, Named]) => [...by][0];
  const apart = readingApart(to);
  await eachApart(namedMaps(schedules, to), first, atOnce, async ([key, { place, by }]) => {
    try {
      read.set(key, await apart((limits) => readConfigMap(place, { ...to, limits })));
    } catch (thrown) {
      to.limits.signal?.throwIfAborted();
      if (!to.unanswered) throw thrown;
      for (const namespace of by) to.unanswered.set(namespace ?? place.namespace, asLifecycleError(thrown));
    }
  });
  return read;
}

/** Each ConfigMap that a schedule names, once. */
function namedMaps(schedules: WukongSchedule[], { world, problems }: Reading): Map<string, Named> {
  const named = new Map<string, Named>();
  const counts = new Map<string, number>();
  for (const schedule of schedules) {
    const { namespace } = schedule.metadata;
    const place = configMapOf(schedule, world.config);
    if (!place) continue;
    const known = named.get(keyOf(place));
    known?.by.add(namespace);
    if (known) continue;
    const count = counts.get(namespace ?? '') ?? 0;
    if (namespace !== undefined) counts.set(namespace, count + 1);
    if (count < mostMaps) named.set(keyOf(place), { place, by: new Set([namespace]) });
  }
  for (const [namespace, count] of counts)
    if (count > mostMaps)
      problems.push(
        `schedules of namespace ${namespace} name more than ${mostMaps} ConfigMaps with holidays: the others count as missing`,
      );
  return named;
}

function configMapOf({ metadata, spec }: WukongSchedule, config: Config): Place | undefined {
  type Spec = { holidays?: { configMapRef?: { name?: unknown; shared?: unknown } } } | undefined;
  const { name, shared } = (spec as Spec)?.holidays?.configMapRef ?? {};
  // Another name is no ConfigMap's, and may be no part of a path either.
  if (typeof name !== 'string' || !isObjectName(name)) return undefined;
  return mapOf({ namespace: metadata.namespace, name, shared: shared === true }, config);
}
