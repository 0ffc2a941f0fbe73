import type { Config } from '../cluster/config.ts';
import { answerFailure } from '../cluster/failure.ts';
import type { Unanswered } from '../cluster/namespaces.ts';
import { ours } from '../cluster/ours.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { keyOf, type KubeObject, type Place } from '../domain/model.ts';
import { isObjectName } from '../domain/names.ts';
import type { TextRef } from '../schedule/holiday.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import { eachApart } from '../time/forEachLimited.ts';
import type { Limits } from '../time/wait.ts';

/** Where a ConfigMap of a schedule stands: beside it, or for many namespaces where the lifecycle functions are. */
export const mapOf = ({ namespace, name, shared }: Omit<TextRef, 'key'>, { lifecycleNamespace }: Config): Place => ({
  namespace: shared || namespace === undefined ? lifecycleNamespace : namespace,
  name,
});

/** Of a namespace. */
const atOnce = 8;

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export async function readConfigMap(
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

/**
 * The schedules of one namespace may name so many ConfigMaps: a megabyte of calendar takes some tens of milliseconds, in
 * which nobody else's schedules are read.
 */
const mostMaps = 20;

interface Named {
  place: Place;
  /** The namespaces of the schedules that name it, undefined for those of the cluster. */
  by: Set<string | undefined>;
}

function namedMaps(schedules: WukongSchedule[], config: Config, problems: string[]): Map<string, Named> {
  const named = new Map<string, Named>();
  const counts = new Map<string, number>();
  for (const { metadata, spec } of schedules) {
    const { name, shared } =
      (spec as { holidays?: { configMapRef?: { name?: unknown; shared?: unknown } } } | undefined)?.holidays
        ?.configMapRef ?? {};
    // Another name is no ConfigMap's, and may be no part of a path either.
    if (typeof name !== 'string' || !isObjectName(name)) continue;
    const { namespace } = metadata;
    const place = mapOf({ namespace, name, shared: shared === true }, config);
    const known = named.get(keyOf(place));
    if (known) {
      known.by.add(namespace);
      continue;
    }
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

/** Each ConfigMap that a schedule names, once. */
export async function readHolidayMaps(
  world: World,
  schedules: WukongSchedule[],
  limits: Limits,
  problems: string[],
  unanswered?: Unanswered,
): Promise<Map<string, ConfigMap | undefined>> {
  const read = new Map<string, ConfigMap | undefined>();
  const named = namedMaps(schedules, world.config, problems);
  await eachApart(
    named,
    ([
      ,
      {
        by: [first],
      },
    ]) => first,
    atOnce,
    async ([key, { place, by }]) => {
      try {
        read.set(key, await readConfigMap(world, place, limits, problems));
      } catch (thrown) {
        limits.signal?.throwIfAborted();
        if (!unanswered) throw thrown;
        for (const namespace of by) unanswered.set(namespace ?? place.namespace, asLifecycleError(thrown));
      }
    },
  );
  return read;
}
