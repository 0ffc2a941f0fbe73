import type { Dispatcher } from 'undici';

import { type Clock, systemClock } from './clock.ts';
import { readConfig } from './config.ts';
import { type Credentials, credentialsOf, findKubeConfig } from './kube/credentials.ts';
import { transportTo } from './kube/transport.ts';
import { eventBridge, eventBus } from './report/bus.ts';
import type { Log, Metrics, World } from './world.ts';

export interface Connecting {
  env: Record<string, string | undefined>;
  log: Log;
  metrics: Metrics;
  clock?: Clock;
  random?: () => number;
  dispatcher?: Dispatcher;
  credentials?: Credentials;
}

/** Everything outside the program from the environment. @throws LifecycleError naming what is wrong with it. */
export async function connect({ env, log, metrics, dispatcher, ...given }: Connecting): Promise<World> {
  const config = readConfig(env);
  const clock = given.clock ?? systemClock;
  const random = given.random ?? Math.random;
  const credentials = given.credentials ?? (await credentialsOf(findKubeConfig(env), dispatcher));
  return {
    config,
    clock,
    random,
    log,
    metrics,
    transport: transportTo(credentials, clock, random),
    ...(config.eventBusName ? { bus: eventBus(config.eventBusName, eventBridge(), clock) } : {}),
  };
}
