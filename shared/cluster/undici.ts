/// <reference path="./undiciParts.d.ts" />
import type { Agent as PoolAgent, Dispatcher, ProxyAgent as PoolProxyAgent } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import send from 'undici/lib/api/api-request.js';
import util from 'undici/lib/core/util.js';
import agent from 'undici/lib/dispatcher/agent.js';
import dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import proxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

/**
 * What this library uses of undici: its connection pools and `request`, as undici's own index.js puts them together. That
 * brings up fetch, caches, mocks and web sockets too, half of what a start would pay for it.
 */
export const Agent = agent as typeof PoolAgent;
export const ProxyAgent = proxyAgent as typeof PoolProxyAgent;
export type { buildConnector, Dispatcher } from 'undici';

Object.assign(dispatcher.prototype, { connect, request: send }); // a proxy is asked by `connect`

type Asked = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & { method?: Dispatcher.HttpMethod };

/** `dispatcher` is always given here, so there is no global one. */
export function request(
  url: string,
  { dispatcher, ...options }: Asked & { dispatcher: Dispatcher },
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = util.parseURL(url);
  const method = options.method ?? (options.body ? 'PUT' : 'GET');
  return dispatcher.request({ ...options, origin, path: pathname + search, method });
}
