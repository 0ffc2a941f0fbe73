import { LifecycleError } from '../domain/errors.ts';
import type { Clock } from '../time/clock.ts';
import { AwsError, type AwsLogin, awsLogin, callAws, eksToken } from './aws.ts';
import type { ClusterSource } from './clusters.ts';
import { type Credentials, credentialsFor } from './credentials.ts';
import { parseKubeConfig, readKubeConfig } from './kubeconfig.ts';
import { type Login, loginOf } from './login.ts';

/** Reads the text of a secret: Secrets Manager's, or a test's. `fresh` passes every cache by. */
export type ReadSecret = (id: string, region: string | undefined, fresh: boolean) => Promise<string>;

export interface Sourcing {
  clock: Clock;
  env: Record<string, string | undefined>;
  readSecret?: ReadSecret;
  login?: AwsLogin;
}

interface Loaded {
  credentials: Credentials;
  /** Instant from which they are loaded again. */
  until: number;
  /** What they were made from: the same again is no reason for new connections. */
  from: string;
}

/** Not more often than this after one 401, whatever number of calls meets it. */
const rereadPauseMs = 5_000;

/**
 * Credentials of one cluster, had when they are first needed and kept until they end or are refused (401): then the
 * secret is read again, the cluster described again, the token signed anew.
 */
export function credentialsFrom(source: ClusterSource, sourcing: Sourcing): Credentials {
  const { clock } = sourcing;
  const load = loaderOf(source, sourcing);
  let known: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;
  let readAt = -Infinity;
  let refused = false;
  const read = async (fresh: boolean): Promise<Loaded> => {
    const next = await load(fresh);
    readAt = clock.now();
    refused = false;
    if (known && known.from === next.from) return (known = { ...next, credentials: known.credentials });
    known?.credentials.close?.();
    return (known = next);
  };
  const loaded = (): Credentials => {
    if (!known) throw new LifecycleError('Unknown', 'credentials are asked for before their headers');
    return known.credentials;
  };
  return {
    get server() {
      return known?.credentials.server ?? describe(source);
    },
    get dispatcher() {
      return loaded().dispatcher;
    },
    get streams() {
      return loaded().streams ?? loaded().dispatcher;
    },
    async headers() {
      const again = refused && clock.now() - readAt >= rereadPauseMs;
      if (!known || again || clock.now() >= known.until)
        await (loading ??= read(refused).finally(() => (loading = undefined)));
      return (known as Loaded).credentials.headers();
    },
    refused() {
      refused = true;
      known?.credentials.refused?.();
    },
  };
}

const describe = (source: ClusterSource): string =>
  source.from === 'eks' ? `EKS cluster ${source.name}` : source.from === 'secret' ? 'kubeconfig secret' : source.path;

function loaderOf(source: ClusterSource, sourcing: Sourcing): (fresh: boolean) => Promise<Loaded> {
  switch (source.from) {
    case 'file':
      return () => fromFile(source.path, sourcing);
    case 'secret': {
      const readSecret = sourcing.readSecret ?? secretsManager();
      return (fresh) => fromText(() => readSecret(source.id, source.region, fresh), `secret ${source.id}`);
    }
    case 'eks':
      return eksLoader(source, sourcing);
    default:
      return source satisfies never;
  }
}

/** A kubeconfig in a file: read again when it was refused, as it may have been replaced. */
async function fromFile(path: string, { clock, env }: Sourcing): Promise<Loaded> {
  const login = loginOf(readKubeConfig(path));
  return { credentials: await credentialsFor(login, { clock, env }), until: Infinity, from: JSON.stringify(login) };
}

async function fromText(read: () => Promise<string>, what: string): Promise<Loaded> {
  let text: string;
  try {
    text = await read();
  } catch (thrown) {
    throw awsFailure(thrown, `kubeconfig from ${what}`, 'secretsmanager:GetSecretValue');
  }
  return { credentials: await credentialsFor(loginOf(parseKubeConfig(text))), until: Infinity, from: text };
}

/** Powertools' provider, loaded when a secret is first read: the SDK is not part of a cold start without one. */
export function secretsManager(): ReadSecret {
  const keptSeconds = 3_600;
  return async (id, region, fresh) => {
    const { SecretsProvider } = await import('@aws-lambda-powertools/parameters/secrets');
    const provider = new SecretsProvider({ clientConfig: region ? { region } : {} });
    const value = await provider.get(id, { maxAge: keptSeconds, forceFetch: fresh });
    if (typeof value !== 'string') throw new Error('expected a secret that is text');
    return value;
  };
}

const tokenKeptMs = 10 * 60_000; // EKS takes a token for 15 minutes from its signing
const identityMarginMs = 60_000; // it ends with the credentials that signed it, too

interface Described {
  cluster?: { endpoint?: string; certificateAuthority?: { data?: string }; status?: string };
}

function eksLoader(source: ClusterSource & { from: 'eks' }, sourcing: Sourcing) {
  const { clock, env } = sourcing;
  const region = source.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? '';
  const login = sourcing.login ?? awsLogin();
  let token = '';
  let described: Described['cluster'];
  const doing = `EKS cluster ${source.name}`;
  return async (fresh: boolean): Promise<Loaded> => {
    if (region === '') throw new LifecycleError('InvalidAction', `${doing}: set AWS_REGION, or name it in CLUSTERS`);
    try {
      if (fresh || !described) {
        const path = `/clusters/${encodeURIComponent(source.name)}`;
        described = (await callAws<Described>({ service: 'eks', region, method: 'GET', path }, login, { clock, env }))
          .cluster;
      }
      const identity = await login();
      token = await eksToken(source.name, region, identity, clock.now());
      const ends = identity.expiration ? identity.expiration.getTime() - identityMarginMs : Infinity;
      const until = Math.max(clock.now() + rereadPauseMs, Math.min(clock.now() + tokenKeptMs, ends));
      const from = JSON.stringify([described?.endpoint, described?.certificateAuthority?.data]);
      return { credentials: await eksCredentials(described, doing, () => token), until, from };
    } catch (thrown) {
      throw awsFailure(thrown, doing, 'eks:DescribeCluster');
    }
  };
}

async function eksCredentials(described: Described['cluster'], doing: string, token: () => string) {
  const { endpoint, certificateAuthority, status } = described ?? {};
  if (!endpoint || !certificateAuthority?.data)
    throw new LifecycleError('Unreachable', `${doing} has no endpoint yet (status ${status ?? 'unknown'})`);
  const ca = { text: Buffer.from(certificateAuthority.data, 'base64').toString('utf8'), where: doing };
  const login: Login = { context: doing, server: endpoint, ca, proof: { by: 'nothing' }, as: {} };
  const bare = await credentialsFor(login);
  const headers = async () => ({ ...(await bare.headers()), authorization: `Bearer ${token()}` });
  return {
    server: endpoint,
    headers,
    close: () => bare.close?.(),
    get dispatcher() {
      return bare.dispatcher;
    },
    get streams() {
      return bare.streams ?? bare.dispatcher;
    },
  };
}

/** What AWS said, as an error of the closed set; never what the secret holds. */
function awsFailure(thrown: unknown, doing: string, permission: string): LifecycleError {
  if (thrown instanceof LifecycleError) return thrown;
  let root = thrown as Error & { status?: number; $metadata?: { httpStatusCode?: number } };
  while (root.cause instanceof Error && root.$metadata === undefined) root = root.cause;
  const status = thrown instanceof AwsError ? thrown.status : root.$metadata?.httpStatusCode;
  const said = `${root.name}: ${root.message}`.split('\n')[0]?.slice(0, 300) ?? '';
  const client = status !== undefined && status >= 400 && status < 500 && status !== 429;
  const says = client ? `${said}; the role needs ${permission}` : said;
  return new LifecycleError(client ? 'Denied' : 'Unreachable', `${doing}: ${says}`, { cause: thrown, status });
}
