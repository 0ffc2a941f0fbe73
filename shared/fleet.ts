import type { Command } from './command.ts';
import { LifecycleError } from './errors.ts';
import { listPages } from './kube/list.ts';
import { wukongPath } from './kube/objects.ts';
import { watchMachines } from './machines.ts';
import { vmNameOf, type Wukong } from './model.ts';
import type { Outcome, OutcomeName } from './outcome.ts';
import { type Performing, performOne } from './perform.ts';
import { format } from './selector.ts';
import type { World } from './world.ts';

/** What a command came to, for one Wukong or many. */
export interface Report {
  action: Command['action'];
  requestId: string;
  counts: Partial<Record<OutcomeName, number>>;
  outcomes: Outcome[];
}

export const reportOf = (command: Pick<Command, 'action' | 'requestId'>, outcomes: Outcome[]): Report => {
  const counts: Report['counts'] = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { action: command.action, requestId: command.requestId, counts, outcomes };
};

/** Carries out a command on its one Wukong, or on each that its selector finds. @throws LifecycleError for the fleet. */
export async function performCommand(command: Command, world: World, options: Performing): Promise<Report> {
  const { target } = command;
  if ('name' in target) return reportOf(command, [await performOne(command, target, world, options)]);
  const found = await findTargets(command, world, options);
  return reportOf(command, await performMany(command, found, world, options));
}

/** The Wukongs that a fleet command means, by paged LISTs. @throws LifecycleError InvalidAction above maxTargets. */
async function findTargets(
  { target, maxTargets }: Command,
  { transport }: World,
  { limits }: Performing,
): Promise<Wukong[]> {
  if ('name' in target) return [];
  const selector = `labelSelector=${encodeURIComponent(format(target.selector))}`;
  const found = new Map<string, Wukong>();
  for (const namespace of target.namespaces ?? [undefined])
    for await (const { items } of listPages<Wukong>(transport, `${wukongPath(namespace)}?${selector}`, limits))
      for (const wukong of items) found.set(`${wukong.metadata.namespace}/${wukong.metadata.name}`, wukong);
  if (found.size > maxTargets)
    throw new LifecycleError(
      'InvalidAction',
      `target.selector: matches ${found.size} Wukongs, more than maxTargets ${maxTargets}`,
    );
  return [...found.values()];
}

/** Each on its own, at most maxInFlight at a time, all on one watch per kind; one that fails harms no other. */
export async function performMany(
  command: Command,
  wukongs: Wukong[],
  world: World,
  options: Performing,
): Promise<Outcome[]> {
  if (wukongs.length === 0) return [];
  const wanted = new Set(wukongs.map((wukong) => `${wukong.metadata.namespace}/${vmNameOf(wukong)}`));
  const spaces = 'namespaces' in command.target ? command.target.namespaces : undefined;
  const scope = {
    namespaces: spaces ?? ('all' as const),
    wanted: (ns: string, name: string) => wanted.has(`${ns}/${name}`),
  };
  const machines = options.machines ?? (await watchMachines(world, scope, options.limits));
  const outcomes: Outcome[] = [];
  const queue = wukongs.values();
  const worker = async () => {
    for (const wukong of queue) {
      const { namespace = '', name } = wukong.metadata;
      outcomes.push(await performOne(command, { namespace, name }, world, { ...options, wukong, machines }));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(command.maxInFlight, wukongs.length) }, worker));
  } finally {
    if (!options.machines) machines.close();
  }
  return outcomes;
}
