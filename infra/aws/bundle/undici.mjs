// What the functions use of undici: its connection pools and `request`, as undici's own index.js puts them together.
import apiRequest from 'undici/lib/api/api-request.js';
import util from 'undici/lib/core/util.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

export { Agent, ProxyAgent };

/** `dispatcher` is always given here, so there is no global one. */
export function request(url, { dispatcher, ...options }) {
  const { origin, pathname, search } = util.parseURL(url);
  const method = options.method ?? (options.body ? 'PUT' : 'GET');
  return apiRequest.call(dispatcher, { ...options, origin, path: pathname + search, method });
}
