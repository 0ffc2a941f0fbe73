import { annotationsOf, listEach, type Reading, readNamespaces, type Unanswered } from '../cluster/namespaces.ts';
import { slim, wukongPath } from '../cluster/objects.ts';
import { Patience } from '../cluster/patience.ts';
import { type Machines, scopeOf, watchMachines } from '../cluster/vmInformer.ts';
import { asLifecycleError, LifecycleError } from '../domain/errors.ts';
import type { Annotations, KubeObject, Wukong } from '../domain/model.ts';
import { operationOf } from '../domain/operation.ts';
import type { WukongSchedule } from '../schedule/schedule.ts';
import type { Surroundings } from '../schedule/selecting.ts';
import type { Ticking } from './problems.ts';
import { readSurroundings } from './scheduleInputs.ts';

/** All that one tick has read. */
export interface Seen {
  wukongs: Wukong[];
  machines: Machines;
  around: Surroundings;
  /** The annotations of the namespaces where an action is declared or goes on, or why nobody knows them. */
  declaring: Map<string, Annotations> | LifecycleError;
  /** Namespaces of which something is not known: there nothing new is begun in this tick. */
  unanswered: Unanswered;
  /** Why what schedules depend on could not be read: none of them has a say in this tick. */
  blind?: LifecycleError;
}

/** Where there are no Wukongs. */
const none: Machines = { get: () => ({}), changed: () => Promise.resolve(false), close() {} };

/** Whether an action is declared, or one goes on. */
export const isAsking = (wukong: Wukong): boolean =>
  (wukong.spec?.lifecycleAction ?? operationOf(wukong) ?? undefined) !== undefined;

/** Lists each kind once. @throws LifecycleError when Wukongs or VMs can be read nowhere. */
export async function look(to: Ticking): Promise<Seen> {
  const { world, limits } = to;
  const chosen = world.config.watchNamespaces;
  const unanswered: Unanswered = new Map();
  const wukongs = await listEach<Wukong>({ world, spaces: chosen, path: wukongPath, limits, unanswered, keep: slim });
  const scope = scopeOf(wukongs, chosen?.filter((namespace) => !unanswered.has(namespace)) ?? 'all');
  const machines = wukongs.length === 0 ? none : watchMachines(world, scope, limits);
  return lookAround({ wukongs, machines, unanswered }, to);
}

/** What a tick has to look around from. */
export interface Standpoint {
  wukongs: Wukong[];
  machines: Machines | Promise<Machines>;
  /** Those of the whole cluster among them. */
  schedules?: WukongSchedule[];
  namespaces?: KubeObject[] | undefined;
  around?: Surroundings | undefined;
  /** Namespaces whose Wukongs are not among them, as they could not be read. */
  unanswered?: Unanswered;
}

/** What Wukongs and VMs depend on, as far as it is not known already. */
export async function lookAround(
  { wukongs, machines: given, unanswered = new Map(), ...known }: Standpoint,
  { world, limits, problems }: Ticking,
): Promise<Seen> {
  const lines: string[] = [];
  const patience = new Patience(world.clock, limits);
  const to: Reading = { world, limits, problems: lines, unanswered, patience };
  const spaces = new Set(wukongs.filter(isAsking).map(({ metadata }) => metadata.namespace ?? ''));
  const failure = (thrown: unknown) => {
    limits.signal?.throwIfAborted();
    return asLifecycleError(thrown);
  };
  const [machines, around, declaring] = await Promise.allSettled([
    opened(given, patience),
    known.around ?? readSurroundings(to, { ...known, cluster: !world.config.watchNamespaces }).catch(failure),
    known.namespaces ? annotationsOf(known.namespaces) : readNamespaces(spaces, to).catch(failure),
  ]);
  if (machines.status === 'rejected') throw machines.reason;
  if (around.status === 'rejected') throw around.reason;
  if (declaring.status === 'rejected') throw declaring.reason;
  addUnseen(unanswered, wukongs, machines.value);
  for (const message of new Set(lines)) problems.push({ message, reason: 'Denied', minor: true });
  for (const [namespace, { message, code }] of unanswered)
    problems.push({ message: `namespace ${namespace} is left to the next tick: ${message}`, reason: code, namespace });
  const blind = around.value instanceof LifecycleError ? around.value : undefined;
  const unknown: Surroundings = { schedules: [], findText: () => undefined, namespaces: new Map() };
  return {
    wukongs,
    machines: machines.value,
    around: around.value instanceof LifecycleError ? unknown : around.value,
    declaring: declaring.value,
    unanswered,
    ...(blind ? { blind } : {}),
  };
}

/** VMs that are seen show that the cluster answers. */
async function opened(machines: Machines | Promise<Machines>, patience: Patience): Promise<Machines> {
  const open = await machines;
  patience.answered();
  return open;
}

/** Namespaces whose VMs cannot be watched. */
function addUnseen(unanswered: Unanswered, wukongs: Wukong[], machines: Machines): void {
  for (const namespace of new Set(wukongs.map(({ metadata }) => metadata.namespace ?? '')))
    try {
      machines.get(namespace, '');
    } catch (thrown) {
      unanswered.set(namespace, asLifecycleError(thrown));
    }
}
