import { existsSync } from 'node:fs';

import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

import { LifecycleError } from '../domain/errors.ts';

/** Where a cluster is and how to get in: the API server's address, headers that prove who we are, pooled connections. */
export interface Credentials {
  server: string;
  /** @throws LifecycleError Denied when the credentials cannot be had (an exec plugin fails, a token file is gone). */
  headers(): Promise<Record<string, string>>;
  /** To be read after `headers`, like `server`: credentials that are read again may come with another address. */
  dispatcher: Dispatcher;
  /** Tells that they were not accepted (401); the next `headers` has them anew. Absent where that would change nothing. */
  refused?(): void;
}

/** client-node as it ships opens a connection a call; this one leaves connections to the shared agent below. */
class PooledKubeConfig extends KubeConfig {
  override createDispatcherOptions(): { type: 'none' } {
    return { type: 'none' };
  }
}

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubeconfig named by the environment, else the pod's own service account. */
export function findKubeConfig(env: Record<string, string | undefined>): KubeConfig {
  const config = new PooledKubeConfig();
  const file = env['KUBECONFIG'];
  try {
    if (file) config.loadFromFile(file);
    else if (existsSync(`${account}/token`)) config.loadFromCluster();
    else throw new Error('no KUBECONFIG is set, and this is not a pod with a service account');
  } catch (cause) {
    throw unreadable(cause, (cause as Error).message);
  }
  return config;
}

/** js-yaml's message quotes the text, which holds secrets: only its reason is passed on. */
const unreadable = (cause: unknown, otherwise: string): LifecycleError =>
  new LifecycleError('Unreachable', `kubeconfig: ${(cause as { reason?: string }).reason ?? otherwise}`);

export function parseKubeConfig(text: string): KubeConfig {
  const config = new PooledKubeConfig();
  try {
    config.loadFromString(text);
  } catch (cause) {
    throw unreadable(cause, 'not a kubeconfig');
  }
  return config;
}

/**
 * Credentials of the kubeconfig's current context. TLS is always verified: `insecure-skip-tls-verify` and plain http are
 * refused. `dispatcher` replaces the agent, for a caller that brings its own connections.
 * @throws LifecycleError Unreachable naming what the kubeconfig lacks.
 */
export async function credentialsOf(config: KubeConfig, dispatcher?: Dispatcher): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    const context = config.getCurrentContext();
    const lacks = context ? `context "${context}" names no known cluster` : 'it has no current-context';
    throw new LifecycleError('Unreachable', `kubeconfig: ${lacks}`);
  }
  if (!cluster.server?.startsWith('https://'))
    throw new LifecycleError('Unreachable', `kubeconfig: server must be an https:// address, not "${cluster.server}"`);
  if (cluster.skipTLSVerify)
    throw new LifecycleError('Unreachable', 'kubeconfig: insecure-skip-tls-verify is refused; give the CA instead');
  return {
    server: cluster.server.replace(/\/$/, ''),
    headers: () => headersOf(config, cluster.server),
    dispatcher: dispatcher ?? (await agentFor(config)),
  };
}

async function headersOf(config: KubeConfig, server: string): Promise<Record<string, string>> {
  const context = new RequestContext(server, HttpMethod.GET);
  try {
    await config.applySecurityAuthentication(context);
  } catch (cause) {
    throw unproved(cause);
  }
  return context.getHeaders();
}

/** Without its cause, which would be logged: JSON.parse quotes what it could not read, and that may be the token. */
function unproved(cause: unknown): LifecycleError {
  const quotes = cause instanceof SyntaxError;
  const why = quotes ? 'what the exec program printed is no ExecCredential' : (cause as Error).message.split('\n')[0];
  return new LifecycleError('Denied', `credentials: ${why}`);
}

/** HTTP/1.1 with kept connections: measured faster than HTTP/2 on one, and a watch holds just its own. */
async function agentFor(config: KubeConfig): Promise<Dispatcher> {
  const tls: { ca?: string; cert?: string; key?: string; servername?: string; passphrase?: string } = {};
  try {
    await config.applyToHTTPSOptions(tls);
  } catch (cause) {
    throw unproved(cause);
  }
  const { ca, cert, key, servername } = tls;
  const verified = { ca, cert, key, servername, rejectUnauthorized: true };
  // Time limits are the caller's own, on its clock.
  const pool = { connections: 64, allowH2: false, keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0 };
  const proxy = config.getCurrentCluster()?.proxyUrl;
  return proxy
    ? new ProxyAgent({ ...pool, uri: proxy, requestTls: verified })
    : new Agent({ ...pool, connect: { ...verified, timeout: 10_000 } });
}
