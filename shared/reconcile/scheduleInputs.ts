import { listAll } from '../cluster/list.ts';
import { annotationsOf, listEach, namespacePath, type Reading, readNamespaces } from '../cluster/namespaces.ts';
import { apiPath } from '../cluster/path.ts';
import type { World } from '../cluster/world.ts';
import { asLifecycleError } from '../domain/errors.ts';
import { type Annotations, group, type KubeObject, placeOf, version } from '../domain/model.ts';
import { freezeConfigMap, freezeFrom } from '../schedule/override.ts';
import { clusterKind, isClusterSchedule, namespaceLabels } from '../schedule/ruling.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/selecting.ts';
import type { Limits } from '../time/wait.ts';
import { holidayTexts, readConfigMap } from './holidayTexts.ts';

export const schedulePath = (namespace?: string, name?: string, subresource?: string): string =>
  apiPath({ api: `${group}/${version}`, namespace, kind: 'wukongschedules', name, subresource });

export const clusterSchedulePath = (name?: string, subresource?: string): string =>
  apiPath({ api: `${group}/${version}`, kind: 'clusterwukongschedules', name, subresource });

/** What a process that stays has from its watches. */
interface Known {
  /** Of both kinds. */
  schedules?: WukongSchedule[];
  namespaces?: KubeObject[] | undefined;
  /** False: without ClusterWukongSchedules. */
  cluster?: boolean;
}

/**
 * All that schedules depend on: the schedules, the ConfigMaps of their holidays, the annotations of namespaces, the
 * freeze. A cluster without the WukongSchedule CRD has no schedules; what may not be read besides them is reported and
 * taken for absent. In a namespace of which something is `unanswered` no schedule has a say, and elsewhere each has.
 * @throws LifecycleError when the schedules themselves, or the freeze, cannot be read, or nobody answers.
 */
export async function readSurroundings(to: Reading, known: Known = {}): Promise<Surroundings> {
  const { world, problems, unanswered } = to;
  const schedules = known.schedules ?? (await readAllSchedules(to, known.cluster));
  if (schedules.length === 0) return { schedules, findText: () => undefined, namespaces: new Map() };
  const [findText, { namespaces, labels }, freeze] = await Promise.all([
    holidayTexts(schedules, to),
    namespacesOf(schedules, to, known.namespaces),
    readConfigMap({ namespace: world.config.lifecycleNamespace, name: freezeConfigMap.name }, to),
  ]);
  const { until, problem } = freezeFrom(freeze?.data);
  if (problem) problems.push(problem);
  return {
    // Those of the cluster stand in no namespace.
    schedules: schedules.filter((one) => !unanswered?.has(placeOf(one).namespace)),
    findText,
    namespaces,
    defaultZone: world.config.defaultTimeZone,
    ...(labels ? { labels } : {}),
    ...(until === undefined ? {} : { freezeUntil: until }),
  };
}

async function readAllSchedules(to: Reading, cluster = true) {
  const [own, wide] = await Promise.all([readSchedules(to), cluster ? readClusterSchedules(to) : []]);
  return [...own, ...wide];
}

async function readSchedules({ world, limits, unanswered = new Map() }: Reading): Promise<WukongSchedule[]> {
  const spaces = world.config.watchNamespaces;
  try {
    return await listEach<WukongSchedule>({ world, spaces, path: (space) => schedulePath(space), limits, unanswered });
  } catch (thrown) {
    if (asLifecycleError(thrown).code === 'NotFound') return [];
    throw thrown;
  }
}

/** Those of the whole cluster; without its CRD, or the right to read them, there are none. */
async function readClusterSchedules({ world, limits, problems }: Reading): Promise<WukongSchedule[]> {
  const { transport, config } = world;
  try {
    const found = await listAll<WukongSchedule>(transport, clusterSchedulePath(), limits);
    return found.map((one) => ({ ...one, kind: clusterKind }));
  } catch (thrown) {
    const { code, message } = asLifecycleError(thrown);
    if (!['NotFound', 'Denied'].includes(code)) throw thrown;
    if (code === 'Denied' && config.watchNamespaces === undefined && (await isServed(transport, limits)))
      problems.push(`ClusterWukongSchedules have no say: ${message}`);
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

/** What is known of namespaces: their overrides and, where there are ClusterWukongSchedules, the labels that these select. */
interface Spaces {
  namespaces: Map<string, Annotations>;
  labels?: Map<string, Record<string, string>>;
}

const factsOf = (namespaces: KubeObject[]): Spaces => ({
  namespaces: annotationsOf(namespaces),
  labels: new Map(namespaces.map((one) => [one.metadata.name, namespaceLabels(one)])),
});

/** Who may not list all namespaces knows those of the schedules alone, and no labels. */
async function namespacesOf(schedules: WukongSchedule[], to: Reading, known?: KubeObject[]): Promise<Spaces> {
  if (known) return factsOf(known);
  const { world, limits, problems } = to;
  const own = schedules.filter((one) => !isClusterSchedule(one));
  const spaces = new Set(own.map((one) => placeOf(one).namespace));
  if (own.length === schedules.length) return { namespaces: await readNamespaces(spaces, to) };
  try {
    return factsOf(await listAll(world.transport, namespacePath(), limits));
  } catch (thrown) {
    const { code, message } = asLifecycleError(thrown);
    if (code !== 'Denied') throw thrown;
    problems.push(`ClusterWukongSchedules with a namespaceSelector have no say: ${message}`);
    return { namespaces: await readNamespaces(spaces, to) };
  }
}
