import { LifecycleError } from '../domain/errors.ts';

/** The address of the API server as it may be shown: without what may stand before its host. */
export const shownServer = (server: string): string => server.replace(/\/\/[^/]*@/, '//');

/** What kept us from an answer, in words that say what to do; the proxy is named where it is the proxy. Never holds a header or a body. */
export function connectionFailure(thrown: unknown, to: { server: string; proxy?: string }): LifecycleError {
  if (thrown instanceof LifecycleError) return thrown;
  const cause = rootOf(thrown);
  const code = (cause as NodeJS.ErrnoException).code ?? /\bE[A-Z]{4,}\b/.exec(cause.message)?.[0] ?? '';
  const server = shownServer(to.server);
  const say = (what: string, where = server) =>
    new LifecycleError('Unreachable', `${where}: ${what}`, { cause: thrown });
  const first = to.proxy === undefined ? server : `proxy ${to.proxy}`; // what is connected to
  if (to.proxy !== undefined && /Proxy response|Socks5|socks/i.test(cause.message))
    return say(`does not let us through to ${server} (${cause.message.split('\n')[0]?.slice(0, 200)})`, first);
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code))
    return say(`TLS is not trusted (${code}); check the CA and the server name in the kubeconfig`);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return say(`no such host (${code}); check the address`, first);
  if (code === 'ECONNREFUSED') return say('nothing listens there (ECONNREFUSED); check address and port', first);
  if (/EHOSTUNREACH|ENETUNREACH|TIMEOUT|ETIMEDOUT/.test(code))
    return say(`no route, or no answer (${code}); check VPC, subnets, security groups and firewall`, first);
  return say(`connection lost (${code || cause.message})`, first);
}

function rootOf(thrown: unknown): Error {
  let error = thrown instanceof Error ? thrown : new Error(String(thrown));
  while (error.cause instanceof Error) error = error.cause;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error;
}
