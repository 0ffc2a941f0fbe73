import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { delimiter } from 'node:path';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

import type { Dispatcher } from 'undici';

import { systemClock } from '../time/clock.ts';
import { type Agents, agentsFor } from './agent.ts';
import { type KubeConfigFile, mergeKubeConfigs, misconfigured, readKubeConfig } from './kubeconfig.ts';
import { type Login, loginOf, ownLogin } from './login.ts';
import { type Material, readMaterial } from './material.ts';
import { proxyFor, shownProxy } from './proxy.ts';
export { parseKubeConfig } from './kubeconfig.ts';
import { type Around, authorizerOf, marginMs } from './proof.ts';

/** Where a cluster is and how to get in: the API server's address, headers that prove who we are, pooled connections. */
export interface Credentials {
  server: string;
  /** The proxy on the way there, as it may be shown. */
  proxy?: string;
  /** @throws LifecycleError Denied when the credentials cannot be had (an exec plugin fails, a token file is gone). */
  headers(): Promise<Record<string, string | string[]>>;
  /** To be read after `headers`, like `server`: credentials that are read again may come with another address. */
  dispatcher: Dispatcher;
  /** For watches, which hold what they are on for minutes: nothing that a call waits for. Absent: the same as for calls. */
  streams?: Dispatcher;
  /** Tells that they were not accepted (401); the next `headers` has them anew. Absent where that would change nothing. */
  refused?(): void;
  /** Ends the connections, each when the last call on it is over. */
  close?(): void;
}

/**
 * What the environment says: the files of KUBECONFIG, else the pod's own service account.
 * @throws LifecycleError naming what is missing.
 */
export function findLogin(env: Record<string, string | undefined>): Login {
  const files = filesOf(env);
  if (files.length > 0) return loginOf(readKubeConfigs(files));
  const own = ownLogin(env);
  if (own) return own;
  throw misconfigured('kubeconfig', 'no KUBECONFIG is set, and this is not a pod with a service account');
}

/** The files that $KUBECONFIG names, each once. */
export const filesOf = (env: Record<string, string | undefined>): string[] => [
  ...new Set((env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')),
];

/** As kubectl reads a list: files that are not there are passed over, unless none is. @throws LifecycleError */
export function readKubeConfigs(files: string[]): KubeConfigFile {
  const there = files.filter((file) => existsSync(file));
  if (there.length === 0)
    throw misconfigured('kubeconfig', `$KUBECONFIG names ${files.join(' and ')}, which is not there`);
  return mergeKubeConfigs(there.map(readKubeConfig));
}

export interface Connected extends Partial<Around> {
  /** Replaces the agent, for a caller that brings its own connections. */
  dispatcher?: Dispatcher;
}

/** Credentials of the kubeconfig's current context. @throws LifecycleError Denied naming every wrong field. */
export const credentialsOf = (config: KubeConfigFile, dispatcher?: Dispatcher): Promise<Credentials> =>
  credentialsFor(loginOf(config), { dispatcher });

/** What is needed for one request, and until when that holds. */
interface Proved {
  headers: Record<string, string | string[]>;
  tls: { ca?: string; cert?: string; key?: string };
  until: number;
}

/** Files are read again so often, as client-go does: tokens, certificates and CAs are renewed under way. */
const filesKeptMs = 60_000;

/**
 * Credentials of a login: read now, again when they end, when a file of theirs may have changed, and when they were
 * refused. Certificates that changed come with new connections. @throws LifecycleError when they cannot be had.
 */
export async function credentialsFor(login: Login, connected: Connected = {}): Promise<Credentials> {
  const { clock = systemClock, env = process.env, terminal = process.stdin.isTTY === true } = connected;
  const proxy = proxyFor(login.server, login.proxyUrl, env);
  const prove = proverOf(login, { clock, env, terminal });
  const given = connected.dispatcher && { calls: connected.dispatcher, streams: connected.dispatcher };
  const connect = ({ tls }: Proved) => given ?? agentsFor({ ...tls, ...identityOf(login) }, proxy);
  let known = await prove(false);
  let agents = await connect(known);
  let proving: Promise<void> | undefined;
  let refused = false;
  const again = async (): Promise<void> => {
    const before = known;
    known = await prove(refused, before);
    refused = false;
    if (sameTls(before.tls, known.tls)) return;
    const old = agents;
    agents = await connect(known);
    if (old !== agents) closeBoth(old);
  };
  return {
    server: login.server,
    ...(proxy === undefined ? {} : { proxy: shownProxy(proxy) }),
    get dispatcher() {
      return agents.calls;
    },
    get streams() {
      return agents.streams;
    },
    async headers() {
      if (refused || clock.now() >= known.until) await (proving ??= again().finally(() => (proving = undefined)));
      return known.headers;
    },
    close: () => closeBoth(agents),
    ...(login.proof.by === 'tokenFile' || login.proof.by === 'exec' ? { refused: () => void (refused = true) } : {}),
  };
}

function closeBoth({ calls, streams }: Agents): void {
  void calls.close();
  if (streams !== calls) void streams.close();
}

const sameTls = (a: Proved['tls'], b: Proved['tls']): boolean => a.ca === b.ca && a.cert === b.cert && a.key === b.key;

/** The name that the server's certificate must have; an address is no name for SNI, and is only compared. */
function identityOf({ tlsServerName: name }: Login) {
  if (name === undefined) return {};
  if (isIP(name) === 0) return { servername: name };
  return { checkServerIdentity: (_host: string, cert: PeerCertificate) => checkServerIdentity(name, cert) };
}

function proverOf(login: Login, around: Around) {
  const { clock } = around;
  const { ca, cert, key } = login;
  const files = [ca, cert, key, login.proof.by === 'tokenFile' ? login.proof.file : undefined];
  const keptMs = files.some((material) => material && 'file' in material) ? filesKeptMs : Infinity;
  const authorize = authorizerOf(login, around);
  return async (refused: boolean, before?: Proved): Promise<Proved> => {
    const now = clock.now();
    try {
      const { headers, expires = Infinity, ...own } = await authorize(refused);
      const read = (material: Material | undefined) => material && readMaterial(material);
      const tls = { ca: read(ca), cert: own.cert ?? read(cert), key: own.key ?? read(key) };
      // At least a moment: a plugin that answers what is over already is not asked for every call.
      const until = Math.max(now + 1_000, Math.min(now + keptMs, expires - marginMs));
      return { headers: { ...headers, ...login.as }, tls, until };
    } catch (thrown) {
      // A file that is just being replaced: what was read before may hold a little longer.
      if (!before || refused || login.proof.by !== 'tokenFile') throw thrown;
      return { ...before, until: now + marginMs };
    }
  };
}
