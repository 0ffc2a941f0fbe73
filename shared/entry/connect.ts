import type { Dispatcher } from 'undici';

import { chooseCluster, type Clusters, type ClusterSource } from '../cluster/clusters.ts';
import { type Config, readConfig, webhookIn } from '../cluster/config.ts';
import { type Credentials, credentialsFor, findLogin } from '../cluster/credentials.ts';
import { credentialsFrom, type ReadSecret, secretsManager } from '../cluster/sources.ts';
import { type Transport, transportTo } from '../cluster/transport.ts';
import type { Bus, Log, Metrics, World } from '../cluster/world.ts';
import { LifecycleError } from '../domain/errors.ts';
import { eventBridge, eventBus } from '../report/bus.ts';
import { webhookTo } from '../report/webhook.ts';
import { type Clock, systemClock } from '../time/clock.ts';

export interface Connecting {
  env: Record<string, string | undefined>;
  log: Log;
  metrics: Metrics;
  clock?: Clock;
  random?: () => number;
  dispatcher?: Dispatcher;
  credentials?: Credentials;
  readSecret?: ReadSecret;
  /** By its name in CLUSTERS; absent: the only one, or the one named `default`. */
  cluster?: string;
}

/** Everything outside the program from the environment. @throws LifecycleError naming what is wrong with it. */
export async function connect({ env, log, metrics, dispatcher, cluster, ...given }: Connecting): Promise<World> {
  const config = readConfig(env);
  const clock = given.clock ?? systemClock;
  const random = given.random ?? Math.random;
  const chosen = config.clusters && !given.credentials ? choose(config.clusters, cluster) : undefined;
  if (!config.clusters && cluster !== undefined) throw refusal('expected none, as there is but one');
  const credentials = async (): Promise<Credentials> => {
    if (given.credentials) return given.credentials;
    if (chosen?.source) return credentialsFrom(chosen.source, { clock, env });
    return credentialsFor(findLogin(env), { dispatcher, clock, env });
  };
  const bus = config.eventBusName && eventBus(config.eventBusName, eventBridge(), clock);
  return {
    config,
    clock,
    random,
    log,
    metrics,
    transport: chosen?.unknown ? unreachable(chosen.unknown) : transportTo(await credentials(), clock, random),
    ...(bus ? { bus: named(bus, chosen?.name) } : {}),
    ...(config.webhook
      ? { webhook: webhookTo({ ...told(config.webhook, given), clock, log, metrics, cluster: chosen?.name }) }
      : {}),
  };
}

/** An address that is a secret is read when there is something to send: most invocations have nothing. */
function told(
  { at, format }: NonNullable<Config['webhook']>,
  { readSecret = secretsManager() }: Pick<Connecting, 'readSecret'>,
) {
  const url = async () => ('url' in at ? at.url : webhookIn(await readSecret(at.secret, undefined, false)));
  return { url, format };
}

const refusal = (problem: string) => new LifecycleError('InvalidAction', `cluster: ${problem}`);

interface Chosen {
  name?: string;
  source?: ClusterSource;
  unknown?: LifecycleError;
}

/** A command that names a wrong cluster is told so at once; one that names none where it must, by its first call. */
function choose(clusters: Clusters, cluster: string | undefined): Chosen {
  try {
    const [name, source] = chooseCluster(clusters, cluster);
    return { name, source };
  } catch (wrong) {
    const unknown = refusal((wrong as Error).message);
    if (cluster !== undefined) throw unknown;
    return { unknown };
  }
}

const unreachable = (why: LifecycleError): Transport => ({
  call: () => Promise.reject(why),
  stream: () => Promise.reject(why),
});

/** What is said on the bus of a cluster with a name has that name in it: outcomes, and commands for others of us. */
const named = (bus: Bus, cluster: string | undefined): Bus =>
  cluster === undefined
    ? bus
    : { put: (entries) => bus.put(entries.map((one) => ({ ...one, detail: { ...(one.detail as object), cluster } }))) };
