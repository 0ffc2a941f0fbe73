import { connect, type ConnectionOptions } from 'node:tls';

import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';

import { LifecycleError } from '../domain/errors.ts';

export type Tls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'checkServerIdentity'>;

/** HTTP/1.1 with kept connections: measured faster than HTTP/2 on one, and a watch holds just its own. Time limits are the caller's own, on its clock. */
const pool = { connections: 64, allowH2: false, keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0 };

/** Connections to an API server, TLS always verified, through a proxy where there is one. @throws LifecycleError Denied for certificates that cannot be used. */
export async function agentFor(tls: Tls, proxy: string | undefined): Promise<Dispatcher> {
  const verified = { ...tls, rejectUnauthorized: true };
  if (proxy?.startsWith('socks5:')) return new Agent({ ...pool, connect: await throughSocks(proxy, verified) });
  try {
    return proxy === undefined
      ? new Agent({ ...pool, connect: { ...verified, timeout: 10_000 } })
      : new ProxyAgent({ ...pool, uri: proxy, requestTls: verified });
  } catch (thrown) {
    throw new LifecycleError('Denied', `kubeconfig: ${(thrown as Error).message.split('\n')[0]}`);
  }
}

/** A tunnel by SOCKS 5, and TLS within it. */
async function throughSocks(proxy: string, tls: ConnectionOptions): Promise<buildConnector.connector> {
  const { SocksClient } = await import('socks');
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
