import { hostname } from 'node:os';

import { apiPath } from '../../shared/cluster/path.ts';
import type { World } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { processAnnotation, runLabel } from './ownNamespaces.ts';

/** What another run of the demo has on the cluster, and how to remove it where that is not under way. */
export interface LeftOver {
  says: string;
  command?: string;
}

/** Namespaces of other runs, one for each run: a killed one could not take its own away. */
export async function leftOver(world: World, context: string): Promise<LeftOver[]> {
  const path = apiPath({ api: 'v1', kind: 'namespaces', query: { labelSelector: runLabel } });
  const answer = await world.transport.call<{ items?: KubeObject[] }>({ method: 'GET', path, safe: true });
  if (answer.status !== 200) return []; // who may make namespaces need not be allowed to list them
  const runs = new Map<string, KubeObject[]>();
  for (const one of answer.body.items ?? []) {
    const run = one.metadata.labels?.[runLabel] ?? '';
    // Somebody else's namespace that bears our label is nothing that we would tell anybody to remove.
    const [, own] = /^wukong-demo-([0-9a-f]{6})-[ab]$/.exec(one.metadata.name) ?? [];
    if (own === undefined || !run.startsWith(own) || one.metadata.deletionTimestamp) continue;
    runs.set(run, [...(runs.get(run) ?? []), one]);
  }
  return [...runs.values()].map((found) => tellOf(found, context));
}

function tellOf(found: KubeObject[], context: string): LeftOver {
  const { annotations, creationTimestamp } = found[0]?.metadata ?? {};
  const [, host, pid] = /^([\w.-]{1,253}) (\d{1,10})$/.exec(annotations?.[processAnnotation] ?? '') ?? [];
  const names = found.map(({ metadata }) => metadata.name).sort();
  const those = names.join(' and ');
  const began = creationTimestamp ?? 'an unknown time';
  const command = removalOf(names, context);
  if (host !== hostname()) {
    const where = host ?? 'an unknown machine';
    return { says: `${those}: of a demo that began at ${began} on ${where}. If it has ended, remove them:`, command };
  }
  if (isAlive(Number(pid))) return { says: `${those}: of a demo that process ${pid} runs now; they are left alone.` };
  const says = `${those}: left by a demo that began at ${began} and could not take them away. They are left alone; remove them:`;
  return { says, command };
}

/** The command for people that takes namespaces away. */
export function removalOf(names: string[], context: string): string {
  const quoted = /^[\w.@:/-]+$/.test(context) ? context : `'${context.replaceAll("'", `'\\''`)}'`;
  return `kubectl${context ? ` --context ${quoted}` : ''} delete namespace ${names.join(' ')}`;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
