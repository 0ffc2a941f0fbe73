import { listAll } from '../../shared/cluster/list.ts';
import { wukongPath } from '../../shared/cluster/objects.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { readSurroundings } from '../../shared/reconcile/scheduleInputs.ts';
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
  const around = await readSurroundings({ world, limits, problems });
  if (around.schedules.length === 0)
    problems.push(`there is no WukongSchedule${all ? '' : ` in namespace ${namespace}; -A looks at all`}`);
  const configMaps: ConfigMap[] = [];
  if (around.freezeUntil !== undefined) {
    // One that cannot be read holds until it is mended; its own words are among the problems.
    const freezeUntil = around.freezeUntil === Infinity ? 'unreadable' : rfc3339(around.freezeUntil);
    configMaps.push({ metadata: { name: freezeConfigMap.name }, data: { [freezeConfigMap.key]: freezeUntil } });
  }
  return {
    schedules: around.schedules.map((object) => ({ object, from: 'cluster' })),
    configMaps,
    findText: around.findText,
    defaultZone: around.defaultZone,
    wukongs: await listAll<Wukong>(world.transport, wukongPath(all ? undefined : namespace), limits),
    namespaces: [...around.namespaces].map(([name, annotations]) => {
      const labels = around.labels?.get(name);
      return { metadata: { name, annotations, ...(labels ? { labels } : {}) } };
    }),
    problems: [],
    warnings: problems,
  };
}
