import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent } from 'undici';

import { type Clock, systemClock } from '../../shared/clock.ts';
import { connect } from '../../shared/connect.ts';
import { silentLog } from '../../shared/report/log.ts';
import { silentMetrics } from '../../shared/report/metrics.ts';
import type { World } from '../../shared/world.ts';
import { type Access, clientOf, type Send } from './client.ts';

/** What the suite needs of a cluster: a way to look at it, the time, and how the functions get in. */
export interface Ground {
  send: Send;
  clock: Clock;
  /** A world for the functions: with an environment, and as another user where a token is given. */
  open(env: Record<string, string>, token?: string): Promise<World>;
  /** A kubeconfig file for processes of their own; absent where time is virtual, which they would not know. */
  kubeconfig?: string;
  /** Guests that do as annotations say. */
  obedient: boolean;
  /** CRDs may be changed, and put back. */
  mayChangeCrds: boolean;
}

/** As the kubeconfig says, by its own context; the functions find it by KUBECONFIG, as they always do. */
export async function groundOf(file: string, modes: Pick<Ground, 'obedient' | 'mayChangeCrds'>): Promise<Ground> {
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
  // A token is used alone: a client certificate beside it would win.
  const dispatcher = new Agent({ connect: { ca }, allowH2: false, connections: 32 });
  return {
    ...modes,
    send: clientOf(access),
    clock: systemClock,
    kubeconfig: file,
    open: kept((env, token) =>
      connect({
        env: { ...env, KUBECONFIG: file },
        log: silentLog,
        metrics: silentMetrics,
        ...(token === undefined ? {} : { credentials: { server, dispatcher, headers: bearer(token) } }),
      }),
    ),
  };
}

export const bearer = (token: string) => () => Promise.resolve({ authorization: `Bearer ${token}` });

/** One world, and one pool of connections, for each environment and token. */
export function kept(open: Ground['open']): Ground['open'] {
  const worlds = new Map<string, Promise<World>>();
  return (env, token) => {
    const key = JSON.stringify([env, token]);
    const world = worlds.get(key) ?? open(env, token);
    worlds.set(key, world);
    return world;
  };
}
