import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';

import { LifecycleError } from '../domain/errors.ts';
import { type ExecPlugin, readExec } from './execPlugin.ts';
import { type Entry, isObject, type KubeConfigFile, mend, misconfigured, textOf } from './kubeconfig.ts';
import { fieldsOf, fileIn, type Material, materialOf } from './material.ts';
import { proxyProblem } from './proxy.ts';
import { shownServer } from './unreachable.ts';

/** How a request proves who sends it. */
export type Proof =
  | { by: 'nothing' }
  | { by: 'token'; token: string }
  /** `token` counts as long as the file cannot be read. */
  | { by: 'tokenFile'; file: Material; token?: string }
  | { by: 'password'; username: string; password: string }
  | { by: 'exec'; plugin: ExecPlugin }
  | { by: 'provider'; provider: unknown };

/** Where the API server of one context is, and how one gets in. */
export interface Login {
  context: string;
  namespace?: string;
  /** Without a slash at its end. */
  server: string;
  tlsServerName?: string;
  proxyUrl?: string;
  ca?: Material;
  cert?: Material;
  key?: Material;
  proof: Proof;
  /** Impersonation, as headers. */
  as: Record<string, string | string[]>;
  /** What exec plugins are told of the cluster beside that. */
  extension?: unknown;
}

/** What options of a command say instead of the kubeconfig. */
export interface Overrides {
  context?: string;
  cluster?: string;
  user?: string;
  server?: string;
  as?: string;
  asGroups?: string[];
  asUid?: string;
}

/**
 * What the kubeconfig says of its current context, or the one that is asked for. TLS is always verified:
 * `insecure-skip-tls-verify` and plain http are refused. Entries that are not used may be as wrong as they like.
 * @throws LifecycleError Unreachable naming the file and every wrong field.
 */
export function loginOf(config: KubeConfigFile, overrides: Overrides = {}): Login {
  const context = contextOf(config, overrides.context);
  const pick = (kind: 'cluster' | 'user', entries: Map<string, Entry>): Entry | undefined => {
    const name = overrides[kind] ?? textOf(context, kind);
    const found = name === undefined ? undefined : entries.get(name);
    if (name !== undefined && !found) throw misconfigured(`${context.where}.${kind}`, `there is no ${kind} "${name}"`);
    return found;
  };
  const cluster = pick('cluster', config.clusters);
  if (!cluster) throw misconfigured(`${context.where}.cluster`, 'is missing: it says which cluster is meant');
  const user = pick('user', config.users) ?? { name: '', where: `${config.from}: no user`, value: {} };
  const problems: string[] = [];
  const login: Login = {
    context: context.name,
    namespace: textOf(context, 'namespace'),
    ...clusterOf(cluster, overrides, problems),
    ...userOf(user, problems),
    as: impersonation(user, overrides, problems),
  };
  if (problems.length > 0) throw new LifecycleError('Unreachable', problems.slice(0, 10).join('; '), { next: mend });
  return login;
}

function contextOf(config: KubeConfigFile, asked: string | undefined): Entry {
  const name = asked ?? config.currentContext;
  if (name === undefined) throw misconfigured(config.from, 'there is no current-context; name one');
  const context = config.contexts.get(name);
  if (context) return context;
  const known = [...config.contexts.keys()].slice(0, 10).join(', ') || 'none';
  throw misconfigured(`${config.from}: current-context`, `there is no context "${name}"; there are: ${known}`);
}

function clusterOf(cluster: Entry, { server: instead }: Overrides, problems: string[]) {
  const text = fieldsOf(cluster, problems);
  const server = instead ?? text('server');
  const wrong = server === undefined ? 'is missing' : serverProblem(server);
  if (wrong) problems.push(`${instead === undefined ? `${cluster.where}.server` : '--server'}: ${wrong}`);
  if (cluster.value['insecure-skip-tls-verify'] === true)
    problems.push(
      `${cluster.where}: insecure-skip-tls-verify is refused, as TLS is always verified; give the CA instead`,
    );
  const proxyUrl = text('proxy-url');
  const badProxy = proxyUrl === undefined ? undefined : proxyProblem(proxyUrl);
  if (badProxy) problems.push(`${cluster.where}.proxy-url: ${badProxy}`);
  const extensions = Array.isArray(cluster.value['extensions']) ? (cluster.value['extensions'] as unknown[]) : [];
  const told = extensions.find((one) => isObject(one) && one['name'] === 'client.authentication.k8s.io/exec');
  return {
    server: (server ?? '').replace(/\/+$/, ''),
    tlsServerName: text('tls-server-name'),
    proxyUrl,
    ca: materialOf(cluster, 'certificate-authority', problems),
    extension: isObject(told) ? told['extension'] : undefined,
  };
}

function serverProblem(server: string): string | undefined {
  const url = URL.parse(server);
  if (url?.protocol === 'https:' && url.hostname !== '') return undefined;
  const shown = url ? `${url.protocol}//${url.host}` : shownServer(server).slice(0, 100);
  return `expected an https:// address, not "${shown}"`;
}

function userOf(user: Entry, problems: string[]) {
  const text = fieldsOf(user, problems);
  const cert = materialOf(user, 'client-certificate', problems);
  const key = materialOf(user, 'client-key', problems);
  if (!cert !== !key)
    problems.push(
      `${user.where}: client-certificate and client-key belong together, ${cert ? 'the key' : 'the certificate'} is missing`,
    );
  return { cert, key, proof: proofOf(user, text, problems) };
}

/** As client-go: a token passes by an exec plugin, and a token's file passes by the token. */
function proofOf(user: Entry, text: ReturnType<typeof fieldsOf>, problems: string[]): Proof {
  const token = text('token');
  const tokenFile = text('tokenFile');
  const username = text('username');
  if (username !== undefined && (token ?? tokenFile) !== undefined)
    problems.push(`${user.where}: token and username are both given, only one is allowed`);
  if (token !== undefined && /[^\x21-\x7e]/.test(token.trim()))
    problems.push(`${user.where}.token: has a space, a line break or another character that no token has`);
  if (tokenFile !== undefined)
    return { by: 'tokenFile', file: fileIn(user, 'tokenFile', tokenFile, problems), token: token?.trim() };
  if (token !== undefined) return { by: 'token', token: token.trim() };
  if (username !== undefined) return { by: 'password', username, password: text('password') ?? '' };
  const { exec, 'auth-provider': provider } = user.value;
  if (exec !== undefined && exec !== null) {
    const plugin = readExec(user, exec, problems);
    return plugin ? { by: 'exec', plugin } : { by: 'nothing' };
  }
  if (isObject(provider)) return providerOf(user, provider, problems);
  return { by: 'nothing' };
}

/** Of the providers that client-go once had, oidc is left. */
function providerOf(user: Entry, provider: Record<string, unknown>, problems: string[]): Proof {
  if (provider['name'] === 'oidc') return { by: 'provider', provider };
  const name = String(provider['name']).slice(0, 40);
  problems.push(`${user.where}.auth-provider: "${name}" is no longer supported by Kubernetes' clients; use exec`);
  return { by: 'nothing' };
}

function impersonation(user: Entry, given: Overrides, problems: string[]): Login['as'] {
  const { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = user.value;
  const name = given.as ?? (typeof as === 'string' ? as : undefined);
  const found: Login['as'] = {};
  if (name) found['impersonate-user'] = name;
  const asUid = given.asUid ?? uid;
  if (typeof asUid === 'string' && asUid !== '') found['impersonate-uid'] = asUid;
  const asGroups = given.asGroups ?? groups;
  if (Array.isArray(asGroups) && asGroups.length > 0) found['impersonate-group'] = asGroups.map(String);
  if (isObject(extra))
    for (const [key, values] of Object.entries(extra))
      if (Array.isArray(values)) found[`impersonate-extra-${encodeURIComponent(key)}`] = values.map(String);
  if (!name && Object.keys(found).length > 0)
    problems.push(`${user.where}: groups, uid or extra are impersonated without a user; give "as" (--as) too`);
  return found;
}

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The pod's own service account; undefined when this is no pod with one. Its token and CA are read again, as both change. */
export function ownLogin(env: Record<string, string | undefined>, folder = account): Login | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port || !existsSync(`${folder}/token`)) return undefined;
  const file = (name: string): Material => ({ file: `${folder}/${name}`, where: "the pod's service account" });
  const namespace = existsSync(`${folder}/namespace`) ? readFileSync(`${folder}/namespace`, 'utf8').trim() : undefined;
  return {
    context: 'in-cluster',
    ...(namespace ? { namespace } : {}),
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ca: file('ca.crt'),
    proof: { by: 'tokenFile', file: file('token') },
    as: {},
  };
}
