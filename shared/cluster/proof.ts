import type { Clock } from '../time/clock.ts';
import { type Credential, runExec } from './execPlugin.ts';
import { misconfigured } from './kubeconfig.ts';
import { type Login } from './login.ts';
import { type Material, readMaterial } from './material.ts';

/** So often it is asked whether its token is to be renewed. */
const providerKeptMs = 60_000;
/** So long before its end a credential is had anew. */
export const marginMs = 10_000;

/** What a proof is had from, beside the kubeconfig. */
export interface Around {
  clock: Clock;
  env: Record<string, string | undefined>;
  /** Whether exec plugins may use the terminal. */
  terminal: boolean;
}

type Authorized = { headers: Record<string, string>; cert?: string; key?: string; expires?: number };

export function authorizerOf(login: Login, around: Around): (fresh: boolean) => Promise<Authorized> {
  const { proof } = login;
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  switch (proof.by) {
    case 'nothing':
      return () => Promise.resolve({ headers: {} });
    case 'token':
      return () => Promise.resolve(bearer(proof.token));
    case 'tokenFile':
      return () => Promise.resolve(bearer(tokenIn(proof.file, proof.token)));
    case 'password': {
      const basic = Buffer.from(`${proof.username}:${proof.password}`).toString('base64');
      return () => Promise.resolve({ headers: { authorization: `Basic ${basic}` } });
    }
    case 'exec': {
      let known: Credential | undefined;
      return async (fresh) => {
        if (fresh || !known || known.expires - marginMs <= around.clock.now())
          known = await runExec(proof.plugin, {
            ...around,
            cluster: () => toldOf(login),
            after: (ms, call) => around.clock.after(ms, call),
          });
        const { token, ...rest } = known;
        return { ...rest, ...(token === undefined ? { headers: {} } : bearer(token)) };
      };
    }
    case 'provider':
      return async () => ({ ...(await byProvider(proof.provider)), expires: around.clock.now() + providerKeptMs });
    default:
      return proof satisfies never;
  }
}

function tokenIn(file: Material, instead: string | undefined): string {
  try {
    return readMaterial(file).trim();
  } catch (thrown) {
    if (instead !== undefined) return instead;
    throw thrown;
  }
}

/** The cluster, as an exec plugin with provideClusterInfo is told of it. */
function toldOf({ server, tlsServerName, ca, proxyUrl, extension }: Login): Record<string, unknown> {
  return {
    server,
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
    ...(ca ? { 'certificate-authority-data': Buffer.from(readMaterial(ca)).toString('base64') } : {}),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
    config: extension ?? null,
  };
}

/** OpenID Connect is client-node's: it renews the token by the refresh token. Loaded when a kubeconfig asks for it. */
async function byProvider(provider: unknown): Promise<Authorized> {
  const { KubeConfig, HttpMethod, RequestContext } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: 'https://localhost', skipTLSVerify: false }],
    users: [{ name: 'u', authProvider: provider }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const context = new RequestContext('https://localhost', HttpMethod.GET);
  // Where it has no token that holds and cannot renew one, it throws, or says nothing.
  await config.applySecurityAuthentication(context).catch(() => {});
  const headers = context.getHeaders();
  if (Object.keys(headers).length === 0)
    throw misconfigured('kubeconfig: auth-provider oidc', 'no token could be had; log in again');
  return { headers };
}
