import { bodyOf } from '../../shared/cluster/failure.ts';
import { listAll } from '../../shared/cluster/list.ts';
import { apiPath } from '../../shared/cluster/path.ts';
import type { World } from '../../shared/cluster/world.ts';
import { asLifecycleError, LifecycleError } from '../../shared/domain/errors.ts';
import { textOf } from '../../shared/schedule/configMap.ts';
import type { ConfigMap } from './manifest.ts';

/** The configuration of infra/kubernetes, as every installation in a cluster has it. */
const configuration = { name: 'wukong-lifecycle-config', label: 'app.kubernetes.io/name=wukong-lifecycle' };

/** Something that ticks in this cluster: where it is, where it looks for the freeze, and which namespaces are its own. */
export interface Installation {
  namespace: string;
  freezeIn: string;
  watches: string | undefined;
}

/** Where a freeze is written, and who obeys it there. */
export interface FreezePlace {
  namespace: string;
  obeyedBy: string;
  /** Installations that look elsewhere. */
  others: Installation[];
}

/**
 * Where a freeze has to be for a tick to see it: the namespace that `-n` or LIFECYCLE_NAMESPACE names, else the one that
 * an installation in this cluster reads, else the one that functions outside of it read by default.
 * @throws LifecycleError Refused where no tick would see it, or where it is not clear whose is meant.
 */
export async function freezePlace(
  world: World,
  { asked, env, own }: { asked: string | undefined; env: string | undefined; own: string },
): Promise<FreezePlace> {
  const known = await installations(world, own);
  const fallback = world.config.lifecycleNamespace;
  const namespace = asked ?? env ?? chosen(known, fallback);
  const mine = known.filter(({ freezeIn }) => freezeIn === namespace);
  const others = known.filter(({ freezeIn }) => freezeIn !== namespace);
  if (mine.length > 0) return { namespace, obeyedBy: `Obeyed by ${mine.map(wordsOf).join(' and ')}.`, others };
  if (asked !== undefined && asked !== fallback) {
    const where = known.length > 0 ? known.map(readsIn).join('; ') : `functions outside the cluster read ${fallback}`;
    throw new LifecycleError(
      'Refused',
      `no tick reads a freeze in namespace ${asked}: ${where}; leave --namespace out, or set LIFECYCLE_NAMESPACE=${asked} if functions outside the cluster are given it`,
    );
  }
  const obeyedBy = `Obeyed by functions and by wukong reconcile where LIFECYCLE_NAMESPACE is ${namespace}${namespace === 'wukong-lifecycle' ? ', its default' : ''}; no installation in this cluster reads it.`;
  return { namespace, obeyedBy, others };
}

/** The default where somebody reads it; one other installation is the one that is meant. */
function chosen(known: Installation[], fallback: string): string {
  const places = [...new Set(known.map(({ freezeIn }) => freezeIn))];
  if (places.length === 0 || places.includes(fallback)) return fallback;
  if (places.length === 1) return places[0]!;
  const found = known.slice(0, 10).map(readsIn).join('; ');
  throw new LifecycleError(
    'Refused',
    `more than one place may be meant: ${found}; set LIFECYCLE_NAMESPACE to one of them`,
  );
}

const wordsOf = ({ namespace, watches }: Installation): string =>
  `the installation in ${namespace}, which looks ${watches ? `at ${watches}` : 'at all namespaces'}`;
export const readsIn = ({ namespace, freezeIn }: Installation): string =>
  `the installation in ${namespace} reads ${freezeIn}`;

/**
 * A world that looks for the freeze where `wukong freeze` writes it. What LIFECYCLE_NAMESPACE says is never looked up, so
 * that an installation asks for nothing that its Role does not allow.
 */
export async function seeingFreeze(world: World, env: Env | undefined, own: string): Promise<World> {
  if (env?.['LIFECYCLE_NAMESPACE'] !== undefined) return world;
  const { namespace } = await freezePlace(world, { asked: undefined, env: undefined, own });
  return { ...world, config: { ...world.config, lifecycleNamespace: namespace } };
}
type Env = Record<string, string | undefined>;

/** Those that may be seen: of all namespaces, else of the own one and the default. */
async function installations(world: World, own: string): Promise<Installation[]> {
  const limits = { deadline: world.clock.now() + 30_000 };
  try {
    const path = apiPath({ api: 'v1', kind: 'configmaps', query: { labelSelector: configuration.label } });
    return (await listAll<ConfigMap>(world.transport, path, limits)).flatMap(installationOf);
  } catch (thrown) {
    if (asLifecycleError(thrown).code !== 'Denied') throw thrown;
  }
  const found: Installation[] = [];
  for (const namespace of new Set([own, world.config.lifecycleNamespace])) {
    const path = apiPath({ api: 'v1', namespace, kind: 'configmaps', name: configuration.name });
    const answer = await world.transport.call<ConfigMap>({ method: 'GET', path, safe: true }, limits);
    if (answer.status !== 403 && answer.status !== 404) found.push(...installationOf(bodyOf(answer, path)));
  }
  return found;
}

function installationOf({ metadata, data }: ConfigMap): Installation[] {
  const { name, namespace = '' } = metadata ?? {};
  if (name !== configuration.name) return [];
  const freezeIn = textOf(data, 'LIFECYCLE_NAMESPACE') ?? 'wukong-lifecycle';
  return [{ namespace, freezeIn, watches: textOf(data, 'WATCH_NAMESPACES') }];
}
