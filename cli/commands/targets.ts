import { listAll } from '../../shared/cluster/list.ts';
import { readWukong, wukongPath } from '../../shared/cluster/objects.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Wukong } from '../../shared/domain/model.ts';
import { format, parseSelector } from '../../shared/domain/selector.ts';
import { didYouMean } from '../../shared/domain/suggest.ts';
import type { Limits } from '../../shared/time/wait.ts';
import type { Session } from '../cluster.ts';
import { UsageError, type Values } from '../command.ts';

/** `web`, or as `-o name` prints it: `wukong.vm.novasphere.dev/web`. @throws UsageError */
export function nameOf(typed: string): string {
  const name = typed.replace(/^wukongs?(\.vm\.novasphere\.dev)?\//, '');
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw new UsageError(`"${typed}": expected the name of a Wukong, such as web`);
  return name;
}

/** The selector as the API server takes it; undefined when none was given. @throws UsageError */
export function selectorOf(values: Values): string | undefined {
  if (values.selector === undefined) return undefined;
  try {
    return format(parseSelector(values.selector as string));
  } catch (wrong) {
    throw new UsageError(`--selector: ${(wrong as Error).message}`, { cause: wrong });
  }
}

/** What can be said against names and selector before a cluster is asked. @throws UsageError */
export function checkTargets(values: Values, names: string[]): void {
  const selector = selectorOf(values);
  if (names.length === 0 && selector === undefined)
    throw new UsageError('expected the name of a Wukong, or --selector SELECTOR');
  if (names.length > 0 && selector !== undefined) throw new UsageError('expected either names or --selector, not both');
  if (names.length > 0 && values['all-namespaces'] === true)
    throw new UsageError('--all-namespaces: expected --selector with it, as a name is in one namespace');
  if (values['all-namespaces'] === true && values.namespace !== undefined)
    throw new UsageError('expected either --namespace or --all-namespaces, not both');
  names.forEach(nameOf);
}

/**
 * The Wukongs that names or a selector mean.
 * @throws LifecycleError NotFound for a name that is not there, with the nearest that is.
 */
export async function findTargets(
  { world, namespace }: Session,
  values: Values,
  names: string[],
  limits: Partial<Limits> = {},
): Promise<Wukong[]> {
  checkTargets(values, names);
  const selector = selectorOf(values);
  if (selector === undefined)
    return Promise.all([...new Set(names.map(nameOf))].map((name) => named(world, { namespace, name }, limits)));
  const where = values['all-namespaces'] === true ? undefined : namespace;
  return listAll<Wukong>(world.transport, `${wukongPath(where)}?labelSelector=${encodeURIComponent(selector)}`, limits);
}

/** @throws LifecycleError NotFound with the nearest name of the namespace. */
export async function named(
  world: World,
  place: { namespace: string; name: string },
  limits: Partial<Limits> = {},
): Promise<Wukong> {
  try {
    return await readWukong(world, place, limits);
  } catch (thrown) {
    if (!(thrown instanceof LifecycleError) || thrown.code !== 'NotFound') throw thrown;
    const { namespace, name } = place;
    const others = await listAll<Wukong>(world.transport, wukongPath(namespace), limits).catch(() => []);
    const words = others.map(({ metadata }) => metadata.name);
    const message = `there is no Wukong ${name} in namespace ${namespace}${didYouMean(name, words)}`;
    throw new LifecycleError('NotFound', message, { cause: thrown });
  }
}
