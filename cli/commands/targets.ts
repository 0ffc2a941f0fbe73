import { listAll } from '../../shared/cluster/list.ts';
import { readWukong, wukongPath } from '../../shared/cluster/objects.ts';
import type { World } from '../../shared/cluster/world.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import { keyOf, type Place, vmNameOf, type Wukong } from '../../shared/domain/model.ts';
import { format, parseSelector } from '../../shared/domain/selector.ts';
import { didYouMean } from '../../shared/domain/suggest.ts';
import type { Limits } from '../../shared/time/wait.ts';
import { scopeOptions, type Session } from '../cluster.ts';
import { type Io, type Options, UsageError, type Values } from '../command.ts';

/** The options that say which Wukongs, beside their names. */
export const targetOptions: Options = {
  ...scopeOptions,
  'field-selector': {
    type: 'string',
    value: 'SELECTOR',
    about: 'by fields that the API server knows: metadata.name=web',
  },
  all: { type: 'boolean', about: 'all of the namespace; with -A of all namespaces' },
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE',
    about: 'the Wukongs and VMs of a manifest or directory; - is stdin',
  },
};

/** What somebody typed for one VM: the name of a Wukong, or with `vm/` that of its VM. */
export interface Typed {
  name: string;
  vm: boolean;
}

const wukongWord = /^(wukongs?(\.vm\.novasphere\.dev)?|wk)\//;
const nameShape = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const vmWord = /^((vm|vmi|virtualmachine|virtualmachineinstance)s?(\.kubevirt\.io)?)\//;

/** `web`, `wk/web`, or as `-o name` prints it: `wukong.vm.novasphere.dev/web`; `vm/web-vm`. @throws UsageError */
export function typedName(typed: string): Typed {
  const vm = vmWord.test(typed);
  const name = typed.replace(vm ? vmWord : wukongWord, '');
  if (!nameShape.test(name))
    throw new UsageError(`"${typed}": expected the name of a Wukong, such as web, or of its VM, such as vm/web-vm`);
  return { name, vm };
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

/** What can be said against names and selectors before a cluster is asked. @throws UsageError */
export function checkTargets(values: Values, names: string[], { none = false } = {}): void {
  const selector = selectorOf(values);
  const everywhere = values['all-namespaces'] === true;
  const many = selector !== undefined || values['field-selector'] !== undefined || values.all === true;
  const single = names.length > 0 || values.filename !== undefined;
  if (everywhere && values.namespace !== undefined)
    throw new UsageError('expected either --namespace or --all-namespaces, not both');
  if (names.length > 0 && selector !== undefined) throw new UsageError('expected either names or --selector, not both');
  if (single && many) throw new UsageError('expected either names and files, or selectors and --all');
  if (single && everywhere)
    throw new UsageError('--all-namespaces: expected --selector with it, as a name is in one namespace');
  if (values.all === true && (selector ?? values['field-selector']) !== undefined)
    throw new UsageError('expected either --all or a selector, not both');
  if (!none && !single && !many)
    throw new UsageError('expected the name of a Wukong, or --selector SELECTOR, --all or --filename FILE');
  names.forEach(typedName);
}

export interface Targets {
  wukongs: Wukong[];
  /** Why names that were typed are none: the others are done all the same. */
  problems: string[];
}

/**
 * The Wukongs that names, files or selectors mean; without any of these, all of the namespace.
 * @throws LifecycleError when the cluster cannot be asked, and NotFound for a name that is the only one.
 */
export async function findTargets(
  session: Session,
  values: Values,
  names: string[],
  limits: Partial<Limits> = {},
): Promise<Targets> {
  const { world, namespace } = session;
  const files = values.filename as string[] | undefined;
  if (names.length === 0 && files === undefined) {
    const queries = {
      labelSelector: selectorOf(values),
      fieldSelector: values['field-selector'] as string | undefined,
    };
    const where = values['all-namespaces'] === true ? undefined : namespace;
    return {
      wukongs: await listAll<Wukong>(world.transport, wukongPath(where) + queryOf(queries), limits),
      problems: [],
    };
  }
  const typed = names.map((each) => ({ ...typedName(each), namespace }));
  const { places, problems } = await placesIn(files ?? [], values, namespace);
  const found = new Map<string, Wukong>();
  let missing: LifecycleError | undefined;
  for (const one of [...typed, ...places])
    try {
      const wukong = await resolve(world, one, limits);
      found.set(keyOf(wukong.metadata), wukong);
    } catch (thrown) {
      if (!(thrown instanceof LifecycleError) || thrown.code !== 'NotFound') throw thrown;
      missing = thrown;
      problems.push(thrown.message);
    }
  if (missing && found.size === 0 && problems.length === 1) throw missing;
  return { wukongs: [...found.values()], problems };
}

/** Says on standard error what is wrong with some of the names. */
export function tellTargets({ problems }: Pick<Targets, 'problems'>, io: Io): void {
  for (const problem of problems) io.err(`error: ${problem}\n`);
}

export function queryOf(queries: Record<string, string | undefined>): string {
  const parts = Object.entries(queries).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

/**
 * The Wukongs that manifests name, by themselves or by their VMs.
 * @throws UsageError for a file that cannot be read, that has none of them, or is for another namespace.
 */
async function placesIn(files: string[], values: Values, namespace: string) {
  const { readManifests } = await import('./manifest.ts');
  const { wukongs, vms = [], problems, warnings } = await readManifests(files, 'filename');
  if (files.length > 0 && wukongs.length + vms.length + problems.length === 0) {
    const instead = warnings.length > 0 ? ` (${warnings.slice(0, 3).join('; ')})` : '';
    throw new UsageError(
      `--filename ${files.join(', ')}: expected a Wukong or its VirtualMachine, found none${instead}`,
    );
  }
  const places: (Typed & Place)[] = [];
  for (const { kind, metadata } of [...wukongs, ...vms]) {
    const { name, namespace: own = namespace } = (metadata ?? {}) as Partial<Record<'name' | 'namespace', unknown>>;
    if (!isName(name) || !isName(own))
      problems.push(
        `--filename: a ${kind}: expected metadata.name and namespace to be names, found ${saying(metadata)}`,
      );
    else if (values.namespace !== undefined && own !== values.namespace)
      throw new UsageError(
        `--filename: ${kind} ${name} is in namespace ${own}, and -n says ${String(values.namespace)}`,
      );
    else places.push({ name, vm: kind !== 'Wukong', namespace: own });
  }
  return { places, problems };
}

const isName = (value: unknown): value is string => typeof value === 'string' && nameShape.test(value);

/** What stands where a name should. */
function saying(metadata: unknown): string {
  const { name, namespace } = (metadata ?? {}) as Record<string, unknown>;
  return JSON.stringify({ name, namespace }).slice(0, 100);
}

function resolve(world: World, { namespace, name, vm }: Typed & Place, limits: Partial<Limits>): Promise<Wukong> {
  return vm ? byVm(world, { namespace, name }, limits) : named(world, { namespace, name }, limits);
}

async function byVm(world: World, { namespace, name }: Place, limits: Partial<Limits>): Promise<Wukong> {
  const wukongs = await listAll<Wukong>(world.transport, wukongPath(namespace), limits);
  const found = wukongs.find((wukong) => vmNameOf(wukong) === name);
  if (found) return found;
  const hint = didYouMean(name, wukongs.map(vmNameOf));
  throw new LifecycleError('NotFound', `no Wukong in namespace ${namespace} has a VM ${name}${hint}`);
}

/** @throws LifecycleError NotFound with the nearest name of the namespace, or that of the Wukong whose VM it is. */
export async function named(world: World, place: Place, limits: Partial<Limits> = {}): Promise<Wukong> {
  try {
    return await readWukong(world, place, limits);
  } catch (thrown) {
    if (!(thrown instanceof LifecycleError) || thrown.code !== 'NotFound') throw thrown;
    const { namespace, name } = place;
    const others = await listAll<Wukong>(world.transport, wukongPath(namespace), limits).catch(() => []);
    const owner = others.find((wukong) => vmNameOf(wukong) === name)?.metadata.name;
    const words = others.map(({ metadata }) => metadata.name);
    const hint =
      owner === undefined
        ? didYouMean(name, words)
        : `; that is the VM of Wukong ${owner}: write ${owner} or vm/${name}`;
    throw new LifecycleError('NotFound', `there is no Wukong ${name} in namespace ${namespace}${hint}`, {
      cause: thrown,
    });
  }
}
