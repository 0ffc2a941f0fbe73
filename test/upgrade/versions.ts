import { pathToFileURL } from 'node:url';

import { readConfig } from '../../shared/cluster/config.ts';
import { credentialsOf, parseKubeConfig } from '../../shared/cluster/credentials.ts';
import { transportTo } from '../../shared/cluster/transport.ts';
import type { World } from '../../shared/cluster/world.ts';
import { parseCommand } from '../../shared/domain/command.ts';
import { performOne } from '../../shared/lifecycle/perform.ts';
import { reconcile } from '../../shared/reconcile/reconcile.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import { dice } from '../dice.ts';
import { place, type Version } from './stories.ts';

/** What both versions have under other names of files. */
interface Parts {
  readConfig: typeof readConfig;
  credentialsOf: typeof credentialsOf;
  parseKubeConfig: typeof parseKubeConfig;
  transportTo: typeof transportTo;
  parseCommand: typeof parseCommand;
  performOne: typeof performOne;
  reconcile: typeof reconcile;
}

const versionOf = (parts: Parts): Version => ({
  async world(sim, clock): Promise<World> {
    const random = dice();
    const credentials = await parts.credentialsOf(parts.parseKubeConfig(sim.kubeconfig()), sim.dispatcher());
    const transport = parts.transportTo(credentials, clock, random);
    return { config: parts.readConfig({}), clock, random, log: silentLog, metrics: silentMetrics, transport };
  },
  command(world, action, more, deadline) {
    const { clock } = world as World;
    const origin = { action, trigger: 'direct', requestId: 'some', requestedAt: clock.now() };
    const command = parts.parseCommand({ target: place, ...more }, origin);
    return parts.performOne(command, place, world as World, { limits: { deadline } });
  },
  tick: (world, deadline) => parts.reconcile(world as World, { deadline }),
});

export const present: Version = versionOf({
  ...{ readConfig, credentialsOf, parseKubeConfig, transportTo, parseCommand, performOne, reconcile },
});

/** Version 0.1.0, out of a folder that has its files. */
export async function first(folder: string): Promise<Version> {
  const part = async (name: string) => (await import(pathToFileURL(`${folder}/shared/${name}.ts`).href)) as Parts;
  const names = ['config', 'kube/credentials', 'kube/transport', 'command', 'perform', 'reconcile'];
  const all = await Promise.all(names.map(part));
  return versionOf(Object.assign({}, ...all) as Parts);
}
