import { answerFailure } from '../cluster/failure.ts';
import { listAll } from '../cluster/list.ts';
import { readNamespaces, type Unanswered } from '../cluster/namespaces.ts';
import { ours } from '../cluster/ours.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import { type Annotations, group, type KubeObject, type Place, placeOf, version } from '../domain/model.ts';
import { isObjectName } from '../domain/names.ts';
import { holidayText } from '../schedule/configMap.ts';
import { freezeConfigMap, freezeFrom } from '../schedule/override.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/timetable.ts';
import { each } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';

export const schedulePath = (namespace?: string, name?: string, subresource?: string): string =>
  apiPath({ api: `${group}/${version}`, namespace, kind: 'wukongschedules', name, subresource });

/**
 * All that schedules depend on: the schedules, the ConfigMaps of their holidays, the annotations of namespaces, the
 * freeze. A cluster without the WukongSchedule CRD has no schedules; what may not be read besides them is reported and
 * taken for absent. In a namespace of which something is `unanswered` no schedule has a say, and elsewhere each has.
 * @throws LifecycleError when the schedules themselves, or the freeze, cannot be read, or nobody answers.
 * `known`: what a process that stays has from its watches.
 */
export async function readSurroundings(
  world: World,
  limits: Limits,
  problems: string[],
  known: { schedules?: WukongSchedule[]; namespaces?: Map<string, Annotations> | undefined } = {},
  unanswered?: Unanswered,
): Promise<Surroundings> {
  const schedules = known.schedules ?? (await readSchedules(world, limits));
  const none: Surroundings = { schedules, findText: () => undefined, namespaces: new Map() };
  if (schedules.length === 0) return none;
  const spaces = new Set(schedules.map((one) => placeOf(one).namespace));
  const [texts, namespaces, freeze] = await Promise.all([
    readConfigMaps(world, schedules, limits, problems, unanswered),
    known.namespaces ?? readNamespaces(world, spaces, limits, problems, unanswered),
    readConfigMap(world, { namespace: world.config.lifecycleNamespace, name: freezeConfigMap.name }, limits, problems),
  ]);
  const { until, problem } = freezeFrom(freeze?.data);
  if (problem) problems.push(problem);
  return {
    schedules: schedules.filter((one) => !unanswered?.has(placeOf(one).namespace)),
    findText: ({ namespace, name, key }) => holidayText(texts.get(`${namespace}/${name}`), key),
    namespaces,
    ...(until === undefined ? {} : { freezeUntil: until }),
  };
}

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

const atOnce = 50;

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

async function readConfigMap(
  { transport }: World,
  { namespace, name }: Place,
  limits: Limits,
  problems: string[],
): Promise<ConfigMap | undefined> {
  const path = apiPath({ api: 'v1', namespace, kind: 'configmaps', name });
  const answer = await transport.call<ConfigMap>({ method: 'GET', path, safe: true }, limits);
  if (answer.status === 200) return ours<ConfigMap>(answer.body);
  if (answer.status === 404) return undefined;
  const failure = answerFailure(answer, `ConfigMap ${namespace}/${name} cannot be read`);
  if (failure.code === 'Unreachable') throw failure;
  problems.push(failure.message);
  return undefined;
}

/** Each ConfigMap that a schedule names, once. */
async function readConfigMaps(
  world: World,
  schedules: WukongSchedule[],
  limits: Limits,
  problems: string[],
  unanswered?: Unanswered,
): Promise<Map<string, ConfigMap | undefined>> {
  const named = new Map<string, Place>();
  for (const { metadata, spec } of schedules) {
    const name = (spec as { holidays?: { configMapRef?: { name?: unknown } } } | undefined)?.holidays?.configMapRef
      ?.name;
    const { namespace } = placeOf({ metadata });
    // Another name is no ConfigMap's, and may be no part of a path either.
    if (typeof name === 'string' && isObjectName(name)) named.set(`${namespace}/${name}`, { namespace, name });
  }
  const read = new Map<string, ConfigMap | undefined>();
  await each(named, atOnce, async ([key, place]) => {
    try {
      read.set(key, await readConfigMap(world, place, limits, problems));
    } catch (thrown) {
      limits.signal?.throwIfAborted();
      if (!unanswered) throw thrown;
      unanswered.set(place.namespace, asLifecycleError(thrown));
    }
  });
  return read;
}
