import { BlockList, isIP } from 'node:net';

const schemes = ['http:', 'https:', 'socks5:'];

/** What is wrong with the address of a proxy, without its password; undefined when nothing is. */
export function proxyProblem(address: string): string | undefined {
  const url = URL.parse(address);
  if (url && schemes.includes(url.protocol) && url.hostname !== '') return undefined;
  const scheme = url ? `"${url.protocol}" is none of them` : 'it has none';
  return `expected http://, https:// or socks5:// and a host; ${scheme}`;
}

/** The address of a proxy as it may be shown. */
export function shownProxy(address: string): string {
  const url = URL.parse(address);
  return url ? `${url.protocol}//${url.host}` : 'the proxy';
}

/**
 * The proxy on the way to `server`: the kubeconfig's own, else that of the environment, by the rules of Go's
 * http.ProxyFromEnvironment: HTTPS_PROXY unless NO_PROXY has the host; never for this machine itself.
 */
export function proxyFor(
  server: string,
  own: string | undefined,
  env: Record<string, string | undefined>,
): string | undefined {
  if (own !== undefined) return own;
  const given = env['HTTPS_PROXY'] || env['https_proxy'];
  if (!given) return undefined;
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isHere(host)) return undefined;
  const except = (env['NO_PROXY'] || env['no_proxy'] || '').split(',').map((one) => one.trim().toLowerCase());
  if (except.some((one) => one !== '' && isExcepted(one, host, port || '443'))) return undefined;
  return /^[a-z0-9]+:\/\//i.test(given) ? given : `http://${given}`;
}

const isHere = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** `*`, an address, a network, `example.com` with its subdomains, `.example.com` or `*.example.com` for these alone; a port where given. */
function isExcepted(one: string, host: string, port: string): boolean {
  if (one === '*') return true;
  if (one.includes('/')) return isInNetwork(one, host);
  const [, name = one, onPort] = /^(.+?|\[[^\]]*\]):(\d+)$/.exec(isIP(one) ? '' : one) ?? [];
  if (onPort !== undefined && onPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '');
  if (isIP(bare) || isIP(host)) return bare === host;
  const domain = bare.replace(/^\*/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function isInNetwork(network: string, host: string): boolean {
  const [address = '', prefix = ''] = network.split('/');
  const [kind, ours] = [isIP(address), isIP(host)];
  if (kind === 0 || ours !== kind || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (kind === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), kind === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, ours === 4 ? 'ipv4' : 'ipv6');
}
