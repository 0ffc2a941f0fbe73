import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
import { holidaysKey } from '../../shared/schedule/holiday.ts';
import { freezeConfigMap } from '../../shared/schedule/override.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import type { Session } from '../cluster.ts';
import type { ConfigMap, Manifests } from './manifest.ts';

/** What a plan is made from, as the cluster has it. @throws LifecycleError when schedules or Wukongs cannot be read. */
export async function readFromCluster({ world: whole, namespace }: Session, all: boolean): Promise<Manifests> {
  const watchNamespaces = all ? undefined : [namespace];
  const world = { ...whole, config: { ...whole.config, watchNamespaces } };
  const limits = { deadline: world.clock.now() + 60_000 };
  const problems: string[] = [];
  const around = await readSurroundings(world, limits, problems);
  if (around.schedules.length === 0)
    problems.push(`there is no WukongSchedule${all ? '' : ` in namespace ${namespace}; -A looks at all`}`);
  const configMaps: ConfigMap[] = [];
  for (const { metadata, spec } of around.schedules) {
    const ref = (spec as { holidays?: { configMapRef?: { name?: string; key?: string } } } | undefined)?.holidays
      ?.configMapRef;
    if (typeof ref?.name !== 'string') continue;
    const key = typeof ref.key === 'string' ? ref.key : holidaysKey;
    const text = around.findText({ namespace: metadata.namespace, name: ref.name, key });
    if (text !== undefined)
      configMaps.push({ metadata: { namespace: metadata.namespace, name: ref.name }, data: { [key]: text } });
  }
  if (around.freezeUntil !== undefined) {
    // One that cannot be read holds until it is mended; its own words are among the problems.
    const freezeUntil = around.freezeUntil === Infinity ? 'unreadable' : rfc3339(around.freezeUntil);
    configMaps.push({ metadata: { name: freezeConfigMap.name }, data: { [freezeConfigMap.key]: freezeUntil } });
  }
  return {
    schedules: around.schedules.map((object) => ({ object, from: 'cluster' })),
    configMaps,
    wukongs: await listAll<Wukong>(world.transport, wukongPath(all ? undefined : namespace), limits),
    namespaces: [...around.namespaces].map(([name, annotations]) => {
      const labels = around.labels?.get(name);
      return { metadata: { name, annotations, ...(labels ? { labels } : {}) } };
    }),
    problems: [],
    warnings: problems,
  };
}
