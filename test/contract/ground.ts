import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent } from 'undici';

import type { World } from '../../shared/cluster/world.ts';
import { type Clock, systemClock } from '../../shared/time/clock.ts';
import { type Access, clientOf, type Send } from './client.ts';
import type * as functionsModule from './functions.ts';
import type { Actor } from './stage.ts';

export type Functions = typeof functionsModule;

/** What the suite needs of a cluster: a way to look at it, the time, and how the functions get in. */
export interface Ground {
  /** For people: its context and server. */
  called?: string;
  send: Send;
  clock: Clock;
  functions: Functions;
  /** A world for a function: with an environment, and as another user where a token is given. */
  open(name: Actor, env: Record<string, string>, token?: string): Promise<World>;
  /** What processes of their own are given; absent where time is virtual, which they would not know. */
  processes?: { kubeconfig: string; functions: string };
  /** Guests that do as annotations say. */
  obedient: boolean;
  /** CRDs may be changed, and put back. */
  mayChangeCrds: boolean;
}

/**
 * As the kubeconfig says, by its own context; the functions find it by KUBECONFIG, as they always do. `module`: where the
 * packaged functions are.
 */
export async function groundOf(
  file: string,
  module: string,
  modes: Pick<Ground, 'obedient' | 'mayChangeCrds'>,
): Promise<Ground> {
  const functions = (await import(module)) as Functions;
  const { connect, credentialsOf, parseKubeConfig, silentLog: log, silentMetrics: metrics } = functions;
  const config = new KubeConfig();
  config.loadFromFile(file);
  const server = config.getCurrentCluster()?.server.replace(/\/$/, '');
  if (!server) throw new Error(`${file}: its current context names no cluster`);
  const tls: { ca?: string; cert?: string; key?: string } = {};
  await config.applyToHTTPSOptions(tls);
  const { ca, cert, key } = tls;
  const access: Access = {
    server,
    dispatcher: new Agent({ connect: { ca, cert, key }, allowH2: false, connections: 32 }),
    async headers() {
      const context = new RequestContext(server, HttpMethod.GET);
      await config.applySecurityAuthentication(context);
      return context.getHeaders();
    },
  };
  return {
    ...modes,
    called: `context ${config.getCurrentContext()}, server ${server}`,
    send: clientOf(access),
    clock: systemClock,
    functions,
    processes: { kubeconfig: file, functions: module },
    open: kept(async (_name, env, token) =>
      connect({
        env: { ...env, KUBECONFIG: file },
        log,
        metrics,
        ...(token === undefined
          ? {}
          : { credentials: await credentialsOf(parseKubeConfig(withToken(server, ca, token))) }),
      }),
    ),
  };
}

/** A token is used alone: a client certificate beside it would win. */
function withToken(server: string, ca: string | undefined, token: string): string {
  const trusted = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    clusters: [{ name: 'here', cluster: { server, ...trusted } }],
    users: [{ name: 'account', user: { token } }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'account' } }],
    'current-context': 'here',
  });
}

export const bearer = (token: string) => () => Promise.resolve({ authorization: `Bearer ${token}` });

/** One world, and one pool of connections, for each function, environment and token. */
export function kept(open: Ground['open']): Ground['open'] {
  const worlds = new Map<string, Promise<World>>();
  return (name, env, token) => {
    const key = JSON.stringify([name, env, token]);
    const world = worlds.get(key) ?? open(name, env, token);
    worlds.set(key, world);
    return world;
  };
}
