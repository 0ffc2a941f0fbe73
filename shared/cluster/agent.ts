import { connect, type ConnectionOptions } from 'node:tls';

import { LifecycleError } from '../domain/errors.ts';
import { mostCalls } from './connections.ts';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from './undici.ts';

export type Tls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'checkServerIdentity'>;

/** The connections for calls, and those for watches. */
export interface Agents {
  calls: Dispatcher;
  streams: Dispatcher;
}

/** Time limits are the caller's own, on its clock. */
const kept = { keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0 };
/** HTTP/1.1, measured faster than HTTP/2 for calls. */
const forCalls = { ...kept, connections: mostCalls, allowH2: false };
/** HTTP/2, a hundred on a connection; a connection each where HTTP/1.1 is all there is (decisions/0014). */
const forStreams = { ...kept, allowH2: true };

/**
 * Connections to an API server, TLS always verified, through a proxy where there is one. Calls never wait for what
 * watches hold. @throws LifecycleError Denied for certificates that cannot be used.
 */
export async function agentsFor(tls: Tls, proxy: string | undefined): Promise<Agents> {
  const verified = { ...tls, rejectUnauthorized: true };
  if (proxy?.startsWith('socks5:')) {
    const tunnel = await throughSocks(proxy, verified);
    return bothOf((pool) => new Agent({ ...pool, allowH2: false, connect: tunnel }));
  }
  try {
    return proxy === undefined
      ? bothOf((pool) => new Agent({ ...pool, connect: { ...verified, preferH2: pool.allowH2, timeout: 10_000 } }))
      : bothOf((pool) => new ProxyAgent({ ...pool, allowH2: false, uri: proxy, requestTls: verified }));
  } catch (thrown) {
    throw new LifecycleError('Denied', `kubeconfig: ${(thrown as Error).message.split('\n')[0]}`);
  }
}

const bothOf = (make: (pool: typeof forCalls | typeof forStreams) => Dispatcher): Agents => ({
  calls: make(forCalls),
  streams: make(forStreams),
});

/** A tunnel by SOCKS 5, and TLS within it. */
async function throughSocks(proxy: string, tls: ConnectionOptions): Promise<buildConnector.connector> {
  const { SocksClient } = (await import('socks')).default; // CommonJS: a bundle knows none of its names
  const { hostname, port, username, password } = new URL(proxy);
  const login = username ? { userId: decodeURIComponent(username), password: decodeURIComponent(password) } : {};
  const from = { host: hostname, port: Number(port || 1080), type: 5 as const, ...login };
  return (options, callback) => {
    const destination = { host: options.hostname, port: Number(options.port || 443) };
    SocksClient.createConnection({ proxy: from, command: 'connect', destination }).then(
      ({ socket }) => {
        const secured = connect({ servername: options.servername ?? options.hostname, ...tls, socket });
        secured.once('secureConnect', () => callback(null, secured)).once('error', (error) => callback(error, null));
      },
      (thrown: Error) => callback(thrown, null),
    );
  };
}
